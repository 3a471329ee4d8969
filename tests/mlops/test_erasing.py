"""A forgotten job is gone from a real MLflow, and only that one."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from technoshare.mlops.entry import Forgetting
from technoshare.mlops.upload import Upload
from tests.mlops import sample
from tests.mlops.reading import assert_complete, everything
from tests.mlops.sample import a_new_record, a_vote


def of_one_job(generations: int) -> list:
    job = sample.a_new_job()
    return [a_new_record(job=job.model_copy(update={"generation": n}), passed=False) for n in range(generations)]


def test_a_forgotten_job_leaves_no_url_no_text_no_artifact_and_no_trace_in_any_generation(uri, experiment, tmp_path):
    upload, others, mine = Upload(uri, experiment), a_new_record(), of_one_job(3)
    for record in (*mine, others):
        upload.send(record, begun=False)
    upload.vote(a_vote(mine[1], "down", user="U123VOTER", reason="secret reason"))
    url = mine[0].runs[0].tags["target_url"]
    assert url in everything(uri, experiment, tmp_path)

    upload.forget(Forgetting(job_id=mine[0].job_id))

    left = everything(uri, experiment, tmp_path)
    ts = url.split("/")[-2]
    for words in (url, f"Copying {sample.START + int(ts):.6f}", "secret reason", "U123VOTER"):
        assert words not in left
    for record in mine:
        with pytest.raises(MlflowException):
            MlflowClient(uri).get_trace(record.trace.id)
    assert_complete(uri, experiment, others)


def test_what_is_left_of_a_run_is_a_deleted_skeleton(uri, experiment):
    upload, (record,) = Upload(uri, experiment), of_one_job(1)
    upload.send(record, begun=False)
    upload.forget(Forgetting(job_id=record.job_id))
    client = MlflowClient(uri)
    number = client.get_experiment_by_name(experiment).experiment_id
    assert client.search_runs([number]) == []
    runs = client.search_runs([number], run_view_type=ViewType.ALL)
    assert len(runs) == len(record.runs)
    for run in runs:
        assert client.list_artifacts(run.info.run_id) == []
        assert {name for name, value in run.data.tags.items() if value != "forgotten"} <= {
            "job_id", "generation", "kind", "stage", "mlflow.runName", "mlflow.parentRunId"
        }  # fmt: skip


def test_forgetting_may_be_repeated_and_may_find_nothing(uri, experiment, tmp_path):
    upload, others, (record,) = Upload(uri, experiment), a_new_record(), of_one_job(1)
    upload.forget(Forgetting(job_id=record.job_id))
    for each in (record, others):
        upload.send(each, begun=False)
    for _ in range(2):
        upload.forget(Forgetting(job_id=record.job_id))
    assert record.runs[0].tags["target_url"] not in everything(uri, experiment, tmp_path)
    assert_complete(uri, experiment, others)


def test_runs_that_somebody_deleted_by_hand_are_emptied_too(uri, experiment, tmp_path):
    upload, (record,) = Upload(uri, experiment), of_one_job(1)
    upload.send(record, begun=False)
    client = MlflowClient(uri)
    for run in client.search_runs([client.get_experiment_by_name(experiment).experiment_id]):
        client.delete_run(run.info.run_id)
    upload.forget(Forgetting(job_id=record.job_id))
    assert record.runs[0].tags["target_url"] not in everything(uri, experiment, tmp_path)


def test_the_same_job_of_another_bot_in_an_experiment_of_its_own_is_untouched(uri, experiment):
    (record,) = of_one_job(1)
    mine, theirs = Upload(uri, experiment), Upload(uri, f"{experiment}_theirs")
    theirs.send(a_new_record(), begun=False)
    mine.send(record, begun=False)
    other = of_one_job(1)[0]
    theirs.send(other, begun=False)
    mine.forget(Forgetting(job_id=record.job_id))
    mine.forget(Forgetting(job_id=other.job_id))  # it is none of this bot's
    assert MlflowClient(uri).get_trace(other.trace.id)
