"""Live evaluation against the scripted model server, and its tapes."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from technoshare import cli
from technoshare.mlops.evaluation.baseline import NotBlessed
from technoshare.mlops.evaluation.results import Report
from technoshare.settings import load_settings
from technoshare.workspace.model import Behaviour, open_model_server

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = {
    "blog": ("https://blog.example.org/2026/11/incremental-snapshots", "blog-incremental-snapshots.yaml"),
    "docs": ("https://docs.example.org/courier/retry-policy", "docs-retry-policy.yaml"),
    "repo": ("https://github.com/technoshare-samples/ledgerline", "repo-ledgerline.yaml"),
}


@pytest.fixture
async def server():
    async with open_model_server(Behaviour()) as running:
        yield running


@pytest.fixture
def folder(tmp_path, monkeypatch, server):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MLFLOW_ENABLE_TRACKING", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_TRACING", "false")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("LLM_MODEL", "scripted")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("EVAL_REQUIRE", raising=False)
    for _, name in PAGES.values():
        shutil.copy(ROOT / "evalsets" / "snapshots" / name, tmp_path)
    examples = [{"id": key, "url": url, "snapshot": name} for key, (url, name) in PAGES.items()]
    (tmp_path / "set.yaml").write_text(yaml.safe_dump({"dataset_name": "own", "examples": examples}))
    return tmp_path


async def run(folder, *options, action=()):
    files = {"--dataset": folder / "set.yaml", "--baseline": folder / "baseline.json", "--output": folder / "out.json"}
    words = ["eval", *action, *(str(one) for pair in files.items() for one in pair), *options]
    parsed = cli._parsed(words)
    return await parsed.run(parsed, load_settings())


def report(folder):
    return Report.model_validate_json((folder / "out.json").read_text())


def reasons(folder):
    return " ".join(report(folder).verdict.reasons)


def worse_prompts(folder):
    """Prompts of which the second asks for a Summary that is far too short."""
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    path = folder / "prompts" / "stage_b_compose_reply.yaml"
    path.write_text(path.read_text().replace("{{least}} to {{most}}", "1 to 2"))
    return folder / "prompts"


# ---------------------------------------------------------------- live


async def test_with_a_model_server_the_evaluation_is_live_three_epochs_and_names_the_prompts(folder):
    assert await run(folder) == 0
    results = report(folder).results
    assert (results.mode, results.model, results.epochs) == ("live", "scripted", 3)
    assert {ref.name for ref in results.prompts} == {"stage_a_extract_facts", "stage_b_compose_reply"}
    assert results.usage.total_tokens > 0


async def test_fewer_epochs_than_the_rules_ask_are_a_part_that_neither_qualifies_nor_can_be_blessed(folder):
    assert await run(folder, "--epochs", "1") == 0
    assert report(folder).results.part == "--epochs 1"
    with pytest.raises(NotBlessed, match="only a whole evaluation"):
        await run(folder, action=["bless"])


async def test_a_worse_prompt_is_exit_code_1_and_the_report_says_why(folder, monkeypatch):
    assert await run(folder) == 0
    assert await run(folder, action=["bless"]) == 0
    monkeypatch.setenv("PROMPTS_DIR", str(worse_prompts(folder)))
    assert await run(folder) == 1
    assert "overall_pass_rate is 0.000, below its floor of 0.85: blog, docs, repo" in reasons(folder)
    assert "Fewer epochs pass than in the blessed baseline: -100.0%" in reasons(folder)
    finding = report(folder).results.examples[0].epochs[0].findings[0]
    assert (finding.scorer, "instead of" in finding.message) == ("summary_sentence_count", True)
    before, now = report(folder).verdict.comparison.prompts_before, report(folder).results.prompts
    assert [one == other for one, other in zip(before, now, strict=True)] == [True, False]


async def test_a_dead_model_server_is_exit_code_2_and_is_not_asked_for_every_example(folder, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        assert await run(folder, "--epochs", "5") == 2
    assert "15 of 15 epochs could not be evaluated" in reasons(folder)
    errors = [epoch.error for one in report(folder).results.examples for epoch in one.epochs]
    assert any("the model cannot be reached" in error for error in errors)
    assert any("not run: 5 errors in a row" in error for error in errors)
    assert report(folder).verdict.overall_pass_rate == 0.0


async def test_a_server_that_fails_now_and_then_is_exit_code_2_and_never_a_pass(folder, server):
    server.script(*(["400"] * 2))  # refused for good: no other try helps
    assert await run(folder, "--epochs", "1") == 2
    assert report(folder).results.errors >= 1


async def test_nobody_steps_in_for_the_model_that_is_evaluated(folder, server, monkeypatch):
    monkeypatch.setenv("LLM_FALLBACKS", "another,extractive")
    server.script(*(["401"] * 100))
    assert await run(folder, "--epochs", "1") == 2
    assert {body["model"] for body in server.bodies} == {"scripted"}
    assert "check OPENAI_API_KEY" in reasons(folder)


async def test_once_the_money_is_spent_nobody_is_asked_any_more(folder, server, monkeypatch):
    monkeypatch.setenv("LLM_MODEL", "gpt-4o")  # a model with a price
    told = yaml.safe_load((ROOT / "evalsets" / "thresholds.yaml").read_text())
    told["modes"]["live"]["limits"]["usd"] = 0.001
    (folder / "thresholds.yaml").write_text(yaml.safe_dump(told))
    assert await run(folder, "--thresholds", str(folder / "thresholds.yaml")) == 2
    assert "budget is spent" in reasons(folder)
    assert server.requests() <= 9, "one for each run that was under way"


async def test_an_example_without_a_snapshot_may_be_read_live(folder, monkeypatch):
    (folder / "set.yaml").write_text("dataset_name: own\nexamples: [{id: here, url: 'http://127.0.0.1/x'}]\n")
    assert await run(folder, "--epochs", "1") == 1
    assert "private network" in report(folder).results.examples[0].epochs[0].findings[0].message


# ---------------------------------------------------------------- tapes


async def test_a_recorded_run_is_repeated_without_asking_anybody(folder, server, monkeypatch):
    tape = folder / "tape.json"
    assert await run(folder, "--record", str(tape), "--epochs", "2") == 0
    live, asked = report(folder).results, server.requests()
    monkeypatch.delenv("OPENAI_BASE_URL")
    for _ in range(2):
        assert await run(folder, "--replay", str(tape), "--epochs", "2") == 0
        again = report(folder).results
        assert (again.mode, again.model) == ("replay", "scripted")
        told = [[[epoch.comment for epoch in one.epochs] for one in results.examples] for results in (live, again)]
        assert told[0] == told[1]
    assert server.requests() == asked


async def test_a_question_that_is_not_on_the_tape_is_exit_code_2_never_a_live_call(folder, server, monkeypatch):
    tape = folder / "tape.json"
    await run(folder, "--record", str(tape), "--epochs", "1")
    asked = server.requests()
    monkeypatch.setenv("PROMPTS_DIR", str(worse_prompts(folder)))
    assert await run(folder, "--replay", str(tape), "--epochs", "1") == 2
    assert "this question is not on the tape" in reasons(folder)
    assert "3 questions are not on the tape: record it anew." in reasons(folder)
    assert server.requests() == asked


async def test_a_repair_that_is_not_on_the_tape_is_not_taken_for_a_repair_that_failed(folder, monkeypatch):
    """The gates go on without a repair that gets no answer; for a tape that would be a silent miss."""
    tape, prompts = folder / "tape.json", worse_prompts(folder)
    monkeypatch.setenv("PROMPTS_DIR", str(prompts))
    await run(folder, "--record", str(tape), "--epochs", "1", "--only", "docs")
    told = json.loads(tape.read_text())
    first = {key: answers for key, answers in told["answers"].items() if "tldr" not in answers[0]["text"]}
    comments = [key for key, answers in told["answers"].items() if "tldr" in answers[0]["text"]]
    assert len(comments) == 3, "the comment and two repairs"
    for kept in comments:  # whichever of them is the first
        tape.write_text(json.dumps(told | {"answers": first | {kept: told["answers"][kept]}}))
        assert await run(folder, "--replay", str(tape), "--epochs", "1", "--only", "docs") == 2
        assert "not on the tape: record it anew" in reasons(folder)


async def test_a_tape_needs_no_key(folder, monkeypatch):
    tape = folder / "tape.json"
    await run(folder, "--record", str(tape), "--epochs", "1")
    monkeypatch.delenv("OPENAI_BASE_URL")
    tapes = folder / "tapes"
    tapes.mkdir()
    shutil.move(tape, tapes / "a.json")
    assert await run(folder, "--replay", str(tapes), "--epochs", "1") == 0


@pytest.mark.parametrize("content", [None, "{", '{"schema": "technoshare.tape/1", "model": 3}'])
async def test_a_tape_that_cannot_be_read_is_exit_code_2(folder, content):
    tape = folder / "tape.json"
    if content:
        tape.write_text(content)
    assert await run(folder, "--replay", str(tape)) == 2
    assert "tape.json" in reasons(folder)


async def test_replay_without_a_tape_is_exit_code_2_that_says_how_to_make_one(folder):
    assert await run(folder, "--mode", "replay") == 2
    assert "--record FILE" in reasons(folder)
