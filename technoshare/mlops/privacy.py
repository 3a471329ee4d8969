"""What MLflow is not told: content, as a channel's mode wants it, and secrets, ever.

What is kept is listed here; whatever a stage of tomorrow adds is content until somebody lists it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from technoshare.mlops.record import JobRecord, RunRecord, TraceRecord
from technoshare.mlops.scrubbing import scrubbed
from technoshare.models import Assessment, ContentMode, ContentPolicy, Span, Vote

_ADDRESSES = frozenset({"target_url", "domain", "url", "sources", "provider", "mlflow.llm.provider"})
"""What `none` leaves out besides: where the link leads, and where the model runs."""

_TAGS = frozenset(
    {
        "job_id", "job_key", "generation", "channel_id", "target_url", "kind", "stage", "outcome", "error", "obstacle",
        "adapter_name", "domain", "coverage", "model", "prompt_name", "prompt_version", "content_hash",
        "mlflow.user", "mlflow.source.name", "mlflow.source.git.commit", "mlflow.linkedPrompts",
    }
)  # fmt: skip
_PARAMS = frozenset({"model", "adapter_name", "prompt_versions", "projects_hash", "app_version"})
_ATTRIBUTES = frozenset(
    {
        "job_id", "outcome", "error", "url", "adapter", "domain", "coverage", "sources", "tool_calls",
        "model", "provider", "wire", "finish", "request_id",
        "mlflow.llm.model", "mlflow.llm.provider", "mlflow.llm.cost", "mlflow.chat.tokenUsage",
    }
)  # fmt: skip
_METADATA = frozenset({"mlflow.source.git.commit", "mlflow.trace.tokenUsage", "mlflow.trace.cost"})
_ARTIFACTS: Mapping[ContentMode, frozenset[str]] = {"metadata": frozenset({"sources.txt"}), "none": frozenset()}
_PROMPT = "prompt."
"""Begins the names of trace tags that hold a prompt's version and hash."""

_CLASS = re.compile(r"([A-Z]\w*)(?::|$)")


@dataclass(frozen=True)
class Privacy:
    """How much of whose jobs MLflow is told, and the values of the secret settings, which it never is."""

    content: ContentPolicy = field(default_factory=ContentPolicy)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def record(self, record: JobRecord, channel: str) -> JobRecord:
        """Return what may be known of the record, secrets still in it: `scrub` before it leaves."""
        return reduced(record, self.content.of(channel))

    def scrub(self, record: JobRecord) -> JobRecord:
        """Return the record as it may leave. Takes 10 ms for 200 kB, so it is not done in a job's way."""
        return scrubbed(record, self.secrets)

    def vote(self, vote: Vote) -> Vote:
        """Return the vote as it may leave."""
        return scrubbed(reduced_vote(vote, self.content.of(vote.channel)), self.secrets)


def reduced(record: JobRecord, mode: ContentMode) -> JobRecord:
    """Return what `mode` leaves of a record.

    `metadata` leaves out what people, pages and models wrote, `none` also every artifact, address and domain.
    """
    if mode == "full":
        return record
    runs = tuple(_reduced_run(run, mode) for run in record.runs)
    trace = record.trace and _reduced_trace(record.trace, mode)
    return record.model_copy(update={"runs": runs, "trace": trace})


def reduced_vote(vote: Vote, mode: ContentMode) -> Vote:
    """Return the vote without its reason, unless `mode` is full."""
    return vote if mode == "full" else vote.model_copy(update={"reason": ""})


def _reduced_run(run: RunRecord, mode: ContentMode) -> RunRecord:
    return run.model_copy(
        update={
            "tags": _kept(run.tags, _TAGS, mode),
            "params": _kept(run.params, _PARAMS, mode),
            "artifacts": {name: text for name, text in run.artifacts.items() if name in _ARTIFACTS[mode]},
        }
    )


def _reduced_trace(trace: TraceRecord, mode: ContentMode) -> TraceRecord:
    prompts = frozenset(name for name in trace.tags if name.startswith(_PROMPT))
    return trace.model_copy(
        update={
            "spans": tuple(_reduced_span(span, mode) for span in trace.spans),
            "request": trace.name if mode == "none" else trace.request,
            "response": trace.tags.get("outcome", ""),
            "tags": _kept(trace.tags, _TAGS | prompts, mode),
            "metadata": _kept(trace.metadata, _METADATA, mode),
            "assessments": tuple(_reduced_assessments(trace.assessments)),
        }
    )


def _reduced_span(span: Span, mode: ContentMode) -> Span:
    kept = {name: value for name, value in span.attributes.items() if _is_no_content(name, value, mode)}
    if "error" in kept:
        kept["error"] = _class_of(str(kept["error"]))
    return span.model_copy(update={"attributes": kept, "inputs": None, "outputs": None})


def _is_no_content(name: str, value: JsonValue, mode: ContentMode) -> bool:
    """Tell whether an attribute is a number, or one that is listed and of the shape that we give it."""
    if isinstance(value, bool | int | float):
        return True
    return name in _allowed(_ATTRIBUTES, mode) and (isinstance(value, str) or name.startswith("mlflow."))


def _reduced_assessments(assessments: Iterable[Assessment]) -> Iterable[Assessment]:
    """Yield them without the words that a verdict may quote."""
    return (one.model_copy(update={"rationale": ""}) for one in assessments)


def _kept(texts: Mapping[str, str], names: frozenset[str], mode: ContentMode) -> dict[str, str]:
    kept = {name: text for name, text in texts.items() if name in _allowed(names, mode)}
    if "error" in kept:
        kept["error"] = _class_of(kept["error"])
    if mode == "none" and "job_key" in kept:  # it holds the address; its hash begins with the job's id
        kept["job_key"] = hashlib.sha256(kept["job_key"].encode()).hexdigest()
    return kept


def _allowed(names: frozenset[str], mode: ContentMode) -> frozenset[str]:
    return names - _ADDRESSES if mode == "none" else names


def _class_of(error: str) -> str:
    """Return the class that an error's text begins with: the rest may quote anything."""
    named = _CLASS.match(error)
    return named[1] if named else "error"
