"""A file of a repository or gist → a document: text as text, notebooks cell by cell, code by its definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ValidationError

from technoshare.aside import aside
from technoshare.errors import Unusable
from technoshare.models import Document, Section
from technoshare.ports import DocumentKind, Parser
from technoshare.retrieval.documents import clean, decode
from technoshare.retrieval.markdown import readable

LONGEST = 100_000
"""Characters of code that are looked at: about 25,000 tokens, as much as an evidence may hold."""

_PROSE = frozenset({"", ".md", ".markdown", ".mdx", ".rst", ".txt", ".adoc", ".org", ".text"})
_PARSED: dict[str, DocumentKind] = {".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf"}
_LFS = b"version https://git-lfs.github.com/spec/"
_INLINE_DATA = re.compile(r"data:[\w/+.-]{1,80};base64,[A-Za-z0-9+/=\s]*")
_FENCE = "~" * 12
"""Longer than any fence that stands inside a cell."""
_DEFINITION = re.compile(
    r"(?:(?:export|default|pub(?:\([a-z]+\))?|public|private|protected|internal|static|abstract|final|sealed|open|async"
    r"|unsafe|inline|virtual|override|data|const)\s+)*"
    r"(?:def|class|func|fun|function|fn|struct|enum|union|trait|impl|interface|type|module|namespace|object|protocol"
    r"|extension|macro_rules!|sub|procedure|contract)\b.{0,400}"
)
_PROSE_READ = 1_000_000  # bytes; ten times what an evidence holds
_LINE = 900  # characters; a longer one is machine-made, and is cut where it stands
_TITLE = 80


class _Cell(BaseModel):
    cell_type: str
    source: str | tuple[str, ...] = ""
    input: str | tuple[str, ...] = ""
    """The source of a code cell in notebooks of before 2015."""

    @property
    def text(self) -> str:
        return "".join(self.source or self.input)


class _Sheet(BaseModel):
    cells: tuple[_Cell, ...] = ()


class _Notebook(_Sheet):
    worksheets: tuple[_Sheet, ...] = ()


async def file_document(path: str, body: bytes, parser: Parser) -> Document:
    """Return what the file says. Raises `Unusable` for what is no text."""
    if body.startswith(_LFS):
        raise Unusable("the file is kept in Git LFS, and what stands in its place says nothing", obstacle="not_text")
    ending = PurePosixPath(path).suffix.lower()
    if kind := _PARSED.get(ending):
        return await parser.parse(kind, body, url=f"https://github.com/{path}")
    if b"\0" in body[:8000]:
        raise Unusable("the link leads to a file that is no text", obstacle="not_text")
    if ending == ".ipynb":
        return await _parsed(await aside(_notebook, body), parser)
    if ending in _PROSE:
        return await _parsed(await aside(_prose, decode(body[:_PROSE_READ])), parser)
    return await aside(code_document, decode(body))


def _prose(markdown: str) -> str:
    return readable(_INLINE_DATA.sub("", markdown))


async def _parsed(text: str, parser: Parser) -> Document:
    return await parser.parse("text", text.encode("utf-8", "replace"), url="", charset="utf-8")


def _notebook(body: bytes) -> str:
    """Return the text of the cells in order, without what running them put out."""
    try:
        notebook = _Notebook.model_validate_json(body)
    except ValidationError as error:
        raise Unusable("the notebook is damaged", obstacle="unreadable") from error
    cells = notebook.cells or tuple(cell for sheet in notebook.worksheets for cell in sheet.cells)
    return "\n".join(_shown(cell) for cell in cells)


def _shown(cell: _Cell) -> str:
    match cell.cell_type:
        case "markdown" | "heading":
            return _prose(cell.text)
        case "code":
            return readable(f"{_FENCE}\n{cell.text}\n{_FENCE}")
        case _:
            return ""


def code_document(source: str) -> Document:
    """Return code as it stands, indented; each definition at the left edge opens a section that bears its line."""
    text = "\n".join(_lines(source[:LONGEST]))
    starts, titles, sentences, position = [0], [""], [], 0
    for line in text.split("\n"):
        if _DEFINITION.match(line):
            starts.append(position)
            titles.append(line.rstrip(" {:(")[:_TITLE])
        sentences += [
            (position + at, position + min(at + _LINE, len(line))) for at in range(0, len(line), _LINE) if line.strip()
        ]
        position += len(line) + 1
    ends = [*starts[1:], len(text)]
    sections = tuple(
        Section(title=title, start=start, end=end)
        for title, start, end in zip(titles, starts, ends, strict=True)
        if text[start:end].strip()
    )
    obstacle = "too_large" if len(source) > LONGEST else ""
    return Document(text=text, sections=sections, sentences=tuple(sentences), language="en", obstacle=obstacle)


def _lines(source: str) -> Iterator[str]:
    """Yield the lines without invisible characters and with their indentation."""
    for line in source.split("\n"):
        stripped = line.strip()
        indentation = line[: len(line) - len(line.lstrip(" \t"))] if stripped else ""
        yield indentation + clean(stripped).replace("\n", " ")
