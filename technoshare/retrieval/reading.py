"""A link → evidence: the adapter that knows the site reads it, and whatever goes wrong gets a plain reason."""

from __future__ import annotations

import re
from itertools import islice
from typing import Protocol

from technoshare.aside import aside
from technoshare.errors import FetchError, Unusable
from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import (
    arxiv,
    generic,
    github,
    github_commit,
    github_file,
    github_gist,
    github_issue,
    github_release,
    github_tree,
)
from technoshare.retrieval.obstacles import blocked, not_fetched
from technoshare.text import split_sentences


class Adapter(Protocol):
    """A module that reads the pages of one site."""

    NAME: str

    def matches(self, url: str) -> bool:
        """Tell whether this adapter reads `url` (http or https)."""

    async def read(self, url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
        """Return what stands at `url`. Raises `FetchError`, `Transient` or `Unusable`."""


ADAPTERS: tuple[Adapter, ...] = (
    arxiv,
    github,
    github_issue,
    github_release,
    github_file,
    github_tree,
    github_gist,
    github_commit,
    generic,
)
"""Asked in this order; the last one takes everything."""

FEWEST_WORDS = 60
FEWEST_SENTENCES = 6
"""Below these (DESIGN, section 8) a comment would be longer than its source."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{2}|[^\s\u3040-\u30ff\u3400-\u9fff]+")
"""Chinese and Japanese write no spaces; two of their characters make about one word."""
_SENTENCE_WORDS = 5
"""Fewer words are a heading, a button or a menu entry."""


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the evidence for a posted link, enough of it for a comment.

    Raises `Unusable` with the reason for the thread, or `Transient` when asking later may help.
    """
    evidence = await read_any(url, fetcher, parser)
    await aside(_require_enough, evidence)  # a long table without sentences is looked through to its end
    return evidence


async def read_any(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return what stands at `url`, however little it is; errors as in `read`."""
    adapter = next(adapter for adapter in ADAPTERS if adapter.matches(url))
    try:
        return await adapter.read(url, fetcher, parser)
    except FetchError as error:
        raise not_fetched(error) from error


def _require_enough(evidence: Evidence) -> None:
    if evidence.obstacle == "bot_wall":  # what such a page says is about robots, however much it is
        raise blocked(evidence.final_url, evidence.obstacle)
    words = sum(len(_WORD.findall(snippet.text)) for snippet in evidence.snippets)
    if words >= FEWEST_WORDS and _has_sentences(evidence):
        return
    if evidence.obstacle:
        raise blocked(evidence.final_url, evidence.obstacle)
    raise Unusable(f"there is too little text on the page to comment on ({words} words)", obstacle="too_short")


def _has_sentences(evidence: Evidence) -> bool:
    usable = (
        sentence
        for snippet in evidence.snippets
        for sentence in split_sentences(snippet.text, evidence.language)
        if len(_WORD.findall(sentence)) >= _SENTENCE_WORDS
    )
    return len(list(islice(usable, FEWEST_SENTENCES))) == FEWEST_SENTENCES
