"""The two APIs of OpenAI as a server sees them: requests are read and checked, answers are put into form."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Value = Any
"""Anything that JSON can say."""

Finish = Literal["stop", "length", "refusal", "tool_calls"]
_ids = itertools.count(1)


@dataclass(frozen=True)
class Asked:
    """What a request of either API asks for."""

    model: str
    prompt: str
    """The text of all messages."""
    rounds: int
    """How many times tools were called before."""
    tools: Mapping[str, Value] = field(default_factory=dict)
    """Name → schema of the arguments."""
    schema_name: str = ""
    schema: Mapping[str, Value] | None = None

    @property
    def kind(self) -> str:
        """`tools`, the schema's name (`facts`, `comment`, …), or `text`."""
        return "tools" if self.tools else self.schema_name or "text"


@dataclass(frozen=True)
class Said:
    """What the model says: a text, or calls of tools as (name, JSON arguments)."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: Finish = "stop"


class BadRequest(Exception):
    """The server refuses the request with a 400; `str` is its message."""


def tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // 4)


# ---------------------------------------------------------------- what OpenAI refuses


def check(asked: Asked) -> None:
    """Raise `BadRequest` for tools together with a schema, and for a schema that strict mode would not take."""
    if asked.tools and asked.schema is not None:
        raise BadRequest("tools and a response format in one request")
    for name, schema in [*asked.tools.items(), *([(asked.schema_name, asked.schema)] if asked.schema else [])]:
        if schema.get("type") != "object":
            raise BadRequest(f"Invalid schema for '{name}': the root must be an object")
        _check_strict(schema, name)


def _check_strict(node: Value, path: str) -> None:
    if isinstance(node, list):
        for number, item in enumerate(node):
            _check_strict(item, f"{path}.{number}")
    if not isinstance(node, dict):
        return
    if node.get("type") == "object":
        if node.get("additionalProperties") is not False:
            raise BadRequest(f"Invalid schema for '{path}': 'additionalProperties' is required to be false")
        if set(node.get("required", ())) != set(node.get("properties", {})):
            raise BadRequest(f"Invalid schema for '{path}': 'required' must name every property")
    if "default" in node and not isinstance(node["default"], dict):
        raise BadRequest(f"Invalid schema for '{path}': 'default' is not permitted")
    for key, value in node.items():
        _check_strict(value, f"{path}.{key}")


def _check_results(called: Sequence[str], answered: Sequence[str]) -> None:
    if sorted(called) != sorted(answered):
        raise BadRequest(f"tool calls {sorted(called)} and tool results {sorted(answered)} do not match")


def _words(content: Value) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


# ---------------------------------------------------------------- Chat Completions


class Chat:
    """`/v1/chat/completions`."""

    name = "chat"

    @staticmethod
    def read(body: Mapping[str, Value]) -> Asked:
        """Return what is asked. Raises `BadRequest`, `KeyError` or `TypeError` for a body that is not a request."""
        messages = body["messages"]
        calls = [call["id"] for message in messages for call in message.get("tool_calls", ())]
        _check_results(calls, [message["tool_call_id"] for message in messages if message["role"] == "tool"])
        described = body.get("response_format", {}).get("json_schema", {})
        return Asked(
            model=body["model"],
            prompt="\n".join(_words(message.get("content")) for message in messages),
            rounds=sum("tool_calls" in message for message in messages),
            tools={tool["function"]["name"]: tool["function"]["parameters"] for tool in body.get("tools", ())},
            schema_name=described.get("name", ""),
            schema=described.get("schema"),
        )

    @staticmethod
    def write(asked: Asked, said: Said) -> dict[str, Value]:
        """Return the answer's body."""
        number = next(_ids)
        refused = said.finish == "refusal"
        message: dict[str, Value] = {
            "role": "assistant",
            "content": None if refused or said.calls else said.text,
            "refusal": said.text if refused else None,
        }
        if said.calls:
            message["tool_calls"] = [
                {"id": f"call_{number}_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for n, (name, arguments) in enumerate(said.calls)
            ]
        inward, outward = tokens(asked.prompt), tokens(said.text)
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop" if refused else said.finish}],
            "usage": {
                "prompt_tokens": inward,
                "completion_tokens": outward,
                "total_tokens": inward + outward,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        }


# ---------------------------------------------------------------- Responses


class Responses:
    """`/v1/responses`."""

    name = "responses"

    @staticmethod
    def read(body: Mapping[str, Value]) -> Asked:
        """Return what is asked; errors as in `Chat.read`."""
        given = body["input"]
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
        outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        _check_results(calls, outputs)
        reasoned = [item for item in items if item.get("type") == "reasoning"]
        if bool(calls) != bool(reasoned) or not all(item.get("encrypted_content") for item in reasoned):
            raise BadRequest("a function_call was provided without its required reasoning item")
        described = body.get("text", {}).get("format", {})
        return Asked(
            model=body["model"],
            prompt="\n".join(_words(item.get("content") or item.get("output")) for item in items),
            rounds=len(reasoned),
            tools={tool["name"]: tool["parameters"] for tool in body.get("tools", ())},
            schema_name=described.get("name", ""),
            schema=described.get("schema"),
        )

    @staticmethod
    def write(asked: Asked, said: Said) -> dict[str, Value]:
        """Return the answer's body."""
        number = next(_ids)
        cut = said.finish == "length"
        inward, outward = tokens(asked.prompt), tokens(said.text)
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 0,
            "model": asked.model,
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "error": None,
            "output": _calling(said, number) if said.calls else [_message(said, number)],
            "usage": {
                "input_tokens": inward,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": outward,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": inward + outward,
            },
        }


def _calling(said: Said, number: int) -> list[dict[str, Value]]:
    thought = {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": f"sealed-{number}"}
    return [thought] + [
        {
            "type": "function_call",
            "id": f"fc_{number}_{n}",
            "call_id": f"call_{number}_{n}",
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for n, (name, arguments) in enumerate(said.calls)
    ]


def _message(said: Said, number: int) -> dict[str, Value]:
    refused = said.finish == "refusal"
    part = {"type": "refusal", "refusal": said.text} if refused else {"type": "output_text", "text": said.text}
    return {
        "type": "message",
        "id": f"msg_{number}",
        "role": "assistant",
        "status": "completed",
        "content": [part | ({} if refused else {"annotations": []})],
    }
