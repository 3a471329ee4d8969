"""What a summary says that its sources do not contain: links, quotations, ids, versions, dates, numbers, names.

A tripwire for details that are copied wrongly or invented, not a judge of faithfulness: right words in a wrong relation
pass. It is precise rather than eager, because a false alarm costs a true sentence.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Literal

from technoshare.quality import names as naming
from technoshare.quality.dates import Date, agrees, dates, years
from technoshare.quality.numbers import Amount, amounts, clocks, follows, implied, supports
from technoshare.text import normalise, split_sentences, visible

Kind = Literal["link", "email", "mention", "id", "quotation", "code", "version", "date", "time", "number", "name"]


@dataclass(frozen=True)
class Finding:
    """An item that no source contains, as it stands in the summary. `soft`: a hint, such as the writer's own count."""

    kind: Kind
    text: str
    sentence: int
    """Place, from 0, in `split_sentences(summary)`."""
    soft: bool = False


def ungrounded(summary: str, source: str) -> list[str]:
    """Return the items of `summary` that `source` does not contain, verbatim, in order, each once; soft ones left out."""
    return list(dict.fromkeys(finding.text for finding in findings(summary, source) if not finding.soft))


def findings(summary: str, *sources: str) -> tuple[Finding, ...]:
    """Return what none of the `sources` contains; whoever asks often keeps a `Grounds`."""
    return Grounds(*sources).findings(summary)


# ---------------------------------------------------------------- what to look for

_BEHIND = ".,;:!?)]}'\"”’*_…>"
_TOP = (
    r"(?:(?!js|ts|go|cs|vb|db|hs|kt|cu|py|rs|rb|md|sh|ai\b)[a-z]{2}|ai|com|org|net|edu|gov|mil|int|info|biz|name|dev|app|xyz|"
    r"top|site|online|shop|store|club|link|click|live|cloud|tech|page|blog|zip|mov|example|test|invalid|news|wiki|social|"
    r"media|digital|software|systems|network|tools|xn--[a-z0-9-]+)"
)
_LINK = re.compile(
    rf"(?:\b[a-z][a-z0-9+.-]{{1,20}}://|\bwww\.)[^\s<>\"`|]+|(?<![\w@./-])(?:[^\W_](?:[\w-]*[^\W_])?\.)+{_TOP}(?![\w-]|\.\w|\()(?:[:/?#][^\s<>\"`|]*)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+%-])(?:mailto:)?[\w.+%-]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[a-z]{2,}", re.IGNORECASE)
_MENTION = re.compile(r"<[!@#][^<>\n]{1,200}>|(?<![\w.@/+-])@[\w][\w./-]*")
_ID = re.compile(
    r"""
    \bCVE-\d{4}-\d+ | \bGHSA(?:-\w{4}){3} | \barXiv:?\s?\d{4}\.\d{4,5}(?:v\d+)? | (?<![\w.])\d{4}\.\d{5}(?:v\d+)?(?![\w.]*\d)
    | (?:\bdoi:?\s?)?\b10\.\d{4,9}/[^\s"<>]+ | (?<![\w&])\#\d+\b | \b0x[0-9a-f]+\b
    | \b(?:RFC|PEP|ISO|IEEE|ISBN|BIP|EIP|JEP|KEP|PR|MR|DIN|JSR)[\s-]?\#?\d[\d.:-]*\b
    | (?<![\w-])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d[0-9a-f]*\d)[0-9a-f]{7,64}(?![\w-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MIXED = re.compile(
    r"(?<![\w.-])(?:[A-Z][A-Za-z]*-?\d|[a-z]+\d)[A-Za-z0-9]*(?:[-/][A-Za-z0-9]+)*(?![\w]|\.\d)|(?<![\w.-])(?:(?:[A-Z][A-Za-z]*-)+\d|\d+[A-Za-z])[\w-]*"
)
_CODE = re.compile(r"`([^`\n]+)`")
_QUOTATION = re.compile(
    r"(?<!\w)\"([^\"\n]{2,600}?)\"(?!\w)|``([^`\n]{2,600}?)''|(?<![\w'])'([^'\n]{1,300}(?:(?<=\w)'(?=\w)[^'\n]{1,300}){0,9})'(?!\w)"
)
_VERSION = re.compile(
    r"(?<![\w.])(?:v\d+(?:\.\d+)*|\d+(?:\.\d+){2,}|\d+(?:\.\d+)*\.x)(?:[-.]?(?:rc|alpha|beta|dev|post)\.?\d*)?(?![\w]|\.\d)"
    r"|\b(?:version|release|ver\.|Version|Release) (\d+(?:\.\d+)*)(?![\w]|[.,]\d)"
    r"|\b[A-Z][\w+#]* (\d+\.\d+)(?![\w]|[.,:/]\d|\s?[%–€$-]|\s(?:to|of|out|points?|percent|per|million|billion|bn|thousand|times|seconds?|minutes?|hours?|days?|years?|"
    r"[kMGT]i?B|[mµn]?s|kg|km|m|W|GHz|MHz|euros?|dollars?|Euro|Prozent)\b)"
)
_FIGURES = re.compile(r"(?<![\d,.])\d+(?:\.(?:\d+|x\b))*(?!\d|,\d)")
_LISTED = re.compile(r"(?:^|\n)\s*(?:\d{1,3}[.)]|\(?\d{1,2}\))\s|(?:^|(?<=\s))\d{1,2}\)\s|(?<=[.;:] )\d{1,2}\. ")
_RANGE = re.compile(r"\s?(?:[–-]|to|or|and|bis)\s?(?:about )?")
_ELLIPSIS = re.compile(r"\s*(?:\[[^\]]{0,80}\]|\.\.\.|…)\s*")
_CAPITALS = re.compile(r"[A-Z][\w-]*(?:[ -](?:of |and |the |for |in )?[A-Z][\w-]*)+")
_STOP = frozenset("a an the of and or for in on to with by at from as is are was were be that this it its".split())
_LANGUAGE = {
    "de": frozenset("der die das und ist nicht mit von für ein eine den dem des im auf sich auch werden wird".split()),
    "other": frozenset("el los las del que una por con para les des une est dans pour qui il di che della och är het een e o não".split()),
    "en": frozenset("the of and to is in that was for with it are by as on from has have its this be an at".split()),
}  # fmt: skip

_LONG_SOURCE = 3_000
"""Words; in more than these, three letters are the initials of something by chance."""
_WHOLE_QUOTE = 3
"""Words; a shorter quotation may be scare quotes or a term, so it is only soft."""

_SAME = str.maketrans("‘’‚“”„«»‐‑‒−", '\'\'\'"""""----')

Span = tuple[int, int]


@dataclass(frozen=True)
class _Item:
    kind: Kind
    start: int
    end: int
    grounded: bool
    soft: bool = False


# ---------------------------------------------------------------- sources


class Grounds:
    """All that a summary may draw on, read once: the page, its title and address, the message, our projects."""

    def __init__(self, *texts: str) -> None:
        """Take the texts; they are read when something is first looked up in them."""
        self._text = " \n ".join(visible(unicodedata.normalize("NFKC", text)).translate(_SAME) for text in texts)

    def findings(self, summary: str) -> tuple[Finding, ...]:
        """Return what of `summary` is not in the texts, in order; nothing for a stretch of whole words of them."""
        text, places = _plain(summary)
        if self._holds(text):
            return ()
        pieces = _sentence_spans(summary)
        starts = [start for start, _ in pieces]
        shown = [(bisect_right(places, a - 1) if a else 0, bisect_right(places, b - 1)) for a, b in pieces]
        verbatim = [(a, b) for a, b in shown if self._holds(text[a:b])]
        found = []
        for item in self._items(text, verbatim):
            if not item.grounded:
                start, end = places[item.start], places[item.end - 1] + 1
                found.append(Finding(item.kind, summary[start:end], max(0, bisect_right(starts, start) - 1), item.soft))
        return tuple(found)

    # ------------------------------------------------------------ the texts, as each look-up needs them

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
        stems = defaultdict(list)
        for word in self._words:
            stems[word[:4]].append(word)
        return stems

    @cached_property
    def _spoken(self) -> list[str]:
        return [hit[0] for hit in naming.WORD.finditer(self._text.replace("-", " "))]

    @cached_property
    def _content(self) -> list[str]:
        return [word for word in self._spoken if word.lower() not in _STOP]

    @cached_property
    def _links(self) -> frozenset[str]:
        links = {_bare_link(hit[0]) for pattern in (_LINK, _EMAIL) for hit in pattern.finditer(self._text)}
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

    # ------------------------------------------------------------ looking

    def _items(self, text: str, taken: list[Span]) -> list[_Item]:
        """Return the items of `text` outside of what is `taken` already; what one look finds, the next leaves alone."""
        taken = [*taken, *(hit.span() for hit in _LISTED.finditer(text))]
        items: list[_Item] = []
        for look in (
            self._literals,
            self._quotations,
            self._releases,
            self._calendar,
            self._quantities,
            self._codes,
            self._names,
        ):
            fresh = [item for item in look(text) if not any(a < item.end and item.start < b for a, b in taken)]
            taken += [(item.start, item.end) for item in fresh]
            items += fresh
        return sorted(items, key=lambda item: item.start)

    def _literals(self, text: str) -> Iterator[_Item]:
        for hit in _EMAIL.finditer(text):
            yield _Item("email", hit.start(), hit.end(), hit[0].casefold().removeprefix("mailto:") in self._links)
        for hit in _LINK.finditer(text):
            link = hit[0].rstrip(_BEHIND)
            if "@" not in text[max(0, hit.start() - 1) : hit.start()]:
                yield _Item("link", hit.start(), hit.start() + len(link), _bare_link(link) in self._links)
        for hit in _MENTION.finditer(text):
            mention = hit[0] if hit[0][0] == "<" else hit[0].rstrip("./-")
            yield _Item("mention", hit.start(), hit.start() + len(mention), self._literally(mention))
        for hit in _ID.finditer(text):
            value = hit[0].rstrip(_BEHIND + "-")
            yield _Item("id", hit.start(), hit.start() + len(value), self._has_id(value))

    def _quotations(self, text: str) -> Iterator[_Item]:
        for hit in _CODE.finditer(text):
            yield _Item("code", hit.start(1), hit.end(1), self._has_code(hit[1]))
        for hit in _QUOTATION.finditer(text):
            group = hit.lastindex or 0
            size = len(hit[group].split())
            if group == 3 and size < _WHOLE_QUOTE:
                continue
            grounded = self._has_quotation(hit[group])
            yield _Item("quotation", hit.start(group), hit.end(group), grounded, soft=size < _WHOLE_QUOTE)

    def _releases(self, text: str) -> Iterator[_Item]:
        for hit in _VERSION.finditer(text):
            group = 1 if hit[1] else 2 if hit[2] else 0
            if group == 2 and naming.looks_plain(hit[0].split()[0]):
                continue
            yield _Item("version", hit.start(group), hit.end(group), self._has_version(hit[group]))

    def _calendar(self, text: str) -> Iterator[_Item]:
        for (start, end), readings in _grouped(dates(text)):
            yield _Item("date", start, end, any(self._has_date(date) for date in readings))
        for start, end, minutes in clocks(text):
            near = {minutes + shift for shift in range(-10, 11)} if minutes % 60 == 0 else {minutes}
            yield _Item("time", start, end, bool(near & self._clocks))
        for (start, end), readings in _grouped(years(text)):
            yield _Item("date", start, end, any(self._has_date(date) for date in readings))

    def _quantities(self, text: str) -> Iterator[_Item]:
        found = [list(group) for _, group in groupby(amounts(text), key=lambda amount: (amount.start, amount.end))]
        backed = [any(supports(known, said) for said in readings for known in self._amounts) for readings in found]
        for place, readings in enumerate(found):
            said = readings[0]
            if (said.spelt and said.value <= 1 and not said.kind) or said.glued:
                continue
            grounded = backed[place] or self._within(found, place, text) or self._computed(found, backed, place, text)
            yield _Item("number", said.start, said.end, grounded, soft=said.counts)

    def _within(self, found: list[list[Amount]], place: int, text: str) -> bool:
        """Tell whether the amount at `place` is an end of a range that a source's amount falls into."""
        for low, high in pairwise(found[max(0, place - 1) : place + 2]):
            one, other = low[0], high[0]
            if (
                _RANGE.fullmatch(text[one.end : other.start])
                and one.value < other.value <= 2 * one.value <= 100
                and not one.kind
            ):
                low_end, high_end = one.value * other.size, other.value * other.size
                if any(
                    known.kind == other.kind and low_end <= known.value * known.size <= high_end
                    for known in self._amounts
                ):
                    return True
        return False

    def _computed(self, found: list[list[Amount]], backed: list[bool], place: int, text: str) -> bool:
        """Tell whether “17 points” or “9 times” follows from an amount beside it and one of a source."""
        said = found[place][0]
        if said.kind not in ("points", "times"):
            return False
        beside = [
            one[0] for other, one in enumerate(found)
            if backed[other] and other != place and not re.search(r"[.!?]\s", text[min(one[0].end, said.end) : max(one[0].start, said.start)])
        ]  # fmt: skip
        return follows(said, beside, self._amounts)

    def _codes(self, text: str) -> Iterator[_Item]:
        for hit in _MIXED.finditer(text):
            grounded = (
                hit[0].casefold() in naming.KNOWN
                or self._has_id(hit[0])
                or all(self._knows(part) for part in re.split(r"[-/]", hit[0]))
            )
            yield _Item("id", hit.start(), hit.end(), grounded)

    def _names(self, text: str) -> Iterator[_Item]:
        language = _language(text)
        expanded = [hit.span() for hit in _CAPITALS.finditer(text) if self._abbreviates(hit[0])]
        unknown = [
            name
            for name in naming.names(text)
            if not self._knows(name.word)
            and not any(a <= name.start < b for a, b in expanded)
            and not _spelt_out(name, text)
        ]
        for run in _runs(unknown, text):
            while run[0].opens and run[0].ordinary and len(run) > 1:
                run = run[1:]
            if _is_name(run, language):
                yield _Item("name", run[0].start, run[-1].end, grounded=False)

    # ------------------------------------------------------------ what is known

    def _holds(self, text: str) -> bool:
        """Tell whether `text` is a stretch of whole words of the sources."""
        wanted = normalise(text)
        return not wanted or f" {wanted} " in self._normal

    def _literally(self, text: str) -> bool:
        return bool(re.search(rf"(?<!\w){re.escape(normalise(text))}(?!\w)", self._normal))

    def _has_id(self, text: str) -> bool:
        """Tell whether the same letters and digits stand in a source, whatever marks part them."""
        solid = re.sub(r"[\W_]+", "", normalise(text).removeprefix("arxiv").removeprefix("doi"))
        pattern = r"[\W_]?".join(map(re.escape, solid))
        return bool(re.search(rf"(?<![^\W_]){pattern}s?(?![^\W_])", self._normal))

    def _has_code(self, code: str) -> bool:
        wanted = re.sub(r"\s+", "", normalise(code))
        return wanted in self._normal.replace(" ", "") or all(word in self._words for word in naming.words(code))

    def _has_quotation(self, quotation: str) -> bool:
        place = 0
        for part in _ELLIPSIS.split(quotation):
            spoken = list(naming.words(part))
            if not spoken:
                continue
            place = max(self._line.find(f" {' '.join(some)} ", place) for some in _trimmed(spoken))
            if place < 0:
                return False
        return True

    def _has_version(self, version: str) -> bool:
        parts = _parts(_FIGURES.search(version)[0])  # type: ignore[index]
        bare = parts
        while len(bare) > 1 and bare[-1] in ("0", "x"):
            bare = bare[:-1]
        return (
            parts in self._versions
            or bare in self._versions
            or any(
                known[: len(parts)] == parts or known[: len(bare)] == bare and parts != bare for known in self._versions
            )
        )

    def _has_date(self, date: Date) -> bool:
        if agrees(date, self._dates):
            return True
        return not date.month and not date.decade and any(date.year == amount.value for amount in self._amounts)

    def _knows(self, word: str) -> bool:
        """Tell whether a source has the word, its people or place, its plural, its parts or its initials."""
        simple = naming.folded(word)
        if any(form in self._words for form in naming.relatives(simple)):
            return True
        if any(naming.kin(simple, known) for known in self._stems.get(simple[:4], ())):
            return True
        parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", word)
        if len(parts) > 1 and all(part.casefold() in self._words for part in parts):
            return True
        return self._is_acronym(word) or (len(simple) >= 4 and self._has_id(word))

    def _is_acronym(self, word: str) -> bool:
        letters = word.removesuffix("s")
        if not 2 <= len(letters) <= 7 or sum(char.isupper() for char in letters) < 2:
            return False
        return any(_spells(spoken, letters.lower()) for spoken in (self._content, self._spoken))

    def _abbreviates(self, capitals: str) -> bool:
        short = naming.initials(re.findall(r"[A-Z]", capitals)).lower()
        return (
            len(short) >= 2
            and (short in self._words or short + "s" in self._words)
            and bool(re.search(rf"\b{short.upper()}s?\b", self._text))
        )


# ---------------------------------------------------------------- shapes


def _spells(spoken: list[str], letters: str) -> bool:
    """Tell whether words in a row begin with the letters; in a long text, only if they have capitals."""
    first, place = naming.initials(spoken).lower(), -1
    while (place := first.find(letters, place + 1)) >= 0:
        if len(spoken) <= _LONG_SOURCE or all(word[0].isupper() for word in spoken[place : place + len(letters)]):
            return True
    return False


def _plain(text: str) -> tuple[str, list[int]]:
    """Return `text` with plain quotes, dashes, digits and spaces, and where each of its characters stood."""
    pairs = [(_simple(char), place) for place, char in enumerate(text) if visible(char)]
    return "".join(char for char, _ in pairs), [place for _, place in pairs]


def _simple(char: str) -> str:
    if char.isascii():
        return char
    plain = unicodedata.normalize("NFKC", char).translate(_SAME)
    return plain if len(plain) == 1 else char


def _sentence_spans(summary: str) -> list[Span]:
    spans, place = [], 0
    for sentence in split_sentences(summary):
        start = summary.find(sentence, place)
        place = start + len(sentence)
        spans.append((start, place))
    return spans


def _grouped(found: Iterable[Date]) -> Iterator[tuple[Span, list[Date]]]:
    for span, group in groupby(found, key=lambda date: (date.start, date.end)):
        yield span, list(group)


def _bare_link(link: str) -> str:
    return re.sub(r"^(?:[a-z]+://)?(?:www\.)?|^mailto:", "", link.rstrip(_BEHIND).casefold()).rstrip("/")


def _parts(version: str) -> tuple[str, ...]:
    return tuple(version.split("."))


def _trimmed(spoken: list[str]) -> Iterator[list[str]]:
    """Yield a quotation's words, and those of a long one without its first or last."""
    yield spoken
    if len(spoken) >= 6:
        yield spoken[1:]
        yield spoken[:-1]


def _language(text: str) -> str:
    spoken = list(naming.words(text))
    counts = {language: sum(word in known for word in spoken) for language, known in _LANGUAGE.items()}
    return max(reversed(counts), key=counts.__getitem__)


def _spelt_out(name: naming.Name, text: str) -> bool:
    """Tell whether an acronym in parentheses stands behind its own words: “low-rank adaptation (LoRA)”."""
    if text[name.start - 1 : name.start] != "(" or not text[: name.start - 1].strip():
        return False
    before = re.findall(r"[^\W_]+", text[: name.start - 1])[-len(name.word) - 3 :]
    letters = name.word.removesuffix("s").lower()
    spelt = naming.initials([word.lower() for word in before])
    return letters in spelt or (letters[0] in spelt and all(char in "".join(before).lower() for char in letters))


def _runs(found: list[naming.Name], text: str) -> Iterator[list[naming.Name]]:
    run: list[naming.Name] = []
    for name in found:
        if run and not naming.adjoin(text, run[-1], name):
            yield run
            run = []
        run.append(name)
    if run:
        yield run


def _is_name(run: list[naming.Name], language: str) -> bool:
    first = run[0]
    if language == "de":  # all nouns have capitals
        return any(not name.word.istitle() for name in run) or (len(run) > 1 and not first.opens)
    if all(name.ordinary for name in run):
        return len(run) > 1 and not first.opens
    if len(run) > 1 or not first.opens:
        return True
    return language == "en" and not naming.looks_plain(first.word)
