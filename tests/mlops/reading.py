"""Reads MLflow back with a client of its own, and compares it with what was told."""

import asyncio
import json
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.store.entities import PagedList

from technoshare.mlops.record import JobRecord


async def delivered(tracker, count: int) -> None:
    """Wait until MLflow has so many entries."""
    async with asyncio.timeout(120):
        while (await tracker.spool.counts())["delivered"] < count:  # noqa: ASYNC110 - nothing in the bot ever waits for it
            await asyncio.sleep(0.05)


def votes(uri: str, record: JobRecord) -> list:
    """Who voted what on the job's comment, with which reason."""
    assessments = MlflowClient(uri).get_trace(record.trace.id).info.assessments
    return sorted((a.source.source_id, a.value, a.rationale) for a in assessments if a.name == "user_feedback")


def everything(uri: str, experiment: str, folder: Path) -> str:
    """All that MLflow can still say about an experiment, deleted runs and every artifact included."""
    client = MlflowClient(uri)
    number = client.get_experiment_by_name(experiment).experiment_id
    runs = client.search_runs([number], run_view_type=ViewType.ALL)
    files = [(run.info.run_id, file.path) for run in runs for file in client.list_artifacts(run.info.run_id)]
    return "\n".join(
        [
            *(trace.to_json() for trace in client.search_traces(locations=[number])),
            *(json.dumps(run.to_dictionary()) for run in runs),
            *(Path(client.download_artifacts(*file, str(folder))).read_text("utf-8") for file in files),
        ]
    )


def read_back(uri: str, experiment: str) -> tuple[MlflowClient, list, list]:
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment).experiment_id
    runs = client.search_runs([found], max_results=50_000)
    traces = client.search_traces(locations=[found], max_results=500)
    while traces.token:
        more = client.search_traces(locations=[found], max_results=500, page_token=traces.token)
        traces = PagedList([*traces, *more], more.token)
    return client, list(runs), traces


def assert_complete(uri: str, experiment: str, *records: JobRecord) -> None:
    """Every run, parent, tag, metric, param, artifact and span of the records, each once, and nothing else."""
    client, runs, traces = read_back(uri, experiment)
    assert len(runs) == sum(len(record.runs) for record in records)
    assert len(traces) == len(records)
    for record in records:
        mine = {run.info.run_name: run for run in runs if run.data.tags["job_id"] == record.job_id}
        parent = mine[record.runs[0].name]
        for told in record.runs:
            assert_run(mine[told.name], told)
            if told is not record.runs[0]:
                assert mine[told.name].data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert_trace(client.get_trace(record.trace.id), record, parent.info.run_id)


def assert_run(run, told) -> None:
    assert run.info.status == told.status
    assert (run.info.start_time, run.info.end_time) == (told.start, told.end)
    assert run.data.tags.items() >= told.tags.items()
    assert run.data.params == told.params
    assert run.data.metrics == pytest.approx(told.metrics)


def assert_trace(trace, record: JobRecord, run_id: str) -> None:
    assert trace.info.trace_metadata["mlflow.sourceRun"] == run_id
    assert trace.info.trace_metadata["mlflow.trace.session"] == record.trace.session
    assert trace.info.tags["mlflow.traceName"] == f"job_{record.job_id}"
    told = {span.id: span for span in record.trace.spans}
    assert len(trace.data.spans) == len(told)
    for span in trace.data.spans:
        mine = told[span.span_id]
        assert (span.name, span.span_type, span.parent_id) == (mine.name, mine.kind, mine.parent)
        assert (span.start_time_ns, span.end_time_ns) == (mine.start, mine.end)
        assert (span.inputs, span.outputs) == (mine.inputs, mine.outputs)
        assert span.attributes.items() >= mine.attributes.items()
