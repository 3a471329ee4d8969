"""What a job leaves behind: the values that its runs, its trace and its checkpoints are made from."""

from __future__ import annotations

from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict, JsonValue

JobId = NewType("JobId", str)
Outcome = Literal["success", "degraded", "failed", "duplicate", "withdrawn"]
SpanKind = Literal["RETRIEVER", "LLM", "TOOL", "CHAIN"]
ContentMode = Literal["full", "metadata", "none"]
"""How much of a job MLflow is told: everything, nothing that anybody wrote, not even addresses."""


class Value(BaseModel):
    """A frozen value without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Assessment(Value):
    """What a check says about the job: passed or not, or a rate; `rationale` is what a person would write about it."""

    name: str
    value: bool | float
    rationale: str = ""


class Record(Value):
    """What a stage's result adds to its nested run and span, and to the trace's assessments.

    Metrics are numbers, tags short text.
    """

    tags: dict[str, str] = {}
    metrics: dict[str, float] = {}
    attributes: dict[str, JsonValue] = {}
    artifacts: dict[str, str] = {}
    """File name → text."""
    assessments: tuple[Assessment, ...] = ()


class Span(Value):
    """One finished span. Ids are hex (16 digits), times are nanoseconds since the epoch."""

    id: str
    parent: str | None
    name: str
    kind: SpanKind
    start: int
    end: int
    status: Literal["ok", "error"] = "ok"
    attributes: dict[str, JsonValue] = {}
    inputs: JsonValue = None
    outputs: JsonValue = None


class Trail(Value):
    """How a stage went: what its nested MLflow run and its part of the trace are made from. Times: unix seconds."""

    started: float
    ended: float
    status: Literal["ok", "error"] = "ok"
    error: str = ""
    record: Record = Record()
    spans: tuple[Span, ...] = ()

    @property
    def seconds(self) -> float:
        """Wall-clock time of the stage."""
        return max(0.0, self.ended - self.started)


class Checkpoint(Value):
    """A stage's result and its trail in one row; a failed stage leaves a trail and no result."""

    result: JsonValue
    trail: Trail


class Result(Value):
    """What a stage returns."""

    def record(self) -> Record:
        """Return what this result contributes to tracking and tracing (see DESIGN, section 3)."""
        return Record()


class ContentPolicy(Value):
    """Which mode counts where."""

    default: ContentMode = "full"
    channels: dict[str, ContentMode] = {}

    def of(self, channel: str) -> ContentMode:
        """Return the channel's mode; where nobody knows the channel, the strictest one counts."""
        if channel:
            return self.channels.get(channel, self.default)
        modes: tuple[ContentMode, ...] = ("none", "metadata", "full")
        return next(mode for mode in modes if mode in (self.default, *self.channels.values()))
