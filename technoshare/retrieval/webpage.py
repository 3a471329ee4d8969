"""One address → what its body says, by content type: the way of every page that no adapter knows better."""

from __future__ import annotations

import re

from technoshare.errors import Unusable
from technoshare.models import Coverage, Document, Evidence, Page
from technoshare.ports import DocumentKind, Fetcher, Parser
from technoshare.retrieval.obstacles import blocked, require_no_login, require_success, site
from technoshare.retrieval.snippets import Part, cut_aside

PDF_LIMIT = 20_000_000
"""Bytes. Before the answer is here nobody knows what it is, so this is the limit of every fetch."""
LIMITS: dict[DocumentKind, int] = {"html": 5_000_000, "text": 1_000_000, "pdf": PDF_LIMIT}
"""Bytes that are parsed; a larger page would take minutes and is hardly one that a person shares."""

_KINDS: dict[str, DocumentKind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "application/json": "text",
    "application/xml": "text",
    "application/yaml": "text",
    "application/toml": "text",
}
_NAMELESS = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/unknown"})
_THINGS = {"image": "a picture", "video": "a video", "audio": "a sound recording", "font": "a font"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]+)", re.IGNORECASE)


async def read_webpage(url: str, fetcher: Fetcher, parser: Parser, *, adapter: str) -> Evidence:
    """Read one page with no knowledge of its site; `adapter` signs the evidence.

    Raises `FetchError`, `Transient` for a busy site, and `Unusable` when the page holds nothing to read.
    """
    page = await fetcher.get(url, limit=PDF_LIMIT)
    require_success(page)
    require_no_login(url, page)
    document = await _document(page, parser)
    if not document.text.strip() or document.obstacle in ("bot_wall", "not_found"):  # the rest speaks of other things
        raise blocked(page.url, document.obstacle)
    return Evidence(
        url=url,
        final_url=page.url,
        adapter=adapter,
        domain=site(page.url),
        title=document.title,
        authors=document.authors,
        published=document.published,
        language=document.language or "en",
        coverage=coverage(document),
        obstacle=document.obstacle,
        snippets=await cut_aside(Part(page.url, document)),
        metadata=document.metadata,
    )


def coverage(document: Document) -> Coverage:
    """Tell how much of the page `document` is; its text is not empty."""
    return "partial" if document.obstacle or "pages_read" in document.metadata else "full"


def charset(page: Page) -> str:
    """Return the charset that the server named, or empty."""
    found = _CHARSET.search(page.headers.get("content-type", ""))
    return found[1] if found else ""


async def _document(page: Page, parser: Parser) -> Document:
    kind = _kind(page)
    if len(page.body) > LIMITS[kind]:
        raise Unusable(f"the page is larger than {LIMITS[kind] // 1_000_000} MB", obstacle="too_large")
    return await parser.parse(kind, page.body, url=page.url, charset=charset(page))


def _kind(page: Page) -> DocumentKind:
    """Return how to read the body. Raises `Unusable` for what is no text."""
    name = page.content_type
    if name in _NAMELESS:
        return _sniffed(page)
    if name.endswith("+json") or (name.endswith("+xml") and name not in _KINDS):
        return "text"
    if kind := _KINDS.get(name):
        return kind
    family = name.partition("/")[0]
    if family == "text":
        return "text"
    thing = _THINGS.get(family, f"a file of the type {name}")
    raise Unusable(f"the link leads to {thing}, not to a text", obstacle="not_text")


def _sniffed(page: Page) -> DocumentKind:
    start = page.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"%PDF-"):
        return "pdf"
    if start.startswith(b"<"):
        return "html"
    if b"\0" in start:
        raise Unusable("the link leads to a file, not to a text", obstacle="not_text")
    return "text"
