"""What MLflow must hold of a job, as a table, and what is wrong with what it holds. Knows none of the code that writes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tests.observe.reading import SeenJob, SeenRun

PARENT_TAGS = {"job_id", "channel_id", "target_url", "outcome", "kind"}
PARENT_PARAMS = {"model", "adapter_name", "prompt_versions", "projects_hash", "app_version"}
PARENT_METRICS = {"total_seconds", "queue_wait_seconds", "time_to_first_sign_seconds"}
USAGE = {"input_tokens", "output_tokens", "total_tokens"}
PROMPT = {"prompt_name", "prompt_version", "content_hash"}


@dataclass(frozen=True)
class Promised:
    """What a stage's nested run and span show."""

    span: str
    kind: str
    tags: Collection[str] = ()
    metrics: Collection[str] = ()
    artifacts: Collection[str] = ()
    attributes: Collection[str] = ()
    inner: dict[str, tuple[str, Collection[str]]] = field(default_factory=dict)
    """Child span → its type and attributes."""


STAGES = {
    "retrieval": Promised(
        span="retrieval.fetch_evidence",
        kind="RETRIEVER",
        tags={"adapter_name", "domain", "coverage"},
        metrics={"snippet_count"},
        artifacts={"evidence.json"},
        attributes={"url", "adapter", "domain", "coverage", "snippet_count"},
    ),
    "stage_a": Promised(
        span="stage_a.run",
        kind="LLM",
        tags={"model", *PROMPT},
        metrics={"tool_call_count", "source_count", *USAGE},
        artifacts={"stage_a_facts.json", "sources.txt"},
        attributes={"model", "tool_calls", "tool_call_count", "sources", "source_count"},
        inner={"search_tool_call": ("TOOL", {"url", "content_length"})},
    ),
    "stage_b": Promised(
        span="stage_b.run",
        kind="LLM",
        tags={"model", *PROMPT},
        metrics=USAGE,
        artifacts={"stage_b_result.json"},
        attributes={"model", "prompt_length"},
    ),
    "quality_gates": Promised(
        span="quality_gates.validate",
        kind="CHAIN",
        metrics={"gate_failures", "gate_total", "gate_pass_rate", "gate_passed", "repair_rounds"},
        attributes={"gate_failures", "gate_total", "gate_pass_rate"},
    ),
    "slack_post": Promised(span="slack.post_message", kind="CHAIN", artifacts={"slack_payload.json"}),
}
"""DESIGN section 3, for a job that went well with a model."""

OPTIONAL = {"failures.txt"}


@dataclass(frozen=True)
class Expected:
    """A job that must be there; `mark` stands in everything that was made of its page and in no other job's."""

    url: str
    channel: str
    ts: str
    mark: str = ""


def faults(expected: Collection[Expected], seen: Collection[SeenJob], marks: str = "") -> list[str]:
    """Return what is wrong with the jobs, a line each: lost, doubled, misplaced, mixed up.

    `marks` is a pattern for the marks of all jobs.
    """
    by_url: dict[str, list[SeenJob]] = {}
    for job in seen:
        by_url.setdefault(job.parent.tags.get("target_url", ""), []).append(job)
    found = [f"unknown job {url}" for url in by_url.keys() - {job.url for job in expected}]
    for job in expected:
        mine = by_url.get(job.url, [])
        if len(mine) != 1:
            found.append(f"{job.url}: {'LOST' if not mine else f'DOUBLED, {len(mine)} parents'}")
        found += [f"{job.url}: {fault}" for one in mine for fault in job_faults(job, one, marks)]
    return found


def job_faults(expected: Expected, seen: SeenJob, marks: str = "") -> Iterator[str]:
    """Yield what is wrong with a job that went well with a model."""
    yield from _parent_faults(expected, seen)
    names = [run.tags.get("stage", "?") for run in seen.nested]
    if sorted(names) != sorted(STAGES):
        yield f"nested runs {sorted(names)}"
    for run in seen.nested:
        yield from _stage_faults(expected, seen, run)
    yield from trace_faults(expected, seen)
    if marks:
        yield from _strangers(expected, seen, marks)


def _parent_faults(expected: Expected, seen: SeenJob) -> Iterator[str]:
    parent, tags = seen.parent, seen.parent.tags
    yield from _missing("parent", "tags", PARENT_TAGS, tags)
    yield from _missing("parent", "params", PARENT_PARAMS, parent.params)
    yield from _missing("parent", "metrics", {*PARENT_METRICS, "total_tokens"}, parent.metrics)
    if parent.name != f"job_{tags.get('job_id')}":
        yield f"the parent's name is {parent.name}"
    if (tags.get("channel_id"), tags.get("kind")) != (expected.channel, "job"):
        yield f"the parent is of channel {tags.get('channel_id')} and kind {tags.get('kind')}"
    if parent.status != "FINISHED":
        yield f"the parent is {parent.status}"
    if not all(parent.start <= run.start <= run.end <= parent.end for run in seen.nested):
        yield "a nested run lies outside its parent's time"
    tokens = sum(run.metrics.get("total_tokens", 0) for run in seen.nested)
    if parent.metrics.get("total_tokens") != tokens:
        yield f"total_tokens {parent.metrics.get('total_tokens')}, its stages have {tokens}"


def _stage_faults(expected: Expected, seen: SeenJob, run: SeenRun) -> Iterator[str]:
    stage = run.tags.get("stage", "?")
    promised = STAGES.get(stage)
    if promised is None:
        return
    yield from _missing(stage, "tags", promised.tags, run.tags)
    yield from _missing(stage, "metrics", {"latency_seconds", *promised.metrics}, run.metrics)
    if {*run.artifacts} - OPTIONAL != set(promised.artifacts):
        yield f"{stage} has the artifacts {sorted(run.artifacts)}"
    if run.tags.get("mlflow.parentRunId") != seen.parent.id:
        yield f"{stage} hangs on another parent"
    if run.name != stage:
        yield f"{stage} is named {run.name}"
    if run.status != "FINISHED":
        yield f"{stage} is {run.status}"
    if (run.tags.get("job_id"), run.tags.get("target_url")) != (seen.parent.tags.get("job_id"), expected.url):
        yield f"{stage} belongs to {run.tags.get('target_url')}"
    for name, text in run.artifacts.items():
        if expected.mark and name not in OPTIONAL | {"sources.txt"} and expected.mark not in text:
            yield f"{stage}: {name} tells nothing of its own page"


def trace_faults(expected: Expected, seen: SeenJob) -> Iterator[str]:
    """Yield what is wrong with the trace: there is one, linked to its run, with the spans of all stages."""
    if len(seen.traces) != 1:
        yield f"{len(seen.traces)} traces"
        return
    (trace,) = seen.traces
    if trace.source_run != seen.parent.id:
        yield f"the trace is linked to run {trace.source_run}"
    if trace.session != f"{expected.channel}:{expected.ts}":
        yield f"the trace is of session {trace.session}"
    roots = [span for span in trace.spans if span.parent is None]
    if [root.name for root in roots] != [seen.parent.name]:
        yield f"root spans {[root.name for root in roots]}"
        return
    for stage, promised in STAGES.items():
        spans = [span for span in trace.spans if span.name == promised.span]
        if len(spans) != 1 or spans[0].kind != promised.kind or spans[0].parent != roots[0].id:
            yield f"{stage} has the spans {[(span.name, span.kind, span.parent) for span in spans]}"
            continue
        yield from _missing(promised.span, "attributes", promised.attributes, spans[0].attributes)
        for name, (kind, attributes) in promised.inner.items():
            children = [span for span in trace.spans if span.name == name and span.parent == spans[0].id]
            if not children or any(child.kind != kind for child in children):
                yield f"{promised.span} has no child {name} of type {kind}"
            for child in children:
                yield from _missing(name, "attributes", attributes, child.attributes)


def _strangers(expected: Expected, seen: SeenJob, marks: str) -> Iterator[str]:
    """Yield where another job's text stands."""
    texts = {f"{run.name}/{name}": text for run in seen.nested for name, text in run.artifacts.items()}
    texts |= {f"span {span.name}": span.content for trace in seen.traces for span in trace.spans}
    for place, text in texts.items():
        if strangers := {*re.findall(marks, text)} - {expected.mark}:
            yield f"MIXED UP: {place} holds {sorted(strangers)}"


def _missing(where: str, what: str, names: Collection[str], there: Collection[str]) -> Iterator[str]:
    if lacking := set(names) - set(there):
        yield f"{where} has no {what} {sorted(lacking)}"
