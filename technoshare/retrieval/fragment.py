"""HTML that is all text, such as a comment or an answer: nothing has to be guessed, and code keeps its shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lxml.html import HtmlElement

from technoshare.models import Document
from technoshare.retrieval.documents import clean, decode, html_tree, sections_of
from technoshare.retrieval.language import language_of

Line = tuple[str, int]
"""A line of text and its heading level; 0 is running text."""

_UNSEEN = ("script", "style", "template", "noscript", "head", "button", "svg", "audio", "video", "iframe", "object")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BLOCKS = ("p", "div", "li", "dt", "dd", "pre", "blockquote", "tr", "table", "ul", "ol", "section", "figcaption")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BREAK, _SPACE, _LEVEL = "\ue000", "\ue001", "\ue002"
"""Private characters: a line end and a space that are meant (those of the source are not), one level of a heading."""
_VERBATIM = str.maketrans({"\n": _BREAK, " ": _SPACE, "\t": _SPACE * 4})


def fragment_document(body: bytes, charset: str = "") -> Document:
    """Return all that `body` shows, a block a line, with sections by heading; never raises for odd HTML."""
    return document_of(lines_of(html_tree(decode(body, charset))))


def document_of(lines: Sequence[Line], language: str = "") -> Document:
    """Return the lines as a document; `language` is the declared one."""
    text = "\n".join(line for line, _ in lines)
    headings = {line for line, level in lines if level}
    return Document(
        text=text,
        sections=sections_of(text, lambda line: line if line in headings else ""),
        language=language_of(text, language),
    )


def lines_of(tree: HtmlElement) -> list[Line]:
    """Return what a reader sees of `tree`, in order; the tree is used up."""
    for element in tuple(_unseen(tree)):
        if element.getparent() is not None:
            element.drop_tree()
    for code in tuple(tree.iter("pre")):
        _keep_shape(code)
    for element in tree.iter(*_BLOCKS, *_HEADINGS):
        _set_apart(element)
    for cell in tree.iter("td", "th"):
        if cell.getnext() is not None:
            cell.tail = " | "
    for line_break in tree.iter("br"):
        line_break.tail = _BREAK + (line_break.tail or "")
    shown = re.sub(r"[ \t\r\n\f]+", " ", "".join(tree.itertext()))
    return [line for line in map(_line, shown.split(_BREAK)) if line[0]]


def _unseen(tree: HtmlElement) -> Iterator[HtmlElement]:
    yield from tree.iter(*_UNSEEN)
    for element in tree.iter():
        if element.get("hidden") is not None or _HIDDEN.search(element.get("style", "")):
            yield element


def _keep_shape(code: HtmlElement) -> None:
    for element in code.iter():
        element.text = (element.text or "").translate(_VERBATIM)
        if element is not code:
            element.tail = (element.tail or "").translate(_VERBATIM)


def _set_apart(element: HtmlElement) -> None:
    mark = "- " if element.tag == "li" else _LEVEL * int(element.tag[1]) if element.tag in _HEADINGS else ""
    element.text = _BREAK + mark + (element.text or "")
    element.tail = _BREAK + (element.tail or "")


def _line(shown: str) -> Line:
    text = shown.strip(" ")
    level = len(text) - len(text.lstrip(_LEVEL))
    indent = len(text) - len(text.lstrip(_SPACE))
    words = clean(text.replace(_LEVEL, "").replace(_SPACE, " "))
    if words in ("-", "|"):  # an item or a row whose text stands in blocks of its own
        return "", 0
    return " " * indent * bool(words) + words, min(level, len(_HEADINGS))


def without_sections(lines: Iterable[Line], titles: frozenset[str]) -> list[Line]:
    """Return the lines that do not stand in a section of one of these `titles` (in lower case)."""
    kept, cut = [], 0
    for line, level in lines:
        if level and (not cut or level <= cut):
            cut = level if line.casefold() in titles else 0
        if not cut:
            kept.append((line, level))
    return kept
