"""A video's captions, where its page offers them to everybody: what is said in it, still not what it shows."""

from __future__ import annotations

import json
import re
from itertools import groupby

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Document, Section
from technoshare.ports import Fetcher
from technoshare.retrieval.api import ask
from technoshare.retrieval.documents import clean
from technoshare.retrieval.language import language_of
from technoshare.retrieval.snippets import Part
from technoshare.text import squeeze

MINUTES = 5
"""Length of a section: near enough to find the place in the video."""

_TRACKS = re.compile(r'"captionTracks":(?=\[)')
_LONGEST = 100_000  # characters of the list of tracks; a video in forty languages has 30,000
_ADDRESS = re.compile(r"https://www\.youtube\.com/api/timedtext\?[^\s#]{1,1800}")


class _Track(BaseModel):
    address: str = Field(alias="baseUrl")
    kind: str = ""
    """`asr` for what a program has heard; without a full stop, and worse."""


class _Piece(BaseModel):
    utf8: str = ""


class _Event(BaseModel):
    at: int = Field(0, alias="tStartMs", ge=0, le=10**9)
    pieces: tuple[_Piece, ...] = Field((), alias="segs")


class _Captions(BaseModel):
    events: tuple[_Event, ...] = ()


def captions_address(source: str) -> str:
    """Return where a watch page says that its captions lie, those of a person first; empty where it offers none."""
    found = _TRACKS.search(source)
    if found is None:
        return ""
    try:
        listed, _ = json.JSONDecoder().raw_decode(source[found.end() : found.end() + _LONGEST])
        tracks = TypeAdapter(tuple[_Track, ...]).validate_python(listed)
    except (ValueError, RecursionError, ValidationError):
        return ""
    best = sorted(tracks, key=lambda track: track.kind == "asr")
    return best[0].address if best and _ADDRESS.fullmatch(best[0].address) else ""


async def read_captions(address: str, home: str, fetcher: Fetcher) -> Part | None:
    """Return what is said, in sections of five minutes; None for any trouble: YouTube refuses most programs."""
    if not address:
        return None
    try:
        captions = await ask(f"{address}&fmt=json3", _Captions, fetcher)
    except (FetchError, Transient, Unusable):
        return None
    document = _document(captions)
    return Part(home, document) if document.text else None


def _document(captions: _Captions) -> Document:
    text, sections = "", []
    for number, events in groupby(captions.events, key=lambda event: event.at // (MINUTES * 60_000)):
        said = clean(squeeze(" ".join("".join(piece.utf8 for piece in event.pieces) for event in events)))
        if said:
            title = f"Transcript from {number * MINUTES // 60}:{number * MINUTES % 60:02}:00"
            sections.append(Section(title=title, start=len(text), end=len(text) + len(said)))
            text += f"{said}\n"
    return Document(text=text.rstrip(), sections=tuple(sections), language=language_of(text))
