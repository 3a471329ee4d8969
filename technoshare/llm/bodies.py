"""What a server sends with status 200: an answer's JSON, or one of the things that come in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
from pydantic import JsonValue

from technoshare.llm.failures import failure_told
from technoshare.llm.wire import Failed, JsonObject

_STREAM_STARTS = ("data:", "event:", ": ", "id:")
_COMPLETE = {"response.completed", "response.incomplete"}


def object_in(response: httpx2.Response) -> JsonObject:
    """Return the answer's JSON object. Raises `Failed` that says what came instead."""
    text = response.content.decode("utf-8", "replace").strip()
    if not text:
        raise Failed("the model server sent an empty body", again="now", obstacle="model_empty_body")
    if "text/event-stream" in response.headers.get("content-type", "") or text.startswith(_STREAM_STARTS):
        raise _stream_failure(text)
    if text.startswith("<"):
        raise Failed("a web page came instead of the model's answer", again="now", obstacle="model_web_page")
    value = _json(text)
    if not isinstance(value, dict):
        raise Failed("the model server sent something that is not JSON", again="now", obstacle="model_not_json")
    if error := value.get("error"):  # some proxies say it with a 200
        raise failure_told(error, "in an answer")
    return value


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


# ---------------------------------------------------------------- a stream that nobody asked for


def _stream_failure(text: str) -> Failed:
    """Return what is wrong with a stream: an error in it, its missing end, or that it is one at all."""
    events = list(_events(text))
    for event in events:
        if error := _error(event):
            return failure_told(error, "in a stream")
    if "[DONE]" in text or any(event.get("type") in _COMPLETE for event in events):
        return Failed("the model server streams although it was not asked to", again="never", obstacle="model_stream")
    return Failed("the model's answer came as a stream that broke off", again="now", obstacle="model_stream_cut")


def _events(text: str) -> Iterator[JsonObject]:
    for line in text.splitlines():
        value = _json(line.removeprefix("data:").strip()) if line.startswith("data:") else None
        if isinstance(value, dict):
            yield value


def _error(event: JsonObject) -> JsonValue:
    """Return the error of an event: `{"error": …}`, `{"type": "error", …}`, or a response that failed."""
    if event.get("type") == "error":
        return event.get("error") or event
    response = event.get("response")
    return event.get("error") or (response.get("error") if isinstance(response, dict) else None)
