"""What travels between the writer and a model server, whichever API the server speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import urlsplit

from pydantic import JsonValue

from technoshare.errors import TechnoShareError, Transient, Unusable
from technoshare.models import Usage

Api = Literal["auto", "responses", "chat"]
Again = Literal["now", "later", "never"]
Finish = Literal["stop", "length", "refusal", "tool_calls", "other"]
JsonObject = dict[str, JsonValue]

OPENAI_URL = "https://api.openai.com/v1"
_AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")


def is_openai(base_url: str) -> bool:
    """Tell whether the address is OpenAI's own (regional hosts too) or Azure's, which know every parameter."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith((".api.openai.com", *_AZURE))


def provider_of(base_url: str) -> str:
    """Return who runs the models there: `openai`, `azure`, or the server's host, since a name would be a guess."""
    host = urlsplit(base_url).hostname or ""
    if not is_openai(base_url):
        return host
    return "azure" if host.endswith(_AZURE) else "openai"


def wire_for(api: Api, base_url: str) -> Literal["responses", "chat"]:
    """Choose the API; `auto` is Responses only where it is complete, since other servers may ignore its schema."""
    if api == "auto":
        return "responses" if is_openai(base_url) else "chat"
    return api


# ---------------------------------------------------------------- a conversation


@dataclass(frozen=True)
class Message:
    """Plain text by one side."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Call:
    """A tool call as the model made it; `arguments` is JSON text that nobody has checked yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ToolResult:
    """What a tool returned for the call `call_id`."""

    call_id: str
    text: str


@dataclass(frozen=True)
class Answer:
    """One answer of a model. `echo` holds the wire's own items, to be sent back unchanged in the next request."""

    text: str
    finish: Finish
    tool_calls: tuple[Call, ...] = ()
    usage: Usage = field(default_factory=Usage)
    request_id: str = ""
    echo: tuple[JsonObject, ...] = ()
    attempts: int = 1


Turn = Message | ToolResult | Answer


@dataclass(frozen=True)
class Named:
    """A JSON schema with the name and the description that the server is told."""

    name: str
    schema: Mapping[str, JsonValue]
    description: str = ""


@dataclass(frozen=True)
class Request:
    """One question. Tools and a schema never travel together: servers drop one of them or refuse both."""

    model: str
    turns: tuple[Turn, ...]
    max_output_tokens: int
    deadline: float
    """Monotonic seconds by which the answer must be there, all attempts included."""
    tools: tuple[Named, ...] = ()
    schema: Named | None = None
    temperature: float | None = None
    cache_key: str = ""
    """The same for requests that begin alike; used where the server has a prompt cache to route to."""

    def __post_init__(self) -> None:
        if self.tools and self.schema:
            raise ValueError("tools and a schema in one request")

    @property
    def tokens(self) -> float:
        """About how many tokens it takes at most, what is asked for included."""
        return sum(map(_length, self.turns)) / 4 + self.max_output_tokens


def _length(turn: Turn) -> int:
    match turn:
        case Message():
            return len(turn.content)
        case ToolResult():
            return len(turn.text)
        case Answer():
            return len(turn.text) + sum(len(call.arguments) for call in turn.tool_calls)


class Wire(Protocol):
    """A way to a model server."""

    @property
    def name(self) -> str:
        """`responses` or `chat`."""

    async def ask(self, request: Request) -> Answer:
        """Return the model's answer, also a refusal or a cut one. Raises `Failed` when there is none."""


class Failed(Exception):
    """No answer; `str` is the plain reason, free of keys and prompt text.

    `again` says what helps: another attempt `now`, the whole job `later`, or `never` the same request.
    """

    def __init__(self, reason: str, *, again: Again, after: float | None = None, obstacle: str = "model") -> None:
        super().__init__(reason)
        self.again = again
        self.after = after
        """Seconds that the server asks to wait."""
        self.obstacle = obstacle
        self.usage = Usage()
        """What the conversation had used when it failed."""

    def for_job(self) -> TechnoShareError:
        """Return what the job is told when nobody else writes."""
        if self.again == "never":
            return Unusable(str(self), obstacle=self.obstacle)
        return Transient(str(self), after=self.after)
