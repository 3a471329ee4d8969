"""A web page's main text: articles and all other pages pull opposite ways, so each gets its own.

Articles: trafilatura's precision mode, unless it threw the page away. All others: block by block, where the page's own
structure and two extractors vote (`content`).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import trafilatura
from lxml.etree import tostring
from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from trafilatura.settings import Document as Found

from technoshare.models import Document
from technoshare.retrieval.blocks import Blocks, blocks_of
from technoshare.retrieval.content import Forest, forest
from technoshare.retrieval.documents import clean, decode, html_tree, sections_of
from technoshare.retrieval.hidden import strip_hidden
from technoshare.retrieval.language import language_of
from technoshare.retrieval.traits import Numbers, traits
from technoshare.retrieval.walls import obstacle_of
from technoshare.text import squeeze, visible

_ARTICLE_MARK = re.compile(
    r"<meta[^>]{0,100}og:type[^>]{0,100}[\"']article[\"']|<meta[^>]{0,100}[\"']article[\"'][^>]{0,100}og:type|"
    r"\"@type\"\s*:\s*\[?\s*\"(?:News|Blog|Tech|Scholarly|Report|Opinion\w*)?(?:Article|Posting)\"",
    re.IGNORECASE,
)
_ARTICLE_PATH = re.compile(
    r"/(?:blog|news|article|articles|posts?|stories|story)/|/(?:19|20)\d\d/\d\d?/", re.IGNORECASE
)

PRECISE_SHARE = 0.5
"""Precision mode counts when it keeps at least this share of the default's text; below, it threw the page away."""
SURE_SHARE = 0.7
"""Precision mode counts without another look when it keeps this share of resiliparse's text."""
CAREFUL_SHARE = 0.4
"""So does the default beside resiliparse; shares from 0.3 to 0.5 score the same."""
QUICK = 80_000
"""Characters of a page up to which the careful extractor votes; beyond, it takes longer than all the rest together."""
CONTENT = 0.35
"""A block this likely to be content is kept; from 0.3 to 0.4 all is the same. A missed text costs more than a menu."""


class Reading(NamedTuple):
    """A page's blocks, and what two extractors make of the page."""

    blocks: Blocks
    careful: str
    generous: str
    is_article: bool

    def traits(self) -> Numbers:
        """Return the measures of every block; there is at least one."""
        return traits(self.blocks, self.careful, self.generous, is_article=self.is_article)

    def content(self, forest: Forest) -> str:
        """Return the blocks that are content, one a line."""
        if not self.blocks.blocks:
            return ""
        likely = forest.likelihoods(self.traits()) >= CONTENT
        return "\n".join(block.text for block, keep in zip(self.blocks.blocks, likely, strict=True) if keep)


def main_text(html: str, url: str) -> str:
    """Return the page's main text, paragraphs and headings on lines of their own; empty when there is none."""
    return _main_text(shown_tree(html), url, is_article=is_article(html, url))


def html_document(body: bytes, url: str, charset: str = "") -> Document:
    """Return main text, sections by heading, and what the page says about itself; never raises for odd HTML."""
    source = decode(body, charset)
    tree = shown_tree(source)
    text = _main_text(tree, url, is_article=is_article(source, url))
    about = trafilatura.extract_metadata(source, url, date_config={"extensive_search": False}) or Found()
    headings = {line for line in map(_heading_line, tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6")) if line}
    return Document(
        text=text,
        sections=sections_of(text, lambda line: line if line in headings else ""),
        title=clean(squeeze(about.title or "")).rstrip("¶ "),  # the link to a heading itself, in documentation
        authors=tuple(clean(name) for name in (about.author or "").split("; ") if name.strip()),
        published=about.date or "",
        language=language_of(text, tree.get("lang") or ""),
        obstacle=obstacle_of(tree, text),
        metadata={"site": clean(about.sitename)} if about.sitename else {},
    )


def shown_tree(html: str) -> HtmlElement:
    """Return the page as a tree of what a reader sees."""
    source = visible(html)
    tree = html_tree(source)
    strip_hidden(tree, source)
    for element in tuple(tree.iter("style", "svg", "iframe")):
        element.drop_tree()
    return tree


def is_article(html: str, url: str) -> bool:
    """Tell whether a page calls itself an article, or its address does."""
    return bool(_ARTICLE_MARK.search(html) or _ARTICLE_PATH.search(urlsplit(url).path))


def reading_of(tree: HtmlElement, url: str, *, is_article: bool) -> Reading:
    """Return what there is to choose from on a page that `shown_tree` made."""
    source = _source(tree)
    careful = _trafilatura(source, url, fast=True) if len(source) <= QUICK else ""
    return Reading(blocks_of(tree), careful, _resiliparse(source), is_article)


def _main_text(tree: HtmlElement, url: str, *, is_article: bool) -> str:
    text = article_text(tree, url) if is_article else ""
    text = text or reading_of(tree, url, is_article=is_article).content(forest())
    return clean(text or _resiliparse(_source(tree)))


def article_text(tree: HtmlElement, url: str) -> str:
    """Return an article's text: the most precise one that is not far shorter than the next more generous one."""
    source = _source(tree)
    precise, generous = _trafilatura(source, url, favor_precision=True), _resiliparse(source)
    if len(precise) >= SURE_SHARE * len(generous):  # nearly always, and saves the slowest of the three
        return precise
    careful = _trafilatura(source, url)
    if len(precise) >= PRECISE_SHARE * len(careful):
        return precise
    return careful if len(careful) >= CAREFUL_SHARE * len(generous) else generous


def _source(tree: HtmlElement) -> str:
    return str(tostring(tree, encoding="unicode", method="html"))


def _trafilatura(source: str, url: str, *, fast: bool = False, favor_precision: bool = False) -> str:
    text = trafilatura.extract(source, url=url, include_comments=False, fast=fast, favor_precision=favor_precision)
    return text or ""


def _resiliparse(source: str) -> str:
    return str(extract_plain_text(source, main_content=True, alt_texts=False, list_bullets=False))


def _heading_line(heading: HtmlElement) -> str:
    return clean(squeeze(heading.text_content()))
