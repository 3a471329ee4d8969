"""What all readers of bodies share: decoding, HTML trees, clean text, and sections as offsets into it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from charset_normalizer import from_bytes
from lxml import html
from lxml.etree import ParserError
from lxml.html import HtmlElement
from resiliparse.parse.html import HTMLTree

from technoshare.models import Section
from technoshare.text import visible

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_BREAK = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u115f\u1160\u3164\ufff9-\ufffb\ud800-\udfff]")
"""Also blank fillers and halves of a character, which JSON cannot carry."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_AS_WRITTEN = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
}
"""Web practice: whoever names the left one sends the right one."""

GUESSED_BYTES = 50_000
"""The guess of a charset is slow, and the beginning of a page is as telling as the whole."""


def decode(body: bytes, charset: str = "") -> str:
    """Return `body` as text: byte order mark, the server's `charset`, `<meta>`, UTF-8, then a guess. Never raises."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    told = _META_CHARSET.search(body[:4096])
    for name in (charset, told[1].decode("ascii") if told else ""):
        if codec := _codec(name):
            return body.decode(codec, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(body[:GUESSED_BYTES]).best()
        return body.decode(guess.encoding if guess else "utf-8", "replace")


def _codec(name: str) -> str:
    wanted = name.strip().lower()
    try:
        found = codecs.lookup(_AS_WRITTEN.get(wanted, wanted))
    except (LookupError, ValueError):  # unknown, or not a name at all
        return ""
    return found.name if found._is_text_encoding else ""  # noqa: SLF001 - the only mark of base64, rot13 and the like


_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What lxml gives and does not take back: joining two texts, as every removal does, would raise."""


def html_tree(source: str) -> HtmlElement:
    """Return `source` as a tree without comments, built as a browser builds it. Never raises: no HTML is an empty page.

    lxml alone nests whatever is left open; what a browser closes itself then lies in the menu or the header.
    """
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    mended = _UNWRITABLE.sub("", str(HTMLTree.parse(source.encode("utf-8", "replace").decode())))
    try:
        return html.document_fromstring(mended.encode(), parser=parser)
    except ParserError:  # nothing but white space and the like
        return html.document_fromstring("<html></html>")


def clean(text: str) -> str:
    """Return `text` without invisible and control characters; lines are stripped, blank ones dropped."""
    plain = _CONTROL.sub("", _BREAK.sub("\n", visible(text).replace("\xa0", " ")))
    return "\n".join(line for line in map(str.strip, plain.split("\n")) if line)


def sections_of(
    text: str, title_of: Callable[[str], str], *, offset: int = 0, title: str = "", page: int | None = None
) -> tuple[Section, ...]:
    """Cut `text` at the lines that `title_of` names a heading (it returns the title, or empty for any other line).

    Sections leave the heading lines out and hold something; `title` is the heading that `text` begins under, `offset`
    is added to every position.
    """
    found = []
    start = position = 0
    for line in text.splitlines(keepends=True):
        if heading := title_of(line.strip()):
            found.append((title, start, position))
            title, start = heading, position + len(line)
        position += len(line)
    found.append((title, start, position))
    stripped = [(name, *_stripped(text, begin, end)) for name, begin, end in found]
    return tuple(
        Section(title=name, page=page, start=offset + begin, end=offset + end)
        for name, begin, end in stripped
        if begin < end
    )


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
