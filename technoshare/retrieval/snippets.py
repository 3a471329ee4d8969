"""Documents → snippets: pieces of about a paragraph, each with its section, page and exact place in the text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest

from technoshare.aside import aside
from technoshare.models import Document, Project, Section, Snippet
from technoshare.retrieval.bm25 import Index
from technoshare.text import normalise, split_sentences

SIZE = 900
"""Characters of a usual snippet: a paragraph or two, small enough to point at, large enough to be understood alone."""
FULL_ENOUGH = 600
"""From here on a snippet ends where its paragraph does."""
LONGEST = 1_400
"""A longer "sentence" is a table or code and is cut at white space."""
BUDGET = 96_000
"""Characters for one evidence: about 24,000 tokens, so a usual paper fits whole (55,000 to 72,000)."""
LOOKED_AT = 200_000
"""Characters of one document that are cut at all; more is a book, and cutting takes longer than reading."""
SAME = 0.8
"""Jaccard similarity of 4-word shingles above which two snippets say the same."""

SHORT = 10_000
"""Characters of a source that is kept whole beside a long one: an abstract, a comment, the notes of a release."""

_TELLING = re.compile(r"\b(?:abstract|introduction|conclu\w+|limitations?|contributions?|summary)\b", re.IGNORECASE)

Span = tuple[int, int]
"""Start and end, in characters."""


@dataclass(frozen=True)
class Part:
    """A document of the evidence and the address that its text comes from."""

    source: str
    document: Document


def cut(*parts: Part) -> tuple[Snippet, ...]:
    """Cut the parts into snippets, in reading order; `snippet.text == document.text[snippet.start:snippet.end]`.

    What nearly repeats an earlier snippet is left out.
    """
    return _numbered(_distinct((piece for part in parts for piece in _pieces(part)), _Seen()), 1)


def added(snippets: Iterable[Snippet], known: Sequence[Snippet]) -> tuple[Snippet, ...]:
    """Return what `snippets` say beyond the `known` ones, with ids that go on after theirs."""
    seen = _Seen()
    for snippet in known:
        seen.add(snippet.text)
    return _numbered(_distinct(snippets, seen), len(known) + 1)


async def cut_aside(*parts: Part) -> tuple[Snippet, ...]:
    """Do as `cut` does, in a thread: a long paper takes a tenth of a second, which the event loop has not."""
    return await aside(cut, *parts)


def with_sentences(document: Document) -> Document:
    """Return the document with its sentences located; the parser process does it, where it holds up nobody."""
    return document.model_copy(update={"sentences": tuple(_sentences(document))})


def _pieces(part: Part) -> Iterator[Snippet]:
    document = part.document
    sentences = document.sentences or tuple(_sentences(document))
    for section in _sections(document):
        first, last = (bisect_left(sentences, (edge, 0)) for edge in (section.start, section.end))
        for start, end in _packed(document.text, sentences[first:last]):
            text = document.text[start:end]
            if any(character.isalnum() for character in text):
                yield Snippet(
                    id="",
                    text=text,
                    source=part.source,
                    section=section.title,
                    page=section.page,
                    start=start,
                    end=end,
                )


def _sections(document: Document) -> Iterator[Section]:
    """Return the sections that are looked at: of a book the telling ones and the beginning, in reading order."""
    sections = document.sections or (Section(start=0, end=len(document.text)),)
    room, kept = LOOKED_AT, {}
    for at in sorted(range(len(sections)), key=lambda at: not _TELLING.search(sections[at].title)):
        if room <= 0:
            break
        start, end = sections[at].start, sections[at].end
        kept[at] = sections[at].model_copy(update={"end": min(end, start + room)})
        room -= end - start
    return (kept[at] for at in sorted(kept))


def _sentences(document: Document) -> Iterator[Span]:
    """Where the sentences stand in the document's text; none is longer than `LONGEST`."""
    for section in _sections(document):
        position = section.start
        for sentence in split_sentences(document.text[section.start : section.end], document.language or "en"):
            start = document.text.index(sentence, position)
            position = start + len(sentence)
            yield from _short(document.text, start, position)


def _short(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > LONGEST:
        space = text.rfind(" ", start + SIZE // 2, start + SIZE)
        middle = start + SIZE if space < 0 else space
        yield start, middle
        start = middle + (space >= 0)
    yield start, end


def _packed(text: str, sentences: Sequence[Span]) -> Iterator[Span]:
    """Join neighbours up to `SIZE` characters; a full enough piece ends with its paragraph."""
    if not sentences:
        return
    begin = sentences[0][0]
    for (_, end), (start, following) in pairwise(sentences):
        paragraph_ends = "\n" in text[end:start] and end - begin >= FULL_ENOUGH
        if paragraph_ends or following - begin > SIZE:
            yield begin, end
            begin = start
    yield begin, sentences[-1][1]


# ---------------------------------------------------------------- choosing

Shingle = tuple[str, ...]


def _numbered(snippets: Iterable[Snippet], first: int) -> tuple[Snippet, ...]:
    return tuple(
        snippet.model_copy(update={"id": f"s{number}"}) for number, snippet in enumerate(snippets, start=first)
    )


def _distinct(snippets: Iterable[Snippet], seen: _Seen) -> Iterator[Snippet]:
    return (snippet for snippet in snippets if seen.add(snippet.text))


class _Seen:
    """Texts by their shingles, so that a new one is compared only with those that share some words with it."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._holders: defaultdict[Shingle, list[int]] = defaultdict(list)

    def add(self, text: str) -> bool:
        """Remember `text` unless something nearly the same is known; tell whether it is new."""
        shingles = _shingles(text)
        common = Counter(holder for shingle in shingles for holder in self._holders[shingle])
        if any(count > SAME * (len(shingles) + self._sizes[holder] - count) for holder, count in common.items()):
            return False
        for shingle in shingles:
            self._holders[shingle].append(len(self._sizes))
        self._sizes.append(len(shingles))
        return True


def _shingles(text: str) -> frozenset[Shingle]:
    words = re.findall(r"\w+", normalise(text))
    return frozenset(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3)))


def chosen(snippets: tuple[Snippet, ...], projects: Sequence[Project], *, budget: int = BUDGET) -> tuple[Snippet, ...]:
    """Return what fits into `budget` characters, in reading order and numbered anew; everything when that fits.

    Otherwise up to half of it the telling sections (abstract, conclusions, …) and the short sources, then up to a
    quarter what is nearest to the projects, then the beginning. The same input gives the same choice.
    """
    if sum(len(snippet.text) for snippet in snippets) <= budget:
        return snippets
    telling = dict.fromkeys(_fitting(budget // 2, _telling(snippets), snippets))
    near = _fitting(budget // 4, (at for at in _nearest(snippets, projects) if at not in telling), snippets)
    kept = _fitting(budget, dict.fromkeys((*telling, *near, *range(len(snippets)))), snippets)
    return _numbered((snippets[at] for at in sorted(kept)), 1)


def _telling(snippets: Sequence[Snippet]) -> Iterator[int]:
    sizes: Counter[str] = Counter()
    for snippet in snippets:
        sizes[snippet.source] += len(snippet.text)
    for at, snippet in enumerate(snippets):
        if sizes[snippet.source] <= SHORT or _TELLING.search(snippet.section):
            yield at


def _nearest(snippets: Sequence[Snippet], projects: Sequence[Project]) -> Iterable[int]:
    """Yield positions, each project's nearest snippet first, then each one's second, so that no project loses out."""
    index = Index(snippets)
    told = (" ".join((project.name, project.theme, project.description, *project.keywords)) for project in projects)
    turns = chain.from_iterable(zip_longest(*map(index.ranked, told)))
    return dict.fromkeys(at for at in turns if at is not None)


def _fitting(room: int, order: Iterable[int], snippets: Sequence[Snippet]) -> list[int]:
    """Return the positions in `order` up to the first whose snippet finds no room any more."""
    kept = []
    for at in order:
        room -= len(snippets[at].text)
        if room < 0:
            break
        kept.append(at)
    return kept
