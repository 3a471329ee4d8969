"""Papers on arXiv: metadata from the API or the paper's page, text from HTML, PDF or at least the abstract."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from urllib.parse import quote

from lxml import etree
from lxml.html import HtmlElement

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Document, Evidence, Metadata, Page, Section
from technoshare.ports import DocumentKind, Fetcher, Parser
from technoshare.retrieval.documents import decode, html_tree
from technoshare.retrieval.obstacles import not_fetched, require_success
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.urls import arxiv_id
from technoshare.retrieval.webpage import PDF_LIMIT, charset, coverage
from technoshare.text import squeeze

NAME = "ArxivAdapter"

_API = "https://export.arxiv.org/api/query?id_list={}&max_results={}"
_METADATA_LIMIT = 1_000_000  # bytes; an entry has a few kB, a paper's page about fifty
_NAMES = {"atom": "http://www.w3.org/2005/Atom", "arxiv": "http://arxiv.org/schemas/atom"}
_TEXT_FORM = re.compile(r"\s*arxiv:\s*", re.IGNORECASE)

_WORK = r"(?:paper|article|manuscript|preprint|submission|version|work|note)"
_GONE = r"(?:withdrawn|retracted|removed\s+by\s+arxiv)"
_SAYS_WITHDRAWN = re.compile(
    rf"^\W*{_GONE}\b|\b{_WORK}\s+(?:(?:has|have)\s+been\s+|is\s+|was\s+)?{_GONE}\b|"
    rf"\b{_GONE}\s+(?:by\s+(?:the\s+)?(?:authors?|arxiv)|due\s+to|because)\b|"
    rf"\bauthors?\s+(?:has|have)\s+{_GONE}\b",
    re.IGNORECASE,
)
"""For comments, which are about the paper; an abstract counts only when it begins so."""
_BEGINS_WITHDRAWN = re.compile(
    rf"\W*(?:(?:this|the)\s+)?(?:{_WORK}\s+(?:has\s+been|is|was)\s+)?{_GONE}\b", re.IGNORECASE
)

_CODE = re.compile(
    r"(?<![\w./@-])(?:https?://)?(?:www\.)?((?:github\.com|gitlab\.com|huggingface\.co|codeberg\.org|bitbucket\.org)"
    r"/(?!papers/)[\w.~%+-]+(?:/[\w.~%+-]+)*)",
    re.IGNORECASE | re.ASCII,
)
_CATEGORY = re.compile(r"\(([a-z-]+(?:\.[A-Za-z-]+)?)\)")
_PAGE_LICENCE = re.compile(rb"\bid=[\"']license-tr[\"'][^<>]*>\s*License:\s*(CC\b[^<>]{1,40})<")
"""In the frame of an HTML paper. Only Creative Commons: arXiv's own licence allows readers nothing."""
_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """What arXiv says about a paper."""

    title: str
    authors: tuple[str, ...]
    abstract: str
    published: str
    metadata: Metadata


def matches(url: str) -> bool:
    """Take every known form of a paper's address: mirrors, DOI and `arXiv:…` included."""
    return _paper(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the paper: its abstract, and its full text where arXiv has one that can be read.

    Raises `Unusable` for an unknown paper and `Transient` when arXiv gave neither metadata nor text.
    """
    name, version = _paper(url) or ("", "")
    async with asyncio.TaskGroup() as both:  # the text does not wait for the API's lane
        about = both.create_task(_entry(name, version, fetcher))
        text = both.create_task(_full_text(name + version, fetcher, parser))
    return await _evidence(url, f"https://arxiv.org/abs/{name}{version}", about.result(), text.result())


def _paper(url: str) -> tuple[str, str] | None:
    return arxiv_id(_TEXT_FORM.sub("https://arxiv.org/abs/", url, count=1) if _TEXT_FORM.match(url) else url)


async def _evidence(url: str, home: str, entry: Entry | Unusable | Transient, text: Part | None) -> Evidence:
    if not isinstance(entry, Entry):
        if text is None:
            raise entry
        found = text.document
        entry = Entry(found.title, found.authors, "", found.published, Metadata())
    licence = entry.metadata.licence or (text.document.metadata.get("licence", "") if text else "")
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
        metadata=entry.metadata.model_copy(update={"kind": "paper", "licence": licence}),
    )


def _abstract(text: str) -> Document:
    return Document(text=text, sections=(Section(title="Abstract", start=0, end=len(text)),), language="en")


# ---------------------------------------------------------------- metadata


async def _entry(name: str, version: str, fetcher: Fetcher) -> Entry | Unusable | Transient:
    """Return what the API knows, else what the paper's page says; an error is a value, because the text may do."""
    return await _from_api(name, version, fetcher) or await _from_page(name, version, fetcher)


async def _from_api(name: str, version: str, fetcher: Fetcher) -> Entry | None:
    """Return None for any trouble: the API answers 429 below its own limit, and errors as entries (HTTP 400)."""
    asked = [name + version, name] if version else [name]  # the second tells which version is the newest
    url = _API.format(quote(",".join(asked), safe="/,"), len(asked))
    try:
        page = await fetcher.get(url, limit=_METADATA_LIMIT)
    except FetchError:
        return None
    return parse_feed(page.body, name, version) if page.status == 200 else None


async def _from_page(name: str, version: str, fetcher: Fetcher) -> Entry | Unusable | Transient:
    try:
        page = await fetcher.get(f"https://arxiv.org/abs/{name}{version}", limit=_METADATA_LIMIT)
        require_success(page)
    except FetchError as error:
        return not_fetched(error)
    except (Unusable, Transient) as error:
        if isinstance(error, Unusable) and error.obstacle == "not_found":
            return Unusable(f"arXiv knows no paper {name}{version}", obstacle="not_found")
        return error
    return parse_page(page, version) or Unusable("arXiv's page of the paper names no title")


def parse_feed(body: bytes, name: str, version: str = "") -> Entry | None:
    """Return the paper `name` of an Atom answer, in this version or else in the newest.

    None when the answer does not hold it: an error, another paper, no Atom at all.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=False)
    try:
        entries = etree.fromstring(body, parser).findall("atom:entry", _NAMES)
    except etree.XMLSyntaxError:
        return None
    found = {}
    for entry in entries:
        held = arxiv_id(_text(entry, "atom:id"))  # None for an error, whose entry is like any other
        if held and held[0] == name and _text(entry, "atom:title"):
            found[held[1]] = entry
    newest = max(found, key=_number, default="")
    chosen = version or newest
    if chosen not in found:
        return None
    entry, last = _of_entry(found[chosen], chosen, newest), _of_entry(found[newest], newest, newest)
    withdrawn = entry.metadata.withdrawn or last.metadata.withdrawn
    return replace(entry, metadata=entry.metadata.model_copy(update={"withdrawn": withdrawn}))


def _of_entry(entry: etree._Element, version: str, newest: str) -> Entry:
    abstract, comment = _text(entry, "atom:summary"), _text(entry, "arxiv:comment")
    return Entry(
        title=_text(entry, "atom:title"),
        authors=tuple(squeeze(name.text or "") for name in entry.findall("atom:author/atom:name", _NAMES)),
        abstract=abstract,
        published=_text(entry, "atom:published")[:10],
        metadata=Metadata(
            version=version,
            newest=newest if newest != version else "",
            updated=_text(entry, "atom:updated")[:10],
            categories=" ".join(each.get("term", "") for each in entry.findall("atom:category", _NAMES)),
            comment=comment,
            journal=_text(entry, "arxiv:journal_ref"),
            doi=_text(entry, "arxiv:doi"),
            withdrawn=_withdrawn(comment, abstract),
            code=_code(abstract, comment),
        ),
    )


def parse_page(page: Page, version: str = "") -> Entry | None:
    """Return what a paper's page says in its citation tags and its table; None when they name no title."""
    root = html_tree(decode(page.body, charset(page)))
    tags: dict[str, list[str]] = {}
    for tag in root.iterfind(".//meta[@name]"):
        tags.setdefault(tag.get("name", ""), []).append(squeeze(tag.get("content", "")))
    first = {name: values[0] for name, values in tags.items()}
    if not first.get("citation_title"):
        return None
    abstract, comment = first.get("citation_abstract", ""), _cell(root, "comments")
    newest = max(re.findall(r"\[(v\d+)\]", _cell(root, "submission-history")), key=_number, default="")
    return Entry(
        title=first["citation_title"],
        authors=tuple(" ".join(reversed(name.split(", ", 1))) for name in tags.get("citation_author", ())),
        abstract=abstract,
        published=first.get("citation_date", "").replace("/", "-"),
        metadata=Metadata(
            version=version or newest,
            newest=newest if newest != (version or newest) else "",
            updated=first.get("citation_online_date", "").replace("/", "-"),
            categories=" ".join(_CATEGORY.findall(_cell(root, "subjects"))),
            comment=comment,
            journal=_cell(root, "jref"),
            doi=first.get("citation_doi", ""),
            withdrawn=_withdrawn(comment, abstract),
            licence=_licence(" ".join(root.xpath("//*[contains(@class, 'abs-license')]//a/@href"))),
            code=_code(abstract, comment),
        ),
    )


def _cell(root: HtmlElement, name: str) -> str:
    """Return the text of the first element of class `name`."""
    found = root.xpath(f"//*[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]")
    return squeeze("".join(found[0].itertext())) if found else ""


def _text(entry: etree._Element, path: str) -> str:
    return squeeze(entry.findtext(path, "", _NAMES))


def _number(version: str) -> int:
    return int(version[1:7] or 0)  # no paper has a million versions, but an answer can claim anything


def _withdrawn(comment: str, abstract: str) -> bool:
    return bool(_SAYS_WITHDRAWN.search(comment) or _BEGINS_WITHDRAWN.match(abstract))


def _code(abstract: str, comment: str) -> str:
    found = _CODE.search(abstract) or _CODE.search(comment)
    return f"https://{found[1].rstrip('.')}" if found else ""


def _licence(address: str) -> str:
    """Return the usual name of a Creative Commons licence, empty for any other."""
    found = _CREATIVE_COMMONS.search(address)
    if found is None:
        return ""
    return f"CC0 {found[2]}" if found[1] == "zero" else f"CC {found[1].upper()} {found[2]}"


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
    if not document.text.strip():
        return None
    told = _PAGE_LICENCE.search(page.body) if kind == "latexml" else None
    licence = {"licence": squeeze(told[1].decode("utf-8", "replace"))} if told else {}
    return Part(page.url, document.model_copy(update={"metadata": document.metadata | licence}))
