"""Videos on YouTube: title, channel, description, captions. Nobody here watches a video, and the evidence says so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

from pydantic import BaseModel

from technoshare.aside import aside
from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.api import ask
from technoshare.retrieval.captions import captions_address, read_captions
from technoshare.retrieval.documents import clean
from technoshare.retrieval.language import language_of
from technoshare.retrieval.obstacles import require_success
from technoshare.retrieval.posts import titled
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.urls import canonical_url
from technoshare.retrieval.webpage import LIMITS
from technoshare.text import squeeze

NAME = "YoutubeAdapter"

_WATCH = re.compile(r"https://www\.youtube\.com/watch\?v=[\w-]{11}", re.ASCII)
_OEMBED = "https://www.youtube.com/oembed?url={}&format=json"
_WRITTEN = re.compile(r'"shortDescription":("(?:[^"\\]|\\.){0,20000}")')
"""The whole description, in the data that the page gives its player; the `<meta>` tag holds the first line of it."""
_META = re.compile(r"<meta\s+(?:itemprop|name|property)=\"([\w:]{1,40})\"\s+content=\"([^\"]{0,5000})\"")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Card(BaseModel):
    """What YouTube tells whoever embeds a video."""

    title: str
    author_name: str = ""


@dataclass(frozen=True)
class Watch:
    """What the page of a video says about it; each may be empty."""

    title: str = ""
    description: str = ""
    published: str = ""
    duration: str = ""
    captions: str = ""
    """Their address."""


def matches(url: str) -> bool:
    """Take every form of a video's address; channels and playlists are read as pages."""
    return _WATCH.fullmatch(canonical_url(url)) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return what is written about the video and, as far as YouTube tells, what is said in it.

    Coverage is `metadata`, `partial` with captions; the obstacle is `not_watched` in any case. Raises `Unusable` for a
    video that is private or not there, and `Transient` when neither source answered.
    """
    del parser  # what is used of the page are its player's data, not its text
    home = canonical_url(url)
    card = await _card(home, fetcher)
    watch = await _watch(home, fetcher)
    if not isinstance(card, Card):
        if not watch.title:
            raise card
        card = Card(title=watch.title)
    return await _evidence(url, home, card, watch, await read_captions(watch.captions, home, fetcher))


async def _evidence(url: str, home: str, card: Card, watch: Watch, said: Part | None) -> Evidence:
    language = language_of(watch.description)
    about = [Part(home, titled("Description", watch.description, language))] if watch.description else []
    told = {"kind": "video", "duration": watch.duration}
    return Evidence(
        url=url,
        final_url=home,
        adapter=NAME,
        domain="www.youtube.com",
        title=squeeze(card.title),
        authors=(squeeze(card.author_name),) if card.author_name else (),
        published=watch.published,
        language=(said.document.language if said else "") or language or "en",
        coverage="partial" if said else "metadata",
        obstacle="not_watched",
        snippets=await cut_aside(*about, *([said] if said else [])),
        metadata={name: value for name, value in told.items() if value},
    )


async def _card(home: str, fetcher: Fetcher) -> Card | Unusable | Transient | FetchError:
    """Return title and channel; an error is a value, because the page may do."""
    try:
        return await ask(_OEMBED.format(quote(home, safe="")), Card, fetcher)
    except Unusable:  # 400, 401, 403 and 404 all occur, for reasons that YouTube does not tell apart
        return Unusable("YouTube tells nothing about this video; it may be private or deleted", obstacle="not_found")
    except (Transient, FetchError) as why:
        return why


async def _watch(home: str, fetcher: Fetcher) -> Watch:
    """Return what the page says; for any trouble nothing, because the title is known from elsewhere."""
    try:
        page = await fetcher.get(home, limit=LIMITS["html"])
        require_success(page)
    except (FetchError, Transient, Unusable):
        return Watch()
    return await aside(parse_watch, page.body.decode("utf-8", "replace"))


def parse_watch(source: str) -> Watch:
    """Return what a watch page says about its video; nothing for a page that asks for consent instead."""
    meta = {name: clean(unescape(content)) for name, content in _META.findall(source)}
    written = _WRITTEN.search(source)
    published = _DAY.match(meta.get("datePublished", ""))
    return Watch(
        title=meta.get("title", ""),
        description=clean(_text(written[1])) if written else meta.get("description", ""),
        published=published[0] if published else "",
        duration=_clock(meta.get("duration", "")),
        captions=captions_address(source),
    )


def _text(literal: str) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:
        return ""


def _clock(duration: str) -> str:
    """Return `PT1H2M3S` as `1:02:03`; YouTube writes whole minutes and seconds only, `PT62M3S`."""
    found = re.fullmatch(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,4})S)?", duration)
    if found is None:
        return ""
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    minutes, seconds = minutes + seconds // 60, seconds % 60
    hours, minutes = hours + minutes // 60, minutes % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
