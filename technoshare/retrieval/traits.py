"""What can be measured about a block: itself, its neighbours, the containers around it, the page.

Containers are ranges of blocks, so whatever is asked about one is a difference of two running sums.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from technoshare.retrieval.blocks import Block, Blocks

Numbers = NDArray[np.float64]

_TAGS = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dt", "dd", "div", "span", "a", "pre",
         "figcaption", "blockquote", "label", "button", "summary", "legend", "section", "article")  # fmt: skip
_PLACES = ("main", "article", "nav", "header", "footer", "aside", "table", "ul", "form", "foot")
_SENTENCE = re.compile(r"[.!?。！？](?:\s|$|[\"”’)])")
_NO_LETTER = re.compile(r"[\W_]+")
_ENDS = tuple('.!?:。！？…"”')

SHORT_KEY = 12
"""Letters; shorter pieces are looked for as whole lines only."""
LONG = 20
"""Words; a block of so many is prose."""
MANY = 10.0
"""No count says more than "many" beyond this."""
LEVELS = (-1, -2, -3, -4, -6, 2, 3, 4)
"""Containers that are looked at: from the inside, then from the outside."""


class Extract(NamedTuple):
    """Another extractor's text, so that a block can be looked up in it."""

    lines: frozenset[str]
    flat: str

    @classmethod
    def of(cls, text: str) -> Extract:
        """Return `text` as keys."""
        return cls(frozenset(map(_key, text.splitlines())), _key(text))

    def has(self, key: str) -> bool:
        """Tell whether a block with this key is part of the text."""
        return key in self.lines or (len(key) >= SHORT_KEY and key in self.flat)


class _Counts(NamedTuple):
    """One number for each block."""

    words: Numbers
    chars: Numbers
    linked: Numbers
    prose: Numbers
    """Words of blocks with a sentence's end in them."""
    careful: Numbers
    """1.0 where the careful extractor has the block, else 0.0."""
    generous: Numbers


def traits(found: Blocks, careful: str, generous: str, *, is_article: bool) -> Numbers:
    """Return a row for each block (at least one), in the columns of `names`; the texts are two extractors'."""
    return np.column_stack(list(_columns(found, careful, generous, is_article=is_article).values()))


def names(found: Blocks) -> tuple[str, ...]:
    """Return the names of the columns of `traits`."""
    return tuple(_columns(found, "", "", is_article=False))


def _columns(found: Blocks, careful: str, generous: str, *, is_article: bool) -> dict[str, Numbers]:
    blocks = found.blocks
    keys = [_key(block.text) for block in blocks]
    sentences = _each(blocks, lambda block: len(_SENTENCE.findall(block.text)))
    words = _each(blocks, lambda block: len(block.text.split()))
    one, other = Extract.of(careful), Extract.of(generous)
    counts = _Counts(
        words=words,
        chars=_each(blocks, lambda block: len(block.text)),
        linked=_each(blocks, lambda block: block.linked),
        prose=np.where(sentences > 0, words, 0.0),
        careful=np.array([float(one.has(key)) for key in keys]),
        generous=np.array([float(other.has(key)) for key in keys]),
    )
    columns = _of_blocks(blocks, counts, sentences)
    for level in LEVELS:
        columns |= _of_containers(found, counts, level)
    return columns | _of_neighbours(columns, counts) | _of_page(blocks, counts, one, other, is_article=is_article)


def _of_blocks(blocks: Sequence[Block], counts: _Counts, sentences: Numbers) -> dict[str, Numbers]:
    seen = Counter(block.text for block in blocks)
    place = np.arange(len(blocks), dtype=np.float64)
    first_heading = next((at for at, block in enumerate(blocks) if block.tag == "h1"), None)
    behind = np.full(len(blocks), -99.0) if first_heading is None else np.clip(place - first_heading, -50, 200)
    return {
        "careful": counts.careful,
        "generous": counts.generous,
        "words": np.log1p(counts.words),
        "letters": counts.chars / counts.words,
        "linked": counts.linked / counts.chars,
        "links": np.minimum(_each(blocks, lambda block: block.links), MANY),
        "sentences": np.minimum(sentences, MANY),
        "ends": _each(blocks, lambda block: block.text.endswith(_ENDS)),
        "capitals": _each(blocks, lambda block: sum(map(str.isupper, block.text))) / counts.chars,
        "digits": _each(blocks, lambda block: sum(map(str.isdigit, block.text))) / counts.chars,
        "tag": _each(blocks, lambda block: _TAGS.index(block.tag) if block.tag in _TAGS else -1),
        "heading": _each(blocks, lambda block: block.tag in _TAGS[2:8]),
        "item": _each(blocks, lambda block: block.tag == "li"),
        "repeated": np.minimum(_each(blocks, lambda block: seen[block.text]), MANY),
        "before": (np.cumsum(counts.chars) - counts.chars) / counts.chars.sum(),
        "place": place / len(blocks),
        "behind_h1": behind,
        **{name: np.array([float(name in block.places) for block in blocks]) for name in _PLACES},
    }


def _of_containers(found: Blocks, counts: _Counts, level: int) -> dict[str, Numbers]:
    """Return shares of the container at `level` around each block, -1 where there is none."""
    needed = level + 1 if level >= 0 else -level
    ranges = [
        found.ranges[block.containers[level]] if len(block.containers) >= needed else (0, 0) for block in found.blocks
    ]
    start, end = np.array(ranges).T

    def within(values: Numbers) -> Numbers:
        sums = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(sums[end] - sums[start])

    chars, exists = within(counts.chars), end > start
    values = {
        "share": chars / counts.chars.sum(),
        "linked": within(counts.linked) / np.maximum(chars, 1),
        "size": np.log1p(end - start),
        "prose": within(counts.prose) / np.maximum(within(counts.words), 1),
        "careful": within(counts.careful * counts.chars) / np.maximum(chars, 1),
    }
    return {f"{name}@{level}": np.where(exists, value, -1.0) for name, value in values.items()}


def _of_neighbours(columns: dict[str, Numbers], counts: _Counts) -> dict[str, Numbers]:
    shifted = {
        f"{name}{by:+d}": _shifted(columns[name], by)
        for name, steps in (
            ("careful", (-1, 1)),
            ("generous", (-2, -1, 1, 2)),
            ("words", (-1, 1)),
            ("sentences", (1,)),
            ("heading", (1,)),
        )
        for by in steps
    }
    around = _around(counts.words, 5)
    return shifted | {
        "careful~5": _around(counts.words * counts.careful, 5) / around,
        "careful~20": _around(counts.words * counts.careful, 20) / _around(counts.words, 20),
        "generous~5": _around(counts.words * counts.generous, 5) / around,
        "linked~5": _around(counts.linked, 5) / _around(counts.chars, 5),
        "words~5": around / _around(np.ones_like(counts.words), 5),
    }


def _of_page(
    blocks: Sequence[Block], counts: _Counts, careful: Extract, generous: Extract, *, is_article: bool
) -> dict[str, Numbers]:
    words, chars = counts.words.sum(), counts.chars.sum()
    told = {
        "words": np.log1p(words),
        "blocks": np.log1p(len(blocks)),
        "linked": counts.linked.sum() / chars,
        "careful": len(careful.flat) / chars,
        "generous": len(generous.flat) / chars,
        "long": counts.words[counts.words >= LONG].sum() / words,
        "paragraphs": (counts.words * _each(blocks, lambda block: block.tag == "p")).sum() / words,
        "items": (counts.words * _each(blocks, lambda block: block.tag == "li")).sum() / words,
        "article": float(is_article),
    }
    return {f"page_{name}": np.full(len(blocks), value) for name, value in told.items()}


def _each(blocks: Sequence[Block], measure: Callable[[Block], float]) -> Numbers:
    return np.array([measure(block) for block in blocks], dtype=np.float64)


def _shifted(values: Numbers, by: int) -> Numbers:
    """Return for each block the value of the one `by` places on, -1 beyond the ends."""
    out = np.full_like(values, -1.0)
    if by > 0:
        out[:-by] = values[by:]
    else:
        out[-by:] = values[:by]
    return out


def _around(values: Numbers, reach: int) -> Numbers:
    """Return for each block the sum over those within `reach` of it."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    place = np.arange(len(values))
    return np.asarray(sums[np.minimum(place + reach + 1, len(values))] - sums[np.maximum(place - reach, 0)])


def _key(text: str) -> str:
    """Return the letters and digits of `text` only."""
    return _NO_LETTER.sub("", text).lower()
