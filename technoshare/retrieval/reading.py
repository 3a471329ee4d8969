"""A link → evidence: the adapter that knows the site reads it, and whatever goes wrong gets a plain reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from technoshare.aside import aside
from technoshare.errors import FetchError, Unusable
from technoshare.models import Evidence, Page, Project
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
    hackernews,
    huggingface,
    stackexchange,
    wikipedia,
    youtube,
)
from technoshare.retrieval.obstacles import blocked, not_fetched, site
from technoshare.retrieval.snippets import chosen
from technoshare.text import count_words, split_sentences


class Adapter(Protocol):
    """What reads the pages of one site: a module, or a value where it needs something from here."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        """How the adapter signs its evidence."""

    def matches(self, url: str) -> bool:
        """Tell whether this adapter reads `url` (http or https)."""

    async def read(self, url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
        """Return what stands at `url`. Raises `FetchError`, `Transient` or `Unusable`."""


async def read_any(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return all that stands at `url`, however little or much it is; errors as in `read`."""
    adapter = next(adapter for adapter in ADAPTERS if adapter.matches(url))
    try:
        return await adapter.read(url, fetcher, parser)
    except FetchError as error:
        raise not_fetched(error) from error


ADAPTERS: tuple[Adapter, ...] = (
    arxiv,
    github,
    github_issue,
    github_release,
    github_file,
    github_tree,
    github_gist,
    github_commit,
    hackernews.HackerNews(read_any),
    huggingface,
    wikipedia,
    stackexchange,
    youtube,
    generic,
)
"""Asked in this order; the last one takes everything."""

PATIENCE = 25.0
"""Seconds in which all answers for one link must have come, so that a dead network is told within half a minute."""
FEWEST_WORDS = 60
FEWEST_SENTENCES = 6
"""Below these (DESIGN, section 8) a comment would be longer than its source."""

_SENTENCE_WORDS = 5
"""Fewer words are a heading, a button or a menu entry."""


async def read(
    url: str, fetcher: Fetcher, parser: Parser, projects: Sequence[Project] = (), *, patience: float = PATIENCE
) -> Evidence:
    """Return the evidence for a posted link: enough for a comment, and of a long text what matters to the projects.

    Raises `Unusable` with the reason for the thread, or `Transient` when asking later may help.
    """
    until = asyncio.get_running_loop().time() + patience
    evidence = await read_any(url, _Patient(fetcher, patience, until), parser)
    await aside(_require_enough, evidence)  # a long table without sentences is looked through to its end
    kept = await aside(chosen, evidence.snippets, projects)
    less = evidence.coverage == "full" and len(kept) < len(evidence.snippets)
    return evidence.model_copy(update={"snippets": kept} | ({"coverage": "partial"} if less else {}))


@dataclass(frozen=True)
class _Patient:
    """A `Fetcher` that waits until a fixed time; afterwards an adapter has to do with what it has."""

    inner: Fetcher
    patience: float
    until: float

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        try:
            async with asyncio.timeout_at(self.until):
                return await self.inner.get(url, headers=headers, limit=limit)
        except TimeoutError as error:
            raise FetchError(f"{site(url)} did not answer within {self.patience:g} s", transient=True) from error


def _require_enough(evidence: Evidence) -> None:
    words = evidence.words
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
        if count_words(sentence) >= _SENTENCE_WORDS
    )
    return len(list(islice(usable, FEWEST_SENTENCES))) == FEWEST_SENTENCES
