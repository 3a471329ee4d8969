"""arXiv's HTML papers: LaTeXML marks every part of a paper by class, so nothing has to be guessed."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.html import HtmlElement

from technoshare.errors import Unusable
from technoshare.models import Document
from technoshare.retrieval.documents import clean, decode, html_tree, sections_of
from technoshare.retrieval.language import language_of
from technoshare.text import squeeze

_ASIDE = ("ltx_bibliography", "ltx_note_outer", "ltx_ERROR", "ltx_page_footer", "ltx_page_header", "ltx_page_logo",
          "ltx_authors", "ltx_dates", "ltx_pagination", "ltx_rdf", "ltx_TOC")  # fmt: skip
"""What is not the paper's running text: references, footnotes in mid-sentence, conversion errors, frame."""
_BLOCKS = ("ltx_title", "ltx_p", "ltx_caption", "ltx_tr", "ltx_listing", "ltx_listingline", "ltx_equation")
_BREAK = "\u2028"
"""Stands for `<br>` until white space is squeezed; the source's own line ends mean nothing."""
_SHAPED = ("msup", "msub", "msubsup", "mfrac", "msqrt", "mroot", "munder", "mover", "munderover", "mtable")


def latexml_document(body: bytes, url: str, charset: str = "") -> Document:
    """Return the paper's text by sections, without the bibliography. Raises `Unusable` when the page holds no paper."""
    tree = html_tree(decode(body, charset))
    for line_break in tree.iter("br"):
        line_break.tail = _BREAK + (line_break.tail or "")
    article = next(iter(_having(tree, "ltx_document")), None)
    if article is None:
        raise Unusable(f"{url} holds no paper in HTML", obstacle="empty_page")
    names = tuple(clean(_first_line(person)) for person in _having(article, "ltx_personname"))
    title = next((_line(each) for each in _having(article, "ltx_title_document")), "")
    _prune(article)
    lines = [(_line(block), "ltx_title" in _classes(block)) for block in _blocks(article)]
    lines = [(line, heads) for line, heads in lines if line and line != title]
    headings = {line for line, heads in lines if heads}
    text = "\n".join(line for line, _ in lines)
    return Document(
        text=text,
        sections=sections_of(text, lambda line: line if line in headings else ""),
        title=title,
        authors=tuple(name for name in names if name),
        language=language_of(text, tree.get("lang", "")),
        obstacle="" if text else "empty_page",
    )


def _prune(article: HtmlElement) -> None:
    for name in _ASIDE:
        for element in _having(article, name):
            element.drop_tree()
    for math in tuple(article.iter("math")):
        _flatten(math)


def _flatten(math: HtmlElement) -> None:
    """Replace a formula by one line: its characters when they stand on one line anyway, else its LaTeX."""
    for annotation in tuple(math.iter("annotation", "annotation-xml")):
        annotation.drop_tree()
    shaped = next(math.iter(*_SHAPED), None) is not None
    line = math.get("alttext", "") if shaped else ""
    line = line or "".join(math.itertext())
    for child in list(math):
        math.remove(child)
    math.text = squeeze(line)


def _blocks(article: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that make a line each, outermost first; what lies inside one belongs to it."""
    inside: set[HtmlElement] = set()
    for element in article.iter():
        if element.getparent() in inside:
            inside.add(element)
        elif _classes(element) & set(_BLOCKS):
            inside.add(element)
            yield element


def _classes(element: HtmlElement) -> set[str]:
    return set(element.get("class", "").split())


def _having(element: HtmlElement, name: str) -> tuple[HtmlElement, ...]:
    """Return all elements of a class; a tuple, because who asks may drop what it gets."""
    return tuple(each for each in element.iter() if name in _classes(each))


def _line(element: HtmlElement) -> str:
    cells = [element] if "ltx_tr" not in _classes(element) else list(element)
    return clean(squeeze(" | ".join(squeeze("".join(cell.itertext())) for cell in cells)))


def _first_line(person: HtmlElement) -> str:
    """Return the name; affiliation and mail address follow after a line break."""
    for mark in tuple(person.iter("sup")):
        mark.drop_tree()
    return squeeze("".join(person.itertext()).strip().partition(_BREAK)[0])
