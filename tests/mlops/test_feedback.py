"""What people think of a comment, on the trace of its job, read back from a real MLflow."""

import asyncio

import pytest
from mlflow import MlflowClient

from technoshare.mlops.replay import Away, Missing
from technoshare.mlops.upload import Upload
from tests.mlops.breakable import open_road
from tests.mlops.reading import delivered, votes
from tests.mlops.sample import START, a_new_job, a_new_record, a_vote, finish


def test_a_vote_stands_on_the_trace_with_its_person_its_reason_and_its_time(uri, experiment):
    upload, record = Upload(uri, experiment), a_new_record()
    upload.send(record, begun=False)
    upload.vote(a_vote(record, "down", user="U7", reason="wrong facts"))
    (told,) = (a for a in MlflowClient(uri).get_trace(record.trace.id).info.assessments if a.name == "user_feedback")
    assert (told.value, told.rationale) == (False, "wrong facts")
    assert (told.source.source_type, told.source.source_id) == ("HUMAN", "U7")
    assert told.create_time_ms == round(a_vote(record).at * 1000)


def test_the_last_vote_of_a_person_counts_and_everybody_has_one(uri, experiment):
    upload, record = Upload(uri, experiment), a_new_record()
    upload.send(record, begun=False)
    upload.vote(a_vote(record, "down", reason="too long"))
    upload.vote(a_vote(record, "up", user="U2"))
    upload.vote(a_vote(record, "up"))
    upload.vote(a_vote(record, "up"))
    assert votes(uri, record) == [("U1", True, None), ("U2", True, None)]


def test_a_vote_that_is_taken_back_is_gone_and_can_be_given_anew(uri, experiment):
    upload, record = Upload(uri, experiment), a_new_record()
    upload.send(record, begun=False)
    upload.vote(a_vote(record, "none"))
    upload.vote(a_vote(record, "down"))
    upload.vote(a_vote(record, "up", user="U2"))
    upload.vote(a_vote(record, "none"))
    assert votes(uri, record) == [("U2", True, None)]
    upload.vote(a_vote(record, "up"))
    assert votes(uri, record) == [("U1", True, None), ("U2", True, None)]


def test_a_vote_leaves_the_verdicts_of_the_checks_alone(uri, experiment):
    upload, record = Upload(uri, experiment), a_new_record(passed=False)
    upload.send(record, begun=False)
    before = MlflowClient(uri).get_trace(record.trace.id).info.assessments
    upload.vote(a_vote(record))
    upload.vote(a_vote(record, "none"))
    assert len(MlflowClient(uri).get_trace(record.trace.id).info.assessments) == len(before)


def test_a_vote_on_a_trace_that_is_not_there_is_missing_and_arrives_once_the_trace_did(uri, experiment):
    upload, record = Upload(uri, experiment), a_new_record()
    with pytest.raises(Missing):
        upload.vote(a_vote(record))
    upload.send(record, begun=False)
    upload.vote(a_vote(record))
    assert votes(uri, record) == [("U1", True, None)]


def test_in_a_deleted_experiment_a_vote_waits_with_everything_else(uri, experiment):
    upload, client = Upload(uri, experiment), MlflowClient(uri)
    client.delete_experiment(client.get_experiment_by_name(experiment).experiment_id)
    with pytest.raises(Away, match="deleted"):
        upload.vote(a_vote(a_new_record()))


# ---------------------------------------------------------------- through the spool


async def test_votes_given_while_mlflow_was_away_arrive_behind_their_job_and_the_last_one_stands(
    mlflow_server, tracker_to
):
    with open_road(mlflow_server) as road:
        road.cut()
        async with tracker_to(uri=road.url) as tracker:
            record = await finish(tracker)
            for vote in (a_vote(record, "up"), a_vote(record, "down", at=START + 1, reason="wrong facts")):
                await tracker.vote(vote)
            await tracker.vote(a_vote(record, "up", user="U2"))
            assert await asyncio.to_thread(road.refused.wait, 60)
            road.mend()
            await delivered(tracker, 3)
    assert await asyncio.to_thread(votes, mlflow_server, record) == [("U1", False, "wrong facts"), ("U2", True, None)]


async def test_a_vote_that_came_before_its_job_ended_arrives_and_does_not_hold_up_others(
    mlflow_server, tracker_to, monkeypatch
):
    monkeypatch.setattr("technoshare.mlops.replay.FIRST_WAIT", 0.05)
    job = a_new_job()
    async with tracker_to() as tracker:
        early = a_new_record(job=job)
        await tracker.vote(a_vote(early))
        await finish(tracker)
        await delivered(tracker, 1)
        await finish(tracker, job)
        await delivered(tracker, 3)
    assert await asyncio.to_thread(votes, mlflow_server, early) == [("U1", True, None)]


async def test_with_tracing_off_votes_are_not_sent_since_they_belong_to_a_trace(tracker_to):
    async with tracker_to(tracing=False) as tracker:
        record = await finish(tracker)
        await tracker.vote(a_vote(record))
        await delivered(tracker, 1)
        assert await tracker.spool.counts() == {"waiting": 0, "delivered": 1, "shelved": 0}


async def test_a_vote_that_cannot_be_kept_is_logged_and_breaks_nothing(tracker_to, caplog):
    async with tracker_to() as tracker:
        await tracker.spool._database.execute("drop table entries")
        await tracker.vote(a_vote(a_new_record()))
    assert "a vote on job" in caplog.text
