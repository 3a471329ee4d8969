"""The one rule that turns results into a verdict, and the verdict into an exit code.

In this order: could everything be evaluated → floors → is there a baseline to compare with → is it worse → limits.
Whatever is found is told; the gravest decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from technoshare.mlops.evaluation.baseline import Baseline
from technoshare.mlops.evaluation.results import (
    OVERALL,
    Change,
    Comparison,
    ExampleResult,
    GateVerdict,
    Mode,
    Results,
    ScorerLine,
)
from technoshare.mlops.evaluation.statistics import paired_bootstrap, wilson
from technoshare.mlops.evaluation.thresholds import ModeThresholds, Regression, Thresholds

NOT_PROVEN: dict[Mode, str] = {
    "embedded": "Embedded mode runs the keyless engine on frozen pages: it proves nothing about prompts and models.",
    "replay": "Replay mode repeats recorded answers: it proves nothing about what the model would say today.",
    "live": "Live mode is a sample: a small change of quality can go unnoticed, and pages are frozen.",
}
"""What a pass does not say."""

_NAMED = 5
"""Examples or errors that a reason names; the report lists all."""


def judge(results: Results, thresholds: Thresholds, baseline: Baseline | None) -> GateVerdict:
    """Decide. Errors, and examples that are missing, make it `error`; floors, regression and limits `fail`."""
    own = thresholds.modes[results.mode]
    comparison = _compare(results, own.regression, baseline)
    before = baseline if comparison.method != "none" else None
    lines = tuple(_line(results, name, own, before) for name in _names(own, results))
    unsound = tuple(_unsound(results, thresholds))
    below = (*_below_floors(lines, results), *_worse(comparison, own.regression), *_beyond_limits(results, own))
    overall = next(line for line in lines if line.scorer == OVERALL)
    return GateVerdict(
        verdict="error" if unsound else "fail" if below else "pass",
        reasons=(*unsound, *below),
        remarks=(NOT_PROVEN[results.mode], *_remarks(results, comparison, own)),
        overall_pass_rate=results.overall_pass_rate,
        total_examples=results.num_examples,
        passed_examples=results.passed_examples,
        failed_examples=results.failed_examples,
        errors=results.errors,
        low=overall.low,
        high=overall.high,
        lines=lines,
        comparison=comparison,
    )


# ---------------------------------------------------------------- could everything be evaluated?


def _unsound(results: Results, thresholds: Thresholds) -> Iterator[str]:
    yield from results.problems
    require = thresholds.require
    if not results.examples and not results.problems:
        yield "No example was evaluated."
    least = 0 if results.part else require.min_examples.get(results.dataset_name, 1)
    if results.examples and results.num_examples < least:
        yield f"The dataset has {results.num_examples} examples; {least} are required."
    if short := [one.id for one in results.examples if len(one.epochs) != results.epochs]:
        yield f"Not every example has {results.epochs} epochs: {_some(short)}."
    if results.errors > require.max_errors:
        total = results.num_examples * results.epochs
        yield f"{results.errors} of {total} epochs could not be evaluated: {_errors(results)}."


def _errors(results: Results) -> str:
    told = [f"{one.id}: {epoch.error}" for one in results.examples for epoch in one.epochs if epoch.error]
    return _some(told, "; ")


def _some(names: list[str], between: str = ", ") -> str:
    more = f"{between}and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return between.join(names[:_NAMED]) + more


# ---------------------------------------------------------------- floors


def _names(own: ModeThresholds, results: Results) -> tuple[str, ...]:
    """Return every scorer that was asked or has a floor: one that is gone from the results must not go unnoticed."""
    return tuple(dict.fromkeys((OVERALL, *results.scorers, *own.floors)))


def _line(results: Results, name: str, own: ModeThresholds, baseline: Baseline | None) -> ScorerLine:
    deciding = name == OVERALL or any(name in example.deciding for example in results.examples)
    number = sum(name == OVERALL or example.score(name) is not None for example in results.examples)
    rate = results.rate(name)
    low, high = wilson(rate, number)
    return ScorerLine(
        scorer=name,
        deciding=deciding,
        examples=number,
        rate=rate,
        low=low,
        high=high,
        before=baseline.rates.get(name) if baseline else None,
        floor=own.floors.get(name),
    )


def _below_floors(lines: tuple[ScorerLine, ...], results: Results) -> Iterator[str]:
    for line in lines:
        if line.floor is None or line.scorer in results.silent:
            continue
        if not line.rate >= line.floor:  # also when it is not a number
            yield f"{line.scorer} is {line.rate:.3f}, below its floor of {line.floor:g}{_failing(line, results)}."


def _failing(line: ScorerLine, results: Results) -> str:
    if line.examples == 0:
        return ": nothing was scored by it"
    failing = [one.id for one in results.examples if _lacks(one, line.scorer)]
    return f": {_some(failing)}" if failing else ""


def _lacks(example: ExampleResult, scorer: str) -> bool:
    if scorer == OVERALL:
        return not example.passed
    score = example.score(scorer)
    return score is not None and score < 1.0


# ---------------------------------------------------------------- the baseline

_EQUAL = ("dataset_name", "dataset_digest", "scorer_digest", "mode", "model")
"""What must not differ between two evaluations that are compared: only the program and its prompts may."""


def _compare(results: Results, rule: Regression, baseline: Baseline | None) -> Comparison:
    if baseline is None:
        return Comparison(method="none", reason=f"nothing is blessed for {results.mode} mode with {results.model}")
    different = [name for name in _EQUAL if getattr(results, name) != getattr(baseline, name)]
    changes = tuple(_changes(results, baseline))
    if different or not changes:
        return Comparison(method="none", reason="; ".join(_differs(name, results, baseline) for name in different))
    differences = [change.now - change.before for change in changes]
    effect = sum(differences) / len(differences)
    low, high = paired_bootstrap(differences, rule.confidence)
    failing = tuple(change for change in changes if change.before > 0.5 >= change.now)
    surely = high < 0 and effect <= -rule.min_effect + _ROUNDING
    return Comparison(
        method=rule.method,
        blessed_at=baseline.blessed_at,
        blessed_by=baseline.blessed_by,
        prompts_before=baseline.prompts,
        newly_failing=failing,
        newly_passing=tuple(change for change in changes if change.now > 0.5 >= change.before),
        effect=effect,
        low=low,
        high=high,
        regressed=bool(failing) if rule.method == "exact" else surely,
    )


_ROUNDING = 1e-9
"""A drop of exactly the least effect counts, also where floats make it a little less."""


def _changes(results: Results, baseline: Baseline) -> Iterator[Change]:
    for example in results.examples:
        if blessed := baseline.examples.get(example.id):
            yield Change(id=example.id, before=blessed.share, now=example.share, comment_before=blessed.comment)


def _differs(name: str, results: Results, baseline: Baseline) -> str:
    return f"the {name.replace('_', ' ')} is {getattr(results, name)}, blessed was {getattr(baseline, name)}"


def _worse(comparison: Comparison, rule: Regression) -> Iterator[str]:
    if not comparison.regressed:
        return
    if rule.method == "exact":
        names = _some([change.id for change in comparison.newly_failing])
        yield f"{len(comparison.newly_failing)} passed in the blessed baseline and fail now: {names}."
    else:
        yield (
            f"Fewer epochs pass than in the blessed baseline: {comparison.effect:+.1%}, "
            f"surely more than {-comparison.high:.1%} worse."
        )


# ---------------------------------------------------------------- limits and remarks


def _beyond_limits(results: Results, own: ModeThresholds) -> Iterator[str]:
    most = own.limits.p95_seconds
    seconds = sorted(epoch.seconds for example in results.examples for epoch in example.epochs)
    if most is not None and seconds and (p95 := seconds[math.ceil(0.95 * len(seconds)) - 1]) > most:
        yield f"One in twenty runs took more than {p95:.1f} s; {most:g} s are allowed."


def _remarks(results: Results, comparison: Comparison, own: ModeThresholds) -> Iterator[str]:
    if results.part:
        yield f"Only a part of the evaluation was run ({results.part}): it is not recorded, and cannot be blessed."
    if comparison.method == "none":
        yield f"Not comparable with the baseline, so only the floors were checked: {comparison.reason}."
    if unchecked := [name for name in own.floors if name in results.silent]:
        yield f"No example expects anything of {', '.join(unchecked)}: those floors were not checked."
