"""A finished job as MLflow will show it: one parent run, a nested run for each stage, one trace. Pure.

The names are the contract of DESIGN section 3; whoever reads our experiments relies on them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from technoshare.mlops.spans import counted, job_usage, parsed, rooted, stage_spans
from technoshare.models import Assessment, Job, Outcome, Receipt, Span, Trail, Value
from technoshare.ports import JobTimes

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
    metadata: dict[str, str] = Field(default={})
    """As tags, but nobody can change them later."""
    assessments: tuple[Assessment, ...] = ()


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
    trails = {name: counted(trail) for name, trail in trails.items()}
    end = max([times.received, times.claimed, *(trail.ended for trail in trails.values())])
    params = _params(trails) | {"projects_hash": projects_hash, "app_version": app_version}
    parent = RunRecord(
        key="job",
        name=f"job_{job.id}",
        start=_milliseconds(times.received),
        end=_milliseconds(end),
        status="FAILED" if outcome == "failed" else "FINISHED",
        tags=_job_tags(job)
        | {"kind": "job", "job_key": job.key[:LONGEST_TAG], "outcome": outcome}
        | _commit(app_version),
        params=params,
        metrics=_totals(times, trails, end),
    )
    stages = tuple(_stage_run(job, name, trail) for name, trail in trails.items())
    return JobRecord(
        job_id=job.id,
        generation=job.generation,
        runs=(parent, *stages),
        trace=_trace(job, times, trails, outcome, end, commit=_commit(app_version)),
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


def _commit(app_version: str) -> dict[str, str]:
    """Return MLflow's tag for the commit that a version such as `0.1.0+3ac1cf4d2b11` ends in."""
    _, _, commit = app_version.partition("+")
    return {"mlflow.source.git.commit": commit} if commit else {}


def _params(trails: Mapping[str, Trail]) -> dict[str, str]:
    """Return who wrote, through which adapter, from which prompts; what no reached stage knows is left out."""
    tags = [trail.record.tags for trail in trails.values()]
    prompts = [f"{name}={version}:{digest}" for name, (version, digest) in _prompts(trails.values()).items()]
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
        tags=_job_tags(job) | {"kind": "stage", "stage": name} | trail.record.tags | _linked([trail]) | error,
        metrics=trail.record.metrics | {"latency_seconds": trail.seconds},
        artifacts=trail.record.artifacts,
    )


# ---------------------------------------------------------------- prompts


def _prompts(trails: Iterable[Trail]) -> dict[str, tuple[str, str]]:
    """Return version and hash of the prompts that the stages were given."""
    told = [trail.record.tags for trail in trails if "prompt_name" in trail.record.tags]
    return {tags["prompt_name"]: (tags["prompt_version"], tags["content_hash"]) for tags in told}


def _linked(trails: Iterable[Trail]) -> dict[str, str]:
    """Return MLflow's own tag for prompts in its registry: its pages lead from there to the prompt's version."""
    versions = {name: version for name, (version, _) in _prompts(trails).items() if version.isdecimal()}
    linked = [{"name": name, "version": version} for name, version in versions.items()]
    return {"mlflow.linkedPrompts": json.dumps(linked)} if linked else {}


# ---------------------------------------------------------------- trace


def _trace(  # noqa: PLR0913 - see `record_of`
    job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome, end: float, *, commit: dict[str, str]
) -> TraceRecord:
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
    stages = [span for trail in trails.values() for span in stage_spans(trail)]
    return TraceRecord(
        id=trace_id(job.id, job.generation),
        name=root.name,
        spans=(root, *rooted(stages, root.id)),
        request=job.url[:LONGEST_PREVIEW],
        response=(reply or outcome)[:LONGEST_PREVIEW],
        session=f"{job.channel}:{job.thread_ts}",
        user=job.user,
        tags={"job_id": job.id, "channel_id": job.channel, "outcome": outcome}
        | {f"prompt.{name}": ":".join(version) for name, version in _prompts(trails.values()).items()}
        | _linked(trails.values()),
        metadata={name: json.dumps(sums) for name, sums in job_usage(trails.values()).items()} | commit,
        assessments=tuple(one for trail in trails.values() for one in trail.record.assessments),
    )


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000  # a float of unix seconds carries no more than microseconds


def _reply(trails: Mapping[str, Trail]) -> str:
    """Return the text form of what was posted, empty when nothing was."""
    receipts = (parsed(Receipt, trail, "slack_payload.json") for trail in trails.values())
    return next((receipt.message.text for receipt in receipts if receipt), "")
