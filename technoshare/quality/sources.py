"""What a summary may draw on, read once: its links, words, quotations, versions, dates and amounts can be looked up."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from technoshare.quality import names as naming
from technoshare.quality.addresses import DOMAIN_ENDINGS
from technoshare.quality.dates import Date, agrees, dates, years
from technoshare.quality.numbers import Amount, amounts, clocks, implied
from technoshare.quality.rounding import follows, supports
from technoshare.quality.vocabulary import STOP
from technoshare.text import normalise, visible

BEHIND_A_LINK = ".,;:!?)]}'\"”’*_…>"
# A file's name that nobody wrote is a name, not a link: more endings of files than where links are taken out.
_TOP = rf"(?:(?!js|ts|go|cs|vb|db|hs|kt|cu|py|rs|rb|md|sh)[a-z]{{2}}|{DOMAIN_ENDINGS}|example|test|invalid)"
LINK = re.compile(
    rf"(?:\b[a-z][a-z0-9+.-]{{1,20}}://|\bwww\.)[^\s<>\"`|]+"
    rf"|(?<![\w@./-])(?:[^\W_](?:[\w-]*[^\W_])?\.)+{_TOP}(?![\w@-]|\.\w|\()(?:[:/?#][^\s<>\"`|]*)?",
    re.IGNORECASE,
)
EMAIL = re.compile(r"(?<![\w.+%-])(?:mailto:)?[\w.+%-]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[a-z]{2,}", re.IGNORECASE)
_FIGURES = re.compile(r"(?<![\d,.])\d+(?:\.(?:\d+|x\b))*(?!\d|,\d)")
_ELLIPSIS = re.compile(r"\s*(?:\[[^\]]{0,80}\]|\.\.\.|…)\s*")
PLAIN = str.maketrans("‘’‚“”„«»‐‑‒−", '\'\'\'"""""----')
_LONG_SOURCE = 3_000
"""Words; in more than these, three letters are the initials of something by chance."""


class Sources:
    """Texts that count as one; each index is built when something is first looked up in it."""

    def __init__(self, *texts: str) -> None:
        """Take the texts as they are."""
        self._text = " \n ".join(visible(unicodedata.normalize("NFKC", text)).translate(PLAIN) for text in texts)

    @cached_property
    def _normal(self) -> str:
        return f" {normalise(self._text)} "

    @cached_property
    def _line(self) -> str:
        return f" {' '.join(self._in_order)} "

    @cached_property
    def _in_order(self) -> list[str]:
        return list(naming.words(self._text))

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(self._in_order)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = defaultdict(list)
        for word in self._words:
            stems[word[:4]].append(word)
        return stems

    @cached_property
    def _spoken(self) -> list[str]:
        return [hit[0] for hit in naming.WORD.finditer(self._text.replace("-", " "))]

    @cached_property
    def _content(self) -> list[str]:
        return [word for word in self._spoken if word.lower() not in STOP]

    @cached_property
    def _links(self) -> frozenset[str]:
        links = {_bare_link(hit[0]) for pattern in (LINK, EMAIL) for hit in pattern.finditer(self._text)}
        hosts = {re.split(r"[/:?#]", link.rpartition("@")[2])[0] for link in links}
        return frozenset(links | hosts)

    @cached_property
    def _versions(self) -> frozenset[tuple[str, ...]]:
        return frozenset(_parts(hit[0]) for hit in _FIGURES.finditer(self._text))

    @cached_property
    def _dates(self) -> list[Date]:
        return [*dates(self._text), *years(self._text)]

    @cached_property
    def _clocks(self) -> frozenset[int]:
        return frozenset(minutes for _, _, minutes in clocks(self._text))

    @cached_property
    def _amounts(self) -> list[Amount]:
        found = amounts(self._text)
        return [*found, *implied(self._text, found)]

    # ------------------------------------------------------------ looking up

    def holds(self, text: str) -> bool:
        """Tell whether `text` is a stretch of whole words of the sources."""
        wanted = normalise(text)
        return not wanted or f" {wanted} " in self._normal

    def has_link(self, link: str) -> bool:
        """Tell whether the whole link, the address or the bare host stands in a source; its scheme does not matter."""
        return _bare_link(link) in self._links

    def has_literally(self, text: str) -> bool:
        """Tell whether `text` stands in a source, not inside a longer word."""
        return bool(re.search(rf"(?<!\w){re.escape(normalise(text))}(?!\w)", self._normal))

    def has_id(self, text: str) -> bool:
        """Tell whether the same letters and digits stand in a source, whatever marks part them."""
        solid = re.sub(r"[\W_]+", "", normalise(text).removeprefix("arxiv").removeprefix("doi"))
        pattern = r"[\W_]?".join(map(re.escape, solid))
        return bool(re.search(rf"(?<![^\W_]){pattern}s?(?![^\W_])", self._normal))

    def has_code(self, code: str) -> bool:
        """Tell whether a source has the code, or each of its words."""
        wanted = re.sub(r"\s+", "", normalise(code))
        return wanted in self._normal.replace(" ", "") or all(word in self._words for word in naming.words(code))

    def has_quotation(self, quotation: str) -> bool:
        """Tell whether the words of the quotation, or of its parts between ellipses, follow one another in a source."""
        place = 0
        for part in _ELLIPSIS.split(quotation):
            spoken = list(naming.words(part))
            if not spoken:
                continue
            place = max(self._line.find(f" {' '.join(some)} ", place) for some in _trimmed(spoken))
            if place < 0:
                return False
        return True

    def has_version(self, version: str) -> bool:
        """Tell whether a source has the version, a finer one of it, or the same without a final 0; 1.2 is not 1.20."""
        parts = _parts(version.lower().removeprefix("v"))
        if parts[-1] == "x":
            parts = parts[:-1]
        whole = parts[:-1] if parts[-1] == "0" else parts
        return any(known[: len(parts)] == parts for known in self._versions) or (
            len(whole) > 1 and whole in self._versions
        )

    def has_date(self, date: Date) -> bool:
        """Tell whether the date follows from those of the sources; a lone year may be any number there."""
        if agrees(date, self._dates):
            return True
        return not date.month and not date.decade and any(date.year == amount.value for amount in self._amounts)

    def has_clock(self, minutes: int) -> bool:
        """Tell whether a source has the time of day; a full hour may stand for ten minutes before and after it."""
        near = range(minutes - 10, minutes + 11) if minutes % 60 == 0 else (minutes,)
        return not self._clocks.isdisjoint(near)

    def has_amount(self, readings: Iterable[Amount], others: Sequence[Amount] = ()) -> bool:
        """Tell whether one of an amount's readings could be said of a source's amount, or of the `others`."""
        return any(supports(known, said) for said in readings for known in (*self._amounts, *others))

    def has_between(self, low: Amount, high: Amount) -> bool:
        """Tell whether a source's amount lies in a narrow range, “two to three weeks”."""
        return (low.value < high.value <= 2 * low.value <= 100 and not low.kind) and any(
            known.kind == high.kind and low.value * high.size <= known.value * known.size <= high.value * high.size
            for known in self._amounts
        )

    def has_relation(self, said: Amount, beside: Iterable[Amount]) -> bool:
        """Tell whether `said` is the difference or ratio between an amount `beside` it and one of a source."""
        return said.kind in ("points", "times") and follows(said, beside, self._amounts)

    def knows(self, word: str) -> bool:
        """Tell whether a source has the word, its people or place, its plural, its parts or its initials."""
        simple = naming.folded(word)
        if any(form in self._words for form in naming.relatives(simple)):
            return True
        if any(naming.kin(simple, known) for known in self._stems.get(simple[:4], ())):
            return True
        parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", word)
        if len(parts) > 1 and all(part.casefold() in self._words for part in parts):
            return True
        return self._is_acronym(word) or (len(simple) >= 4 and self.has_id(word))

    def _is_acronym(self, word: str) -> bool:
        letters = word.removesuffix("s")
        if not 2 <= len(letters) <= 7 or sum(char.isupper() for char in letters) < 2:
            return False
        return any(_spells(spoken, letters.lower()) for spoken in (self._content, self._spoken))

    def abbreviates(self, capitals: str) -> bool:
        """Tell whether a source has the acronym of these capitalised words."""
        short = "".join(re.findall(r"[A-Z]", capitals))
        return len(short) >= 2 and bool(re.search(rf"\b{short}s?\b", self._text))


def _spells(spoken: list[str], letters: str) -> bool:
    """Tell whether words in a row begin with the letters; in a long text, only if they have capitals."""
    first, place = naming.initials(spoken).lower(), -1
    while (place := first.find(letters, place + 1)) >= 0:
        if len(spoken) <= _LONG_SOURCE or all(word[0].isupper() for word in spoken[place : place + len(letters)]):
            return True
    return False


def _parts(version: str) -> tuple[str, ...]:
    return tuple(version.split("."))


def _trimmed(spoken: list[str]) -> Iterator[list[str]]:
    """Yield a quotation's words, and those of a long one without its first or last."""
    yield spoken
    if len(spoken) >= 6:
        yield spoken[1:]
        yield spoken[:-1]


def _bare_link(link: str) -> str:
    return re.sub(r"^(?:[a-z]+://)?(?:www\.)?|^mailto:", "", link.rstrip(BEHIND_A_LINK).casefold()).rstrip("/")
