"""The model's one tool, `search`: words to look for in the evidence, or an address that the evidence itself names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field, JsonValue

from technoshare.errors import Transient, Unusable
from technoshare.models import Evidence, Snippet, ToolCall
from technoshare.ports import ActiveSpan, Fetcher, Parser, Tool, Tracker
from technoshare.retrieval.bm25 import ranked
from technoshare.retrieval.reading import read_any
from technoshare.retrieval.snippets import added

FETCHES = 4
"""Addresses per job that the model may have read; each may cost several requests and a minute."""
SHOWN_SNIPPETS = 6
"""Best snippets for a query: about 1,300 tokens."""
SHOWN_CHARACTERS = 12_000
"""Of a fetched page: about 3,000 tokens, its beginning."""

_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
_TAIL = ".,;:!?)]}*_”’"


class Query(BaseModel):
    """Arguments of the tool."""

    query: str = Field(description="words to look for, or a URL that occurs in the evidence")


class Search:
    """The tool of one job, and what it was asked for and found."""

    def __init__(self, evidence: Evidence, fetcher: Fetcher, parser: Parser, tracker: Tracker) -> None:
        self._evidence, self._fetcher, self._parser, self._tracker = evidence, fetcher, parser, tracker
        self._fetches = 0
        self.found: tuple[Snippet, ...] = ()
        """Snippets of fetched pages, numbered on from the evidence's."""
        self.calls: tuple[ToolCall, ...] = ()
        self.sources: tuple[str, ...] = ()
        """Addresses that were fetched and gave something new."""

    def tool(self) -> Tool:
        """Return the tool as a model is offered it."""
        return Tool(
            name="search",
            description="Look for words in the evidence, or read a URL that the evidence names. Returns snippets "
            "with their ids, which a fact may cite.",
            arguments=Query,
            call=self._call,
        )

    async def _call(self, arguments: BaseModel) -> str:
        """Return text for the model, whatever happens on the way."""
        query = Query.model_validate(arguments, from_attributes=True).query.strip()
        with self._tracker.span("search_tool_call", "TOOL") as span:
            is_address = _ADDRESS.fullmatch(query) is not None
            text = await self._read(query, span) if is_address else self._look_up(query)
            # words are looked up in what was read of the shared page
            asked: dict[str, JsonValue] = {"url": query} if is_address else {"url": self._evidence.url, "query": query}
            span.set(**asked, content_length=len(text))
            span.io(inputs=query, outputs=text)
        self.calls += (ToolCall(name="search", argument=query, content_length=len(text)),)
        return text

    def _known(self) -> tuple[Snippet, ...]:
        return self._evidence.snippets + self.found

    # ------------------------------------------------------------ words

    def _look_up(self, query: str) -> str:
        best = ranked(query, self._known())[:SHOWN_SNIPPETS]
        return _shown(best) if best else "Nothing in the evidence mentions any of these words."

    # ------------------------------------------------------------ addresses

    async def _read(self, url: str, span: ActiveSpan) -> str:
        if refusal := self._refusal(url):
            return refusal
        self._fetches += 1
        try:
            page = await read_any(url, self._fetcher, self._parser)
        except (Unusable, Transient) as error:
            span.fail(str(error))
            return f"This page could not be read: {error}."
        return self._kept(page)

    def _refusal(self, url: str) -> str:
        if url not in self._allowed():
            return "Not read: only the shared link and addresses that stand in the evidence may be read."
        if self._fetches >= FETCHES:
            return f"Not read: {FETCHES} pages have been read for this link, and that is the limit."
        return ""

    def _allowed(self) -> frozenset[str]:
        """Return the posted link and the addresses in what was read; a part of an address is another address."""
        told = (text for _, text in self._evidence.metadata.known())
        texts = (*(snippet.text for snippet in self._known()), *told)
        written = {match[0] for text in texts for match in _ADDRESS.finditer(text)}
        shorter = {url for whole in written for url in _without_tail(whole)}
        return frozenset({self._evidence.url, self._evidence.final_url} | written | shorter)

    def _kept(self, page: Evidence) -> str:
        new = _beginning(added(page.snippets, self._known()))
        if not new:
            return "That page says nothing beyond the evidence."
        self.found += new
        self.sources += (page.final_url,)
        return _shown(new)


def _without_tail(url: str) -> Iterator[str]:
    """Yield `url` without one, two, … characters of punctuation; which of them belong to it nobody can know."""
    while url.endswith(tuple(_TAIL)):
        url = url[:-1]
        yield url


def _beginning(snippets: Iterable[Snippet]) -> tuple[Snippet, ...]:
    room, shown = SHOWN_CHARACTERS, []
    for snippet in snippets:
        room -= len(snippet.text)
        if room < 0:
            break
        shown.append(snippet)
    return tuple(shown)


def _shown(snippets: Iterable[Snippet]) -> str:
    return "\n\n".join(f"[{snippet.id}] {_place(snippet)}\n{snippet.text}" for snippet in snippets)


def _place(snippet: Snippet) -> str:
    page = f"page {snippet.page}" if snippet.page else ""
    return ", ".join(filter(None, (snippet.section, page, snippet.source)))
