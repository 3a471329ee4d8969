"""What a browser's reader does not see, taken out of the tree before any extractor sees it.

Only what the page itself says is known: attributes, inline styles and its own `<style>` blocks. A style sheet elsewhere
may show what looks hidden here, so in doubt a text stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml.html import HtmlElement

from technoshare.retrieval.styles import Names, Rgb, Style, colour, declarations, is_clear, pixels, sheet_of

TINY = 1.0
"""Pixels; no letter can be made out at this size."""
FAR = 500.0
"""Pixels; whatever is moved so far to the left or upwards is meant to be outside the window."""
ALIKE = 12
"""Of 255; colours that differ by less in every channel cannot be told apart."""

WAITING_SHARE = 0.3
"""Of the page's text; what is faint beyond that is no trick but a page that waits for a script or a style sheet."""
WHITE = (255, 255, 255)
CLEAR = (-1, -1, -1)

_ALWAYS_SHOWN = frozenset({"html", "head", "body"})
"""Pages hide their whole body until a script has run, and then show it."""
_NO_TEXT = frozenset({"script", "style", "noscript", "svg", "title"})
_SHIFT = re.compile(r"translate(?:x|y|3d)?\(\s*(-?[\d.]+(?:px|em|rem|vw|vh|%)?)")
_CUT_AWAY = re.compile(r"rect\(\s*(?:[01](?:px)?[,\s]+){3}[01](?:px)?\s*\)|inset\((?:50|100)%|circle\(0")
_COLOURED = re.compile(r"background|bgcolor|\bstylesheet\b", re.IGNORECASE)


PLAIN: tuple[Style, ...] = ({},)
"""What an element is that nobody styles."""


class _Ink(NamedTuple):
    """What an element's own text is written with; children inherit it."""

    colour: Rgb | None
    paper: Rgb | None
    """The background; None when it is not known: a picture, or a style sheet that is not here."""
    size: float
    visible: bool

    @property
    def shows(self) -> bool:
        seen = self.visible and self.size > TINY and self.colour != CLEAR
        return seen and (self.colour is None or self.paper is None or not _alike(self.colour, self.paper))


def strip_hidden(tree: HtmlElement, source: str) -> None:
    """Take out of `tree`, the parsed `source`, every text that is there for parsers only."""
    sheet = sheet_of(tree)
    paper = None if _COLOURED.search(source) else WHITE
    lines: dict[HtmlElement | None, tuple[Names, _Ink]] = {None: (frozenset(), _Ink(None, paper, 16.0, visible=True))}
    away, faded, blank = [], [], []
    for element in tree.iter():
        above, ink = lines[element.getparent()]
        names = sheet.names(element)
        styles = _styles(element, sheet.styles(names, above) if names else PLAIN)
        lines[element] = (above | names if names else above, _ink(ink, styles[0]))
        if element.tag in _ALWAYS_SHOWN:
            continue
        if _is_closed(element, source) or (styles is not PLAIN and all(map(_is_away, styles))):
            away.append(element)
        elif styles is not PLAIN and all(map(_is_faded, styles)):
            faded.append(element)
        elif not any(_ink(ink, style).shows for style in styles):
            blank.append(element)
    _drop(away)
    if (faded or blank) and not _waits(tree, faded, blank):
        _drop(faded)
        for element in blank:
            _blank(element)


def _waits(tree: HtmlElement, faded: list[HtmlElement], blank: list[HtmlElement]) -> bool:
    """Tell whether so much is faint that the page must be one that a script or a style sheet shows later."""
    faint = sum(map(_length, faded)) + sum(map(_own_length, blank))
    return faint >= WAITING_SHARE * _length(tree)


def _drop(elements: list[HtmlElement]) -> None:
    for element in elements:
        element.drop_tree()


def _length(element: HtmlElement) -> int:
    return sum(map(_own_length, element.iter()))


def _own_length(element: HtmlElement) -> int:
    if element.tag in _NO_TEXT:
        return 0
    return len((element.text or "").strip()) + sum(len((child.tail or "").strip()) for child in element)


def _styles(element: HtmlElement, ruled: tuple[Style, ...]) -> tuple[Style, ...]:
    """Return the style that holds for `element`, then those that it may have in another state or window."""
    style, paper = element.get("style"), element.get("bgcolor")
    if not style and not paper and element.tag != "font":
        return ruled
    own = {"background": paper or "", "color": element.get("color") or "", **declarations(style or "")}
    return tuple({**each, **own} for each in ruled)


def _is_closed(element: HtmlElement, source: str) -> bool:
    """Tell whether the element says itself that it is not on the page."""
    if element.tag == "template":
        return "shadowrootmode" not in element.attrib
    if element.tag == "dialog" and "open" not in element.attrib:
        return True
    hidden = element.get("hidden")
    if hidden is None or hidden.lower() == "until-found":
        return "popover" in element.attrib
    name = element.get("id") or ""
    return not (name.startswith("S:") and f'"{name}")' in source)  # React sends it hidden, then a script moves it


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
    told = style.get("color")
    if not told:
        return above.colour
    if is_clear(told):  # letters cut out of a coloured background are seen
        return None if "text" in (style.get("background-clip"), style.get("-webkit-background-clip")) else CLEAR
    return colour(told)


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


def _alike(one: Rgb, other: Rgb) -> bool:
    return all(abs(a - b) < ALIKE for a, b in zip(one, other, strict=True))


def _blank(element: HtmlElement) -> None:
    """Remove the element's own text; what its children show in a style of their own stays."""
    element.text = None
    for child in element:
        child.tail = None
