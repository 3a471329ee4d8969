"""What a browser's reader does not see, taken out of the tree before any extractor sees it.

Only what the page itself says is known: attributes, inline styles and its own `<style>` blocks. A style sheet elsewhere
may show what looks hidden here, so in doubt a text stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml.html import HtmlElement

from technoshare.retrieval.styles import Names, Rgb, Style, colour, declarations, is_clear, names_of, pixels, sheet_of

TINY = 1.0
"""Pixels; no letter can be made out at this size."""
FAR = 500.0
"""Pixels; whatever is moved so far to the left or upwards is meant to be outside the window."""
ALIKE = 12
"""Of 255; colours that differ by less in every channel cannot be told apart."""

FADED_SHARE = 0.3
"""Of the page's text; what is transparent beyond that is no trick but a page that waits for a script to fade it in."""
WHITE = (255, 255, 255)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

_ALWAYS_SHOWN = frozenset({"html", "head", "body"})
"""Pages hide their whole body until a script has run, and then show it."""
_SHIFT = re.compile(r"translate(?:x|y|3d)?\(\s*(-?[\d.]+(?:px|em|rem|vw|vh|%)?)")
_CUT_AWAY = re.compile(r"rect\(\s*(?:[01](?:px)?[,\s]+){3}[01](?:px)?\s*\)|inset\((?:50|100)%|circle\(0")
_COLOURED = re.compile(r"background|bgcolor|\bstylesheet\b", re.IGNORECASE)


class _Ink(NamedTuple):
    """What an element's own text is written with; children inherit it."""

    colour: Rgb | None
    paper: Rgb | None
    """The background; None when it is not known: a picture, or a style sheet that is not here."""
    size: float
    visible: bool

    @property
    def shows(self) -> bool:
        return self.visible and self.size > TINY and not _alike(self.colour, self.paper)


def strip_hidden(tree: HtmlElement, source: str) -> None:
    """Take out of `tree`, the parsed `source`, every text that is there for parsers only."""
    sheet = sheet_of(tree)
    paper = None if _COLOURED.search(source) else WHITE
    lines: dict[HtmlElement | None, tuple[Names, _Ink]] = {None: (frozenset(), _Ink(None, paper, 16.0, visible=True))}
    away, faded = [], []
    for element in tree.iter():
        above, ink = lines[element.getparent()]
        names = names_of(element.tag, element.get("id"), element.get("class"))
        styles = _styles(element, sheet.styles(names, above))
        lines[element] = (above | names, _ink(ink, styles[0]))
        if element.tag in _ALWAYS_SHOWN:
            continue
        if _is_closed(element, source) or all(map(_is_away, styles)):
            away.append(element)
        elif all(map(_is_faded, styles)):
            faded.append(element)
        elif not any(_ink(ink, style).shows for style in styles):
            _blank(element)
    _drop(away)
    if sum(map(_length, faded)) < FADED_SHARE * _length(tree):
        _drop(faded)


def _drop(elements: list[HtmlElement]) -> None:
    for element in elements:
        element.drop_tree()


def _length(element: HtmlElement) -> int:
    texts = element.itertext("p", "li", "td", "div", "span", "a", "b", "em", "strong", *HEADINGS)
    return sum(map(len, texts))


def _styles(element: HtmlElement, ruled: tuple[Style, ...]) -> tuple[Style, ...]:
    """Return the style that holds for `element`, then those that it may have in another state or window."""
    own = declarations(element.get("style") or "")
    if element.get("bgcolor") or element.tag == "font":
        own = {"background": element.get("bgcolor", ""), "color": element.get("color", ""), **own}
    return tuple({**each, **own} for each in ruled) if own else ruled


def _is_closed(element: HtmlElement, source: str) -> bool:
    """Tell whether the element says itself that it is not on the page."""
    if element.tag == "template":
        return "shadowrootmode" not in element.attrib
    if element.tag == "dialog" and "open" not in element.attrib:
        return True
    hidden = element.get("hidden")
    if hidden is None or hidden.lower() == "until-found":
        return "popover" in element.attrib
    name = element.get("id")
    return not (name and f',"{name}")' in source)  # React streams a part of the page hidden, then a script moves it


def _is_away(style: Style) -> bool:
    """Tell whether neither the element nor anything in it is seen."""
    return bool(style) and (style.get("display") == "none" or _is_outside(style) or _has_no_room(style))


def _is_faded(style: Style) -> bool:
    return "opacity" in style and _number(style["opacity"]) == 0


def _is_outside(style: Style) -> bool:
    shift = _SHIFT.search(style.get("transform", ""))
    moved = [style.get("text-indent", "")]
    if style.get("position") in ("absolute", "fixed"):
        moved += [style.get("left", ""), style.get("top", "")]
        if any((pixels(style.get(side, "")) or 0) <= -FAR for side in ("right", "bottom")):
            return True
    return any((pixels(length) or 0) <= -FAR for length in (*moved, shift[1] if shift else ""))


def _has_no_room(style: Style) -> bool:
    if style.get("position") == "absolute" and _CUT_AWAY.search(style.get("clip", "") + style.get("clip-path", "")):
        return True
    sides = (pixels(style.get("width", "")), pixels(style.get("height", "")))
    return style.get("overflow") == "hidden" and all(side is not None and side <= TINY for side in sides)


def _ink(above: _Ink, style: Style) -> _Ink:
    if not style:
        return above
    return _Ink(
        colour=_ink_colour(above, style),
        paper=_paper(above, style),
        size=_size(above, style.get("font-size", "")),
        visible=style.get("visibility", "visible" if above.visible else "hidden") not in ("hidden", "collapse"),
    )


def _ink_colour(above: _Ink, style: Style) -> Rgb | None:
    return colour(style["color"]) if style.get("color") else above.colour


def _paper(above: _Ink, style: Style) -> Rgb | None:
    told = f"{style.get('background', '')} {style.get('background-color', '')}".strip()
    if not told or is_clear(told) or told in ("none", "inherit", "initial"):
        return above.paper
    return None if "(" in told.replace("rgb(", "").replace("rgba(", "") else colour(told)


def _size(above: _Ink, told: str) -> float:
    if told.endswith(("em", "%")) and not told.endswith("rem"):
        relative = _number(told.rstrip("em%"))
        return above.size if relative is None else above.size * (relative / 100 if told.endswith("%") else relative)
    length = pixels(told)
    return above.size if length is None and told in ("", "inherit", "unset") else 16.0 if length is None else length


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%"))
    except ValueError:
        return None


def _alike(one: Rgb | None, other: Rgb | None) -> bool:
    return one is not None and other is not None and all(abs(a - b) < ALIKE for a, b in zip(one, other, strict=True))


def _blank(element: HtmlElement) -> None:
    """Remove the element's own text; what its children show in a style of their own stays."""
    element.text = None
    for child in element:
        child.tail = None
