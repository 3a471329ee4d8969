"""What a channel's mode leaves of a record: whatever nobody listed is content."""

import pytest

from technoshare.mlops.privacy import Privacy, reduced, reduced_vote
from technoshare.mlops.record import JobRecord, record_of
from technoshare.models import ContentPolicy, Vote
from tests.mlops import planted, sample

VOTE = Vote(job_id="0123456789ab", generation=0, channel="C1", user="U7", value="down", reason="too long", at=1.0)


def a_record() -> JobRecord:
    job = planted.a_job(1)
    return record_of(
        job, sample.TIMES, planted.trails(job), "failed", app_version="0.1.0+3ac1cf4", projects_hash="5eed"
    )


def told(record: JobRecord) -> str:
    return record.model_dump_json()


def test_full_leaves_everything():
    record = a_record()
    assert reduced(record, "full") is record
    missing = [word for word in planted.CONTENT + planted.ADDRESSES if word not in told(record)]
    assert not missing, "the planted job does not plant what it should"


@pytest.mark.parametrize("mode", ["metadata", "none"])
def test_nothing_that_anybody_wrote_is_left(mode):
    left = told(reduced(a_record(), mode))
    assert [word for word in planted.CONTENT if word in left] == []


def test_metadata_still_says_where_a_link_leads():
    record = reduced(a_record(), "metadata")
    parent, retrieval, stage_a, *_ = record.runs
    assert parent.tags["target_url"] == planted.URL
    assert retrieval.tags["domain"] == "hostword.example"
    assert stage_a.artifacts == {"sources.txt": f"{planted.URL}\n"}
    assert record.trace.request == planted.URL
    assert record.trace.response == "failed"


def test_none_leaves_no_address_and_no_artifact():
    record = reduced(a_record(), "none")
    assert [word for word in planted.ADDRESSES if word in told(record)] == []
    assert all(run.artifacts == {} for run in record.runs)
    assert record.trace.request == record.trace.name


@pytest.mark.parametrize("mode", ["metadata", "none"])
def test_figures_outcome_and_shape_stay(mode):
    whole = a_record()
    left = reduced(whole, mode)
    assert [run.metrics for run in left.runs] == [run.metrics for run in whole.runs]
    assert [(run.name, run.start, run.end, run.status) for run in left.runs] == [
        (run.name, run.start, run.end, run.status) for run in whole.runs
    ]
    assert [(span.id, span.parent, span.name, span.status) for span in left.trace.spans] == [
        (span.id, span.parent, span.name, span.status) for span in whole.trace.spans
    ]
    assert left.runs[0].tags["outcome"] == "failed"
    assert left.runs[0].tags["job_id"] == whole.job_id
    assert left.runs[0].params == whole.runs[0].params
    assert left.trace.session == whole.trace.session
    assert left.trace.metadata == whole.trace.metadata
    assert left.trace.tags["prompt.stage_a_extract_facts"] == "7:0123456789ab"
    assert [(one.name, one.value) for one in left.trace.assessments] == [("grounding", False)]
    (tomorrow,) = [span for span in left.trace.spans if span.name == "tomorrow.run"]
    assert tomorrow.attributes == {"mood_score": 0.5}
    (call,) = [span for span in left.trace.spans if span.name == "llm.call"]
    assert call.attributes["mlflow.chat.tokenUsage"]["total_tokens"] == 15


@pytest.mark.parametrize("mode", ["metadata", "none"])
def test_of_an_error_its_class_is_left(mode):
    record = reduced(a_record(), mode)
    assert record.runs[-1].tags["error"] == "Unusable"
    errors = {span.name: span.attributes["error"] for span in record.trace.spans if "error" in span.attributes}
    assert errors == {"search_tool_call": "error", "slack.post_message": "ValidationError"}


def test_the_key_of_a_job_becomes_the_hash_that_its_id_begins():
    record = reduced(a_record(), "none")
    assert record.runs[0].tags["job_key"].startswith(record.job_id)
    assert len(record.runs[0].tags["job_key"]) == 64


def test_a_record_of_runs_or_of_a_trace_alone_is_reduced_too():
    record = a_record()
    assert reduced(record.model_copy(update={"trace": None}), "none").trace is None
    assert reduced(record.model_copy(update={"runs": ()}), "none").runs == ()


def test_the_reason_of_a_vote_is_content():
    assert reduced_vote(VOTE, "full") == VOTE
    for mode in ("metadata", "none"):
        assert reduced_vote(VOTE, mode) == VOTE.model_copy(update={"reason": ""})


@pytest.mark.parametrize(
    ("policy", "channel", "reason"),
    [
        ({"default": "full"}, "C1", "too long"),
        ({"default": "none"}, "C1", ""),
        ({"default": "none", "channels": {"C1": "full"}}, "C1", "too long"),
        ({"default": "full", "channels": {"C1": "metadata"}}, "C1", ""),
        ({"default": "full", "channels": {"C1": "metadata"}}, "C2", "too long"),
        ({"default": "full", "channels": {"C1": "metadata"}}, "", ""),
        ({"default": "full"}, "", "too long"),
    ],
)
def test_each_channel_has_its_mode_and_an_unknown_one_the_strictest(policy, channel, reason):
    privacy = Privacy(ContentPolicy.model_validate(policy))
    assert privacy.vote(VOTE.model_copy(update={"channel": channel})).reason == reason
