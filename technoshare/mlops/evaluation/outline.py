"""What every report tells about an evaluation besides the verdict: slices, speed, what to look at first. Pure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from technoshare.mlops.evaluation.results import Change, Epoch, ExampleResult, Finding, Report, Results

_TLDR, _END = "TLDR\n", "\n\n\n"
"""Where the TLDR begins in the text form, and what ends it."""


@dataclass(frozen=True)
class Slice:
    """The examples that carry a tag."""

    tag: str
    passed: int
    total: int


@dataclass(frozen=True)
class Speed:
    """Seconds of one run of one example."""

    median: float
    p95: float


@dataclass(frozen=True)
class Trouble:
    """An example that does not pass, as a reader needs it: the first epoch that shows why, and what is different."""

    example: ExampleResult
    epoch: Epoch
    change: Change | None
    """None where it did not pass in the baseline either, or nothing can be compared."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the deciding scorers found."""
        return tuple(one for one in self.epoch.findings if one.scorer in self.example.deciding)

    @property
    def diff(self) -> tuple[str, ...]:
        """Lines of the difference to the TLDR as it was blessed; none where there was none."""
        before = self.change.comment_before if self.change else ""
        return tuple(_diff(tldr(before), tldr(self.epoch.comment))) if before else ()


def slices(results: Results) -> tuple[Slice, ...]:
    """Return every tag with its examples, the worst first, then by name."""
    tags = {tag for example in results.examples for tag in example.tags}
    found = (_slice(results, tag) for tag in tags)
    return tuple(sorted(found, key=lambda one: (one.passed / one.total, one.tag)))


def speed(results: Results) -> Speed:
    """Return median and 95th percentile over all epochs; nothing run takes no time."""
    seconds = sorted(epoch.seconds for example in results.examples for epoch in example.epochs) or [0.0]
    return Speed(median=seconds[(len(seconds) - 1) // 2], p95=seconds[math.ceil(0.95 * len(seconds)) - 1])


def troubles(report: Report) -> tuple[Trouble, ...]:
    """Return the examples that do not pass; those that passed in the baseline come first."""
    newly = {change.id: change for change in report.verdict.comparison.newly_failing}
    found = (
        Trouble(example=example, epoch=_telling(example), change=newly.get(example.id))
        for example in report.results.examples
        if not example.passed
    )
    return tuple(sorted(found, key=lambda trouble: trouble.change is None))


def tldr(comment: str) -> str:
    """Return the TLDR of a comment's text form, empty when there is none."""
    _, _, after = comment.partition(_TLDR)
    return after.partition(_END)[0]


def _slice(results: Results, tag: str) -> Slice:
    tagged = [example for example in results.examples if tag in example.tags]
    return Slice(tag, sum(example.passed for example in tagged), len(tagged))


def _telling(example: ExampleResult) -> Epoch:
    return next((epoch for epoch in example.epochs if not example.passes(epoch)), example.epochs[0])


def _diff(before: str, now: str) -> Iterator[str]:
    lines: Iterable[str] = difflib.unified_diff(before.splitlines(), now.splitlines(), n=0, lineterm="")
    return (line for line in lines if not line.startswith(("---", "+++", "@@")))
