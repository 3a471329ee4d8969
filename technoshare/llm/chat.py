"""The Chat Completions wire: what every OpenAI-compatible server speaks."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from technoshare.llm.failures import failing
from technoshare.llm.server import Server
from technoshare.llm.wire import Answer, Call, Finish, JsonObject, Message, Named, Request, ToolResult, Turn
from technoshare.models import Usage


class ChatWire:
    """One attempt at a time; `full` says that the server knows OpenAI's own parameters."""

    name = "chat"

    def __init__(self, server: Server, *, full: bool) -> None:
        self._server = server
        self._full = full

    async def ask(self, request: Request) -> Answer:
        """Ask once. Raises `Failed`."""
        told = await self._server.post("/chat/completions", self._payload(request))
        with failing():
            return _answer(*told)

    def _payload(self, request: Request) -> dict[str, Any]:
        cap = "max_completion_tokens" if self._full else "max_tokens"
        payload: dict[str, Any] = {
            "model": request.model,
            "messages": [item for turn in request.turns for item in _items(turn)],
            cap: request.max_output_tokens,
        }
        if request.tools:
            payload["tools"] = [{"type": "function", "function": _tool(tool)} for tool in request.tools]
        if request.schema:
            payload["response_format"] = {"type": "json_schema", "json_schema": _format(request.schema)}
        if request.temperature is not None:
            payload["temperature"] = request.temperature
        if self._full and request.cache_key:
            payload["prompt_cache_key"] = request.cache_key
        return payload


def _items(turn: Turn) -> tuple[JsonObject, ...]:
    match turn:
        case Message():
            return ({"role": turn.role, "content": turn.content},)
        case ToolResult():
            return ({"role": "tool", "tool_call_id": turn.call_id, "content": turn.text},)
        case Answer():
            return turn.echo


def _tool(tool: Named) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.schema, "strict": True}


def _format(schema: Named) -> dict[str, Any]:
    return {"name": schema.name, "schema": schema.schema, "strict": True}


# ---------------------------------------------------------------- the answer: other servers leave much of it out


class _Function(BaseModel):
    name: str
    arguments: str = "{}"


class _ToolCall(BaseModel):
    id: str = ""
    function: _Function


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None
    tool_calls: tuple[_ToolCall, ...] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Cached(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Completion(BaseModel):
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None


_FINISH: dict[str | None, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "refusal",
}


def _answer(raw: JsonObject, request_id: str) -> Answer:
    completion = _Completion.model_validate(raw)
    choice = completion.choices[0]
    calls = _calls(choice.message.tool_calls or ())
    finish = "refusal" if choice.message.refusal else _FINISH.get(choice.finish_reason, "other")
    return Answer(
        text=choice.message.refusal or choice.message.content or "",
        finish=finish,
        tool_calls=calls,
        usage=_usage(completion.usage or _Usage()),
        request_id=request_id,
        echo=(_echo(choice.message.content, calls),),
    )


def _calls(calls: tuple[_ToolCall, ...]) -> tuple[Call, ...]:
    return tuple(
        Call(call.id or f"call_{number}", call.function.name, call.function.arguments)
        for number, call in enumerate(calls)
    )


def _echo(content: str | None, calls: tuple[Call, ...]) -> JsonObject:
    """Return the assistant's message as it has to be repeated before the tools' results."""
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ],
    }


def _usage(usage: _Usage) -> Usage:
    details = usage.prompt_tokens_details or _Cached()
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=details.cached_tokens,
        calls=1,
    )
