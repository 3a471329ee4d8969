import re
from pathlib import Path

import pytest

from technoshare.errors import ConfigError, Unusable
from technoshare.mlops.evaluation.baseline import load_baselines
from technoshare.mlops.evaluation.dataset import Bounds, Expect, load_dataset
from technoshare.mlops.evaluation.scorers import (
    SCORERS,
    SOURCES,
    Scorer,
    deciding,
    due,
    expected_failure,
    scorer_digest,
    theme_accuracy,
)
from technoshare.mlops.evaluation.thresholds import load_thresholds
from technoshare.mlops.evaluation.trial import faults, load_bad_comments
from technoshare.models import ProjectNote
from technoshare.quality.checks import BASE_CHECKS, CHECKS

ROOT = Path(__file__).resolve().parent.parent.parent
BAD = load_bad_comments(ROOT / "evalsets" / "bad_comments.yaml")
BY_NAME = {scorer.name: scorer for scorer in SCORERS}
EXAMPLE = BAD.answered().example


# ---------------------------------------------------------------- trust


def test_every_scorer_finds_fault_with_its_bad_comments_and_with_nothing_good():
    assert faults(SCORERS, BAD) == ()


@pytest.mark.parametrize("bad", BAD.bad, ids=lambda bad: f"{bad.scorer}: {bad.why}")
def test_a_bad_comment_is_found(bad):
    assert BY_NAME[bad.scorer].look(BAD.answered(bad)).value < 1.0


def test_a_scorer_without_a_bad_comment_is_not_trusted():
    new = Scorer("politeness", BY_NAME["preamble"].look)
    assert faults((*SCORERS, new), BAD) == ("The scorer politeness has no bad comment to be tried on.",)


def test_every_gate_is_a_scorer_and_the_five_base_checks_decide():
    assert {check.name for check in CHECKS} <= BY_NAME.keys()
    assert [scorer.name for scorer in SCORERS if scorer.deciding][:5] == [check.name for check in BASE_CHECKS]


def test_scorer_names_can_be_metric_names_and_are_not_taken_twice():
    names = [scorer.name for scorer in SCORERS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


# ---------------------------------------------------------------- the digest


def test_the_digest_changes_with_the_code_of_a_check_and_not_with_a_comment(tmp_path):
    copies = [tmp_path / f"{number}-{path.name}" for number, path in enumerate(SOURCES)]
    for path, copy in zip(SOURCES, copies, strict=True):
        copy.write_text(path.read_text())
    before = scorer_digest(tuple(copies))
    copies[0].write_text(f"# another remark\n\n{copies[0].read_text()}")
    assert scorer_digest(tuple(copies)) == before == scorer_digest()
    copies[0].write_text(f"{copies[0].read_text()}\nLONGEST = 3\n")
    assert scorer_digest(tuple(copies)) != before


def test_the_digest_changes_with_the_bounds():
    assert scorer_digest(bounds=lambda words: (9, 15)) != scorer_digest()


def test_the_digest_covers_every_module_of_the_checks():
    names = {path.name for path in SOURCES}
    assert {"checks.py", "grounding.py", "wording.py", "truth.py", "scorers.py", "text.py"} <= names


# ---------------------------------------------------------------- what applies, and what is expected


def test_an_example_that_expects_a_failure_is_decided_by_that_alone():
    example = EXAMPLE.model_copy(update={"expect": Expect(outcome="failed", obstacle="not_found")})
    assert (deciding(example, SCORERS), due(example, SCORERS)) == (("expected_failure",), ())


def test_an_example_without_expectations_is_not_scored_for_them():
    plain = EXAMPLE.model_copy(update={"expect": Expect(), "expected_theme": ""})
    names = {scorer.name for scorer in due(plain, SCORERS)}
    assert names.isdisjoint({"expectations", "coverage", "theme_accuracy"})


@pytest.mark.parametrize(
    ("failure", "value"),
    [
        (None, 0.0),
        (Unusable("gone", obstacle="not_found"), 1.0),
        (Unusable("walled", obstacle="login_wall"), 0.0),
    ],
)
def test_only_the_right_failure_is_right(failure, value):
    assert expected_failure(Expect(outcome="failed", obstacle="not_found"), failure).value == value


@pytest.mark.parametrize(
    ("wanted", "themes", "value"),
    [
        ("Backup and recovery", ["Backup and recovery"], 1.0),
        ("backup", ["Backup and recovery"], 1.0),
        ("back", ["Backup and recovery"], 0.0),
        ("Evaluation", ["Backup and recovery"], 0.0),
        ("Evaluation", ["Backup and recovery", "Evaluation of models"], 1.0),
        ("none", ["none"], 1.0),
        ("none", ["Backup and recovery"], 0.0),
        ("backup", ["none"], 0.0),
    ],
)
def test_a_theme_is_meant_by_some_of_its_words(wanted, themes, value):
    answered = BAD.answered()
    notes = tuple(ProjectNote(theme=theme, relevance="It matters.") for theme in themes)
    told = answered.comment.model_copy(update={"projects": notes})
    example = EXAMPLE.model_copy(update={"expected_theme": wanted})
    found = type(answered)(told, answered.message, answered.ground, example)
    assert theme_accuracy(found).value == value


def test_an_example_may_have_bounds_of_its_own():
    answered = BAD.answered()
    expect = EXAMPLE.expect.model_copy(update={"summary": Bounds(min=10, max=15)})
    example = EXAMPLE.model_copy(update={"expect": expect})
    found = type(answered)(answered.comment, answered.message, answered.ground, example)
    assert BY_NAME["summary_sentence_count"].look(found).message == "The Summary has 6 sentences instead of 10 to 15."


# ---------------------------------------------------------------- thresholds


def test_the_own_thresholds_name_scorers_that_exist():
    told = load_thresholds(ROOT / "evalsets" / "thresholds.yaml")
    named = {name for mode in told.modes.values() for name in mode.floors}
    assert named <= BY_NAME.keys() | {"overall_pass_rate"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("modes: {}", "modes: embedded is missing"),
        ("modes: {embedded: {floor: {}}, replay: {}, live: {}}", "floor"),
        ("modes: [", "neither YAML nor JSON"),
        ("modes: {embedded: {epochs: 0}, replay: {}, live: {}}", "epochs"),
    ],
)
def test_wrong_thresholds_are_one_line_that_names_the_file(tmp_path, text, complaint):
    path = tmp_path / "thresholds.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as error:
        load_thresholds(path)
    assert "thresholds.yaml" in str(error.value)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------- the committed baseline


def test_the_committed_baseline_is_about_this_dataset_and_these_scorers():
    """Otherwise CI compares with nothing: whoever changes one of them runs `make eval` and `make eval-bless`."""
    evalsets = ROOT / "evalsets"
    dataset = load_dataset(evalsets / "technoshare_eval.yaml")
    blessed = load_baselines(evalsets / "baseline.json").baselines["technoshare_eval/embedded/extractive"]
    assert (blessed.dataset_digest, blessed.scorer_digest) == (dataset.digest, scorer_digest())
    assert all(example.share == 1.0 for example in blessed.examples.values())
