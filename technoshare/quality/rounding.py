"""Whether an amount could be said of another: 1.2k is 1,200, about 50 may be 51, half is 50 %."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from technoshare.quality.numbers import Amount, Kind

_STRICT: frozenset[Kind] = frozenset({"percent", "usd", "eur", "gbp", "jpy", "bytes", "length", "mass"})
"""What is never a mere count of things, as “370 GPU hours” is."""
_MONEY: frozenset[Kind] = frozenset({"usd", "eur", "gbp", "jpy", "money"})
_DAY = 86_400


def supports(known: Amount, said: Amount) -> bool:
    """Tell whether somebody who read `known` in a source could write `said`."""
    kinds = {known.kind, said.kind}
    if len(kinds) == 1 or (kinds <= _MONEY and "money" in kinds):
        return _same_kind(known, said)
    if kinds == {"percent", "points"}:
        return _rounds(known.value, said)
    if kinds == {"percent", "times"}:  # 40 % faster is 1.4 times as fast
        return any(_rounds(actual, said) for actual in _as_change(known))
    if "" in kinds:
        return _one_without_unit(known, said)
    return "times" in kinds and not kinds & _STRICT and _rounds(known.value, said)


def _one_without_unit(known: Amount, said: Amount) -> bool:
    if known.kind == "percent" and said.value <= 1 and _rounds(known.value / 100, said):
        return True
    if said.kind == "percent" and known.value <= 1 and _rounds(known.value * 100, said):
        return True
    unlike = (said.kind in _STRICT and not known.alone) or (known.kind in _STRICT and not said.alone) or known.fraction
    if unlike:
        return False
    scaled = said.kind == "bytes" and _rounds(known.value / 1000, said)  # "MB/s" may head a table's column
    return scaled or _rounds(known.value, said)


def _same_kind(known: Amount, said: Amount) -> bool:
    if not said.kind and said.step < 1 <= known.step and said.value == known.value:
        return False  # nobody calls 7 “7.0”
    actual = known.value * known.size
    if said.kind == "time" and said.size != known.size and min(said.size, known.size) >= _DAY:
        # a month is 4 weeks for one writer and 30 days for another
        return abs(actual - said.value * said.size) <= 0.1 * actual
    return _rounds(actual, said, said.size)


def _as_change(known: Amount) -> Iterator[float]:
    if known.kind == "times":
        yield 100 * (known.value - 1)
        if known.value:
            yield 100 * (1 - 1 / known.value)
    else:
        yield 1 + known.value / 100
        if known.value < 100:
            yield 100 / (100 - known.value)


def _rounds(actual: float, said: Amount, size: float = 1) -> bool:
    """Tell whether `actual` may be called `said`: to its last digit, or further off after a word such as “about”."""
    value = said.value * size
    gap = abs(actual - value) * (1 - 1e-9)
    if said.fraction:
        return gap <= 7  # "half" for 43 %
    if gap <= said.step * size / 2 and (said.step < 1 or gap <= 0.1 * value):  # 5.4 may be 5, but 2.4 is not 2
        return True
    if said.value >= 1000 and gap <= min(_coarse_step(said) * size / 2, 0.03 * value):
        return True
    return said.vague and gap <= _looseness(said) * size


def _coarse_step(said: Amount) -> float:
    """Return the step of the last digit that is not 0: 100 for 3,400."""
    step = said.step
    while step < said.value and not round(said.value / step) % 10:
        step *= 10
    return step


def _looseness(said: Amount) -> float:
    """Return how far off a vague amount may be: “about 50” by 5, “about 45” by 2.5, “about 47” not at all."""
    digits = f"{said.value:.6g}".replace(".", "").partition("e")[0].strip("0")
    if len(digits) <= 1:
        return 0.1 * said.value
    return 0.25 * 10.0 ** math.floor(math.log10(said.value)) if len(digits) == 2 and digits[1] == "5" else 0.0


def follows(said: Amount, operands: Iterable[Amount], known: Sequence[Amount]) -> bool:
    """Tell whether `said` is the difference or ratio between an operand of its sentence and a known amount."""
    return any(
        _rounds(actual, said)
        for one in operands
        for other in known
        if one.kind == other.kind or (not other.kind and other.alone)
        for actual in _relations(
            one.value * one.size, other.value * (other.size if other.kind else one.size), said.kind
        )
    )


def _relations(one: float, other: float, kind: Kind) -> Iterator[float]:
    low, high = sorted((one, other))
    if kind == "points":
        yield high - low
    elif low > 0 and kind == "times":
        yield high / low
