"""Papers on arXiv: metadata from the API or the paper's page, text from HTML, PDF or at least the abstract."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import quote

from lxml import etree, html

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Document, Evidence, Page, Section
from technoshare.ports import DocumentKind, Fetcher, Parser
from technoshare.retrieval.obstacles import not_fetched, require_success
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.urls import arxiv_id
from technoshare.retrieval.webpage import PDF_LIMIT, charset, coverage
from technoshare.text import squeeze

NAME = "ArxivAdapter"

_API = "https://export.arxiv.org/api/query?id_list={}&max_results=1"
_METADATA_LIMIT = 1_000_000  # bytes; an entry has a few kB, a paper's page about fifty
_NAMES = {"atom": "http://www.w3.org/2005/Atom", "arxiv": "http://arxiv.org/schemas/atom"}
_WITHDRAWN = re.compile(
    r"^withdrawn\b|\b(?:paper|article|manuscript|preprint|submission|version)\s+(?:has been|is|was)\s+withdrawn\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Entry:
    """What arXiv says about a paper; `metadata` holds only what is known."""

    title: str
    authors: tuple[str, ...]
    abstract: str
    published: str
    metadata: dict[str, str]


def matches(url: str) -> bool:
    """Take every known form of a paper's address, mirrors and DOI included."""
    return arxiv_id(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the paper: its abstract, and its full text where arXiv has one that can be read.

    Raises `Unusable` for an unknown paper and `Transient` when arXiv gave neither metadata nor text.
    """
    name, version = arxiv_id(url) or ("", "")
    async with asyncio.TaskGroup() as both:  # the text does not wait for the API's lane
        about = both.create_task(_entry(name + version, fetcher))
        text = both.create_task(_full_text(name + version, fetcher, parser))
    return await _evidence(url, f"https://arxiv.org/abs/{name}{version}", about.result(), text.result())


async def _evidence(url: str, home: str, entry: Entry | Unusable | Transient, text: Part | None) -> Evidence:
    if not isinstance(entry, Entry):
        if text is None:
            raise entry
        found = text.document
        entry = Entry(found.title, found.authors, "", found.published, {})
    parts = [Part(home, _abstract(entry.abstract))] if entry.abstract else []
    return Evidence(
        url=url,
        final_url=home,
        adapter=NAME,
        domain="arxiv.org",
        title=entry.title,
        authors=entry.authors,
        published=entry.published,
        language=(text.document.language if text else "") or "en",
        coverage=coverage(text.document) if text else "abstract",
        snippets=await cut_aside(*parts, *([text] if text else [])),
        metadata=entry.metadata,
    )


def _abstract(text: str) -> Document:
    return Document(text=text, sections=(Section(title="Abstract", start=0, end=len(text)),), language="en")


# ---------------------------------------------------------------- metadata


async def _entry(name: str, fetcher: Fetcher) -> Entry | Unusable | Transient:
    """Return what the API knows, else what the paper's page says; an error is a value, because the text may do."""
    return await _from_api(name, fetcher) or await _from_page(name, fetcher)


async def _from_api(name: str, fetcher: Fetcher) -> Entry | None:
    """Return None for any trouble: the API answers 429 below its own limit, and errors as entries (HTTP 400)."""
    try:
        page = await fetcher.get(_API.format(quote(name, safe="/")), limit=_METADATA_LIMIT)
    except FetchError:
        return None
    return parse_feed(page.body) if page.status == 200 else None


async def _from_page(name: str, fetcher: Fetcher) -> Entry | Unusable | Transient:
    try:
        page = await fetcher.get(f"https://arxiv.org/abs/{name}", limit=_METADATA_LIMIT)
        require_success(page)
    except FetchError as error:
        return not_fetched(error)
    except (Unusable, Transient) as error:
        if isinstance(error, Unusable) and error.obstacle == "not_found":
            return Unusable(f"arXiv knows no paper {name}", obstacle="not_found")
        return error
    return parse_page(page) or Unusable("arXiv's page of the paper names no title")


def parse_feed(body: bytes) -> Entry | None:
    """Return the first paper of an Atom answer; None when it has none, or is an error or no Atom at all."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=False)
    try:
        found = etree.fromstring(body, parser).find("atom:entry", _NAMES)
    except etree.XMLSyntaxError:
        return None
    if found is None or "/api/errors" in _text(found, "atom:id"):
        return None
    title, address = _text(found, "atom:title"), _text(found, "atom:id")
    if not title:
        return None
    abstract, comment = _text(found, "atom:summary"), _text(found, "arxiv:comment")
    version = re.search(r"(v\d+)$", address)
    told = {
        "version": version[1] if version else "",
        "updated": _text(found, "atom:updated")[:10],
        "categories": " ".join(each.get("term", "") for each in found.findall("atom:category", _NAMES)),
        "comment": comment,
        "journal": _text(found, "arxiv:journal_ref"),
        "doi": _text(found, "arxiv:doi"),
        "withdrawn": _withdrawn(comment, abstract),
    }
    return Entry(
        title=title,
        authors=tuple(squeeze(name.text or "") for name in found.findall("atom:author/atom:name", _NAMES)),
        abstract=abstract,
        published=_text(found, "atom:published")[:10],
        metadata={name: value for name, value in told.items() if value},
    )


def parse_page(page: Page) -> Entry | None:
    """Return what the citation tags of a paper's page say; None when they name no title."""
    try:
        root = html.document_fromstring(page.body)
    except (etree.ParserError, ValueError):  # empty, or not HTML
        return None
    tags: dict[str, list[str]] = {}
    for tag in root.iterfind(".//meta[@name]"):
        tags.setdefault(tag.get("name", ""), []).append(squeeze(tag.get("content", "")))
    first = {name: values[0] for name, values in tags.items()}
    if not first.get("citation_title"):
        return None
    abstract = first.get("citation_abstract", "")
    told = {
        "updated": first.get("citation_online_date", "").replace("/", "-"),
        "doi": first.get("citation_doi", ""),
        "withdrawn": _withdrawn("", abstract),
    }
    return Entry(
        title=first["citation_title"],
        authors=tuple(" ".join(reversed(name.split(", ", 1))) for name in tags.get("citation_author", ())),
        abstract=abstract,
        published=first.get("citation_date", "").replace("/", "-"),
        metadata={name: value for name, value in told.items() if value},
    )


def _text(entry: etree._Element, path: str) -> str:
    return squeeze(entry.findtext(path, "", _NAMES))


def _withdrawn(comment: str, abstract: str) -> str:
    return "yes" if _WITHDRAWN.search(comment) or _WITHDRAWN.search(abstract) else ""


# ---------------------------------------------------------------- text


async def _full_text(name: str, fetcher: Fetcher, parser: Parser) -> Part | None:
    """Return the paper's text from HTML, which knows its sections, else from the PDF, else None."""
    return await _document("latexml", f"https://arxiv.org/html/{name}", fetcher, parser) or await _document(
        "pdf", f"https://arxiv.org/pdf/{name}", fetcher, parser
    )


async def _document(kind: DocumentKind, url: str, fetcher: Fetcher, parser: Parser) -> Part | None:
    try:
        page = await fetcher.get(url, limit=PDF_LIMIT)
        require_success(page)
        document = await parser.parse(kind, page.body, url=page.url, charset=charset(page))
    except (FetchError, Unusable, Transient):  # the next source, or the abstract, must do
        return None
    return Part(page.url, document) if document.text.strip() else None
