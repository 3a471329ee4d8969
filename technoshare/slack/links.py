"""Which links a message shares, and what its author sees. Pure; whatever JSON comes, these functions return."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from technoshare.retrieval.urls import canonical_url

MAX_LINKS = 3
"""Links of one message that are read; the others are named in the reply to the last of them."""

_MOST_LINKS = 50  # looked at in one message; nobody reads a longer list of names
_MOST_ELEMENTS = 5_000  # rich_text elements visited; Slack's own limits end far below
_LONGEST_TEXT = 40_000  # characters; Slack cuts a message there

_LINK = re.compile(r"<([^<>|\s]+)(?:\|[^<>]*)?>")
_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_SLACK_PERMALINK = re.compile(r"https?://(?:[^/?#]*\.)?slack\.com/(?:archives|client)/", re.IGNORECASE)
_TOKEN = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")

Json = Mapping[str, Any]
"""An inner event, as Slack sent it."""


def links_of(event: Json) -> tuple[str, ...]:
    """Return the web addresses that a message shares: as posted, in order, each page once, at most 50.

    Taken from the link elements of its rich text, else from the `<url|label>` of its text; never from a label.
    Mail addresses, mentions and links to Slack messages are none.
    """
    return _unique(_rich_text_links(event)) or _unique(_text_links(event))


def text_of(event: Json) -> str:
    """Return the message as its author sees it: labels instead of addresses, people by their id."""
    return _unescaped(_TOKEN.sub(_seen, _raw_text(event)))


def _unique(urls: Iterator[object]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for url in urls:
        if isinstance(url, str) and _is_shared_page(url):
            found.setdefault(canonical_url(url), url)
        if len(found) == _MOST_LINKS:
            break
    return tuple(found.values())


def _is_shared_page(url: str) -> bool:
    return bool(_WEB.match(url)) and not _SLACK_PERMALINK.match(url) and _storable(url) == url


def _rich_text_links(event: Json) -> Iterator[object]:
    waiting = [block for block in _reversed(event.get("blocks")) if _type(block) == "rich_text"]
    for _ in range(_MOST_ELEMENTS):
        if not waiting:
            return
        element = waiting.pop()
        if _type(element) == "link":
            yield element.get("url")
        elif isinstance(element, dict):
            waiting.extend(_reversed(element.get("elements")))


def _reversed(items: object) -> list[Any]:
    return items[::-1] if isinstance(items, list) else []


def _type(element: object) -> object:
    return element.get("type") if isinstance(element, dict) else None


def _text_links(event: Json) -> Iterator[str]:
    return (_unescaped(found[1]) for found in _LINK.finditer(_raw_text(event)))


def _raw_text(event: Json) -> str:
    text = event.get("text")
    return _storable(text[:_LONGEST_TEXT]) if isinstance(text, str) else ""


def _storable(text: str) -> str:
    """Replace lone surrogates: JSON may carry them, a database, a hash or a request may not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _seen(token: re.Match[str]) -> str:
    """Return what Slack shows for one `<…>`."""
    target, label = token[1], token[2]
    if target[0] == "@":
        return target  # people by their id: MLflow is told this text, and no names
    if target[0] == "#":
        return target[0] + (label or target[1:]).removeprefix(target[0])
    return label or target.replace("!", "@", 1 if target[0] == "!" else 0)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
