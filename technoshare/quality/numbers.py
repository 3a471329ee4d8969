"""Amounts in running text, in figures and in words: value, unit, and how exact they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

# ---------------------------------------------------------------- vocabulary

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = (
    {word: float(value) for value, word in enumerate(_SMALL)}
    | {word: 10.0 * value for value, word in enumerate(_TENS, 2)}
    | {"dozen": 12.0, "hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
)
_ORDINALS = {
    **{f"{word}th": value for word, value in _WORDS.items() if value >= 4 and word not in ("five", "eight", "nine")},
    "fifth": 5.0,
    "eighth": 8.0,
    "ninth": 9.0,
    "twelfth": 12.0,
    **{f"{word[:-1]}ieth": value for word, value in _WORDS.items() if word in _TENS},
}
_FRACTIONS = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "hälfte": 1 / 2, "drittel": 1 / 3, "viertel": 1 / 4,
    "fünftel": 1 / 5, "zehntel": 1 / 10, "tercio": 1 / 3,
} | {word: 1 / value for word, value in _ORDINALS.items() if 5 <= value <= 10}  # fmt: skip
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "tausend": 1e3, "mil": 1e3, "mille": 1e3, "k": 1e3, "K": 1e3,
    "million": 1e6, "millions": 1e6, "Millionen": 1e6, "millones": 1e6,
    "Mio.": 1e6, "mn": 1e6, "mln": 1e6, "M": 1e6, "m": 1e6,
    "gigapixel": 1e9, "megapixel": 1e6, "billion": 1e9, "billions": 1e9, "Milliarden": 1e9,
    "Mrd.": 1e9, "bn": 1e9, "B": 1e9,
    "trillion": 1e12, "trillions": 1e12, "T": 1e12,
}  # fmt: skip
_ATTACHED = {"k", "K", "mn", "mln", "M", "m", "bn", "B", "T"}  # "20k", never "20 k"

Kind = Literal["", "percent", "points", "times", "ratio", "clock", "money", "usd", "eur", "gbp", "jpy", "time", "bytes",
               "bits", "length", "mass", "power", "energy", "frequency", "temperature"]  # fmt: skip


def _units() -> Iterator[tuple[str, tuple[Kind, float]]]:
    """Yield how a unit is written, what it measures, and its size in that kind's first unit."""
    table: dict[tuple[Kind, float], str] = {
        ("percent", 1): "%|percent|per cent|pct|Prozent|por ciento|pour cent|percentage points|percentage point|pp",
        ("points", 1): "points|point|pts|Punkte|Prozentpunkte|puntos",
        ("times", 1): "x|X|×|times|fold|-fold|mal|fach|veces|fois",
        ("usd", 1): "$|US$|USD|dollars|dollar|Dollar|dólares", ("eur", 1): "€|EUR|euros|euro|Euro|Euros",
        ("gbp", 1): "£|GBP|pounds|pound sterling", ("jpy", 1): "¥|JPY|yen", ("money", 0.01): "cents|cent|Cent|ct|¢",
        ("time", 1e-9): "ns|nanoseconds", ("time", 1e-6): "µs|us|microseconds",
        ("time", 1e-3): "ms|milliseconds|millisecond|Millisekunden",
        ("time", 1): "s|sec|secs|second|seconds|Sekunden|segundos|secondes",
        ("time", 60): "min|mins|minute|minutes|Minuten|Minute|minutos",
        ("time", 3600): "h|hr|hrs|hour|hours|Stunde|Stunden|horas|heures",
        ("time", 86400): "day|days|Tag|Tage|Tagen|días|jours",
        ("time", 604800): "week|weeks|Woche|Wochen|semanas|semaines",
        ("time", 1209600): "fortnight|fortnights",
        ("time", 2629746): "month|months|Monat|Monate|Monaten|meses|mois",
        ("time", 31556952): "year|years|year-old|yr|yrs|Jahr|Jahre|Jahren|años|ans",
        ("time", 315569520): "decade|decades",
        ("bytes", 1): "byte|bytes|Byte", ("bytes", 1e3): "kB|KB|KiB|kilobytes|kilobyte",
        ("bytes", 1e6): "MB|MiB|megabytes|megabyte", ("bytes", 1e9): "GB|GiB|gigabytes|gigabyte",
        ("bytes", 1e12): "TB|TiB|terabytes|terabyte|Terabyte", ("bytes", 1e15): "PB|PiB|petabytes|petabyte",
        ("bits", 1e3): "kbit|kbps|Kbps", ("bits", 1e6): "Mbit|Mbps|megabits", ("bits", 1e9): "Gbit|Gbps|gigabits",
        ("length", 1e-3): "mm|millimetres|millimeters", ("length", 1e-2): "cm|centimetres|centimeters",
        ("length", 1): "m|metre|metres|meter|meters|Meter", ("length", 1e3): "km|kilometres|kilometers|Kilometer",
        ("mass", 1): "g|gram|grams|grammes", ("mass", 1e3): "kg|kilo|kilos|kilograms|kilogram",
        ("mass", 1e6): "t|ton|tons|tonne|tonnes|Tonnen",
        ("power", 1): "W|watt|watts|Watt", ("power", 1e3): "kW|kilowatts", ("power", 1e6): "MW|megawatts",
        ("power", 1e9): "GW|gigawatts", ("energy", 1): "Wh", ("energy", 1e3): "kWh", ("energy", 1e6): "MWh",
        ("frequency", 1e3): "kHz", ("frequency", 1e6): "MHz", ("frequency", 1e9): "GHz",
        ("temperature", 1): "°C|℃|degrees Celsius|degrees|Grad",
    }  # fmt: skip
    for size, written in table.items():
        yield from ((unit, size) for unit in written.split("|"))


UNITS = dict(_units())


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_FIGURE = r"\d{1,3}(?:[,.'’]\d{3})+(?:[.,]\d+)?|\d{1,3}(?:[ ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?|[.]\d+"
_SPELT = rf"(?:{_any(_WORDS)})(?:(?:[ -]|[ ]and[ ])(?:{_any(_WORDS)}))*"
_PART = rf"(?:(?:an?|one|two|three|four|five|six|seven|eight|nine|each|every)[ -])?(?:{_any(_FRACTIONS)})s?"
_NUMBER = re.compile(
    rf"""
    (?<![^\W_])(?<!\d[.,])(?P<money>us\$|[$€£¥]|(?:usd|eur|gbp|jpy)\ ?)?
    (?:(?P<figure>{_FIGURE})(?P<more>\ ?[½¼¾]|\ and\ a\ half|\ and\ a\ quarter)?(?P<ordinal>st|nd|rd|th)?
      |(?P<glyph>[½¼¾⅓⅔])
      |\b(?P<part>(?:{_PART}))\b(?![ ]past)
      |\b(?P<spelt>(?:{_SPELT}))(?=\b|fold)(?P<half>\ and\ a\ half|\ and\ a\ quarter)?
      |\b(?P<nth>(?:(?:(?:{_any(_TENS)})[ -])?(?:{_any(_ORDINALS)}))))
    """,
    re.VERBOSE,
)
_SCALE = re.compile(
    rf"(?:(?P<attached>{_any(_ATTACHED)})|[ -]?(?P<apart>{_any(set(_SCALES) - _ATTACHED)})s?)(?![^\W_])"
)
_OF_A_SCALE = re.compile(r"(?: of)? an? (?P<apart>hundred|thousand|million|billion|trillion)\b")
_UNIT = re.compile(rf"[ -]?(?P<unit>{_any(UNITS)})(?![^\W_])")
_OF_A_UNIT = re.compile(rf"(?: of)? an? (?P<unit>{_any(UNITS)})(?![^\W_])")
_ALONE = re.compile(
    rf"\b(?:an?|each|every|per|one|eine?|einem|einer|une?|una) (?P<unit>{_any(UNITS)})"
    r"(?: and a (?P<half>half|quarter))?\b"
)
_OF = re.compile(r"\s?(?:out of|of|in|von|de|sur|/)\s(?:the |every |cada )?$")
_ONE_IN = re.compile(r" [a-z]+ (?:in|out of) ")
_HALF_HOUR = re.compile(r"\b(?:halbe[nr]? Stunde|demi-heure|media hora)\b")
_INSIDE = re.compile(r"(?<=[A-Za-z])\d{1,12}(?!\d)")
_AND = re.compile(r"(?:,? and |,? |, )$")
_GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "and a half": 0.5, "and a quarter": 0.25}
_CLOCK = re.compile(
    r"(?<![\d.:])(?:([01]?\d|2[0-4])[:.]([0-5]\d)(?::\d{2})?(?: ?([ap])(?:\.m\.|m\b)| Uhr|(?<=:\d\d))(?![\d:])"
    r"|(\d{1,2}) ?([ap])(?:\.m\.|m\b))|\b(?:midnight|noon|midday)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|circa|ca\.?|nearly|almost|close to|just|barely|hardly|"
    r"up to|as (?:much|many|few|little) as|at (?:most|least)|over|(?:more|less|fewer|higher|older) than|under|"
    r"below|above|beyond|past|well|upwards? of|not even|exceed(?:s|ed|ing)?|top(?:s|ped)?|rund|etwa|ungefähr|knapp|"
    r"über|fast|gut|mehr als|unos|unas|cerca de|casi|más de|environ|près de|plus de)"
    r"(?: (?:the|a|an|only|just|or|than|by|of))?|[~≈<>≤≥+]) ?[$€£¥]?$",
    re.IGNORECASE,
)
_IN_A_DATE = re.compile(r"\d{4}-(?:\d\d-)?$|/$")  # or in an address
_COUNTS = re.compile(r"[ -](?!(?:to|and|or|from|instead|rather|against|von|bis|und|auf)\b)[^\W\d_]")
_OR_SO = re.compile(r"\s?(?:\+|or so\b|or more\b|or less\b|or higher\b)")

_MOST = 1e30
"""Nobody compares longer numbers, and arithmetic stays finite."""
_LOOSE = {1e2, 1e3, 1e6, 1e9}
"""“One in a hundred”, “a million thanks”: in words, these need not be exact."""

# ---------------------------------------------------------------- amounts


@dataclass(frozen=True)
class Amount:
    """A number as it stands in a text: characters `start` to `end`, what it measures, and how precise it is."""

    start: int
    end: int
    value: float
    """Without its unit: 1,200,000 for “1.2 million km”."""
    step: float
    """Of the last digit that counts: 100,000 for “1.2 million”."""
    kind: Kind = ""
    size: float = 1
    """Of one unit, in the kind's first unit."""
    vague: bool = False
    """“about”, “nearly”, “more than” stand before it."""
    spelt: bool = False
    fraction: bool = False
    glued: bool = False
    """Letters follow that are neither scale nor unit: the “8” of “8N1”."""
    alone: bool = False
    """No word follows that it could count."""
    figure: str = ""
    """The digits alone, as written."""

    @property
    def counts(self) -> bool:
        """Tell whether it may be the writer's own small count (“two goals”), a fraction in words, or loose talk."""
        if self.fraction or (self.spelt and self.value in _LOOSE):
            return True
        small = self.value <= 10 and self.figure.isdecimal() >= (not self.spelt)
        return small and (not self.kind or (self.spelt and self.kind == "times"))


def amounts(text: str) -> list[Amount]:
    """Return every amount of `text` in order; where digits can be read in two ways, both readings."""
    found: list[Amount] = []
    place = 0
    lower = text.lower()
    lower = lower if len(lower) == len(text) else text
    while hit := _NUMBER.search(lower, place):
        readings = list(_readings(hit, text))
        place = max(hit.end(), *(amount.end for amount in readings))
        found += readings
    return found


def implied(text: str, found: Sequence[Amount]) -> Iterator[Amount]:
    """Yield what a source says without writing the number: “a day”, “7 of 10”, “9 hours and 40 minutes”, “P95”."""
    for hit in _ALONE.finditer(text):
        kind, size = UNITS[hit["unit"]]
        yield Amount(hit.start(), hit.end(), 1 + _GLYPHS.get(f"and a {hit['half']}", 0), 0.1, kind, size)
    for hit in _HALF_HOUR.finditer(text):
        yield Amount(hit.start(), hit.end(), 30, 1, *UNITS["min"])
    for hit in _INSIDE.finditer(text):
        yield Amount(hit.start(), hit.end(), float(hit[0]), 1)
    for one, other in pairwise(found):
        between = text[one.end : other.start]
        shared = _OF.fullmatch(between) or (one.value == 1 and _ONE_IN.fullmatch(between))
        if shared and 0 < one.value <= other.value:
            yield Amount(one.start, other.end, 100 * one.value / other.value, 0.1, "percent", fraction=True)
        if one.kind == other.kind == "time" and one.size > other.size and _AND.fullmatch(between):
            yield Amount(one.start, other.end, one.value + other.value * other.size / one.size, 0.1, "time", one.size)


def clocks(text: str) -> list[tuple[int, int, int]]:
    """Return every time of day: start, end, minutes after noon or midnight, whichever came last."""
    return [
        (hit.start(), hit.end(), int(hit[1] or hit[4] or 0) % 12 * 60 + int(hit[2] or 0))
        for hit in _CLOCK.finditer(text)
    ]


def _readings(hit: re.Match[str], text: str) -> Iterator[Amount]:
    end, vague = hit.end(), bool(_ABOUT.search(text, max(0, hit.start() - 24), hit.start()))
    scaled = _OF_A_SCALE.match(text, end) if hit["part"] else _SCALE.match(text, end)
    scales, attached = [1.0], ""
    if scaled:
        attached = scaled.groupdict().get("attached") or ""
        scales = [_SCALES[attached or scaled["apart"]]]
    if attached in UNITS and not hit["money"]:  # "5m": million, metres
        scales.append(1.0)
    if scaled:
        end = scaled.end()
    unit = (_OF_A_UNIT.match(text, end) if hit["part"] else None) or _UNIT.match(text, end)
    kind, size = UNITS[unit["unit"]] if unit else ("", 1.0)
    end = unit.end() if unit else end
    if hit["money"] and kind in ("", "points"):
        kind, size = UNITS[hit["money"].strip().upper()]
    vague = vague or bool(_OR_SO.match(text, end))
    for value, step in _values(hit):
        for scale in scales:
            amount = Amount(
                hit.start(), end, value * scale, step * scale, kind, size, vague,
                spelt=not hit["figure"], fraction=bool(hit["part"] or hit["glyph"]) and scale == 1 and not kind,
                glued=bool(hit["figure"]) > bool(hit["ordinal"]) and text[end : end + 1].isalpha(),
                alone=_is_alone(hit, text, end), figure=hit["figure"] or "",
            )  # fmt: skip
            yield _as_percent(amount) if amount.fraction else amount


def _is_alone(hit: re.Match[str], text: str, end: int) -> bool:
    in_a_date = _IN_A_DATE.search(text, max(0, hit.start() - 8), hit.start())
    return not in_a_date and not _COUNTS.match(text, end)


def _as_percent(amount: Amount) -> Amount:
    return replace(amount, value=100 * amount.value, step=10.0, kind="percent")


def _values(hit: re.Match[str]) -> Iterator[tuple[float, float]]:
    """Yield value and step of a number without its scale."""
    more = _GLYPHS.get((hit["more"] or hit["half"] or "").strip(), 0.0)
    if hit["figure"]:
        for plain in _plain_figures(hit["figure"]):
            decimals = len(plain.partition(".")[2])
            yield min(float(plain), _MOST) + more, 0.1 if more else 10.0 ** -min(decimals, 12)
    elif hit["glyph"]:
        yield _GLYPHS[hit["glyph"]], 0.1
    elif hit["part"]:
        count, _, part = hit["part"].lower().rstrip("s").replace("-", " ").rpartition(" ")
        yield _WORDS.get(count, 1.0) * _FRACTIONS[part], 0.1
    elif hit["spelt"]:
        yield _spelt(hit["spelt"].lower()) + more * _last_scale(hit["spelt"].lower()), 0.1 if more else 1.0
    else:
        *tens, last = re.split(r"[ -]", hit["nth"].lower())
        yield sum(_WORDS[word] for word in tens) + _ORDINALS[last], 1.0


def _plain_figures(figure: str) -> Iterator[str]:
    """Yield the figure with a decimal point and no thousands marks; “1.200” and “1,200” have two readings."""
    bare = re.sub(r"[ '’]", "", figure)
    marks = re.sub(r"\d", "", bare)
    if not marks:
        yield bare
    elif len(set(marks)) == 2:
        yield bare.replace(marks[0], "").replace(marks[-1], ".")
    elif len(marks) > 1:
        yield bare.replace(marks[0], "")
    else:
        whole, _, rest = bare.partition(marks)
        if len(rest) == 3 and whole not in ("", "0"):
            yield whole + rest
        if len(rest) != 3 or marks == "." or whole in ("", "0"):
            yield f"{whole or 0}.{rest}"


def _spelt(words: str) -> float:
    total = current = 0.0
    for word in re.split(r"[ -]", words):
        if word == "and":
            continue
        value = _WORDS[word]
        if value < 100 and word != "dozen":
            current += value
        elif value <= 100:
            current = (current or 1) * value
        else:
            total, current = total + (current or 1) * value, 0.0
    return min(total + current, _MOST)


def _last_scale(words: str) -> float:
    value = _WORDS[re.split(r"[ -]", words)[-1]]
    return value if value >= 100 else 1.0
