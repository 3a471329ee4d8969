"""Sources of our own making, each with four summaries written by hand before the check was tuned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"
MOST_SHARED = 0.6
"""Of a summary's 4-word sequences; a summary that shares more is a copy, not a paraphrase."""


@dataclass(frozen=True)
class Text:
    """A source with its title and address, and honest summaries of it."""

    title: str
    url: str
    body: str
    summaries: tuple[str, ...]
    held_out: bool

    @property
    def source(self) -> str:
        return f"{self.title}\n{self.url}\n{self.body}"


def read() -> list[Text]:
    """Return all texts; those in `held_out` were never looked at while the check was tuned."""
    return [text for path in sorted(FOLDER.rglob("*.txt")) for text in _texts(path)]


def shared(summary: str, source: str) -> float:
    """Return the share of the summary's 4-word sequences that stand in the source."""
    own, theirs = _fours(summary), set(_fours(source))
    return sum(four in theirs for four in own) / max(1, len(own))


def _texts(path: Path) -> Iterator[Text]:
    for part in re.split(r"^# ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("\n")
        title, url = head.rsplit(" | ", 1)
        body, *summaries = re.split(r"^> ", rest, flags=re.MULTILINE)
        yield Text(title, url, body.strip(), tuple(map(str.strip, summaries)), path.parent.name == "held_out")


def _fours(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return list(zip(words, words[1:], words[2:], words[3:], strict=False))
