"""What one person wrote on a site of many: each post is a part of its own, so that nobody is quoted for another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from technoshare.errors import Transient, Unusable
from technoshare.models import Document, Section
from technoshare.ports import Parser
from technoshare.retrieval.snippets import Part

LONGEST = 30_000
"""Characters of one post that are kept: what Stack Exchange lets anybody write."""
LARGEST = 200_000
"""Characters of a post's HTML that are parsed at all."""

Seconds = Annotated[int, Field(ge=0, le=32_503_680_000)]
"""Unix time up to the year 3000: what a calendar can hold."""


def titled(title: str, text: str, language: str = "") -> Document:
    """Return `text` as a document of one section."""
    return Document(text=text, sections=(Section(title=title, start=0, end=len(text)),), language=language)


async def read_post(title: str, source: str, html: str, parser: Parser) -> Part | None:
    """Return a post under its title, from the HTML that an API gave; None when it says nothing that can be read."""
    try:
        found = await parser.parse("fragment", html[:LARGEST].encode(), url=source, charset="utf-8")
    except (Unusable, Transient):
        return None
    text = found.text[:LONGEST].rstrip()
    return Part(source, titled(title, text, found.language)) if text else None


def day(seconds: int) -> str:
    """Return the day of a Unix time as an ISO date; empty for 0, which stands for unknown."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds else ""
