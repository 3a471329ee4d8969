"""Two comments on the same evidence, side by side: for `technoshare replay` and for shadow runs. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TypeVar

from technoshare import render
from technoshare.models import Reviewed, Value, Verdict

Number = TypeVar("Number", int, float)


class GateChange(Value):
    """A gate that judged the two comments differently; None where one was judged without it."""

    check: str
    before: bool | None
    after: bool | None
    message: str = ""
    """What was wrong, on the side where it was."""


class Comparison(Value):
    """What is different in the second comment; the figures are second minus first, None where one is unknown."""

    same_text: bool
    diff: tuple[str, ...]
    """Lines of a unified diff of both text forms, without its head."""
    gates: tuple[GateChange, ...]
    failures: int
    """Failing gates."""
    tokens: int | None
    cost_usd: float | None

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the gates that passed and fail now."""
        return tuple(gate.check for gate in self.gates if gate.before and gate.after is False)

    @property
    def mended(self) -> tuple[str, ...]:
        """Names of the gates that failed and pass now."""
        return tuple(gate.check for gate in self.gates if gate.after and gate.before is False)


def compared(before: Reviewed, after: Reviewed) -> Comparison:
    """Compare two comments as they were, or would be, posted."""
    diff = tuple(_diff(before, after))
    return Comparison(
        same_text=not diff,
        diff=diff,
        gates=tuple(_gates(before, after)),
        failures=len(after.failures) - len(before.failures),
        tokens=_difference(before.comment.usage.total_tokens, after.comment.usage.total_tokens),
        cost_usd=_difference(before.comment.usage.cost_usd, after.comment.usage.cost_usd),
    )


def _diff(before: Reviewed, after: Reviewed) -> Iterator[str]:
    old, new = (render.comment_text(reviewed).splitlines() for reviewed in (before, after))
    yield from list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]


def _gates(before: Reviewed, after: Reviewed) -> Iterator[GateChange]:
    old, new = ({verdict.check: verdict for verdict in one.verdicts} for one in (before, after))
    for check in dict.fromkeys((*old, *new)):
        was, now = old.get(check), new.get(check)
        if _passed(was) != _passed(now):
            told = next((verdict.message for verdict in (now, was) if verdict and not verdict.passed), "")
            yield GateChange(check=check, before=_passed(was), after=_passed(now), message=told)


def _passed(verdict: Verdict | None) -> bool | None:
    return None if verdict is None else verdict.passed


def _difference(before: Number | None, after: Number | None) -> Number | None:
    return None if before is None or after is None else after - before
