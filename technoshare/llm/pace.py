"""How fast a server wants to be asked, as its own answers tell: a bucket of requests and one of tokens for each model.

The figures are the server's word in `x-ratelimit-*` headers, so they are believed for a minute at most.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LONGEST_TRUST = 60.0
"""Seconds: limits are counted by the minute, and a wrong header must not silence a model for longer."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


@dataclass
class _Bucket:
    """`left` at time `noted`, filling evenly until it is `full` at time `resets`."""

    left: float
    full: float
    noted: float
    resets: float

    def wait(self, need: float, now: float) -> float:
        """Return the seconds until `need` is there; nobody can ask for more than a full bucket."""
        missing = min(need, self.full) - self.left
        span = self.resets - self.noted
        share = missing / (self.full - self.left) if math.isfinite(self.full) and self.full > self.left else 1.0
        return max(0.0, self.noted + span * min(1.0, share) - now) if missing > 0 else 0.0


@dataclass
class Pace:
    """What each model's server has left."""

    clock: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def told(self, model: str, headers: Mapping[str, str]) -> None:
        """Note what a server says; what it leaves out or what makes no sense changes nothing."""
        now = self.clock()
        for kind in ("requests", "tokens"):
            left = _number(headers.get(f"x-ratelimit-remaining-{kind}"))
            seconds = _seconds(headers.get(f"x-ratelimit-reset-{kind}"))
            if left is not None and seconds is not None:
                full = _number(headers.get(f"x-ratelimit-limit-{kind}"))
                full = max(full, left) if full else math.inf
                self._buckets[model, kind] = _Bucket(left, full, now, now + min(seconds, LONGEST_TRUST))

    def wait(self, model: str, tokens: float) -> float:
        """Return the seconds until a request of so many tokens has room; 0 takes the room."""
        now = self.clock()
        needs = {
            kind: (bucket, need)
            for kind, need in (("requests", 1.0), ("tokens", tokens))
            if (bucket := self._buckets.get((model, kind))) and now < bucket.resets
        }
        pause = max((bucket.wait(need, now) for bucket, need in needs.values()), default=0.0)
        if not pause:
            for bucket, need in needs.values():
                bucket.left -= need
        return pause


def _number(text: str | None) -> float | None:
    """Return a finite number from 0 on."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds(text: str | None) -> float | None:
    """Return a duration: `1.5`, `20ms`, `6m0s`, `1d2h`."""
    if (plain := _number(text)) is not None:
        return plain
    match = _DURATION.fullmatch(text or "")
    if not match or not any(match.groups()):
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
