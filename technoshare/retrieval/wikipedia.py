"""Articles of every Wikipedia: the text of the page, and what its API says in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote, unquote

from pydantic import BaseModel
from yarl import URL

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Document, Evidence, Page
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.api import ask
from technoshare.retrieval.obstacles import blocked, require_success
from technoshare.retrieval.posts import titled
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.webpage import LIMITS

NAME = "WikipediaAdapter"

_HOST = re.compile(r"([a-z][a-z-]{1,15})(?:\.m|\.zero)?\.wikipedia\.org")
_PATH = re.compile(r"/(?:wiki|zh(?:-[a-z]+)?|sr-e[cl])/(.+)")
"""Chinese and Serbian have a path for each of their scripts."""
_CANONICAL = re.compile(rb"<link rel=\"canonical\" href=\"https://[a-z-]+\.wikipedia\.org/wiki/([^\"]{1,2000})\"")
_NOT_LANGUAGES = frozenset({"www", "m", "wikimania", "test", "test2", "nostalgia"})
_LARGEST = LIMITS["html"]


@dataclass(frozen=True)
class Article:
    """Which article a link means: `title` is percent-encoded as in its path, empty where the link has only a number."""

    language: str
    title: str
    query: str
    """What else tells the page: `curid=…`, `oldid=…`."""

    @property
    def home(self) -> str:
        """The desktop page, which has all of the text in one piece."""
        host = f"https://{self.language}.wikipedia.org"
        if not self.query:
            return f"{host}/wiki/{self.title}"
        title = f"title={quote(unquote(self.title), safe='')}&" if self.title else ""
        return f"{host}/w/index.php?{title}{self.query}"


class Summary(BaseModel):
    """The part of the API's summary that is used."""

    type: str = "standard"
    description: str | None = None
    timestamp: str | None = None


def matches(url: str) -> bool:
    """Take an article in any language; searches, histories and edit forms are read as pages."""
    return _article(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the article without references and boxes; a page that only lists meanings has the obstacle for it.

    Where the page does not answer the API's form of it is read. Raises `Unusable` for an unknown article, else as the
    page does.
    """
    article = _article(url) or Article("en", "", "")
    page = await _page(article, fetcher)
    article = _final(article, page)
    document = await parser.parse("mediawiki", page.body, url=page.url, charset="utf-8")
    if not document.text:
        raise blocked(article.home, document.obstacle)
    return await _evidence(url, article, document, await _summary(article, fetcher))


async def _evidence(url: str, article: Article, document: Document, summary: Summary) -> Evidence:
    obstacle = "disambiguation" if summary.type == "disambiguation" else document.obstacle
    about = [Part(_api(article, "summary"), titled("Description", summary.description))] if summary.description else []
    told = {"kind": "article", "updated": (summary.timestamp or "")[:10]}
    return Evidence(
        url=url,
        final_url=article.home,
        adapter=NAME,
        domain=f"{article.language}.wikipedia.org",
        title=document.title or unquote(article.title).replace("_", " "),
        language=article.language if article.language != "simple" else "en",
        coverage="partial" if obstacle else "full",
        obstacle=obstacle,
        snippets=await cut_aside(*about, Part(article.home, document)),
        metadata={name: value for name, value in told.items() if value},
    )


def _article(url: str) -> Article | None:
    try:
        parsed = URL(url.strip())
    except ValueError:
        return None
    host, path = _HOST.fullmatch(parsed.host or ""), _PATH.fullmatch(parsed.raw_path)
    if host is None or host[1] in _NOT_LANGUAGES or parsed.query.get("action", "view") != "view":
        return None
    title = path[1] if path else quote(parsed.query.get("title", "").replace(" ", "_"), safe="")
    numbers = {name: parsed.query.get(name, "") for name in ("curid", "oldid")}
    query = "&".join(f"{name}={value}" for name, value in numbers.items() if re.fullmatch(r"[0-9]{1,12}", value))
    at_home = path or parsed.path in ("/w/index.php", "/", "/wiki/")
    return Article(host[1], title, query) if at_home and (title or query) else None


def _api(article: Article, what: str) -> str:
    return f"https://{article.language}.wikipedia.org/api/rest_v1/page/{what}/{article.title.replace('/', '%2F')}"


async def _page(article: Article, fetcher: Fetcher) -> Page:
    """Return the article's page. Raises `FetchError`, `Transient` and `Unusable` as the page itself does."""
    try:
        return await _answer(article.home, fetcher)
    except (FetchError, Transient):
        if article.query:  # the API knows titles only
            raise
        return await _answer(_api(article, "html"), fetcher)
    except Unusable as why:
        if why.obstacle != "not_found":
            raise
        reason = f"Wikipedia ({article.language}) has no such article"
        raise Unusable(reason, obstacle="not_found") from why


async def _answer(url: str, fetcher: Fetcher) -> Page:
    page = await fetcher.get(url, limit=_LARGEST)
    require_success(page)
    return page


def _final(article: Article, page: Page) -> Article:
    """Return the article that a redirect or a number led to, as far as the page names it."""
    named = _CANONICAL.search(page.body[:100_000])
    if named is None or "oldid" in article.query:
        return article
    return Article(article.language, unescape(named[1].decode("ascii", "replace")), "")


async def _summary(article: Article, fetcher: Fetcher) -> Summary:
    """Return what the API says; for any trouble nothing, because the text says more."""
    if not article.title:
        return Summary()
    try:
        return await ask(_api(article, "summary"), Summary, fetcher)
    except (FetchError, Transient, Unusable):
        return Summary()
