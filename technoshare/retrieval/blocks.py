"""A page as blocks of text, in reading order, each with its place on the page."""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from technoshare.text import squeeze

INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "output", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_NO_TEXT = frozenset({
    "script", "style", "noscript", "template", "head", "svg", "iframe", "object", "canvas", "audio", "video",
    "select", "option", "textarea", "input", "map", "source", "track", "embed", "img",
})  # fmt: skip
_PLACES = ("main", "article", "nav", "header", "footer", "aside", "table", "ul", "form")
_ROLES = {"navigation": "nav", "banner": "header", "contentinfo": "footer", "complementary": "aside", "main": "main",
          "search": "form", "menu": "nav", "menubar": "nav"}  # fmt: skip
_FOOT = re.compile(r"foot|copyright|colophon|legal|bottom", re.IGNORECASE)
CRAWLER_SHARE = 2
"""A page whose `<noscript>` holds so many times the rest of it shows its text there."""


class Block(NamedTuple):
    """A piece of text without a block element in it."""

    text: str
    linked: int
    """Characters of it that stand in links."""
    links: int
    tag: str
    places: frozenset[str]
    """Which of `_PLACES` it lies in, and `foot` for a class or id that says so."""
    depth: int
    containers: tuple[int, ...]
    """The block elements around it, from the outermost, as places in `Blocks.ranges`."""


class Blocks(NamedTuple):
    """All blocks in reading order."""

    blocks: list[Block]
    ranges: list[tuple[int, int]]
    """Of each container: its first block, and the one behind its last."""


# ---------------------------------------------------------------- from a tree


def blocks_of(tree: HtmlElement) -> Blocks:
    """Return the blocks of a page; what a `<noscript>` holds counts where a page is made for crawlers only."""
    body = tree.find("body")
    walk = _Walk()
    walk.through(tree if body is None else body)
    crawled = [element for element in tree.iter("noscript") if not _within_head(element)]
    hidden = sum(len(element.text_content()) for element in crawled)
    if hidden > CRAWLER_SHARE * sum(len(block.text) for block in walk.blocks):
        for element in crawled:
            element.tag = "div"
        return blocks_of(tree)
    return Blocks(walk.blocks, walk.ranges)


def _within_head(element: HtmlElement) -> bool:
    return next(element.iterancestors("head"), None) is not None


class _Frame(NamedTuple):
    """An open block element."""

    tag: str
    places: frozenset[str]
    depth: int
    containers: tuple[int, ...]


class _Walk:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.ranges: list[tuple[int, int]] = []
        self._frames = [_Frame("body", frozenset(), 0, ())]
        self._pieces: list[str] = []
        self._linked = self._links = self._inside_links = 0

    def through(self, root: HtmlElement) -> None:
        walk = iterwalk(root, events=("start", "end"))
        depth = 0
        for event, element in walk:
            if event == "start":
                depth += 1
                if element.tag in _NO_TEXT:
                    walk.skip_subtree()
                else:
                    self._open(element, depth)
            else:
                depth -= 1
                self._close(element, is_root=element is root)
        self._flush()

    def _open(self, element: HtmlElement, depth: int) -> None:
        if element.tag == "a":
            self._inside_links += 1
            self._links += 1
        elif element.tag not in INLINE and element.tag != "br":
            self._flush()
            frame = self._frames[-1]
            self._frames.append(
                _Frame(element.tag, _places(frame.places, element), depth, (*frame.containers, len(self.ranges)))
            )
            self.ranges.append((len(self.blocks), 0))
        self._add(" " if element.tag == "br" else element.text)

    def _close(self, element: HtmlElement, *, is_root: bool) -> None:
        if element.tag == "a":
            self._inside_links -= 1
        elif element.tag not in INLINE and element.tag != "br" and element.tag not in _NO_TEXT:
            self._flush()
            place = self._frames.pop().containers[-1]
            self.ranges[place] = (self.ranges[place][0], len(self.blocks))
        if not is_root:
            self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._pieces.append(text)
            if self._inside_links:
                self._linked += len(text.strip())

    def _flush(self) -> None:
        text = squeeze("".join(self._pieces))
        if text:
            tag, places, depth, containers = self._frames[-1]
            linked = min(self._linked, len(text))
            self.blocks.append(Block(text, linked, self._links, tag, places, depth, containers))
        self._pieces.clear()
        self._linked = self._links = 0


def _places(above: frozenset[str], element: HtmlElement) -> frozenset[str]:
    tag = element.tag if element.tag in _PLACES else _ROLES.get(element.get("role", ""), "")
    foot = "foot" if _FOOT.search(f"{element.get('class', '')} {element.get('id', '')}") else ""
    return above | {tag, foot} if (tag or foot) else above
