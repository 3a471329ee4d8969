"""PDF to text with PDFium: reading order, whole words, whole paragraphs, one section per page and heading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

from technoshare.errors import Unusable
from technoshare.models import Document, Section
from technoshare.retrieval.columns import page_text
from technoshare.retrieval.documents import clean, sections_of
from technoshare.retrieval.language import language_of

MAX_PAGES = 100
"""More is a book: nobody waits for it and no model reads it whole."""

_STAMP = re.compile(r"arXiv:\S{6,20}v\d+\s+\[[^\]\n]{2,20}\]\s+\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}")
_HYPHEN = re.compile(r"[\x02\ufffe](?:\r?\n)?|(?<=[a-zß-ÿ])[-\xad]\s*\n(?=[a-zß-ÿ])")
"""PDFium's mark for a hyphen at a line's end, which of the two depends on the call; or the hyphen itself."""
_PAGE_NUMBER = re.compile(r"[-–—|\s]*(?:page\s+)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?[-–—|\s]*", re.IGNORECASE)
_REFERENCES = re.compile(r"(?:(?:\d{1,2}|[IVX]{1,5})\.?\s+)?(?:references|bibliography)", re.IGNORECASE)
_NAMED = r"""
    abstract | introduction | related\ work | background | methods? | results | discussion | limitations | conclusions?
    | acknowledge?ments? | appendix
"""
_NUMBER = r"(?:\d{1,2}(?:\.\d{1,2}){0,2} | [IVX]{1,5} | [A-H])\.?"
_NUMBERED = re.compile(rf"{_NUMBER}\s+(?!.*\.\s)[A-Z][\w\ .,:&'’()/-]{{1,69}}[\w)]", re.VERBOSE)
_HEADING = re.compile(_NAMED, re.VERBOSE | re.IGNORECASE)
_BULLET = re.compile(r"[•◦▪‣–∗*-]\s")
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_NO_LETTER = re.compile(r"[\d\W_]+")
_SENTENCE_END = (".", "!", "?", ":", ".”", '."', ".)")

MARGIN = 0.075
"""Share of a page's height in which running heads stand; text begins at about 0.1."""
RUNNING_SHARE = 0.4
"""Of the pages; left and right ones may have a head each, and the first has none."""
FULL_LINE = 0.8
"""A line shorter than this share of the page's longest ones, and ending a sentence, ends its paragraph."""


def pdf_document(body: bytes) -> Document:
    """Return the text of the first `MAX_PAGES` pages, up to the references.

    An image-only file has no text and the obstacle `no_text`. Raises `Unusable` for an encrypted or damaged file.
    """
    try:
        pdf = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise Unusable("the PDF is encrypted", obstacle="encrypted_pdf") from error
        raise Unusable("the PDF is damaged") from error
    try:
        told = {name: clean(value) for name, value in pdf.get_metadata_dict(skip_empty=True).items()}
        pages = [_page(pdf, number) for number in range(min(len(pdf), MAX_PAGES))]
        paragraphs = ["\n".join(_paragraphs(lines)) for lines in _without_running_heads(pages)]
        text, sections = _joined(_without_references(paragraphs))
        length = len(pdf)
    except pypdfium2.PdfiumError as error:
        raise Unusable("the PDF is damaged") from error
    finally:
        pdf.close()
    dated = _DATE.match(told.get("CreationDate", ""))
    return Document(
        text=text,
        sections=sections,
        title=told.get("Title", ""),
        authors=tuple(name for name in re.split(r"\s*(?:;|,| and )\s*", told.get("Author", "")) if name),
        published="-".join(dated.groups()) if dated else "",
        language=language_of(text),
        obstacle="" if text else "no_text",
        metadata={"pages": str(length)} | ({"pages_read": str(MAX_PAGES)} if length > MAX_PAGES else {}),
    )


class _Page(NamedTuple):
    lines: list[str]
    margin: frozenset[str]
    """Keys of what stands above and below the text."""


def _page(pdf: pypdfium2.PdfDocument, number: int) -> _Page:
    page = pdf[number]
    try:
        texts, height = page.get_textpage(), page.get_height()
        above = texts.get_text_bounded(bottom=height * (1 - MARGIN))
        below = texts.get_text_bounded(top=height * MARGIN)
        raw = page_text(texts)
    finally:
        page.close()
    margin = frozenset(map(_key, (above + "\n" + below).splitlines()))
    whole = clean(_HYPHEN.sub("", _STAMP.sub("", raw).replace("\r\n", "\n")))
    return _Page([line for line in whole.splitlines() if not _PAGE_NUMBER.fullmatch(line)], margin)


def _without_running_heads(pages: list[_Page]) -> Iterator[list[str]]:
    """Yield each page's lines without those that stand in the margin of page after page."""
    counts = Counter(key for page in pages for key in page.margin if key)
    heads = {key for key, count in counts.items() if count >= max(2, RUNNING_SHARE * len(pages))}
    for page in pages:
        yield [line for line in page.lines if _key(line) not in heads & page.margin]


def _key(line: str) -> str:
    """Return the line without numbers, because a running head often holds the page's."""
    return _NO_LETTER.sub("", line).casefold()


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Join the lines of one page into paragraphs; PDFium gives lines only."""
    full = FULL_LINE * max(sorted(map(len, lines))[: max(1, len(lines) * 9 // 10)], default=0)
    collected = ""
    for line in lines:
        heading = _is_heading(line, after=collected)
        if collected and (heading or _BULLET.match(line)):
            yield collected
            collected = ""
        collected = f"{collected} {line}" if collected else line
        if heading or (line.endswith(_SENTENCE_END) and len(line) < full):
            yield collected
            collected = ""
    if collected:
        yield collected


def _is_heading(line: str, *, after: str = "") -> bool:
    """Tell whether `line` is a heading; a numbered one stands only `after` a finished sentence or formula.

    "5 GB of memory" at the beginning of a line is no heading.
    """
    if _HEADING.fullmatch(line) or _REFERENCES.fullmatch(line):
        return True
    return _NUMBERED.fullmatch(line) is not None and (not after or after.endswith((*_SENTENCE_END, ")", "]")))


def _without_references(pages: list[str]) -> list[str]:
    """Cut at the last heading of references; one in the first third belongs to a table of contents."""
    for number in range(len(pages) - 1, len(pages) // 3 - 1, -1):
        lines = pages[number].splitlines()
        for at in range(len(lines) - 1, -1, -1):
            if _REFERENCES.fullmatch(lines[at]):
                return [*pages[:number], "\n".join(lines[:at])]
    return pages


def _joined(pages: list[str]) -> tuple[str, tuple[Section, ...]]:
    sections: list[Section] = []
    offset = 0
    for number, page in enumerate(pages, start=1):
        title = sections[-1].title if sections else ""
        sections += sections_of(
            page, lambda line: line if _is_heading(line) else "", offset=offset, title=title, page=number
        )
        offset += len(page) + 1
    return "\n".join(pages).rstrip(), tuple(sections)
