"""Which snippets speak of some words, best first: BM25 (k1 1.2, b 0.75, as everybody has them)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from technoshare.models import Snippet
from technoshare.text import normalise

_WORD = re.compile(r"\w+")


def ranked(query: str, snippets: Sequence[Snippet]) -> list[Snippet]:
    """Return the snippets that hold a word of `query`, best first."""
    return [snippets[at] for at in Index(snippets).ranked(query)]


class Index:
    """Snippets by their words, for more than one query."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        self._texts = [Counter(_words(f"{snippet.section} {snippet.text}")) for snippet in snippets]
        self._lengths = [text.total() for text in self._texts]
        self._usual = sum(self._lengths) / max(1, len(snippets)) or 1.0
        self._holders = Counter(word for text in self._texts for word in text)

    def ranked(self, query: str) -> list[int]:
        """Return the positions of the snippets that hold a word of `query`, best first; of equals the earlier one."""
        wanted = tuple(dict.fromkeys(_words(query)))  # no set: its order, and so the last digit of a sum, is random
        scores = {at: self._score(at, wanted) for at in range(len(self._texts))}
        return [at for at in sorted(scores, key=lambda at: -scores[at]) if scores[at] > 0]

    def _score(self, at: int, wanted: Sequence[str]) -> float:
        total = 0.0
        for word in wanted:
            often, holding = self._texts[at][word], self._holders[word]
            rarity = math.log1p((len(self._texts) - holding + 0.5) / (holding + 0.5))
            total += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * self._lengths[at] / self._usual))
        return total


def _words(text: str) -> list[str]:
    """Words in lower case without a plural's `s`, so that `agent` finds `agents`."""
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(normalise(text))]
