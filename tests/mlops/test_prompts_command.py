"""`technoshare prompts` as a person types it, against a real MLflow."""

import json
import re
import shutil

import pytest

from technoshare.cli import main
from technoshare.llm.prompts import STAGE_A, STAGE_B, load_prompts
from technoshare.mlops.prompt_registry import PromptRegistry
from tests.mlops.prompt_samples import FOLDER, empty_registry, note_evaluation


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "prompts"


@pytest.fixture
def registry(mlflow_server, folder, tmp_path, monkeypatch) -> PromptRegistry:
    """An empty registry, and the settings of a bot beside it."""
    shutil.copytree(FOLDER, folder)
    told = {
        "MLFLOW_TRACKING_URI": mlflow_server,
        "PROMPTS_DIR": str(folder),
        "JOBS_URL": f"sqlite:///{tmp_path / 'data' / 'technoshare.db'}",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "LLM_MODEL": "gpt-x",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return empty_registry(mlflow_server)


@pytest.fixture
def say(registry, capsys):
    """Run a command; returns its exit code and what it printed."""

    def said(*words: str) -> tuple[int, str]:
        code = main(["prompts", *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return said


def edit(folder, old: str, new: str) -> None:
    path = folder / f"{STAGE_B}.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def evaluate(registry, folder, **tags) -> str:
    book = load_prompts(folder)
    return note_evaluation(registry, *(book.get(name) for name in (STAGE_A, STAGE_B)), **tags)


def test_a_prompt_goes_from_its_file_to_the_bot_and_back(say, registry, folder):
    assert say("sync")[1].count("is staging\n") == 2
    assert say("sync")[1].count("it was known") == 2
    assert re.search(r"  yaml  \w{12} +.*= version 1  ← current", say("list")[1])
    code, told = say("promote")
    assert (code, told.count("\n")) == (1, 1)
    assert "not evaluated yet" in told
    run_id = evaluate(registry, folder)
    assert say("promote") == (
        0, f"{STAGE_A}: prod none → 1, evaluation {run_id}\n{STAGE_B}: prod none → 1, evaluation {run_id}\n"
    )  # fmt: skip
    assert say("promote") == (0, "nothing to promote: prod is what was synced last\n")

    edit(folder, "busy engineers", "patient engineers")
    code, told = say("diff", "stage_b")
    assert code == 0
    assert re.search(r"^-.*busy engineers", told, re.MULTILINE)
    assert re.search(r"^\+.*patient engineers", told, re.MULTILINE)
    assert "not synced" in say("list")[1]
    say("sync")
    evaluate(registry, folder, verdict="fail")
    code, told = say("promote", STAGE_B)
    assert code == 1
    assert "its newest evaluation failed" in told
    evaluate(registry, folder)
    assert f"{STAGE_B}: prod 1 → 2" in say("promote", "stage_b")[1]
    assert re.search(r" +2  \w{12}  .*prod, staging  ← current\n +1  ", say("list")[1])
    assert say("rollback") == (0, f"{STAGE_B}: prod 2 → 1\n")
    assert say("rollback", "stage_b")[1] == f"{STAGE_B}: prod 1 → none\n"
    lines = [json.loads(line) for line in (folder / "PROMOTIONS.jsonl").read_text("utf-8").splitlines()]
    assert [(line["action"], line["from"], line["to"]) for line in lines if line["prompt_name"] == STAGE_B] == [
        ("promote", "none", "1"), ("promote", "1", "2"), ("rollback", "2", "1"), ("rollback", "1", "none"),
    ]  # fmt: skip
    assert all(line["who"] for line in lines)


def test_a_changed_setting_shows_in_the_diff(say, folder):
    say("sync")
    edit(folder, "max_output_tokens: 6000", "max_output_tokens: 5000")
    told = say("diff", "stage_b", "staging")[1]
    assert '-  "max_output_tokens": 6000' in told
    assert '+  "max_output_tokens": 5000' in told
    assert "no difference" in say("diff", "stage_b", "1", "staging")[1]


def test_a_program_can_read_the_list_and_what_was_done(say, registry, folder):
    assert [line["new"] for line in json.loads(say("sync", "--json")[1])] == [True, True]
    assert len(json.loads(say("promote", "--json", "--force", "a try")[1])) == 2
    edit(folder, "busy engineers", "patient engineers")
    listed = json.loads(say("list", "--json")[1])
    assert [prompt["name"] for prompt in listed] == [STAGE_A, STAGE_B]
    assert listed[1]["current"] | {"content_hash": ""} == {"version": "1", "content_hash": "", "from": "MLflow"}
    (version,) = listed[1]["versions"]
    assert (version["current"], sorted(version["aliases"])) == (True, ["prod", "staging"])
    assert listed[0]["yaml"]["version"] == "1"
    assert listed[1]["yaml"]["version"] is None


def test_the_projects_are_no_prompt(say, registry):
    say("sync")
    assert {prompt.name for prompt in registry._client.search_prompts()} >= {STAGE_A, STAGE_B}
    assert "projects" not in {prompt.name for prompt in registry._client.search_prompts()}


def test_an_evaluation_by_the_keyless_engine_qualifies_nothing(say, registry, folder, monkeypatch):
    say("sync")
    evaluate(registry, folder, mode="embedded", model="extractive")
    assert "mode embedded, in which no model reads the prompt" in say("promote")[1]
    monkeypatch.setenv("LLM_MODEL", "extractive")
    evaluate(registry, folder, model="extractive")
    code, told = say("promote")
    assert code == 1
    assert "no model is set here" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("diff", "stage_b"), f"{STAGE_B} has no prod"),
        (("diff", "stage_b", "7"), f"{STAGE_B} has no version 7"),
        (("promote",), "has no version yet: run `technoshare prompts sync`"),
        (("promote", "--version", "7"), "has no version 7"),
        (("rollback",), "no promotion is left to roll back"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(say, words, told):
    code, printed = say(*words)
    assert (code, printed.count("\n")) == (1, 1)
    assert told in printed


@pytest.mark.parametrize("words", [("sync",), ("list",), ("diff", "stage_a"), ("promote",), ("rollback",)])
def test_without_mlflow_every_action_says_so_and_ends_with_2(say, monkeypatch, words):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert say(*words) == (
        2, "technoshare: MLflow at http://127.0.0.1:1 cannot be asked (Connection refused); is it running? (make mlflow)\n"
    )  # fmt: skip


def test_an_unknown_name_is_a_wrong_use(say):
    with pytest.raises(SystemExit) as ended:
        say("diff", "stage")
    assert ended.value.code == 2
