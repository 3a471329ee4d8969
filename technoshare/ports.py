"""What the pipeline needs from the world: protocols, and `Services`, the collaborators of one job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import BaseModel, JsonValue

from technoshare.models import (
    Alert,
    AlreadyShared,
    Checkpoint,
    Click,
    Comment,
    Document,
    Evidence,
    Facts,
    Job,
    JobId,
    JobState,
    Message,
    Outcome,
    Page,
    Project,
    PromptRef,
    Receipt,
    SectionName,
    Share,
    Span,
    SpanKind,
    Submitted,
    Trail,
    Verdict,
    Vote,
)

Clock = Callable[[], float]
"""Unix seconds. Time comes in as an argument, so tests never sleep."""


# ---------------------------------------------------------------- retrieval


class Fetcher(Protocol):
    """The only way to the network for a posted link or for the model."""

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer, whatever its status; redirects are followed, the body is capped at `limit` bytes.

        Raises `FetchRefused` for a forbidden address and `FetchError` for everything that gave no answer.
        """


DocumentKind = Literal["html", "pdf", "latexml", "mediawiki", "fragment", "text"]


class Parser(Protocol):
    """CPU-bound work on hostile bodies, in a process of its own."""

    async def parse(self, kind: DocumentKind, body: bytes, *, url: str, charset: str = "") -> Document:
        """Return what the body says. Raises `Unusable` when it cannot be parsed, also when it takes too long."""


# ---------------------------------------------------------------- models


@dataclass(frozen=True)
class Tool:
    """Something a model may call: `call` takes one validated `arguments` value and returns text for the model."""

    name: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[BaseModel], Awaitable[str]]


@dataclass(frozen=True)
class Repair:
    """What the gates want changed in a comment: `sections` are to be written anew, the others stand."""

    comment: Comment
    failures: tuple[Verdict, ...]
    sections: tuple[SectionName, ...]
    number: int
    """1 or 2; no two requests for the same comment are alike."""


class Writer(Protocol):
    """Whoever writes: a model over one of two wires, or the extractive engine."""

    @property
    def model(self) -> str:
        """Name for tags and for the reply; `extractive` is the keyless engine."""

    async def facts(self, evidence: Evidence, *, tools: Sequence[Tool]) -> Facts:
        """Facts with verbatim quotes, as the model gave them (not yet verified).

        Raises `Transient` when the model may answer later and `Unusable` when its answers cannot be used.
        """

    async def comment(self, evidence: Evidence, facts: Facts, *, repair: Repair | None = None) -> Comment:
        """TLDR, Summary and Projects; errors as in `facts`."""


class Budget(Protocol):
    """What models may cost in a day."""

    @property
    def limited(self) -> bool:
        """Whether there is an end to it."""

    async def spent(self) -> bool:
        """Tell whether nothing is left of today's."""

    async def charge(self, usd: float) -> None:
        """Note what a call has cost, durably; never raises."""


class Unlimited:
    """The budget of whoever has set none."""

    limited = False

    async def spent(self) -> bool:
        """Always have something left."""
        return False

    async def charge(self, usd: float) -> None:
        """Count nothing."""


@dataclass(frozen=True)
class Prompt:
    """A prompt as the model layer uses it; `{{name}}` in the messages is filled by `render`."""

    ref: PromptRef
    messages: tuple[tuple[str, str], ...]
    """(role, template) pairs."""
    model_config: Mapping[str, JsonValue]
    response_format: Mapping[str, JsonValue] = field(default_factory=dict)
    """The JSON schema that the answer has to fit, in the form of Chat Completions."""

    def render(self, **values: str) -> list[dict[str, str]]:
        """Return chat messages; a value is inserted as it is, so braces inside it stay text."""
        filled = []
        for role, template in self.messages:
            parts = template.split("{{")
            text = parts[0]
            for part in parts[1:]:
                name, _, rest = part.partition("}}")
                text += values[name.strip()] + rest
            filled.append({"role": role, "content": text})
        return filled


class PromptBook(Protocol):
    """Where prompts come from."""

    def get(self, name: str) -> Prompt:
        """Return the prompt that is current now; never blocks."""

    def texts(self) -> tuple[str, ...]:
        """Return the words of all prompts in use, which no reply may repeat."""


# ---------------------------------------------------------------- tracking


class ActiveSpan(Protocol):
    """A span while its `with` block runs."""

    def set(self, **attributes: JsonValue) -> None:
        """Add attributes."""

    def io(self, *, inputs: JsonValue = None, outputs: JsonValue = None) -> None:
        """Set what went in or came out; None leaves the earlier value."""

    def fail(self, message: str) -> None:
        """Mark the span as failed."""

    def finished(self) -> tuple[Span, ...]:
        """After the block: this span first, then its descendants."""


class Tracker(Protocol):
    """Observation. It never raises into a job and never waits for a server."""

    def span(self, name: str, kind: SpanKind) -> AbstractContextManager[ActiveSpan]:
        """Open a span below the current one (context variable), in memory only."""

    async def record(self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome) -> None:
        """Keep the finished job durably for MLflow; idempotent by job id and generation."""


@dataclass(frozen=True)
class Health:
    """How work in the background stands, in a few words; `oldest` is the age in seconds of what waits longest."""

    told: str
    oldest: float = 0.0


class Watched(Protocol):
    """Whatever works in the background and can be asked how it stands."""

    async def health(self) -> Health:
        """Say it; never raises."""


class Feedback(Protocol):
    """Where votes on comments go."""

    async def vote(self, vote: Vote) -> None:
        """Keep the vote for MLflow; durable when it returns. It never waits for a server and never raises."""


class Votes(Protocol):
    """Who thinks what of which comment; also of days in which MLflow is away."""

    async def cast(self, click: Click) -> Vote | None:
        """Count a click and return what stands now; durable when it returns. The same button again takes it back.

        None for a click that changes nothing: delivered again, or under a post that is no comment of that job.
        """

    async def explain(self, vote: Vote) -> bool:
        """Give the 👎 its reason; durable when it returns. False when that very vote no longer stands."""

    async def hand_on(self) -> None:
        """Give what is new to whom it concerns, oldest first; what a crash interrupts, the next call gives again."""


class Alerts(Protocol):
    """What an operator is to be told about the comments on the whole."""

    async def look(self) -> tuple[Alert, ...]:
        """Look at the rates and return what is to be said and has not been, oldest first."""


# ---------------------------------------------------------------- jobs


@dataclass(frozen=True)
class JobTimes:
    """Unix seconds of a job's milestones; `first_sign` is when 👀 was set, None when it never was."""

    received: float
    claimed: float
    first_sign: float | None


Send = Callable[[], Awaitable[Receipt]]
Find = Callable[[float], Awaitable[Receipt | None]]
"""Takes the unix time of the reservation; looks for the post that an ambiguous send may have made."""


class Claim(Protocol):
    """One claimed job and its fenced, durable memory. Every write raises `ClaimLost` once a newer claim exists."""

    @property
    def job(self) -> Job:
        """The job."""

    async def load(self, stage: str) -> Checkpoint | None:
        """Return the stage's checkpoint of this generation."""

    async def save(self, stage: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; durable when it returns."""

    async def checkpoints(self) -> dict[str, Checkpoint]:
        """Return all checkpoints of this generation, in the order of their stages' start."""

    async def times(self) -> JobTimes:
        """Return the milestones so far."""

    async def once(self, token: str, send: Send, find: Find) -> Receipt:
        """Reserve, send, record: one receipt for `token`, ever; look with `find` before sending again."""


Answer = Callable[[Claim], Awaitable[None]]
GiveUp = Callable[[Claim, str], Awaitable[None]]
"""Tells the thread, before the engine marks the job dead."""


class JobEngine(Protocol):
    """Durable jobs."""

    async def submit(self, job: Job, *, run_at: float | None = None, priority: int = 0) -> Submitted:
        """Store the job; durable when it returns. A known key changes nothing."""

    async def signed(self, job_id: JobId, at: float) -> None:
        """Note when the first sign of life (👀) stood; a later note changes nothing."""

    async def serve(
        self, answer: Answer, give_up: GiveUp, *, workers: int, stopping: asyncio.Event, drain: float
    ) -> None:
        """Work until `stopping` is set, then give the workers `drain` seconds and hand the rest back at no cost."""

    async def retry(self, job_id: JobId, *, generation: int | None = None) -> bool:
        """Start a new generation of a job that ended (in `generation`); False when it has not, or is unknown."""

    async def cancel(self, job_id: JobId) -> bool:
        """End a job that waits, without a reply; False when it does not wait, or is unknown."""

    async def counts(self) -> dict[JobState, int]:
        """Return how many jobs are in each state."""


class Shares(Protocol):
    """The ledger of what was shared and answered; never pruned, only forgotten."""

    async def earlier(self, job: Job, final_url: str = "") -> AlreadyShared | None:
        """Return the earlier share of the same page in this channel; atomically note this one when there is none.

        Asked first about the posted address, then about `final_url`, to which it led.
        """

    async def add(self, share: Share) -> None:
        """Complete this job's line; a failed one no longer counts as shared."""


class Messages(Protocol):
    """What became of the messages that hold the links."""

    async def withdraw(self, channel: str, ts: str) -> None:
        """Note that a message was deleted: what has not been answered in its thread never will be."""

    async def withdrawn(self, job: Job) -> bool:
        """Tell whether the message that holds the job's link was deleted."""

    async def waiting(self, channel: str, since: float) -> set[str]:
        """Return the ts of the messages, from unix time `since` on, of which a link is not answered yet."""

    async def ends(self, channel: str, ts: str) -> tuple[Outcome | None, ...]:
        """Return how each link of a message ended; None for one that is still waiting or worked on."""

    async def unsigned(self) -> tuple[tuple[str, str, bool], ...]:
        """Return channel and ts of the messages whose last sign is missing, and whether a link was tried anew."""

    async def note_sign(self, channel: str, ts: str) -> None:
        """Note that the sign of a message's end stands, or that Slack takes none."""


class Looks(Protocol):
    """Up to where each channel was read back."""

    async def last(self, channel: str) -> float | None:
        """Return the time up to which everything in the channel was looked at; None when it never was."""

    async def note(self, channel: str, at: float) -> None:
        """Keep the time durably; an earlier one than before changes nothing."""


# ---------------------------------------------------------------- Slack


class Poster(Protocol):
    """Posts the one reply of the claimed job."""

    async def post(self, job: Job, message: Message) -> Receipt:
        """Post into the job's thread, once.

        Raises `Transient` (park), `Unusable` (Slack refuses for good: channel gone, not a member, …).
        """


class Previews(Protocol):
    """The last resort where a page cannot be read."""

    async def of(self, job: Job) -> str:
        """Return what Slack's own servers saw of the job's link, empty when they saw nothing; never raises."""


class NoPreviews:
    """Where there is no Slack."""

    async def of(self, job: Job) -> str:  # noqa: ARG002 - the protocol's
        """Return nothing."""
        return ""


@dataclass(frozen=True)
class Private:
    """What no reply may repeat: the words of our prompts, and the values of secret settings."""

    prompts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Services:
    """The collaborators of one job; `dataclasses.replace` makes one job's own from the shared ones."""

    fetcher: Fetcher
    parser: Parser
    writer: Writer
    poster: Poster
    tracker: Tracker
    projects: tuple[Project, ...]
    clock: Clock
    previews: Previews = field(default_factory=NoPreviews)
    language: str = "en"
    """Of comments that a model writes."""
    private: Private = field(default_factory=Private)
