"""What people think of a comment, on the trace of its job, read back from a real MLflow."""

import pytest
from mlflow import MlflowClient

from technoshare.mlops.replay import Away, Missing
from technoshare.mlops.upload import Upload
from tests.mlops.breakable import open_road
from tests.mlops.sample import a_new_record, a_vote


def votes(uri: str, record) -> list:
    """Who voted what, with which reason."""
    assessments = MlflowClient(uri).get_trace(record.trace.id).info.assessments
    return sorted((a.source.source_id, a.value, a.rationale) for a in assessments if a.name == "user_feedback")


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


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_vote_whose_delivery_broke_off_anywhere_stands_once(mlflow_server, experiment, nth):
    record = a_new_record()
    Upload(mlflow_server, experiment).send(record, begun=False)
    Upload(mlflow_server, experiment).vote(a_vote(record, "down", reason="an earlier one"))
    with open_road(mlflow_server) as road:
        upload = Upload(road.url, experiment)
        road.cut(after=nth)
        with pytest.raises(Away):
            upload.vote(a_vote(record))
    Upload(mlflow_server, experiment).vote(a_vote(record))
    assert votes(mlflow_server, record) == [("U1", True, None)]
