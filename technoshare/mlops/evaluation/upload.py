"""An evaluation as one MLflow run with a trace for every epoch. Imports mlflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import (
    Assessment,
    AssessmentSource,
    AssessmentSourceType,
    Feedback,
    Metric,
    Param,
    RunTag,
    TraceInfo,
)
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracing.client import TracingClient

from technoshare.mlops.evaluation.results import Epoch, Results
from technoshare.mlops.record import RunRecord, TraceRecord
from technoshare.mlops.replay import Away
from technoshare.mlops.upload import mlflow_span, trace_info

ARTIFACTS = Path("mlartifacts")
"""The folder of `make mlflow`."""
SECONDS = 180.0
"""For all of it: a server that answers, but slowly, must not hold up who waits for the verdict."""


class Upload:
    """A connection to one MLflow server or database and one experiment."""

    def __init__(self, uri: str, experiment: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect; whatever mlflow raises comes out, here and in `send`."""
        self._uri, self._clock = uri, clock
        self._deadline = clock() + SECONDS
        self._client = MlflowClient(tracking_uri=uri)
        self._traces = TracingClient(uri)
        found = self._client.get_experiment_by_name(experiment)
        if found is not None and found.lifecycle_stage != "active":
            raise Away(f"its experiment {experiment!r} is deleted; restore it")
        self._experiment = str(found.experiment_id) if found else self._create(experiment)

    def _create(self, experiment: str) -> str:
        """Create the experiment; in a file of our own its artifacts lie where `make mlflow` would put them."""
        place = (ARTIFACTS / experiment).absolute().as_uri() if self._in_file else None
        return str(self._client.create_experiment(experiment, artifact_location=place))

    @property
    def _in_file(self) -> bool:
        return self._uri.startswith("sqlite:")

    def _place(self, artifact_uri: str) -> str:
        """Return where a run's artifacts go; a location that only a server can resolve is found in its folder."""
        served = "mlflow-artifacts:"
        if self._in_file and artifact_uri.startswith(served):
            return (ARTIFACTS / artifact_uri.removeprefix(served).lstrip("/")).absolute().as_uri()
        return artifact_uri

    def send(self, run: RunRecord, files: Sequence[Path], traces: Sequence[TraceRecord], results: Results) -> str:
        """Write everything and return the run's id. The run ends last: one that is not RUNNING is complete."""
        tags = {name: value for name, value in run.tags.items() if value}
        created = self._client.create_run(self._experiment, start_time=run.start, run_name=run.name, tags=tags)
        run_id = str(created.info.run_id)
        self._log(run_id, run)
        repository = get_artifact_repository(self._place(created.info.artifact_uri), tracking_uri=self._uri)
        for file in files:
            self._in_time()
            repository.log_artifact(str(file))  # type: ignore[no-untyped-call]  # mlflow's own gap
        epochs = {epoch.trace_id: epoch for example in results.examples for epoch in example.epochs}
        for trace in traces:
            self._in_time()
            self._traces.start_trace(self._info(trace, run_id, epochs[trace.id]))
            self._traces.log_spans(self._experiment, [mlflow_span(trace.id, span) for span in trace.spans])
        self._client.set_terminated(run_id, run.status, run.end)
        return run_id

    def _log(self, run_id: str, run: RunRecord) -> None:
        """Write all figures; the client itself makes as many requests as MLflow's limits ask for."""
        params = [Param(name, value) for name, value in run.params.items()]
        metrics = [Metric(name, value, run.end, 0) for name, value in run.metrics.items()]
        self._client.log_batch(run_id, metrics, params, [RunTag("mlflow.note.content", _note(run))])

    def _info(self, trace: TraceRecord, run_id: str, epoch: Epoch) -> TraceInfo:
        return trace_info(
            trace.model_copy(update={"tags": trace.tags | {"kind": "evaluation"}}),
            self._experiment,
            metadata={"mlflow.sourceRun": run_id},
            assessments=_assessments(epoch, run_id, trace.spans[0].end // 1_000_000),
        )

    def _in_time(self) -> None:
        if self._clock() > self._deadline:
            raise TimeoutError(f"it takes more than {SECONDS:g} s")


def _assessments(epoch: Epoch, run_id: str, at: int) -> list[Assessment]:
    told: Mapping[str, str] = {finding.scorer: finding.message for finding in epoch.findings}
    source = AssessmentSource(AssessmentSourceType.CODE, "technoshare eval")
    return [
        Feedback(
            name=name,
            value=value,
            source=source,
            rationale=told.get(name) or None,
            metadata={"mlflow.assessment.sourceRunId": run_id},
            create_time_ms=at,
            last_update_time_ms=at,
        )
        for name, value in epoch.scores.items()
    ]


def _note(run: RunRecord) -> str:
    """Return the run's description in MLflow's page: the verdict, and why."""
    return f"**{run.tags['verdict'].upper()}**\n\n{run.tags['reasons']}"
