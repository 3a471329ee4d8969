import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.mlops.evaluation.gate import judge
from technoshare.mlops.evaluation.results import Epoch
from technoshare.mlops.evaluation.thresholds import Require
from tests.evaluation.samples import baseline, epoch, example, results, thresholds

BOOTSTRAP = {"method": "paired_bootstrap", "confidence": 0.95, "min_effect": 0.05}


def verdict(told, blessed=None, **more):
    return judge(told, thresholds(**more), blessed)


# ---------------------------------------------------------------- verdict and exit code


def test_all_passed_is_a_pass_and_exit_code_0():
    assert (found := verdict(results(example("a"), example("b")))).verdict == "pass"
    assert (found.exit_code, found.reasons) == (0, ())


def test_below_a_floor_is_a_fail_and_exit_code_1_and_the_reason_names_floor_and_examples():
    found = verdict(results(example("a"), example("b", "-")), floors={"overall_pass_rate": 1.0})
    assert found.exit_code == 1
    assert found.reasons == ("overall_pass_rate is 0.500, below its floor of 1: b.",)


def test_an_error_forces_exit_code_2_and_counts_as_failed_too():
    told = results(example("a"), example("b", one=epoch(error="Transient: the model cannot be reached")))
    found = verdict(told)
    assert found.exit_code == 2
    assert "b: Transient: the model cannot be reached" in found.reasons[0]
    assert (found.passed_examples, found.failed_examples, found.overall_pass_rate) == (1, 1, 0.5)


def test_an_error_is_no_pass_even_where_all_scores_are_there():
    broken = epoch().model_copy(update={"error": "the last scorer broke"})
    assert not example("a", one=broken).passed
    assert example("a", one=broken).pass_rate == 0.0


def test_nothing_evaluated_is_exit_code_2():
    assert verdict(results()).exit_code == 2


def test_a_problem_outside_any_example_is_exit_code_2_with_its_own_words():
    found = verdict(results(example("a"), problems=("The scorer links lets a bad comment pass: x.",)))
    assert found.exit_code == 2
    assert found.reasons == ("The scorer links lets a bad comment pass: x.",)


def test_a_set_that_lost_its_examples_is_exit_code_2():
    told = thresholds().model_copy(update={"require": Require(min_examples={"own": 2})})
    assert judge(results(example("a")), told, None).exit_code == 2
    assert judge(results(example("a"), part="--only a"), told, None).exit_code == 0


def test_an_example_with_a_missing_epoch_is_exit_code_2():
    assert verdict(results(example("a", "++"), example("b"), epochs=2)).exit_code == 2


@given(st.lists(st.sampled_from(["pass", "fail", "error"]), min_size=1, max_size=12), st.sampled_from([0.0, 0.5, 1.0]))
def test_verdict_and_exit_code_never_disagree_and_an_error_is_never_green(ends, floor):
    made = {"pass": epoch(), "fail": epoch(good=False), "error": epoch(error="x")}
    found = verdict(
        results(*(example(f"e{n}", one=made[end]) for n, end in enumerate(ends))), floors={"overall_pass_rate": floor}
    )
    assert found.exit_code == ["pass", "fail", "error"].index(found.verdict)
    assert (found.exit_code == 2) == ("error" in ends)
    assert found.overall_pass_rate == ends.count("pass") / len(ends)
    assert bool(found.reasons) == (found.verdict != "pass")


# ---------------------------------------------------------------- denominators


def test_a_missing_score_counts_as_failed():
    silent = Epoch(number=1, scores={"schema_validity": 1.0})
    assert not example("a", one=silent).passed
    assert example("a", one=silent).score("tldr_sentence_count") == 0.0


def test_half_of_the_epochs_is_no_majority():
    assert not example("a", "+-").passed
    assert example("a", "++-").passed


def test_a_floor_for_a_scorer_that_scored_nothing_is_not_met():
    found = verdict(results(example("a")), floors={"coverage": 0.1})
    assert found.exit_code == 1
    assert "coverage is 0.000" in found.reasons[0]
    assert "nothing was scored by it" in found.reasons[0]


def test_a_floor_is_not_checked_where_no_example_expects_anything_and_that_is_said():
    found = verdict(results(example("a"), silent=("coverage",)), floors={"coverage": 0.1})
    assert found.exit_code == 0
    assert "No example expects anything of coverage: those floors were not checked." in found.remarks


def test_a_rate_without_a_floor_is_told_and_does_not_decide():
    told = results(example("a", one=epoch(grounding=0.1)))
    assert verdict(told).exit_code == 0
    assert verdict(told, floors={"grounding": 0.9}).exit_code == 1


def test_a_rate_that_is_no_number_meets_no_floor():
    told = results(example("a", one=epoch(grounding=math.nan)))
    assert verdict(told, floors={"grounding": 0.0}).exit_code == 1


def test_twenty_of_twenty_still_leave_room_for_doubt():
    found = verdict(results(*(example(f"e{n}") for n in range(20))))
    assert found.low == pytest.approx(0.839, abs=0.001)
    assert found.high == 1.0


# ---------------------------------------------------------------- against the baseline


def test_exact_any_example_that_passed_and_fails_now_is_a_fail():
    before = results(*(example(f"e{n}") for n in range(40)))
    now = results(*(example(f"e{n}", "-" if n == 7 else "+") for n in range(40)))
    found = verdict(now, baseline(before))
    assert found.exit_code == 1
    assert "e7" in found.reasons[0]
    assert [change.id for change in found.comparison.newly_failing] == ["e7"]
    assert found.comparison.newly_failing[0].comment_before == "as it was"


def test_exact_what_failed_before_and_fails_still_is_no_regression():
    before = results(example("a"), example("b", "-"))
    assert verdict(before, baseline(before)).exit_code == 0


def test_what_passes_anew_is_named():
    before = results(example("a"), example("b", "-"))
    found = verdict(results(example("a"), example("b")), baseline(before))
    assert [change.id for change in found.comparison.newly_passing] == ["b"]


@pytest.mark.parametrize("changed", ["dataset_digest", "scorer_digest", "model", "mode"])
def test_a_baseline_of_something_else_is_not_compared_with_and_that_is_said(changed):
    before = results(example("a"), example("b"))
    other = baseline(before, **{changed: "live" if changed == "mode" else "another"})
    found = verdict(results(example("a"), example("b", "-")), other)
    assert found.exit_code == 0, "only the floors decide"
    assert found.comparison.method == "none"
    assert any("Not comparable" in one and changed.replace("_", " ") in one for one in found.remarks)


def test_no_baseline_is_said():
    assert any("nothing is blessed" in one for one in verdict(results(example("a"))).remarks)


def live(*passed, of=3):
    told = (example(f"e{n}", "+" * good + "-" * (of - good)) for n, good in enumerate(passed))
    return results(*told, mode="live", model="gpt")


def test_live_one_example_that_fails_now_is_not_yet_a_regression():
    before, now = live(*[3] * 40), live(1, *[3] * 39)
    assert verdict(now, baseline(before), regression=BOOTSTRAP).exit_code == 0


def test_live_a_clear_drop_is_a_regression_and_the_reason_has_the_figures():
    before, now = live(*[3] * 40), live(*[0] * 8, *[3] * 32)
    found = verdict(now, baseline(before), regression=BOOTSTRAP)
    assert found.exit_code == 1
    assert "-20.0%" in found.reasons[0]
    assert found.comparison.high < 0


def test_live_a_sure_but_small_drop_is_no_regression():
    before, now = live(*[25] * 40, of=25), live(*[24] * 40, of=25)
    found = verdict(now, baseline(before), regression=BOOTSTRAP)
    assert found.comparison.high < 0, "it is sure"
    assert found.exit_code == 0, "and too small to count"


def test_live_noise_in_both_directions_is_no_regression():
    before, now = live(*[2, 3] * 20), live(*[3, 2] * 20)
    assert verdict(now, baseline(before), regression=BOOTSTRAP).exit_code == 0


def test_the_same_results_get_the_same_verdict_every_time():
    before, now = live(*[3] * 40), live(*[1] * 6, *[3] * 34)
    found = {verdict(now, baseline(before), regression=BOOTSTRAP).model_dump_json() for _ in range(5)}
    assert len(found) == 1


def test_too_slow_is_below_the_gate():
    told = results(*(example(f"e{n}") for n in range(20)))
    assert verdict(told, limits={"p95_seconds": 0.5}).exit_code == 1
    assert verdict(told, limits={"p95_seconds": 1.5}).exit_code == 0
