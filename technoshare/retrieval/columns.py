"""The reading order of a PDF page: most files hold their columns one after the other, some hold them line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from pypdfium2 import PdfTextPage

FEWEST_LINES = 3
"""On either side; two lines beside two others may be anything."""
SHORTEST_LINE = 6.0
"""Widths over heights, about 12 letters: the middle cell of a table's column is shorter, a line of prose longer."""
CROSSING = 0.3
"""Share of all lines; when more of them cross the middle there are no columns, but a text with a gap."""
TURNS = 0.3
"""Turns from one side to the other for each line; columns that come one after the other have a few on a page."""
GAP = 4.0
"""Points; no gutter is narrower."""


class Box(NamedTuple):
    """A stretch of one line, in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float


def page_text(page: PdfTextPage) -> str:
    """Return the page's text in reading order, with PDFium's line breaks and marks of hyphens."""
    boxes = [Box(*page.get_rect(number)) for number in range(page.count_rects())]
    gutter = _gutter(boxes)
    if gutter is None or not _mixed(boxes, gutter):
        return str(page.get_text_bounded())
    return "\n".join(_regions(page, boxes, gutter))


def _gutter(boxes: Sequence[Box]) -> float | None:
    """Return the x between two columns of prose, None when there are none."""
    if len(boxes) < 2 * FEWEST_LINES:
        return None
    start, end = min(box.left for box in boxes), max(box.right for box in boxes)
    middle = (start + end) / 2
    candidates = {box.left - GAP / 2 for box in boxes if abs(box.left - middle) < (end - start) / 4}
    found = min(candidates, key=lambda x: (len(_crossing(boxes, x)), abs(x - middle)), default=None)
    if found is None or len(_crossing(boxes, found)) > CROSSING * len(boxes):
        return None
    sides = [box for box in boxes if box.right <= found], [box for box in boxes if box.left >= found]
    return found if all(map(_is_prose, sides)) else None


def _is_prose(boxes: Sequence[Box]) -> bool:
    wide = [(box.right - box.left) / max(1.0, box.top - box.bottom) for box in boxes]
    return len(wide) >= FEWEST_LINES and median(wide) >= SHORTEST_LINE


def _crossing(boxes: Sequence[Box], x: float) -> list[Box]:
    return [box for box in boxes if box.left < x < box.right]


def _mixed(boxes: Sequence[Box], gutter: float) -> bool:
    sides = [box.left >= gutter for box in boxes if not box.left < gutter < box.right]
    return sum(one != other for one, other in pairwise(sides)) > TURNS * len(sides)


def _regions(page: PdfTextPage, boxes: Sequence[Box], gutter: float) -> Iterator[str]:
    """Yield, from the top, lines that cross the gutter and the columns between them, the left one first."""
    ceiling = max(box.top for box in boxes) + GAP
    floor = min(box.bottom for box in boxes) - GAP
    bars = sorted(_crossing(boxes, gutter), key=lambda box: -box.top)
    for bar in (*bars, Box(0, floor, 0, floor)):
        if ceiling > bar.top:
            yield page.get_text_bounded(right=gutter, top=ceiling, bottom=bar.top)
            yield page.get_text_bounded(left=gutter, top=ceiling, bottom=bar.top)
        yield page.get_text_bounded(top=bar.top, bottom=bar.bottom)
        ceiling = bar.bottom
