"""A finished job as MLflow will show it: one parent run, a nested run for each stage, one trace. Pure.

The names are the contract of DESIGN section 3; whoever reads our experiments relies on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

from pydantic import Field, JsonValue, ValidationError
from pydantic_core import from_json

from technoshare.models import EXTRACTIVE, Evidence, Job, Outcome, Receipt, Span, Trail, Value
from technoshare.ports import JobTimes

V = TypeVar("V", bound=Value)

LONGEST_TAG = 5_000
"""Characters of an address or error in a tag; MLflow before 3 takes no more, and nobody reads more in a table."""
LONGEST_PREVIEW = 1_000
"""Characters of request and response in MLflow's list of traces; its own client cuts there too."""


class RunRecord(Value):
    """One MLflow run with everything in it. `key` is `job` for the parent, else the stage's name; times: unix ms."""

    key: str
    name: str
    start: int
    end: int
    status: Literal["FINISHED", "FAILED"]
    tags: dict[str, str]
    params: dict[str, str] = Field(default={})
    metrics: dict[str, float] = Field(default={})
    artifacts: dict[str, str] = Field(default={})
    """File name → text."""


class TraceRecord(Value):
    """One MLflow trace; `spans` begins with the root, ids are hex."""

    id: str
    name: str
    spans: tuple[Span, ...]
    request: str
    response: str
    session: str
    user: str
    tags: dict[str, str]


class JobRecord(Value):
    """A finished job on its way to MLflow. `runs` begins with the parent."""

    job_id: str
    generation: int
    runs: tuple[RunRecord, ...] = ()
    trace: TraceRecord | None = None


def record_of(  # noqa: PLR0913 - what is known about a job when it ends, each from another owner
    job: Job,
    times: JobTimes,
    trails: Mapping[str, Trail],
    outcome: Outcome,
    *,
    app_version: str,
    projects_hash: str,
) -> JobRecord:
    """Return everything MLflow is told about the job; `trails` holds the reached stages, in order."""
    end = max([times.received, times.claimed, *(trail.ended for trail in trails.values())])
    params = _params(trails) | {"projects_hash": projects_hash, "app_version": app_version}
    parent = RunRecord(
        key="job",
        name=f"job_{job.id}",
        start=_milliseconds(times.received),
        end=_milliseconds(end),
        status="FAILED" if outcome == "failed" else "FINISHED",
        tags=_job_tags(job) | {"kind": "job", "job_key": job.key[:LONGEST_TAG], "outcome": outcome},
        params=params,
        metrics=_totals(times, trails, end),
    )
    stages = tuple(_stage_run(job, name, trail) for name, trail in trails.items())
    return JobRecord(
        job_id=job.id,
        generation=job.generation,
        runs=(parent, *stages),
        trace=_trace(job, times, trails, outcome, end),
    )


def trace_id(job_id: str, generation: int) -> str:
    """Return the MLflow trace id of a job, so that nobody has to look it up."""
    return f"tr-{_digest('trace', job_id, generation)[:32]}"


def root_span_id(job_id: str, generation: int) -> str:
    """Return the id of the job's root span."""
    return _digest("root", job_id, generation)[:16]


def _digest(what: str, job_id: str, generation: int) -> str:
    return hashlib.sha256(f"technoshare {what} {job_id} {generation}".encode()).hexdigest()


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


# ---------------------------------------------------------------- runs


def _job_tags(job: Job) -> dict[str, str]:
    return {
        "job_id": job.id,
        "generation": str(job.generation),
        "channel_id": job.channel,
        "target_url": job.url[:LONGEST_TAG],
        "mlflow.user": job.user,
        "mlflow.source.name": "technoshare",
    }


def _params(trails: Mapping[str, Trail]) -> dict[str, str]:
    """Return who wrote, through which adapter, from which prompts; what no reached stage knows is left out."""
    tags = [trail.record.tags for trail in trails.values()]
    prompts = [f"{t['prompt_name']}={t['prompt_version']}:{t['content_hash']}" for t in tags if "prompt_name" in t]
    named = {name: next((t[name] for t in reversed(tags) if name in t), "") for name in ("model", "adapter_name")}
    known = {name: value for name, value in named.items() if value}
    return known | {"prompt_versions": ", ".join(prompts) or "none"}


def _totals(times: JobTimes, trails: Mapping[str, Trail], end: float) -> dict[str, float]:
    totals = {"total_seconds": end - times.received, "queue_wait_seconds": times.claimed - times.received}
    if times.first_sign is not None:
        totals["time_to_first_sign_seconds"] = times.first_sign - times.received
    for name in ("total_tokens", "cost_usd"):
        known = [trail.record.metrics[name] for trail in trails.values() if name in trail.record.metrics]
        if known:
            totals[name] = sum(known)
    return {name: max(0.0, value) for name, value in totals.items()}  # clocks of two processes may differ


def _stage_run(job: Job, name: str, trail: Trail) -> RunRecord:
    error = {"error": trail.error[:LONGEST_TAG]} if trail.error else {}
    return RunRecord(
        key=name,
        name=name,
        start=_milliseconds(trail.started),
        end=_milliseconds(trail.ended),
        status="FINISHED" if trail.status == "ok" else "FAILED",
        tags=_job_tags(job) | {"kind": "stage", "stage": name} | trail.record.tags | error,
        metrics=trail.record.metrics | {"latency_seconds": trail.seconds},
        artifacts=trail.record.artifacts,
    )


# ---------------------------------------------------------------- trace


def _trace(job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome, end: float) -> TraceRecord:
    reply = _reply(trails)
    root = Span(
        id=root_span_id(job.id, job.generation),
        parent=None,
        name=f"job_{job.id}",
        kind="CHAIN",
        start=_nanoseconds(times.received),
        end=_nanoseconds(end),
        status="error" if outcome == "failed" else "ok",
        attributes={"job_id": job.id, "outcome": outcome},
        inputs={"url": job.url, "message": job.text},
        outputs={"outcome": outcome, "reply": reply},
    )
    stages = [span for trail in trails.values() for span in _stage_spans(trail)]
    return TraceRecord(
        id=trace_id(job.id, job.generation),
        name=root.name,
        spans=(root, *_rooted(stages, root.id)),
        request=job.url[:LONGEST_PREVIEW],
        response=(reply or outcome)[:LONGEST_PREVIEW],
        session=f"{job.channel}:{job.thread_ts}",
        user=job.user,
        tags={"job_id": job.id, "channel_id": job.channel, "outcome": outcome},
    )


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000  # a float of unix seconds carries no more than microseconds


def _reply(trails: Mapping[str, Trail]) -> str:
    """Return the text form of what was posted, empty when nothing was."""
    receipts = (_parsed(Receipt, trail, "slack_payload.json") for trail in trails.values())
    return next((receipt.message.text for receipt in receipts if receipt), "")


def _parsed(kind: type[V], trail: Trail, artifact: str) -> V | None:
    """Return what an artifact holds; None where there is none, or an older version wrote it in another shape."""
    try:
        return kind.model_validate_json(trail.record.artifacts[artifact])
    except (KeyError, ValidationError):
        return None


def _rooted(spans: Iterable[Span], root: str) -> Iterable[Span]:
    spans = tuple(spans)
    known = {span.id for span in spans}
    return (span if span.parent in known else span.model_copy(update={"parent": root}) for span in spans)


def _stage_spans(trail: Trail) -> Iterable[Span]:
    """Yield the stage's spans in MLflow's vocabulary; what the stage recorded completes its own span, the first."""
    for at, span in enumerate(trail.spans):
        figures: Mapping[str, JsonValue] = trail.record.metrics if at == 0 else {}
        update: dict[str, JsonValue] = {"attributes": span.attributes | _model_attributes(span, figures)}
        if at == 0:
            inputs, outputs = _content(trail)
            update |= {"inputs": span.inputs or inputs, "outputs": span.outputs or outputs}
        yield span.model_copy(update=update)


def _model_attributes(span: Span, figures: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return MLflow's own names for model, tokens and cost, so that it shows and sums them itself."""
    known = {**figures, **span.attributes}
    usage = {name: int(value) for name in _TOKENS if isinstance(value := known.get(name), int | float)}
    model, cost = known.get("model"), known.get("cost_usd")
    found: dict[str, JsonValue] = {}
    if usage:
        found["mlflow.chat.tokenUsage"] = dict(usage)
    if span.kind == "LLM" and model and model != EXTRACTIVE:
        found["mlflow.llm.model"] = model
    if isinstance(cost, int | float):
        found["mlflow.llm.cost"] = {"total_cost": cost}
    return found


_TOKENS = ("input_tokens", "output_tokens", "total_tokens")


def _content(trail: Trail) -> tuple[JsonValue, JsonValue]:
    """Return input and output of a stage's span as far as its artifacts tell: they hold its result."""
    if (evidence := _parsed(Evidence, trail, "evidence.json")) is not None:
        return {"url": evidence.url}, _documents(evidence)
    results = [text for name, text in trail.record.artifacts.items() if name.endswith(".json")]
    return None, from_json(results[0]) if results else None


def _documents(evidence: Evidence) -> list[JsonValue]:
    """Return the snippets in the shape that MLflow shows as retrieved documents."""
    return [
        {
            "page_content": snippet.text,
            "metadata": {"doc_uri": snippet.source, "section": snippet.section, "page": snippet.page},
            "id": snippet.id,
        }
        for snippet in evidence.snippets
    ]
