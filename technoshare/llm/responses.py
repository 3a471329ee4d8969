"""The Responses wire: OpenAI's own and Azure's. Nothing is stored there; every request carries the whole talk."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, JsonValue, TypeAdapter

from technoshare.llm.failures import failing
from technoshare.llm.server import Server
from technoshare.llm.wire import Answer, Call, Failed, Finish, JsonObject, Message, Named, Request, ToolResult, Turn
from technoshare.models import Usage


class ResponsesWire:
    """One attempt at a time; `full` says that the server knows OpenAI's own parameters."""

    name = "responses"

    def __init__(self, server: Server, *, full: bool) -> None:
        self._server = server
        self._full = full

    async def ask(self, request: Request) -> Answer:
        """Ask once. Raises `Failed`."""
        told = await self._server.post("/responses", self._payload(request))
        with failing():
            return _answer(*told)

    def _payload(self, request: Request) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": request.model,
            "input": [item for turn in request.turns for item in _items(turn)],
            "max_output_tokens": request.max_output_tokens,
        }
        if request.tools:
            payload["tools"] = [_tool(tool) for tool in request.tools]
        if request.schema:
            payload["text"] = {"format": _format(request.schema)}
        if request.temperature is not None:
            payload["temperature"] = request.temperature
        if self._full:
            payload["store"] = False
        if self._full and request.tools:
            payload["include"] = ["reasoning.encrypted_content"]  # without it nobody may send thoughts back
        if self._full and request.cache_key:
            payload["prompt_cache_key"] = request.cache_key
        return payload


def _items(turn: Turn) -> tuple[JsonObject, ...]:
    match turn:
        case Message():
            return ({"role": turn.role, "content": turn.content},)
        case ToolResult():
            return ({"type": "function_call_output", "call_id": turn.call_id, "output": turn.text},)
        case Answer():
            return turn.echo


def _tool(tool: Named) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": True,
    }


def _format(schema: Named) -> dict[str, Any]:
    return {"type": "json_schema", "name": schema.name, "schema": schema.schema, "strict": True}


# ---------------------------------------------------------------- the answer: other servers leave much of it out


class _Part(BaseModel):
    type: str = ""
    text: str = ""
    refusal: str = ""


class _Item(BaseModel):
    type: str
    content: tuple[_Part, ...] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = "{}"


class _Details(BaseModel):
    reason: str | None = None


class _Cached(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Cached | None = None


class _Response(BaseModel):
    output: tuple[_Item, ...]
    status: str | None = None
    incomplete_details: _Details | None = None
    usage: _Usage | None = None


_ECHO = TypeAdapter(tuple[dict[str, JsonValue], ...])


def _answer(raw: JsonObject, request_id: str) -> Answer:
    response = _Response.model_validate(raw)
    if response.status == "failed":
        raise Failed("the model server gave up on the request", again="now", obstacle="model_trouble")
    calls = tuple(
        Call(item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"
    )
    parts = [part for item in response.output if item.type == "message" for part in item.content or ()]
    refusal = "".join(part.refusal for part in parts)
    return Answer(
        text=refusal or "".join(part.text for part in parts),
        finish="refusal" if refusal else _finish(response, calls),
        tool_calls=calls,
        usage=_usage(response.usage or _Usage()),
        request_id=request_id,
        echo=_ECHO.validate_python(raw["output"]),
    )


def _finish(response: _Response, calls: tuple[Call, ...]) -> Finish:
    reason = response.incomplete_details.reason if response.incomplete_details else None
    if reason is not None:
        endings: dict[str, Finish] = {"max_output_tokens": "length", "content_filter": "refusal"}
        return endings.get(reason, "other")
    if calls:
        return "tool_calls"
    return "stop" if response.status in {"completed", None} else "other"


def _usage(usage: _Usage) -> Usage:
    details = usage.input_tokens_details or _Cached()
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=details.cached_tokens,
        calls=1,
    )
