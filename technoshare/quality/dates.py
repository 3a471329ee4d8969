"""Calendar dates in running text, whole or partial, and whether one agrees with others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MONTHS = {
    written: number
    for number, names in enumerate(
        (
            "january jan januar enero janvier", "february feb februar febrero février", "march mar märz marzo mars",
            "april apr abril avril", "may mai mayo", "june jun juni junio juin", "july jul juli julio juillet",
            "august aug agosto août", "september sept sep septiembre septembre", "october oct oktober octubre octobre",
            "november nov noviembre novembre", "december dec dezember diciembre décembre",
        ), 1,
    )
    for written in names.split()
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b(?:\.(?=\ \d))?"
_YEAR = r"(?P<year>(?:1[5-9]|20|21)\d\d)(?!\d|[.,]\d)"
_AND = r"\s?(?:[–—-]|to|and|or|until|through|bis|und|y|et|,)\s?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.|º)?"
_OTHER_DAY = r"(?P<other>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_NUMERIC = re.compile(
    r"(?<![\d.])(?:(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?|(\d{1,2})([./-])(\d{1,2})\5(\d{4}))(?!\d|[.,]\d)"
)
_NO_MORE = r"(?!\d|[.,:]\d)"


def _numbered(pattern: str, form: int) -> str:
    """Return the pattern with its groups named for one of the forms of a date; a name may stand only once."""
    return re.sub(r"\(\?P<(\w+)>", rf"(?P<\g<1>{form}>", pattern)


_WRITTEN = re.compile(
    rf"(?<!\w)(?:{_numbered(rf'{_DAY}(?:{_AND}{_OTHER_DAY})? (?:of |de )?{_MONTH}(?:(?:,? | of | de ){_YEAR})?', 1)}"
    rf"|{_numbered(rf'{_MONTH} {_DAY}{_NO_MORE}(?! ?%)(?:{_AND}{_OTHER_DAY}{_NO_MORE})?(?:,? {_YEAR})?', 2)}"
    rf"|{_numbered(rf'{_MONTH}(?:,? | of | de |-)?(?:{_YEAR})?', 3)})",
    re.IGNORECASE,
)
_LONE_YEAR = re.compile(
    rf"(?<![\w.,$€£-])(?:mid-|late-|early-)?{_YEAR}(?P<decade>s|'s|er)?(?:[–—/-](?P<until>\d\d(?:\d\d)?)(?!\d))?"
    r"(?![\w%]|\s?(?:%|percent|MB|GB|kB|km))"
)
_ORDINARY = {"may", "march", "mar", "mars", "mai", "sep", "dec", "jun", "jan"}
"""Words, or parts of names, that are a month only with a day or year, or where a month is expected."""
_BEFORE_A_MONTH = re.compile(
    r"\b(?:in|since|until|till|by|of|from|early|late|mid|last|next|this|before|after|during)[ -]$", re.IGNORECASE
)


@dataclass(frozen=True)
class Date:
    """A date as it stands in a text; what it leaves open is 0. A decade has its first year."""

    start: int
    end: int
    year: int = 0
    month: int = 0
    day: int = 0
    decade: bool = False


def dates(text: str) -> list[Date]:
    """Return every date of `text`; of one that can be read in two ways both readings, side by side."""
    return sorted((*_numeric(text), *_written(text)), key=lambda date: (date.start, -date.end))


def years(text: str) -> Iterator[Date]:
    """Yield the years and decades that stand alone."""
    for hit in _LONE_YEAR.finditer(text):
        yield Date(hit.start(), hit.end(), int(hit["year"]), decade=bool(hit["decade"]) and hit["year"].endswith("0"))
        if hit["until"]:
            yield Date(hit.start(), hit.end(), int(hit["year"][: 4 - len(hit["until"])] + hit["until"]))


def agrees(said: Date, known: Iterable[Date]) -> bool:
    """Tell whether `said` follows from the known dates; its year may stand apart from its month and day."""
    known = list(known)
    if said.decade:
        return any(date.year // 10 == said.year // 10 for date in known)
    year_known = not said.year or any(date.year == said.year for date in known)
    same = [
        date
        for date in known
        if (date.month, date.day) == (said.month, said.day) or (not said.day and date.month == said.month)
    ]
    if not said.month:
        return year_known
    if any(date.year in (said.year, 0) or not said.year for date in same):
        return year_known
    return False


def _numeric(text: str) -> Iterator[Date]:
    for hit in _NUMERIC.finditer(text):
        if hit[1]:
            yield from _valid(hit, int(hit[1]), int(hit[2]), int(hit[3] or 0))
        else:
            yield from _valid(hit, int(hit[7]), int(hit[6]), int(hit[4]))
            yield from _valid(hit, int(hit[7]), int(hit[4]), int(hit[6]))


def _valid(hit: re.Match[str], year: int, month: int, day: int) -> Iterator[Date]:
    if 1500 <= year <= 2199 and 1 <= month <= 12 and 0 <= day <= 31:
        yield Date(hit.start(), hit.end(), year, month, day)


def _written(text: str) -> Iterator[Date]:
    for hit in _WRITTEN.finditer(text):
        parts = {name[:-1]: part for name, part in hit.groupdict().items() if part}
        word, year = parts["month"], int(parts.get("year", 0))
        days = [int(parts[name]) for name in ("day", "other") if name in parts]
        if not days and not year and word.lower() in _ORDINARY and not _is_month(hit, text):
            continue
        for day in days or [0]:
            if day <= 31:
                yield Date(hit.start(), hit.end(), year, _MONTHS[word.lower()], day)


def _is_month(hit: re.Match[str], text: str) -> bool:
    return bool(_BEFORE_A_MONTH.search(text, max(0, hit.start() - 8), hit.start()))
