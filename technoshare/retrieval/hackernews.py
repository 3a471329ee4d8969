"""Discussions on Hacker News: the linked article or the post's own text, and the top comments, each kept apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, RootModel
from yarl import URL

from technoshare.aside import aside
from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.api import ask
from technoshare.retrieval.posts import Seconds, day, read_post
from technoshare.retrieval.snippets import Part, added, cut_aside
from technoshare.retrieval.webpage import read_webpage
from technoshare.text import squeeze

COMMENTS = 12
"""Top comments that are read; each is a request, and readers hardly scroll further."""

LITTLE_TALK = 60
"""Words; with less there is no discussion, and what counts is why the article could not be read."""

_API = "https://hacker-news.firebaseio.com/v0/item/{}.json"
_ARCHIVE = "https://hn.algolia.com/api/v1/items/{}"
_ARCHIVE_LIMIT = 8_000_000  # bytes; the whole tree of a thread with 5,000 comments
_HOME = "https://news.ycombinator.com/item?id={}"

ReadLink = Callable[[str, Fetcher, Parser], Awaitable[Evidence]]


class Item(BaseModel):
    """A story or a comment, in the names of the official API."""

    id: int
    by: str = ""
    time: Seconds = 0
    title: str = ""
    url: str = ""
    text: str = ""
    score: int = 0
    descendants: int = 0
    parent: int | None = None
    kids: tuple[int, ...] = ()
    """Ids of the direct replies, in the order in which the site shows them."""
    dead: bool = False
    deleted: bool = False

    @property
    def home(self) -> str:
        """Its own page."""
        return _HOME.format(self.id)

    def metadata(self) -> dict[str, str]:
        """Return what is known, under the names that replies use."""
        told = {
            "kind": "story" if self.title else "",
            "score": str(self.score) if self.title else "",
            "comments": str(self.descendants) if self.title else str(len(self.kids)),
            "parent": _HOME.format(self.parent) if self.parent else "",
        }
        return {name: value for name, value in told.items() if value}


class _Answer(RootModel[Item | None]):
    """The official API says `null` for an id that was never given."""


class _Archived(BaseModel):
    """A story or a comment with everything below it, in the names of the archive."""

    id: int
    author: str | None = None
    created_at_i: Seconds = 0
    title: str | None = None
    url: str | None = None
    text: str | None = None
    points: int | None = None
    parent_id: int | None = None
    children: tuple[_Archived, ...] = ()

    @property
    def below(self) -> int:
        return sum(1 + child.below for child in self.children)

    def item(self) -> Item:
        return Item(
            id=self.id,
            by=self.author or "",
            time=self.created_at_i,
            title=self.title or "",
            url=self.url or "",
            text=self.text or "",
            score=self.points or 0,
            descendants=self.below,
            parent=self.parent_id,
            kids=tuple(child.id for child in self.children),
        )


@dataclass(frozen=True)
class Discussion:
    """An item and its top comments."""

    item: Item
    comments: tuple[Item, ...]


@dataclass(frozen=True)
class HackerNews:
    """The adapter; `read_link` reads what a story links to, in the way of any posted link."""

    NAME: ClassVar[str] = "HackerNewsAdapter"

    read_link: ReadLink

    def matches(self, url: str) -> bool:
        """Take the page of a story or a comment; the site's lists are read as pages."""
        return _number(url) is not None

    async def read(self, url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
        """Return the linked article, if there is one, the post's own text, and the top comments.

        An article that cannot be read leaves the discussion, coverage `partial` and the obstacle. Without both of its
        APIs the site's page is read. Raises `Unusable` for an unknown or deleted item, what the article raised where
        nobody talks about it, else as `read_webpage`.
        """
        number = _number(url) or 0
        discussion = await _discussion(number, fetcher)
        if discussion is None:
            page = await read_webpage(_HOME.format(number), fetcher, parser, adapter=self.NAME)
            return page.model_copy(update={"url": url, "coverage": "partial"})
        article = await self._article(discussion.item, fetcher, parser)
        talk = await self._talk(url, discussion, parser)
        return talk if article is None else await _with_article(talk, article)

    async def _article(self, item: Item, fetcher: Fetcher, parser: Parser) -> Evidence | Unusable | Transient | None:
        """Return what the story links to, None when that is no other site; an error is a value: the talk may do."""
        if not item.url or self.matches(item.url):  # a link to the site itself could lead round in a circle
            return None
        try:
            return await self.read_link(item.url, fetcher, parser)
        except (Unusable, Transient) as why:
            return why

    async def _talk(self, url: str, discussion: Discussion, parser: Parser) -> Evidence:
        item, parts = discussion.item, await _parts(discussion, parser)
        return Evidence(
            url=url,
            final_url=item.home,
            adapter=self.NAME,
            domain="news.ycombinator.com",
            title=squeeze(item.title) or f"Comment by {item.by} on Hacker News",
            authors=(item.by,) if item.by else (),
            published=day(item.time),
            language=(parts[0].document.language if parts else "") or "en",
            coverage="full",
            snippets=await cut_aside(*parts),
            metadata=item.metadata(),
        )


async def _with_article(talk: Evidence, article: Evidence | Unusable | Transient) -> Evidence:
    """Return the article, then what the talk says beyond it; the talk alone where there is no article."""
    if isinstance(article, Evidence):
        told = article.model_dump(include={"authors", "language", "coverage", "obstacle"})
        snippets = article.snippets + await aside(added, talk.snippets, article.snippets)
        return talk.model_copy(update=told | {"published": article.published or talk.published, "snippets": snippets})
    if talk.words < LITTLE_TALK:
        raise article
    obstacle = article.obstacle if isinstance(article, Unusable) else "unreachable"
    return talk.model_copy(update={"coverage": "partial", "obstacle": obstacle})


def _number(url: str) -> int | None:
    try:
        parsed = URL(url.strip())
    except ValueError:
        return None
    number = parsed.query.get("id", "")
    if parsed.host != "news.ycombinator.com" or parsed.path != "/item" or not re.fullmatch(r"[0-9]{1,12}", number):
        return None
    return int(number)


async def _parts(discussion: Discussion, parser: Parser) -> list[Part]:
    """Return the post's own text, if it has one, and the comments."""
    item = discussion.item
    told = f"Hacker News: {'post' if item.title else 'comment'} by {item.by}"
    posts = [(told, item), *((f"Hacker News: comment by {each.by}", each) for each in discussion.comments)]
    parts = [await read_post(title, post.home, post.text, parser) for title, post in posts if post.text]
    return [part for part in parts if part]


# ---------------------------------------------------------------- the APIs


async def _discussion(number: int, fetcher: Fetcher) -> Discussion | None:
    """Return what the official API knows, else the archive, else None. Raises `Unusable` for what is not there."""
    try:
        return await _official(number, fetcher)
    except (FetchError, Transient, Unusable) as trouble:
        if isinstance(trouble, Unusable) and trouble.obstacle == "not_found":
            raise
    try:
        return await _archived(number, fetcher)
    except (FetchError, Transient, Unusable):  # it learns of a post some minutes late, so it never says the last word
        return None


async def _official(number: int, fetcher: Fetcher) -> Discussion:
    item = (await ask(_API.format(number), _Answer, fetcher)).root
    if item is None or item.deleted:
        raise Unusable(f"Hacker News has no post {number}, or it was deleted", obstacle="not_found")
    comments = await asyncio.gather(*(_comment(kid, fetcher) for kid in item.kids[:COMMENTS]))
    return Discussion(item, tuple(each for each in comments if each and not each.dead and not each.deleted))


async def _comment(number: int, fetcher: Fetcher) -> Item | None:
    try:
        return (await ask(_API.format(number), _Answer, fetcher)).root
    except (FetchError, Transient, Unusable):  # the others are still worth reading
        return None


async def _archived(number: int, fetcher: Fetcher) -> Discussion:
    """Return the item with its most discussed comments: the archive does not know how the site ranks them."""
    item = await ask(_ARCHIVE.format(number), _Archived, fetcher, limit=_ARCHIVE_LIMIT)
    top = sorted(item.children, key=lambda child: -child.below)[:COMMENTS]
    return Discussion(item.item(), tuple(child.item() for child in top))
