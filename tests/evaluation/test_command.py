"""`technoshare eval` as CI calls it: embedded mode, in this process."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from technoshare.cli import main
from technoshare.llm import extractive
from technoshare.mlops.evaluation import scorers
from technoshare.mlops.evaluation.results import Report

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = ROOT / "evalsets"
NOTE = {"id": "note", "url": "https://notes.example.org/til/sqlite-user-version", "snapshot": "note-short.yaml"}
DOCS = {"id": "docs", "url": "https://docs.example.org/courier/retry-policy", "snapshot": "docs-retry-policy.yaml"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a dataset of two examples; without a key, and without MLflow."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "EVAL_REQUIRE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_ENABLE_TRACKING", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_TRACING", "false")
    monkeypatch.chdir(ROOT)
    for name in ("note-short.yaml", "docs-retry-policy.yaml"):
        shutil.copy(OWN / "snapshots" / name, tmp_path)
    write(tmp_path, NOTE, DOCS)
    return tmp_path


def write(folder, *examples, **more):
    text = yaml.safe_dump({"dataset_name": "own", "examples": list(examples)} | more)
    (folder / "set.yaml").write_text(text)


def run(folder, *options, action=()):
    files = {"--dataset": folder / "set.yaml", "--baseline": folder / "baseline.json", "--output": folder / "out.json"}
    return main(["eval", *action, *(str(one) for pair in files.items() for one in pair), *options])


def report(folder):
    return Report.model_validate_json((folder / "out.json").read_text())


def reasons(folder):
    return " ".join(report(folder).verdict.reasons)


# ---------------------------------------------------------------- pass, and the report


def test_a_good_set_passes_and_its_results_are_written(folder, capsys):
    assert run(folder) == 0
    told = json.loads((folder / "out.json").read_text())
    assert told["verdict"]["verdict"] == "pass"
    assert [one["id"] for one in told["results"]["examples"]] == ["note", "docs"]
    assert "PASS" in capsys.readouterr().out


def test_the_mode_and_what_it_does_not_prove_are_printed(folder, capsys):
    run(folder)
    shown = " ".join(capsys.readouterr().out.split())
    assert "embedded mode, extractive" in shown
    assert "proves nothing about prompts and models" in shown


def test_two_runs_come_to_the_same_scores_and_comments(folder):
    def told():
        run(folder)
        return [(one.id, one.epochs[0].scores, one.epochs[0].comment) for one in report(folder).results.examples]

    assert told() == told()


# ---------------------------------------------------------------- what is broken, and the exit code that says so


def one_less(monkeypatch, where=""):
    """Let the keyless engine write one TLDR sentence too few about pages whose address holds `where`."""
    honest = extractive._comment

    def careless(evidence, *told):
        comment = honest(evidence, *told)
        return comment.model_copy(update={"tldr": comment.tldr[: 2 if where in evidence.url else 3]})

    monkeypatch.setattr(extractive, "_comment", careless)


def test_a_broken_gate_input_is_exit_code_1_and_names_example_scorer_and_text(folder, monkeypatch):
    """A TLDR of two sentences, as a writer gone wrong would send it through the gates."""
    one_less(monkeypatch)
    assert run(folder) == 1
    assert "overall_pass_rate is 0.000, below its floor of 1: note, docs" in reasons(folder)
    findings = {one.scorer: one.message for one in report(folder).results.examples[0].epochs[0].findings}
    assert findings["tldr_sentence_count"] == "The TLDR has 2 sentences instead of 3."


def test_gates_that_pass_everything_do_not_fool_the_scorers(folder, monkeypatch):
    one_less(monkeypatch)
    monkeypatch.setattr("technoshare.stages.review.judge", lambda _: ())
    assert run(folder) == 1


def test_a_broken_snapshot_is_exit_code_2_and_the_report_says_which(folder):
    sealed = NOTE | {"snapshot": {"file": "note-short.yaml", "sha256": "0" * 64}}
    write(folder, sealed, DOCS)
    assert run(folder) == 2
    assert "note-short.yaml is not what was frozen" in reasons(folder)


def test_a_missing_snapshot_is_exit_code_2(folder):
    (folder / "note-short.yaml").unlink()
    assert run(folder) == 2
    assert "note-short.yaml" in reasons(folder)


def test_an_example_without_a_snapshot_is_exit_code_2_that_names_the_command(folder):
    write(folder, {name: value for name, value in NOTE.items() if name != "snapshot"})
    assert run(folder) == 2
    assert "technoshare eval freeze" in reasons(folder)


@pytest.mark.parametrize("text", ["examples: [", "dataset_name: own\nexamples: []\n", "just words"])
def test_a_broken_dataset_is_exit_code_2_and_the_report_says_where(folder, text):
    (folder / "set.yaml").write_text(text)
    assert run(folder) == 2
    assert "set.yaml" in reasons(folder)


def injected(monkeypatch, name, look):
    told = tuple(scorers.Scorer(name, look, deciding=True) if one.name == name else one for one in scorers.SCORERS)
    monkeypatch.setattr("technoshare.cli.evaluating.SCORERS", told)


def breaks(*_):
    raise ZeroDivisionError("on every row")


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (breaks, "The scorer schema_validity breaks: ZeroDivisionError: on every row"),
        (lambda _: scorers.FULL, "The scorer schema_validity lets a bad comment pass"),
        (lambda _: None, "The scorer schema_validity breaks"),
        (lambda _: scorers.Score(float("nan")), "The scorer schema_validity finds fault with a good comment"),
        (lambda _: scorers.Score(0.0), "The scorer schema_validity finds fault with a good comment"),
    ],
    ids=["raises", "always yes", "none", "no number", "always no"],
)
def test_a_scorer_that_cannot_be_trusted_is_exit_code_2_never_a_pass(folder, monkeypatch, look, told):
    injected(monkeypatch, "schema_validity", look)
    assert run(folder) == 2
    assert told in reasons(folder)
    assert report(folder).verdict.passed_examples == 0


def test_a_scorer_that_breaks_only_on_real_pages_is_exit_code_2_too(folder, monkeypatch):
    honest = next(one for one in scorers.SCORERS if one.name == "schema_validity")
    injected(
        monkeypatch,
        "schema_validity",
        lambda answered: honest.look(answered) if answered.example.id == "trial" else breaks(answered),
    )
    assert run(folder) == 2
    assert "BrokenScorer: schema_validity: ZeroDivisionError" in reasons(folder)


def test_a_bug_in_a_stage_is_that_examples_error_and_the_others_are_run(folder, monkeypatch):
    honest = extractive._comment

    def buggy(evidence, facts, projects):
        if "notes" in evidence.url:
            raise KeyError("a bug")
        return honest(evidence, facts, projects)

    monkeypatch.setattr(extractive, "_comment", buggy)
    assert run(folder) == 2
    told = report(folder).results
    assert [one.passed for one in told.examples] == [False, True]
    assert "a bug" in told.examples[0].epochs[0].error


@pytest.mark.parametrize("broken", ["run", "write_reports"])
def test_a_bug_of_the_evaluation_itself_is_exit_code_2(folder, monkeypatch, capsys, broken):
    """Python ends with 1 after an exception, which would say that something was evaluated."""
    monkeypatch.setattr(f"technoshare.cli.evaluating.{broken}", breaks)
    assert run(folder) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_comment_where_a_failure_is_right_is_exit_code_1(folder):
    write(folder, NOTE | {"expect": {"outcome": "failed"}})
    assert run(folder) == 1


def test_a_text_that_must_not_be_said_decides(folder):
    write(folder, NOTE | {"expect": {"forbid": ["user_version"]}})
    assert run(folder) == 1
    assert report(folder).results.examples[0].epochs[0].findings[0].scorer == "expectations"


@pytest.mark.parametrize("missing", ["--thresholds", "--bad-comments"])
def test_without_thresholds_or_bad_comments_there_is_no_verdict(folder, missing):
    assert run(folder, missing, str(folder / "nowhere.yaml")) == 2
    assert "nowhere.yaml" in reasons(folder)


def test_a_baseline_that_cannot_be_read_is_exit_code_2(folder):
    (folder / "baseline.json").write_text("{")
    assert run(folder) == 2


# ---------------------------------------------------------------- modes


def test_a_key_in_the_environment_changes_nothing_in_embedded_mode(folder, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0000")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert run(folder, "--mode", "embedded") == 0


def test_a_missing_key_cannot_disarm_a_live_gate(folder, monkeypatch):
    monkeypatch.setenv("EVAL_REQUIRE", "live")
    assert run(folder) == 2
    assert "EVAL_REQUIRE=live" in reasons(folder)
    assert run(folder, "--mode", "embedded") == 2


def test_live_without_a_key_is_exit_code_2(folder):
    assert run(folder, "--mode", "live") == 2
    assert "OPENAI_API_KEY" in reasons(folder)


def test_a_prompt_cannot_be_evaluated_by_an_engine_that_reads_none(folder):
    assert run(folder, "--prompt", "staging") == 2
    assert "the keyless engine reads no prompt" in reasons(folder)


def test_embedded_mode_opens_no_socket_beyond_this_machine(folder):
    asked, watching = [], True

    def watch(event, arguments):
        if watching and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            asked.append((event, arguments))

    sys.addaudithook(watch)
    assert run(folder) == 0
    watching = False
    assert [one for one in asked if "127.0.0.1" not in str(one) and "::1" not in str(one)] == []


# ---------------------------------------------------------------- usage


@pytest.mark.parametrize(
    "options",
    [["--nonsense"], ["--mode", "sometimes"], ["--epochs", "0"], ["--epochs", "many"], ["frolic"], ["--only"]],
)
def test_wrong_usage_is_exit_code_3(folder, options):
    with pytest.raises(SystemExit) as end:
        run(folder, *options)
    assert end.value.code == 3


@pytest.mark.parametrize("options", [["--only", "nobody"], ["--tag", "none"], ["--record", "tape.json"]])
def test_options_that_fit_nothing_are_exit_code_3(folder, options, capsys):
    assert run(folder, *options) == 3
    assert capsys.readouterr().err.startswith("technoshare: ")


def test_other_commands_keep_their_exit_code_for_wrong_usage():
    with pytest.raises(SystemExit) as end:
        main(["jobs", "--nonsense"])
    assert end.value.code == 2


def test_the_action_may_be_left_out_and_options_may_stand_on_either_side(folder):
    assert run(folder, "--only", "note", action=["run"]) == 0
    files = ["--dataset", str(folder / "set.yaml"), "--baseline", str(folder / "b.json")]
    assert main(["eval", *files, "--only", "docs", "run", "--output", str(folder / "out.json")]) == 0
    assert [one.id for one in report(folder).results.examples] == ["docs"]


def test_a_pending_example_is_run_only_when_it_is_asked_for(folder):
    write(folder, NOTE, DOCS | {"status": "pending"})
    run(folder)
    assert [one.id for one in report(folder).results.examples] == ["note"]
    assert run(folder, "--only", "docs") == 0


# ---------------------------------------------------------------- the baseline


def bless(folder, capsys):
    code = run(folder, action=["bless"])
    return code, capsys.readouterr().err


def test_a_passed_run_is_blessed_and_what_fails_afterwards_is_named(folder, capsys, monkeypatch):
    assert run(folder) == 0
    assert bless(folder, capsys)[0] == 0
    assert run(folder) == 0
    assert report(folder).verdict.comparison.method == "exact"
    one_less(monkeypatch, where="docs")
    assert run(folder) == 1
    assert "1 passed in the blessed baseline and fail now: docs." in reasons(folder)
    assert "TLDR" in report(folder).verdict.comparison.newly_failing[0].comment_before


def test_a_run_moves_no_baseline(folder):
    run(folder)
    assert not (folder / "baseline.json").exists()


def test_a_failed_an_errored_and_a_partial_run_cannot_be_blessed(folder, capsys):
    write(folder, NOTE | {"expect": {"outcome": "failed"}}, DOCS)
    run(folder)
    assert "did not pass" in bless(folder, capsys)[1]
    write(folder, NOTE, DOCS)
    run(folder, "--only", "note")
    assert "only a whole evaluation" in bless(folder, capsys)[1]
    run(folder, "--bad-comments", "nowhere.yaml")
    assert bless(folder, capsys)[0] == 1
    assert not (folder / "baseline.json").exists()


def test_results_of_another_dataset_cannot_be_blessed(folder, capsys):
    run(folder)
    write(folder, NOTE)
    code, told = bless(folder, capsys)
    assert (code, "run the evaluation anew" in told) == (1, True)
