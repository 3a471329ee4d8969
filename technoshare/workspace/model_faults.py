"""Everything a model server can do wrong, by name; any HTTP status from 400 on is such a name too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from technoshare.workspace.model_protocol import Said

# ---------------------------------------------------------------- the model answers badly

_FENCE = "```"
_ANSWERS: dict[str, Callable[[Said], Said]] = {
    "bad_json": lambda said: replace(said, text=said.text[: len(said.text) // 2]),
    "wrong_schema": lambda said: replace(said, text='{"unexpected": true}'),
    "fenced": lambda said: replace(said, text=f"Here it is:\n{_FENCE}json\n{said.text}\n{_FENCE}\nAnything else?"),
    "thinking": lambda said: replace(said, text=f"<think>Perhaps {{so}}?</think>{said.text}"),
    "refusal": lambda said: replace(said, text="I cannot help with that.", calls=(), finish="refusal"),
    "length": lambda said: replace(said, text=said.text[: len(said.text) // 2], calls=(), finish="length"),
    "empty": lambda said: replace(said, text="", calls=()),
}


def worsen(fault: str, said: Said) -> Said:
    """Return what the model says under the fault; a fault of the server leaves it alone."""
    return _ANSWERS[fault](said) if fault in _ANSWERS else said


# ---------------------------------------------------------------- the server answers badly

Body = dict[str, Any]
Send = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]


async def _quota(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    return refuse(429, "You exceeded your current quota.", "insufficient_quota")


async def _html(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    return web.Response(text="<html><body>Sign in to the proxy</body></html>", content_type="text/html")


async def _not_json(request: web.Request, body: Body) -> web.StreamResponse:
    del request
    return web.Response(text=json.dumps(body)[:-9], content_type="application/json")


async def _error_body(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    return web.json_response({"error": {"message": "upstream failed", "code": 502}})  # some proxies say it with a 200


async def _reset(request: web.Request, body: Body) -> web.StreamResponse:
    del body
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _hang(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    await asyncio.Event().wait()  # until the client gives up, which cancels the handler
    raise AssertionError


async def _drip(request: web.Request, body: Body) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "application/json"})
    await response.prepare(request)
    for character in json.dumps(body):
        await response.write(character.encode())
        await asyncio.sleep(0.1)  # slow enough to last for minutes, fast enough to beat a time-out per read
    return response


async def _cut(request: web.Request, body: Body) -> web.StreamResponse:
    text = json.dumps(body).encode()
    response = web.StreamResponse(headers={"content-type": "application/json", "content-length": str(len(text))})
    await response.prepare(request)
    await response.write(text[: len(text) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _too_long(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    return refuse(400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded")


async def _empty_body(request: web.Request, body: Body) -> web.StreamResponse:
    del request, body
    return web.Response(content_type="application/json")


# ---------------------------------------------------------------- streams, which nobody asked for


async def _stream(request: web.Request, body: Body) -> web.StreamResponse:
    del request
    return _events(*_pieces(body), "[DONE]")


async def _stream_cut(request: web.Request, body: Body) -> web.StreamResponse:
    del request
    return _events(*_pieces(body))


async def _stream_error(request: web.Request, body: Body) -> web.StreamResponse:
    del request
    told = {"message": "the backend went away", "code": "server_error", "param": None}
    error: Body = {"error": told} if body["object"] == "chat.completion" else {"type": "error"} | told
    return _events(*_pieces(body), json.dumps(error))


def _pieces(body: Body) -> list[str]:
    """Return the first events of the answer in the API's own form."""
    if body["object"] == "chat.completion":
        delta = {"index": 0, "delta": {"content": '{"facts": ['}, "finish_reason": None}
        return [json.dumps({"object": "chat.completion.chunk", "choices": [delta]})] * 3
    return [json.dumps({"type": "response.output_text.delta", "delta": '{"facts": ['})] * 3


def _events(*events: str) -> web.Response:
    return web.Response(text="".join(f"data: {event}\n\n" for event in events), content_type="text/event-stream")


_SERVER: dict[str, Send] = {
    "quota": _quota,
    "too_long": _too_long,
    "empty_body": _empty_body,
    "stream": _stream,
    "stream_cut": _stream_cut,
    "stream_error": _stream_error,
    "html": _html,
    "not_json": _not_json,
    "error_body": _error_body,
    "reset": _reset,
    "hang": _hang,
    "drip": _drip,
    "cut": _cut,
}

NAMES = (*_ANSWERS, *_SERVER)


def known(fault: str) -> bool:
    """Tell whether there is such a fault."""
    return fault in NAMES or (fault.isdecimal() and 400 <= int(fault) <= 599)


def hides_usage(fault: str) -> bool:
    """Tell whether the client does not learn from the answer what it used."""
    return fault in _SERVER or fault.isdecimal()


def has(body: Body, parameter: str) -> bool:
    """Tell whether a request has a parameter: `tools`, or with the type of an answer's format, `text=json_schema`."""
    name, _, kind = parameter.partition("=")
    if name not in body or not kind:
        return name in body
    return bool(body[name].get("format", body[name]).get("type") == kind)


async def send(
    fault: str, request: web.Request, body: Body, *, retry_after: float, more: Sequence[tuple[str, str]] = ()
) -> web.StreamResponse:
    """Send the answer as the fault would; without a fault of the server, as it is, with `more` headers."""
    if fault in _SERVER:
        return await _SERVER[fault](request, body)
    if fault.isdecimal():
        # Some servers repeat the key in their complaint; whoever logs it must be able to cope.
        said = f"Scripted error for {request.headers.get('authorization', 'nobody')}"
        headers = {"retry-after": f"{retry_after:g}"} if fault == "429" else {}
        return refuse(int(fault), said, f"scripted_{fault}", headers)
    return web.json_response(body, headers={"x-request-id": str(body.get("id", ""))} | dict[str, str](more))


def refuse_parameter(name: str) -> web.Response:
    """Return what OpenAI says to a parameter that a model does not take."""
    return refuse(400, f"Unsupported parameter: '{name}' is not supported.", "unsupported_parameter", param=name)


def refuse(
    status: int, message: str, code: str, headers: dict[str, str] | None = None, param: str | None = None
) -> web.Response:
    """Return an error in OpenAI's form."""
    error = {"message": message, "type": "scripted", "param": param, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)
