import json
from pathlib import Path

import pytest

from technoshare.cli import main

ROOT = Path(__file__).resolve().parent.parent
REPO = "https://github.com/technoshare-samples/ledgerline"
NOTE = "https://notes.example.org/til/sqlite-user-version"


@pytest.fixture(autouse=True)
def _samples(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FETCH_SNAPSHOTS", "evalsets/snapshots")
    monkeypatch.setenv("LLM_MODEL", "extractive")


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("read", "comment", "eval", "demo"))


def test_a_command_that_does_not_exist_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as end:
        main(["dance"])
    assert end.value.code == 2
    assert "dance" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["read"], ["read", "blog.example.org"], ["read", "ftp://a.org/x"], ["comment", ""]]
)
def test_what_is_no_web_address_is_a_usage_error(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "URL" in capsys.readouterr().err


def test_read_shows_source_coverage_and_snippets(capsys):
    assert main(["read", REPO]) == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("GithubAdapter", "full", "Apache-2.0", "s1", "What it promises"))


def test_read_as_json_is_the_evidence(capsys):
    assert main(["read", REPO, "--json"]) == 0
    evidence = json.loads(capsys.readouterr().out)
    assert (evidence["adapter"], evidence["language"], evidence["coverage"]) == ("GithubAdapter", "en", "full")


def test_comment_shows_the_comment_and_its_checks(capsys):
    assert main(["comment", NOTE]) == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("TLDR", "Summary", "Projects", "✓ schema_validity", "Short source"))


def test_comment_as_json_is_what_would_be_posted(capsys):
    assert main(["comment", NOTE, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["comment"]["tldr"]) == 3


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://169.254.169.254/", "private network"), ("https://blog.example.org/2019/old-post", "404")],
)
def test_a_link_that_cannot_be_read_is_one_line_and_exit_code_1(capsys, url, reason):
    assert main(["read", url]) == 1
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_a_wrong_setting_is_one_line_and_exit_code_2(capsys, monkeypatch):
    monkeypatch.setenv("FETCH_SNAPSHOTS", "nowhere")
    assert main(["read", NOTE]) == 2
    assert "FETCH_SNAPSHOTS" in capsys.readouterr().err
