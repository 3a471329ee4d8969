"""What is sent instead when a server refuses a parameter by name: capabilities are tried out, not looked up.

Servers and models differ, and any table of them is out of date; what is refused once is not sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openai import APIStatusError

from technoshare.llm.wire import JsonObject

Payload = dict[str, Any]

_REFUSALS = {400, 404, 422, 501}
_UNWILLING = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|not (?:allowed|permitted|available|enabled)|extra|requires?\b|must be",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Concession:
    """A change to the payload; `names` is how servers call what they refuse, `fits` whether there is such a thing."""

    names: re.Pattern[str]
    fits: Callable[[Payload], bool]
    change: Callable[[Payload], Payload]


def adapted(payload: JsonObject, made: Sequence[Concession]) -> JsonObject:
    """Return the payload after these concessions, as far as they concern it."""
    for concession in made:
        payload = concession.change(payload) if concession.fits(payload) else payload
    return payload


def conceded(refusal: APIStatusError, payload: JsonObject, known: Sequence[Concession]) -> Concession | None:
    """Return the first concession that answers the refusal; None when it is about something else."""
    return next((one for one in known if one.fits(payload) and _is_about(refusal, one)), None)


def _is_about(refusal: APIStatusError, concession: Concession) -> bool:
    if refusal.status_code not in _REFUSALS:
        return False
    if refusal.param:  # a server that points at what it refuses means nothing else
        return bool(concession.names.match(str(refusal.param)))
    return bool(concession.names.search(refusal.message) and _UNWILLING.search(refusal.message))


# ---------------------------------------------------------------- the changes


def _without(name: str, names: str) -> Concession:
    return Concession(
        re.compile(names, re.IGNORECASE),
        lambda payload: name in payload,
        lambda payload: {key: value for key, value in payload.items() if key != name},
    )


def _renamed(old: str, new: str) -> Concession:
    return Concession(
        re.compile(rf"{old}\b"),
        lambda payload: old in payload,
        lambda payload: {(new if key == old else key): value for key, value in payload.items()},
    )


def _unstrict(tool: Payload) -> Payload:
    function = tool.get("function")
    inner = {"function": _unstrict(function)} if isinstance(function, dict) else {}
    return {key: value for key, value in tool.items() if key != "strict"} | inner


_STRICT_TOOLS = Concession(
    re.compile(r"tools\b.*strict|^\W*strict", re.IGNORECASE),
    lambda payload: "strict" in str(payload.get("tools", "")),
    lambda payload: payload | {"tools": [_unstrict(tool) for tool in payload["tools"]]},
)
_THINKING_TOOLS = Concession(
    re.compile(r"reasoning_effort|reasoning\.effort"),  # some models take tools in chat only when they do not reason
    lambda payload: "tools" in payload and "reasoning_effort" not in payload,
    lambda payload: payload | {"reasoning_effort": "none"},
)
_ANY_TOOLS = r"tools?\b|tool.?choice|function.?call"
_ANY_FORMAT = r"response_format|json_schema|json_object|text\.format|structured"

CHAT = (
    _without("temperature", r"temperature\b"),
    _without("prompt_cache_key", r"prompt_cache_key"),
    _renamed("max_tokens", "max_completion_tokens"),
    _renamed("max_completion_tokens", "max_tokens"),
    _THINKING_TOOLS,
    _STRICT_TOOLS,
    _without("tools", _ANY_TOOLS),
    Concession(
        re.compile(_ANY_FORMAT, re.IGNORECASE),
        lambda payload: payload.get("response_format", {}).get("type") == "json_schema",
        lambda payload: payload | {"response_format": {"type": "json_object"}},
    ),
    _without("response_format", _ANY_FORMAT),
)
"""In the order in which they are tried. A cap on the output may change its name and never goes."""

RESPONSES = (
    _without("temperature", r"temperature\b"),
    _without("prompt_cache_key", r"prompt_cache_key"),
    _without("include", r"include\b|encrypted.content"),
    _without("store", r"store\b"),
    _STRICT_TOOLS,
    _without("tools", _ANY_TOOLS),
    Concession(
        re.compile(_ANY_FORMAT + r"|text\b", re.IGNORECASE),
        lambda payload: payload.get("text", {}).get("format", {}).get("type") == "json_schema",
        lambda payload: payload | {"text": {"format": {"type": "json_object"}}},
    ),
    _without("text", _ANY_FORMAT + r"|text\b"),
)
