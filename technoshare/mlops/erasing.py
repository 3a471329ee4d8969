"""A job taken out of MLflow, as far as MLflow can. Imports mlflow: only for what `upload` uses.

Traces are deleted for good. Of runs MLflow's interface offers only the soft deletion, so they are emptied first: no
artifact is left and no tag that says what they were about. `mlflow gc` then removes their skeletons.
"""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities import Run, RunTag, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracing.client import TracingClient

from technoshare.models import JobId

FORGOTTEN = "forgotten"

KEPT_TAGS = frozenset({"job_id", "generation", "kind", "stage", "mlflow.runName", "mlflow.parentRunId"})
"""What makes the skeleton of runs; every other tag, also one of tomorrow, may tell something and is overwritten."""


def erase(client: MlflowClient, traces: TracingClient, uri: str, experiment_id: str, job_id: JobId) -> None:
    """Leave nothing of the job, in none of its generations; it may be repeated."""
    mine = f"tags.job_id = '{job_id}'"
    found = traces.search_traces(locations=[experiment_id], filter_string=mine, include_spans=False)
    if found:  # without ids MLflow would delete all there are
        traces.delete_traces(experiment_id, trace_ids=[trace.info.trace_id for trace in found])
    for run in client.search_runs([experiment_id], mine, run_view_type=ViewType.ALL):
        _empty(client, uri, run)


def _empty(client: MlflowClient, uri: str, run: Run) -> None:
    run_id = run.info.run_id
    get_artifact_repository(run.info.artifact_uri, tracking_uri=uri).delete_artifacts()  # type: ignore[no-untyped-call]  # mlflow's own gap
    if run.info.lifecycle_stage != "active":  # of a deleted run MLflow changes nothing
        client.restore_run(run_id)
    client.log_batch(run_id, tags=[RunTag(name, FORGOTTEN) for name in run.data.tags.keys() - KEPT_TAGS])
    client.delete_run(run_id)
