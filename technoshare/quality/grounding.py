"""What a summary says that its sources do not contain: links, quotations, ids, versions, dates, numbers, names.

A tripwire for details that are copied wrongly or invented, not a judge of faithfulness: right words in a wrong relation
pass. It is precise rather than eager, because a false alarm costs a true sentence.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, groupby, pairwise
from typing import Literal

from technoshare.quality import names as naming
from technoshare.quality.dates import Date, dates, years
from technoshare.quality.numbers import UNITS, Amount, amounts, clocks, implied
from technoshare.quality.sources import BEHIND_A_LINK, EMAIL, LINK, PLAIN, Sources
from technoshare.quality.vocabulary import KNOWN
from technoshare.text import split_sentences, visible

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
    """Return the items of `summary` that `source` does not contain, as they stand, in order, each once; none soft."""
    return list(dict.fromkeys(finding.text for finding in findings(summary, source) if not finding.soft))


def findings(summary: str, *sources: str) -> tuple[Finding, ...]:
    """Return what none of the `sources` contains; whoever asks often keeps a `Grounds`."""
    return Grounds(*sources).findings(summary)


# ---------------------------------------------------------------- what to look for

_MENTION = re.compile(r"<[!@#][^<>\n]{1,200}>|(?<![\w.@/+-])@[\w][\w./-]*")
_ID = re.compile(
    r"""
    \bCVE-\d{4}-\d+ | \bGHSA(?:-\w{4}){3}
    | \barXiv:?\s?\d{4}\.\d{4,5}(?:v\d+)? | (?<![\w.])\d{4}\.\d{5}(?:v\d+)?(?![\w.]*\d)
    | (?:\bdoi:?\s?)?\b10\.\d{4,9}/[^\s"<>]+ | (?<![\w&])\#\d+\b | \b0x[0-9a-f]+\b
    | \b(?:RFC|PEP|ISO|IEEE|ISBN|BIP|EIP|JEP|KEP|PR|MR|DIN|JSR)[\s-]?\#?\d[\d.:-]*\b
    | (?<![\w-])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d[0-9a-f]*\d)[0-9a-f]{7,64}(?![\w-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MIXED = re.compile(
    r"(?<![\w.-])(?:[A-Z][A-Za-z]*-?\d|[a-z]+\d|(?:[A-Z][A-Za-z]*-)+\d)[A-Za-z0-9]*(?:[-/][A-Za-z0-9]+)*(?!\w|\.\d)"
)
_GLUED = re.compile(r"(?<![\w.-])\d+[A-Za-z][\w-]*")
_CODE = re.compile(r"`([^`\n]+)`")
_QUOTATION = re.compile(
    r"(?<!\w)\"([^\"\n]{2,600}?)\"(?!\w)|``\s*([^`\n]{2,600}?)\s*''"
    r"|(?<![\w'])'([^'\n]{1,300}(?:(?<=\w)'(?=\w)[^'\n]{1,300}){0,9})'(?!\w)"
)
_VERSION = re.compile(
    r"(?<![\w.])(?:v\d+(?:\.\d+)*|\d+(?:\.\d+){2,}|\d+(?:\.\d+)*\.x)(?:[-.]?(?:rc|alpha|beta|dev|post)\.?\d*)?(?!\w|\.\d)"
    r"|\b(?:[Vv]ersion|[Rr]elease|ver\.) (\d+(?:\.\d+)*)(?!\w|[.,]\d)"
    r"|\b(\d+(?:\.\d+)+) (?:branch|series|line|release)\b"
    r"|\b[A-Z][\w+#]* (\d+\.\d{1,2})(?!\w|[.,:/]\d|\s?[%–€$-]|\s(?:of|out|points?|per(?:cent)?|[mb]illion|bn|"
    r"thousand|times|seconds?|minutes?|hours?|days?|years?|[kMGT]i?B|[mµn]?s|k?g|k?m|W|[GM]Hz|euros?|"
    r"dollars?|Euro|Prozent)\b)"
)
_LISTED = re.compile(r"(?:^|\n)\s*(?:\d{1,3}[.)]|\(?\d{1,2}\))\s|(?:^|(?<=\s))\d{1,2}\)\s|(?<=[.;:] )\d{1,2}\. ")
_RANGE = re.compile(r"\s?(?:[–-]|to|or|and|bis)\s?(?:about )?")
_CAPITALS = re.compile(r"[A-Z][\w-]*(?:[ -](?:of |and |the |for |in )?[A-Z][\w-]*)+")
_WHOLE_QUOTE = 3
"""Words; a shorter quotation may be scare quotes or a term, so it is only soft."""

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
        self._known = Sources(*texts)

    def findings(self, summary: str) -> tuple[Finding, ...]:
        """Return what of `summary` is not in the texts, in order; nothing for a stretch of whole words of them."""
        text, places = _plain(summary)
        if self._known.holds(text):
            return ()
        pieces = _sentence_spans(summary)
        starts = [start for start, _ in pieces]
        shown = [(bisect_right(places, a - 1) if a else 0, bisect_right(places, b - 1)) for a, b in pieces]
        verbatim = [(a, b) for a, b in shown if self._known.holds(text[a:b])]
        found = []
        for item in self._items(text, verbatim):
            if not item.grounded:
                start, end = places[item.start], places[item.end - 1] + 1
                found.append(Finding(item.kind, summary[start:end], max(0, bisect_right(starts, start) - 1), item.soft))
        return tuple(found)

    # ------------------------------------------------------------ looking

    def _items(self, text: str, verbatim: list[Span]) -> list[_Item]:
        """Return the items of `text` that are not `verbatim` anyway; what one look finds, the next leaves alone."""
        taken = [*verbatim, *(hit.span() for hit in _LISTED.finditer(text))]
        items: list[_Item] = []
        for look in (self._links, self._addresses, self._ids, self._quotations, self._dates, self._versions,
                     self._codes, self._amounts, self._glued, self._names):  # fmt: skip
            fresh = [item for item in look(text) if not any(start <= item.start < end for start, end in taken)]
            taken += [(item.start, item.end) for item in fresh if item.grounded or not item.soft]
            items += fresh
        return sorted(items, key=lambda item: item.start)

    def _links(self, text: str) -> Iterator[_Item]:
        for hit in LINK.finditer(text):
            link = hit[0].rstrip(BEHIND_A_LINK)
            yield _Item("link", hit.start(), hit.start() + len(link), self._known.has_link(link))

    def _addresses(self, text: str) -> Iterator[_Item]:
        for hit in EMAIL.finditer(text):
            yield _Item("email", hit.start(), hit.end(), self._known.has_link(hit[0]))
        for hit in _MENTION.finditer(text):
            mention = hit[0].rstrip("./-")
            yield _Item("mention", hit.start(), hit.start() + len(mention), self._known.has_literally(mention))

    def _ids(self, text: str) -> Iterator[_Item]:
        for hit in _ID.finditer(text):
            value = hit[0].rstrip(BEHIND_A_LINK.replace(">", "-"))
            yield _Item("id", hit.start(), hit.start() + len(value), self._known.has_id(value))

    def _quotations(self, text: str) -> Iterator[_Item]:
        for hit in _CODE.finditer(text):
            yield _Item("code", hit.start(1), hit.end(1), self._known.has_code(hit[1]))
        for hit in _QUOTATION.finditer(text):
            group = hit.lastindex or 0
            size = len(hit[group].split())
            if group == 3 and size < _WHOLE_QUOTE:
                continue
            grounded = self._known.has_quotation(hit[group])
            yield _Item("quotation", hit.start(group), hit.end(group), grounded, soft=size < _WHOLE_QUOTE)

    def _versions(self, text: str) -> Iterator[_Item]:
        for hit in _VERSION.finditer(text):
            group = hit.lastindex or 0
            if group == 3 and naming.looks_plain(hit[0].split()[0]):
                continue
            yield _Item("version", hit.start(group), hit.end(group), self._known.has_version(hit[group]))

    def _dates(self, text: str) -> Iterator[_Item]:
        for (start, end), readings in _grouped(dates(text)):
            yield _Item("date", start, end, any(self._known.has_date(date) for date in readings))
        for start, end, minutes in clocks(text):
            yield _Item("time", start, end, self._known.has_clock(minutes))
        for (start, end), readings in _grouped(years(text)):
            yield _Item("date", start, end, any(self._known.has_date(date) for date in readings))

    def _amounts(self, text: str) -> Iterator[_Item]:
        found = [list(group) for _, group in groupby(amounts(text), key=lambda amount: (amount.start, amount.end))]
        ratios = [ratio for ratio in implied(text, [one[0] for one in found]) if ratio.kind == "percent"]
        backed = [self._known.has_amount(readings, ratios) for readings in found]
        for place, (said, *_) in enumerate(found):
            if said.glued or (said.spelt and said.value <= 1 and not said.kind):
                continue
            grounded = (
                backed[place]
                or any(
                    self._known.has_between(low[0], high[0])
                    for low, high in pairwise(found[max(0, place - 1) : place + 2])
                    if _RANGE.fullmatch(text[low[0].end : high[0].start])
                )
                or self._known.has_relation(said, _beside(said, [one[0] for one in compress(found, backed)], text))
            )
            yield _Item("number", said.start, said.end, grounded, soft=said.counts)

    def _codes(self, text: str) -> Iterator[_Item]:
        return self._mixed(_MIXED, text)

    def _glued(self, text: str) -> Iterator[_Item]:
        return self._mixed(_GLUED, text)

    def _mixed(self, pattern: re.Pattern[str], text: str) -> Iterator[_Item]:
        for hit in pattern.finditer(text):
            grounded = (
                hit[0].casefold() in KNOWN
                or self._known.has_id(hit[0])
                or all(self._known.knows(part) for part in re.split(r"[-/]", hit[0]))
            )
            yield _Item("id", hit.start(), hit.end(), grounded)

    def _names(self, text: str) -> Iterator[_Item]:
        language = naming.language(text)
        expanded = [hit.span() for hit in _CAPITALS.finditer(text) if self._known.abbreviates(hit[0])]
        unknown = [
            name
            for name in naming.names(text)
            if not self._known.knows(name.word)
            and not any(a <= name.start < b for a, b in expanded)
            and not _spelt_out(name, text)
        ]
        for run in _runs(unknown, text):
            name = run if all(part.ordinary for part in run) or not (run[0].opens and run[0].ordinary) else run[1:]
            if _is_name(name, text, language) and not self._known.has_id(text[name[0].start : name[-1].end]):
                yield _Item("name", name[0].start, name[-1].end, grounded=False)


# ---------------------------------------------------------------- shapes


def _plain(text: str) -> tuple[str, list[int]]:
    """Return `text` with plain quotes, dashes, digits and spaces, and where each of its characters stood."""
    pairs = [(_simple(char), place) for place, char in enumerate(text) if visible(char)]
    return "".join(char for char, _ in pairs), [place for _, place in pairs]


def _simple(char: str) -> str:
    if char.isascii():
        return char
    plain = unicodedata.normalize("NFKC", char).translate(PLAIN)
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


def _beside(said: Amount, others: Iterable[Amount], text: str) -> list[Amount]:
    """Return those of the others that stand in the same sentence as `said`."""
    return [
        one
        for one in others
        if one.start != said.start
        and not re.search(r"[.!?]\s", text[min(one.end, said.end) : max(one.start, said.start)])
    ]


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


def _is_name(run: list[naming.Name], text: str, language: str) -> bool:
    """Tell whether unknown capitalised words in a row are a name rather than ordinary words where capitals are due."""
    first = run[0]
    if language == "de":  # all nouns have capitals
        return any(not name.word.istitle() for name in run) or (
            len(run) > 1 and not first.opens and first.word not in UNITS
        )
    if all(name.ordinary for name in run):
        label = text[run[-1].end : run[-1].end + 1] == ":"
        return len(run) > 1 and not label and not _in_a_heading(first.start, text)
    if len(run) > 1 or not first.opens:
        return True
    return language == "en" and not naming.looks_plain(first.word)


def _in_a_heading(place: int, text: str) -> bool:
    """Tell whether the words around `place`, from stop to stop, have a capital although most of them are ordinary."""
    start = max(text.rfind(stop, 0, place) for stop in ".!?:\n") + 1
    stretch = re.split(r"[.!?:\n]", text[start:], maxsplit=1)[0]
    around = [word for word in naming.WORD.findall(stretch) if len(word) > 3]
    ordinary = sum(word[0].isupper() and naming.looks_plain(word) for word in around)
    return len(around) > 2 and ordinary > 0.6 * len(around)
