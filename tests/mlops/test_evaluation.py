import shutil
from pathlib import Path

import pytest
import yaml

from technoshare.cli import main
from technoshare.mlops.evaluation.runner import BASE_CHECKS, Results, Score

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = ROOT / "evalsets" / "technoshare_eval.yaml"


def dataset(folder, *examples, **more):
    path = folder / "set.yaml"
    shutil.copy(OWN.parent / "snapshots" / "note-short.yaml", folder)
    path.write_text(yaml.safe_dump({"dataset_name": "own", "examples": list(examples)} | more))
    return path


def example(name="note", **changes):
    url = "https://notes.example.org/til/sqlite-user-version"
    return {"id": name, "url": url, "snapshot": "note-short.yaml"} | changes


def run(path, tmp_path):
    return main(["eval", "--dataset", str(path), "--output", str(tmp_path / "eval_results.json")])


def results(*scores, examples=None):
    return Results(
        dataset_name="own", dataset_digest="0", model="extractive", num_examples=examples or len(scores), scores=scores
    )


def score(name, value=1.0, error=""):
    return Score(id=name, scores=dict.fromkeys(BASE_CHECKS, value), error=error)


# ---------------------------------------------------------------- the verdict


def test_all_passed_is_exit_code_0():
    assert results(score("a"), score("b")).exit_code == 0


def test_one_failed_check_is_exit_code_1():
    one_off = score("b").model_copy(update={"scores": {**score("b").scores, BASE_CHECKS[0]: 0.0}})
    assert results(score("a"), one_off).exit_code == 1
    assert one_off.pass_rate == pytest.approx(0.8)


def test_the_checks_beyond_the_base_five_are_told_and_decide_nothing():
    assert len(BASE_CHECKS) == 5
    assert score("a").model_copy(update={"others": {"grounding": 0.0}}).passed


def test_an_example_that_could_not_be_run_is_exit_code_2_and_counts_as_failed():
    verdict = results(score("a"), score("b", error="FetchError: no"))
    assert (verdict.exit_code, verdict.passed_examples, verdict.overall_pass_rate) == (2, 1, 0.5)


def test_a_missing_row_counts_as_failed():
    assert results(score("a"), examples=2).exit_code == 1


# ---------------------------------------------------------------- the command


def test_a_good_set_passes_and_writes_its_results(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert run(dataset(tmp_path, example()), tmp_path) == 0
    assert '"id": "note"' in (tmp_path / "eval_results.json").read_text()


def test_a_comment_where_a_failure_was_expected_is_exit_code_1(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert run(dataset(tmp_path, example(expect={"outcome": "failed"})), tmp_path) == 1


def test_a_missing_snapshot_is_exit_code_2(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert run(dataset(tmp_path, example(snapshot="nowhere.yaml")), tmp_path) == 2


def test_a_key_in_the_environment_does_not_make_the_gate_call_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0000")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert run(dataset(tmp_path, example()), tmp_path) == 0
