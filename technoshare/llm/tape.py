"""Recorded answers of a model, so that an evaluation can be repeated without it: what was never asked is an error.

An answer is found by everything that the model was sent, never by when it was asked, so the order does not matter. The
delimiters in prompts are random by design; with a tape they are always the same (`NONCE`), or nothing would be found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue

from technoshare.datafile import load_value
from technoshare.errors import ConfigError
from technoshare.llm.wire import Answer, Call, Failed, Finish, Message, Named, Request, ToolResult, Turn, Wire
from technoshare.models import Usage, Value

OpenWire = Callable[..., AbstractAsyncContextManager[Wire]]

NONCE = hashlib.sha256(b"technoshare tape").hexdigest()[:32]
"""Recorded pages are known and frozen: nobody can write one that closes its own block."""


class TapedCall(Value):
    """One tool call."""

    id: str
    name: str
    arguments: str


class TapedAnswer(Value):
    """One answer, without what only the wire that it came over can read."""

    text: str
    finish: Finish
    calls: tuple[TapedCall, ...] = ()
    usage: Usage = Usage()


class TapeFile(Value):
    """A file of answers: key → the answers to the same question, in their order."""

    schema_: Literal["technoshare.tape/1"] = Field(default="technoshare.tape/1", alias="schema")
    model: str
    answers: dict[str, tuple[TapedAnswer, ...]]


def key_of(request: Request) -> str:
    """Return 64 hex digits over all that the model is sent: model, messages, tools, schema and parameters."""
    asked: dict[str, JsonValue] = {
        "model": request.model,
        "turns": [_told(turn) for turn in request.turns],
        "tools": [_named(tool) for tool in request.tools],
        "schema": _named(request.schema) if request.schema else None,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _told(turn: Turn) -> JsonValue:
    match turn:
        case Message():
            return [turn.role, turn.content]
        case ToolResult():
            return ["tool", turn.call_id, turn.text]
        case Answer():
            calls: list[JsonValue] = [[call.id, call.name, call.arguments] for call in turn.tool_calls]
            return ["answer", turn.text, calls]


def _named(named: Named) -> JsonValue:
    return [named.name, dict(named.schema), named.description]


# ---------------------------------------------------------------- playing

NOT_ON_TAPE = "not_on_tape"
"""The obstacle of a question that nobody has recorded an answer to."""


class Player:
    """A wire to nobody: it answers from a tape, each answer once, and counts what is not there."""

    name = "tape"

    def __init__(self, answers: Mapping[str, tuple[TapedAnswer, ...]]) -> None:
        self.misses = 0
        self._left = {key: list(told) for key, told in answers.items()}

    def around(self, open_wire: OpenWire) -> OpenWire:
        """Return how to open this wire instead of one to a server."""
        del open_wire

        @asynccontextmanager
        async def opened(**server: Any) -> AsyncIterator[Wire]:
            del server
            yield self

        return opened

    async def ask(self, request: Request) -> Answer:
        """Return the next recorded answer. Raises `Failed` when there is none: nobody is asked instead."""
        left = self._left.get(key_of(request))
        if not left:
            self.misses += 1
            raise Failed("this question is not on the tape", again="never", obstacle=NOT_ON_TAPE)
        taped = left.pop(0)
        calls = tuple(Call(call.id, call.name, call.arguments) for call in taped.calls)
        return Answer(taped.text, taped.finish, calls, taped.usage)


def load_tape(path: Path) -> TapeFile:
    """Read a tape, or all `.json` tapes of a folder as one. Raises `ConfigError`, also when they are of two models."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    tapes = [load_value(file, TapeFile) for file in files]
    models = {tape.model for tape in tapes}
    if len(models) != 1:
        told = f"tapes of {', '.join(sorted(models))}" if models else "no tape (*.json)"
        raise ConfigError(f"{path}: holds {told}; one model is needed")
    answers: dict[str, tuple[TapedAnswer, ...]] = {}
    for tape in tapes:
        for key, more in tape.answers.items():
            answers[key] = (*answers.get(key, ()), *more)
    return TapeFile(model=models.pop(), answers=answers)


# ---------------------------------------------------------------- recording


@dataclass(frozen=True)
class Taping:
    """Keeps what models answer, for `save`."""

    answers: dict[str, list[TapedAnswer]] = field(default_factory=dict)

    def keep(self, request: Request, answer: Answer) -> None:
        """Add an answer."""
        calls = tuple(TapedCall(id=call.id, name=call.name, arguments=call.arguments) for call in answer.tool_calls)
        taped = TapedAnswer(text=answer.text, finish=answer.finish, calls=calls, usage=answer.usage)
        self.answers.setdefault(key_of(request), []).append(taped)

    def save(self, path: Path, model: str) -> None:
        """Write the tape; an earlier one is replaced at the end, at once."""
        tape = TapeFile(model=model, answers={key: tuple(told) for key, told in sorted(self.answers.items())})
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.write_text(tape.model_dump_json(indent=1, by_alias=True) + "\n", "utf-8")
        unfinished.replace(path)

    def around(self, open_wire: OpenWire) -> OpenWire:
        """Return how to open a wire whose answers are kept."""

        @asynccontextmanager
        async def opened(**server: Any) -> AsyncIterator[Wire]:
            async with open_wire(**server) as wire:
                yield _Kept(wire, self)

        return opened


Tape = Player | Taping
"""What stands between a writer and its servers."""


@dataclass(frozen=True)
class _Kept:
    """A wire that writes down what comes back."""

    wire: Wire
    taping: Taping

    @property
    def name(self) -> str:
        """The wire's own name."""
        return self.wire.name

    async def ask(self, request: Request) -> Answer:
        """Ask, and keep the answer."""
        answer = await self.wire.ask(request)
        self.taping.keep(request, answer)
        return answer
