"""The forms that Slack gives things: typed text, messages, event payloads. Pure: values in, plain dicts out."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from technoshare.workspace.identity import APP, BOT_USER, TEAM

Json = dict[str, Any]
"""A JSON object as it travels; what it may hold is Slack's matter."""

_LINK = re.compile(
    r"""(?P<url>https?://[^\s<>"]+)
      | (?P<mail>(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
      | (?P<bare>(?<![\w@./-])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|dev|ai)\b(?:/[^\s<>"]*)?)""",
    re.IGNORECASE | re.VERBOSE,
)
_BARE_URL = re.compile(r"https?://[^\s<>\"|]+")
_MARKUP = re.compile(r"(<[^<>]*>)")


@dataclass(frozen=True)
class Part:
    """A stretch of typed text; `url` is empty where it is no link."""

    text: str
    url: str = ""


def parts(typed: str) -> Iterator[Part]:
    """Cut what a person typed into text and the links that Slack's composer finds in it."""
    end = 0
    for found in _LINK.finditer(typed):
        label = _without_trailing_punctuation(found.group())
        if found.start() > end:
            yield Part(typed[end : found.start()])
        end = found.start() + len(label)
        yield Part(label, _target(str(found.lastgroup), label))
    if end < len(typed):
        yield Part(typed[end:])


def _target(kind: str, label: str) -> str:
    prefix = {"url": "", "mail": "mailto:", "bare": "http://"}[kind]
    return label if label.startswith(prefix) else prefix + label


def _without_trailing_punctuation(url: str) -> str:
    while url[-1] in ".,;:!?'\"*_" or (url[-1] == ")" and url.count(")") > url.count("(")):
        url = url[:-1]
    return url


def escape(text: str) -> str:
    """Escape the three characters that Slack escapes in its text form."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text_form(typed: str) -> str:
    """Return the `text` of a message that a person typed: `&amp;`, `<url>`, `<url|label>`."""
    return "".join(_text_form(part) for part in parts(typed))


def _text_form(part: Part) -> str:
    if not part.url:
        return escape(part.text)
    return f"<{escape(part.url)}>" if part.url == part.text else f"<{escape(part.url)}|{escape(part.text)}>"


def linked(text: str) -> str:
    """Return the stored form of an app's `text`: bare addresses become `<url>`, the rest stays as it was sent."""
    return "".join(piece if _MARKUP.fullmatch(piece) else _link_bare(piece) for piece in _MARKUP.split(text))


def _link_bare(text: str) -> str:
    def link(found: re.Match[str]) -> str:
        url = _without_trailing_punctuation(found.group())
        return f"<{url}>{found.group()[len(url) :]}"

    return _BARE_URL.sub(link, text)


def rich_text(typed: str) -> list[Json]:
    """Return the `blocks` of a message that a person typed: one rich_text block."""
    elements = [_element(part) for part in parts(typed)]
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id(), "elements": [section]}]


def _element(part: Part) -> Json:
    if not part.url:
        return {"type": "text", "text": part.text}
    label = {} if part.url == part.text else {"text": part.text}
    return {"type": "link", "url": part.url, **label}


def block_id() -> str:
    """Return a new id as Slack gives to blocks that have none."""
    return uuid.uuid4().hex[:5]


def envelope_id() -> str:
    """Return the id of one delivery."""
    return str(uuid.uuid4())


def event_id() -> str:
    """Return the id of one event; all its deliveries carry it."""
    return "Ev" + uuid.uuid4().hex[:9].upper()


def callback(event: Json, *, event_id: str, now: float, external: bool) -> Json:
    """Return the `event_callback` payload around an inner event; `now` is unix seconds."""
    authorization = {
        "enterprise_id": None,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "local",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(now),
        "authorizations": [authorization],
        "is_ext_shared_channel": external,
        "event_context": f"4-{event_id}",
    }


def rate_limit_notice(event: Json) -> Json:
    """Return the `app_rate_limited` payload: the one that has no inner event."""
    return {"token": "local", "team_id": TEAM, "api_app_id": APP, **event}


def envelope(payload: Json, *, kind: str, attempt: int) -> Json:
    """Return what goes over the socket; `attempt` 0 is the first delivery."""
    return {
        "envelope_id": envelope_id(),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": kind != "events_api",
        "retry_attempt": attempt,
        "retry_reason": "timeout" if attempt else "",
    }
