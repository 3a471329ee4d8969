"""One entry into MLflow. Imports mlflow, in the replay thread, since that takes 2 s.

Every write is by explicit run id and may be repeated: runs are looked up before they are made again, metrics, params,
tags, artifacts and traces overwrite themselves. The fluent API is never used: it is bound to threads, not to jobs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import (
    Assessment,
    AssessmentSource,
    AssessmentSourceType,
    Feedback,
    Metric,
    Param,
    Run,
    Span,
    TraceInfo,
    TraceLocation,
    TraceState,
    ViewType,
)
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracing.client import TracingClient

from technoshare import models
from technoshare.mlops.entry import Forgetting
from technoshare.mlops.erasing import erase
from technoshare.mlops.feedback import cast
from technoshare.mlops.record import JobRecord, RunRecord, TraceRecord
from technoshare.mlops.refusals import translated, unknown
from technoshare.mlops.replay import Away, Missing, Rejected
from technoshare.models import Vote


class Upload:
    """A connection to one MLflow server or database and one experiment."""

    def __init__(self, uri: str, experiment: str) -> None:
        """Connect. Raises `Away` when the server does not answer or is none."""
        self._uri, self._experiment = uri, experiment
        try:
            with translated():
                self._client = MlflowClient(tracking_uri=uri)
                self._traces = TracingClient(uri)
                self._experiment_id = _experiment_id(self._client, experiment)
        except Rejected as error:  # no record has been offered yet
            raise Away(str(error)) from error

    def send(self, record: JobRecord, *, begun: bool) -> None:
        """Write the whole record; with `begun`, only what an earlier try has not finished.

        The parent run ends last: a parent that is FINISHED or FAILED in MLflow is complete. Raises `Away` when it may
        work later and `Rejected` when it never will.
        """
        try:
            with translated():
                self._send(record, self._known(record) if begun else {})
        except Rejected:
            with translated():
                _experiment_id(self._client, self._experiment)  # is it the experiment, then it is not this record
            raise

    def vote(self, vote: Vote) -> None:
        """Make this the person's one vote on the job's trace, or take it back; errors as in `send`.

        Raises `Missing` when the trace is not there, as it may be on its way.
        """
        with translated():
            try:
                cast(self._traces, vote)
            except MlflowException as error:
                if not unknown(error):
                    raise
                _experiment_id(self._client, self._experiment)  # is it the experiment, then everything waits
                raise Missing(f"MLflow knows no trace of job {vote.job_id}") from error

    def forget(self, forgetting: Forgetting) -> None:
        """Leave nothing of the job, in none of its generations; errors as in `send`."""
        with translated():
            erase(self._client, self._traces, self._uri, self._experiment_id, forgetting.job_id)

    def _send(self, record: JobRecord, known: Mapping[str, Run]) -> None:
        parent_id = self._send_runs(record.runs, known) if record.runs else None
        if record.trace is not None:
            self._send_trace(record.trace, parent_id)
        if parent_id is not None:
            self._end(record.runs[0], parent_id)

    # ------------------------------------------------------------ runs

    def _send_runs(self, runs: tuple[RunRecord, ...], known: Mapping[str, Run]) -> str:
        """Write what is missing and end the nested runs; return the parent's id."""
        first, *nested = runs
        parent_id = self._stand(first, known, None)
        for run in nested:
            self._end(run, self._stand(run, known, parent_id))
        return parent_id

    def _stand(self, run: RunRecord, known: Mapping[str, Run], parent_id: str | None) -> str:
        """Make sure that the run stands there with all it holds; return its id."""
        standing = known.get(run.key)
        if standing is None or standing.info.status == "RUNNING":
            standing = standing or self._create(run, parent_id)
            self._fill(run, standing)
        return str(standing.info.run_id)

    def _known(self, record: JobRecord) -> dict[str, Run]:
        runs = self._client.search_runs(
            [self._experiment_id],
            f"tags.job_id = '{record.job_id}' and tags.generation = '{record.generation}'",
            run_view_type=ViewType.ACTIVE_ONLY,
        )
        return {run.data.tags.get("stage", "job"): run for run in runs}

    def _create(self, run: RunRecord, parent_id: str | None) -> Run:
        parent = {} if parent_id is None else {"mlflow.parentRunId": parent_id}
        return self._client.create_run(
            self._experiment_id, start_time=run.start, run_name=run.name, tags=run.tags | parent
        )

    def _fill(self, run: RunRecord, standing: Run) -> None:
        metrics = [Metric(name, value, run.end, 0) for name, value in run.metrics.items()]
        params = [Param(name, value) for name, value in run.params.items()]
        self._client.log_batch(standing.info.run_id, metrics=metrics, params=params)
        self._put_artifacts(run, standing.info.artifact_uri)

    def _put_artifacts(self, run: RunRecord, location: str) -> None:
        if not run.artifacts:
            return
        repository = get_artifact_repository(location, tracking_uri=self._uri)  # client.log_text asks for the run again
        with tempfile.TemporaryDirectory(prefix="technoshare-") as folder:
            for name, text in run.artifacts.items():
                path = Path(folder) / name
                path.write_text(text, "utf-8")
                repository.log_artifact(str(path))  # type: ignore[no-untyped-call]  # mlflow's own gap

    def _end(self, run: RunRecord, run_id: str) -> None:
        self._client.set_terminated(run_id, run.status, run.end)

    # ------------------------------------------------------------ trace

    def _send_trace(self, trace: TraceRecord, run_id: str | None) -> None:
        metadata = {"mlflow.trace.session": trace.session, "mlflow.trace.user": trace.user}
        info = trace_info(
            trace,
            self._experiment_id,
            metadata=trace.metadata | metadata | ({} if run_id is None else {"mlflow.sourceRun": run_id}),
            assessments=[_feedback(trace, one) for one in trace.assessments],
        )
        self._traces.start_trace(info)
        self._traces.log_spans(self._experiment_id, [mlflow_span(trace.id, span) for span in trace.spans])


def trace_info(
    trace: TraceRecord, experiment: str, *, metadata: dict[str, str], assessments: list[Assessment]
) -> TraceInfo:
    """Return everything about a trace but its spans, as MLflow's."""
    root = trace.spans[0]
    return TraceInfo(
        trace_id=trace.id,
        trace_location=TraceLocation.from_experiment_id(experiment),
        request_time=root.start // 1_000_000,
        execution_duration=(root.end - root.start) // 1_000_000,
        state=TraceState.OK if root.status == "ok" else TraceState.ERROR,
        request_preview=trace.request,
        response_preview=trace.response,
        trace_metadata=metadata,
        tags=trace.tags | {"mlflow.traceName": trace.name},
        assessments=assessments,
    )


def _feedback(trace: TraceRecord, assessment: models.Assessment) -> Feedback:
    """Return the assessment with an id that follows from trace and name, so that a repetition changes nothing."""
    end = trace.spans[0].end // 1_000_000
    digest = hashlib.sha256(f"{trace.id} {assessment.name}".encode()).hexdigest()
    feedback = Feedback(
        name=assessment.name,
        value=assessment.value,
        rationale=assessment.rationale or None,
        source=AssessmentSource(AssessmentSourceType.CODE, "technoshare"),
        create_time_ms=end,
        last_update_time_ms=end,
    )
    feedback.assessment_id = f"a-{digest[:32]}"
    return feedback


def mlflow_span(trace_id: str, span: models.Span) -> Span:
    """Return our span as MLflow's, in the form that its own `to_dict` has: attribute values are JSON."""
    content = {"mlflow.spanInputs": span.inputs, "mlflow.spanOutputs": span.outputs}
    attributes = span.attributes | {"mlflow.traceRequestId": trace_id, "mlflow.spanType": span.kind}
    attributes |= {name: value for name, value in content.items() if value is not None}
    return Span.from_dict(
        {
            "trace_id": _base64(trace_id.removeprefix("tr-")),
            "span_id": _base64(span.id),
            "parent_span_id": None if span.parent is None else _base64(span.parent),
            "name": span.name,
            "start_time_unix_nano": span.start,
            "end_time_unix_nano": span.end,
            "status": {
                "code": "STATUS_CODE_OK" if span.status == "ok" else "STATUS_CODE_ERROR",
                "message": str(span.attributes.get("error", "")),
            },
            "attributes": {name: json.dumps(value, ensure_ascii=False) for name, value in attributes.items()},
        }
    )


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


# ---------------------------------------------------------------- experiment


def _experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise Away(f"its experiment {name!r} is deleted; restore it, or set MLFLOW_EXPERIMENT_NAME")
    return str(found.experiment_id)
