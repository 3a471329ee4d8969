"""People's votes as MLflow's assessments, one a person and trace. Imports mlflow: only for what `upload` uses."""

from __future__ import annotations

from mlflow.entities import AssessmentSource, AssessmentSourceType, Feedback
from mlflow.tracing.client import TracingClient

from technoshare.mlops.record import trace_id
from technoshare.models import Vote

FEEDBACK = "user_feedback"
"""Name of the assessments; true is a thumb up."""


def cast(traces: TracingClient, vote: Vote) -> None:
    """Make this the person's one vote on the job's trace, or take it back; it may be repeated.

    A standing vote is never updated: there an empty reason would leave the earlier one.
    """
    trace = trace_id(vote.job_id, vote.generation)
    for standing in traces.get_trace_info(trace).assessments:
        if standing.name == FEEDBACK and standing.source.source_id == vote.user:
            traces.delete_assessment(trace, str(standing.assessment_id))
    if vote.value != "none":
        traces.log_assessment(trace, _assessment(vote))


def _assessment(vote: Vote) -> Feedback:
    at = round(vote.at * 1000)
    return Feedback(
        name=FEEDBACK,
        value=vote.value == "up",
        source=AssessmentSource(AssessmentSourceType.HUMAN, vote.user),
        rationale=vote.reason or None,
        create_time_ms=at,
        last_update_time_ms=at,
    )
