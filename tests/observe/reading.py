"""Reads an experiment back as any other program would: with MLflow's own client, knowing nothing of the bot."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, Trace

PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class SeenRun:
    """A run with its artifacts' texts by file name; times in unix milliseconds."""

    id: str
    name: str
    status: str
    start: int
    end: int
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    artifacts: dict[str, str]


@dataclass(frozen=True)
class SeenSpan:
    """A span; `content` is its input and output as JSON, times are unix nanoseconds."""

    id: str
    parent: str | None
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, Any]
    content: str


@dataclass(frozen=True)
class SeenTrace:
    """A trace."""

    id: str
    job_id: str | None
    source_run: str | None
    session: str | None
    state: str
    spans: tuple[SeenSpan, ...]


@dataclass(frozen=True)
class SeenJob:
    """A parent run and what hangs on it; traces are found by their tag, so that a wrong link shows."""

    parent: SeenRun
    nested: tuple[SeenRun, ...]
    traces: tuple[SeenTrace, ...]


@dataclass(frozen=True)
class SeenExperiment:
    """All of it; `orphans` are nested runs without a parent here, `strays` traces without one."""

    jobs: tuple[SeenJob, ...]
    orphans: tuple[SeenRun, ...]
    strays: tuple[SeenTrace, ...]

    def faults(self) -> list[str]:
        """Return a line for everything that belongs to nobody."""
        return [
            *(f"run {run.name} of {run.tags.get('target_url')} has no parent" for run in self.orphans),
            *(f"trace {trace.id} belongs to no job" for trace in self.strays),
        ]


def read_experiment(uri: str, name: str) -> SeenExperiment:
    """Read everything; raises `LookupError` when there is no such experiment."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(name)
    if found is None:
        raise LookupError(name)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda run: _run(client, run), _all_runs(client, found.experiment_id)))
        ids = (trace.info.trace_id for trace in _all_traces(client, found.experiment_id))
        traces = list(pool.map(lambda id_: _trace(client.get_trace(id_)), ids))
    jobs = tuple(
        SeenJob(
            run,
            tuple(nested for nested in runs if nested.tags.get(PARENT) == run.id),
            tuple(trace for trace in traces if trace.job_id == run.tags.get("job_id")),
        )
        for run in runs
        if PARENT not in run.tags
    )
    with_parent = {run.id for job in jobs for run in (job.parent, *job.nested)}
    with_job = {trace.id for job in jobs for trace in job.traces}
    return SeenExperiment(
        jobs,
        orphans=tuple(run for run in runs if run.id not in with_parent),
        strays=tuple(trace for trace in traces if trace.id not in with_job),
    )


def _all_runs(client: MlflowClient, experiment: str) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs([experiment], max_results=200, page_token=token)
        yield from page
        if not (token := page.token):
            return


def _all_traces(client: MlflowClient, experiment: str) -> Iterator[Trace]:
    token = None
    while True:
        page = client.search_traces(locations=[experiment], max_results=200, page_token=token, include_spans=False)
        yield from page
        if not (token := page.token):
            return


def _run(client: MlflowClient, run: Run) -> SeenRun:
    return SeenRun(
        id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        start=run.info.start_time,
        end=run.info.end_time or 0,
        tags=dict(run.data.tags),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        artifacts=dict(_artifacts(client, run.info.run_id)),
    )


def _artifacts(client: MlflowClient, run_id: str) -> Iterator[tuple[str, str]]:
    names = [file.path for file in client.list_artifacts(run_id)]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            yield name, Path(client.download_artifacts(run_id, name, folder)).read_text("utf-8")


def _trace(trace: Trace) -> SeenTrace:
    metadata = trace.info.trace_metadata
    return SeenTrace(
        id=trace.info.trace_id,
        job_id=trace.info.tags.get("job_id"),
        source_run=metadata.get("mlflow.sourceRun"),
        session=metadata.get("mlflow.trace.session"),
        state=str(trace.info.state),
        spans=tuple(
            SeenSpan(
                id=span.span_id,
                parent=span.parent_id,
                name=span.name,
                kind=span.span_type,
                start=span.start_time_ns,
                end=span.end_time_ns or 0,
                attributes=dict(span.attributes),
                content=json.dumps([span.inputs, span.outputs], ensure_ascii=False),
            )
            for span in trace.data.spans
        ),
    )
