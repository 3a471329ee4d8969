"""As much of CSS as it takes to know what a page hides: declarations, lengths, colours, and a small cascade."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml.html import HtmlElement

Style = Mapping[str, str]
"""Property to value, both in lower case."""
Rgb = tuple[int, int, int]

LARGEST_SHEET = 400_000
"""Characters of `<style>` blocks that are looked at; whoever inlines more hides nothing in the rest of it."""

WATCHED = frozenset({
    "display", "visibility", "opacity", "font-size", "color", "background", "background-color", "background-clip",
    "-webkit-background-clip", "position", "left", "top", "right", "bottom", "text-indent", "transform", "clip",
    "clip-path", "width", "height", "overflow",
})  # fmt: skip
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_BRACE = re.compile(r"([{}])")
_SCREEN = re.compile(r"@(?:media\s+(?:all|screen)\s*$|layer|supports)", re.IGNORECASE)
_PRINT = re.compile(r"@(?:media\b.*\bprint|font-face|(?:-\w+-)?keyframes|page)", re.IGNORECASE)
_STEP = re.compile(r"\s*[\s>+~]\s*")
_NAME = re.compile(r"([.#]?)((?:[\w-]|[^\x00-\x7f]|\\.)+)")
_STATE = re.compile(r"(?<!\\)::?[\w-]+(?:\([^()]*\))?|\[[^\]]*\]")
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|ex|ch|vw|vh|%)?")
_UNITS = {"": 1, "px": 1, "pt": 4 / 3, "em": 16, "rem": 16, "ex": 8, "ch": 8, "vw": 12, "vh": 8, "%": 0.16}
"""Pixels each, in a window of 1200 × 800; near enough to tell nothing from something."""
_HEX = re.compile(r"#([0-9a-f]{3,8})\b")
_RGB = re.compile(r"rgba?\(\s*([\d.]+%?)[\s,]+([\d.]+%?)[\s,]+([\d.]+%?)")
_CLEAR = re.compile(r"transparent|rgba?\([^()]*[,/]\s*0?\.?0*%?\s*\)|#[0-9a-f]{3}0\b|#[0-9a-f]{6}00\b")
_NAMES: Mapping[str, Rgb] = {
    "white": (255, 255, 255), "black": (0, 0, 0), "snow": (255, 250, 250), "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245), "ghostwhite": (248, 248, 255), "floralwhite": (255, 250, 240),
    "red": (255, 0, 0), "lime": (0, 255, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0),
    "navy": (0, 0, 128), "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "lightgray": (211, 211, 211), "lightgrey": (211, 211, 211),
}  # fmt: skip
_NAMED = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")


@lru_cache(maxsize=4096)  # a page repeats a few styles on hundreds of elements
def declarations(text: str) -> Style:
    """Return what a `style` attribute or a rule's body declares, as far as it is watched; the last one wins."""
    found: dict[str, str] = {}
    firm: set[str] = set()
    for part in text.lower().split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        plain, important, _ = value.partition("!important")
        if name in WATCHED and (important or name not in firm):
            found[name] = plain.strip()
            if important:
                firm.add(name)
    return found


def _important(text: str) -> Style:
    """Return only the declarations that win over all others."""
    return declarations(";".join(part for part in text.split(";") if "!important" in part))


def pixels(value: str) -> float | None:
    """Return a length in pixels, None for what is no plain length."""
    found = _LENGTH.fullmatch(value.strip())
    return float(found[1]) * _UNITS[found[2] or ""] if found else None


def is_clear(value: str) -> bool:
    """Tell whether a colour is wholly transparent."""
    return bool(_CLEAR.search(value))


def colour(value: str) -> Rgb | None:
    """Return the colour in `value`, None when there is none that can be known."""
    if found := _HEX.search(value):
        digits = found[1] if len(found[1]) > 4 else "".join(digit * 2 for digit in found[1])
        return _rgb(str(int(digits[at : at + 2], 16)) for at in (0, 2, 4)) if len(digits) >= 6 else None
    if found := _RGB.search(value):
        return _rgb(found.groups())
    named = _NAMED.search(value)
    return _NAMES[named[0]] if named else None


def _rgb(channels: Iterator[str] | tuple[str, ...]) -> Rgb:
    red, green, blue = (round(float(each.rstrip("%")) * (2.55 if each.endswith("%") else 1)) for each in channels)
    return red, green, blue


# ---------------------------------------------------------------- the cascade

Names = frozenset[str]
"""What a selector can call an element: `p`, `.note`, `#first`."""


class Rule(NamedTuple):
    """One selector with what it declares; where the outer names stand in relation to each other is not looked at."""

    own: Names
    outer: Names
    style: Style
    rank: tuple[bool, int, int, int]
    """Whether it is important, number of ids, of classes, place in the sheet: the higher one wins."""
    certain: bool
    """False when it depends on a state or a window's width."""


class Sheet:
    """The page's own rules, found by a class or id of the element they are about."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            self._rules[min(rule.own)].append(rule)  # "#" and "." come before every letter
        self._words = frozenset(name for rule in rules for name in (*rule.own, *rule.outer))
        self._names: dict[tuple[str, str | None, str | None], Names] = {}
        self._styles: dict[tuple[Names, Names], tuple[Style, ...]] = {}

    def names(self, element: HtmlElement) -> Names:
        """Return those names of `element` that any rule speaks of."""
        key = (element.tag, element.get("id"), element.get("class"))
        if key not in self._names:
            tag, name, classes = key
            self._names[key] = self._words & {tag, f"#{name}", *(f".{each}" for each in (classes or "").split())}
        return self._names[key]

    def styles(self, names: Names, above: Names) -> tuple[Style, ...]:
        """Return what certainly holds for an element below `above`, then each style that it may have besides."""
        if (names, above) not in self._styles:
            self._styles[names, above] = self._cascade(names, above)
        return self._styles[names, above]

    def _cascade(self, names: Names, above: Names) -> tuple[Style, ...]:
        rules = [rule for name in names for rule in self._rules.get(name, ())]
        rules = sorted(
            (rule for rule in rules if rule.own <= names and rule.outer <= above), key=lambda rule: rule.rank
        )
        holds: dict[str, str] = {}
        for rule in rules:
            holds |= rule.style if rule.certain else {}
        return (holds, *({**holds, **rule.style} for rule in rules if not rule.certain))


def sheet_of(tree: HtmlElement) -> Sheet:
    """Return the rules of the page's `<style>` blocks that are about a class or an id."""
    blocks = [block.text or "" for block in tree.iter("style") if "print" not in (block.get("media") or "")]
    return Sheet(list(_rules(_COMMENT.sub("", "\n".join(blocks)[:LARGEST_SHEET]))))


def _rules(css: str) -> Iterator[Rule]:
    around: list[str] = []
    pieces = _BRACE.split(css)
    for place, (text, brace, body) in enumerate(zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False)):
        if brace == "{":
            head = text.rpartition(";")[2].strip()
            around.append(head)
            if not head.startswith("@") and not any(map(_PRINT.match, around)) and declarations(body):
                certain = all(map(_SCREEN.match, around[:-1]))
                for selector in head.split(","):
                    yield from _rule(selector, body, place, certain=certain)
        elif around:
            around.pop()


def _rule(selector: str, body: str, place: int, *, certain: bool) -> Iterator[Rule]:
    plain, states = _STATE.subn("", selector)
    *outer, own = [_names(step) for step in _STEP.split(plain.strip())]
    if min(own, default="a") >= "a":  # neither a class nor an id
        return
    every = [name for step in (own, *outer) for name in step]
    weight = sum(name[0] == "#" for name in every), sum(name[0] == "." for name in every), place
    for important, style in ((False, declarations(body)), (True, _important(body))):
        if style:
            yield Rule(own, frozenset().union(*outer), style, (important, *weight), certain and not states)


def _names(step: str) -> Names:
    return frozenset(mark + (name.replace("\\", "") if mark else name.lower()) for mark, name in _NAME.findall(step))
