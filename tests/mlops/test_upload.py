"""What arrives in a real MLflow, read back by a client of its own."""

from collections import Counter
from pathlib import Path

import pytest
from mlflow import MlflowClient

from technoshare.mlops.record import record_of
from technoshare.mlops.replay import Away, Rejected
from technoshare.mlops.upload import Upload
from tests.mlops import sample
from tests.mlops.breakable import open_road
from tests.mlops.reading import assert_complete, read_back
from tests.mlops.sample import a_new_record


def test_a_job_arrives_as_it_was(uri, experiment, tmp_path):
    record = a_new_record(passed=False)
    Upload(uri, experiment).send(record, begun=False)
    assert_complete(uri, experiment, record)
    client, runs, (trace,) = read_back(uri, experiment)
    by_name = {run.info.run_name: run for run in runs}
    for told in record.runs:
        run = by_name[told.name]
        listed = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert listed == set(told.artifacts)
        for name, text in told.artifacts.items():
            assert Path(client.download_artifacts(run.info.run_id, name, str(tmp_path))).read_text("utf-8") == text
    tokens = {"input_tokens": 2100, "output_tokens": 700, "total_tokens": 2800, "cache_read_input_tokens": 200}
    assert trace.info.token_usage == tokens
    assert trace.info.cost["total_cost"] == pytest.approx(0.0115)


def test_a_record_sent_twice_is_there_once(uri, experiment):
    record = a_new_record()
    upload = Upload(uri, experiment)
    upload.send(record, begun=False)
    upload.send(record, begun=True)
    Upload(uri, experiment).send(record, begun=True)
    assert_complete(uri, experiment, record)


def test_a_failed_job_has_runs_for_the_stages_it_reached(uri, experiment):
    job = sample.a_new_job()
    trails = sample.failed_trails(job)
    record = record_of(job, sample.TIMES, trails, "failed", app_version="0.1.0", projects_hash="5eed")
    Upload(uri, experiment).send(record, begun=False)
    assert_complete(uri, experiment, record)
    _, runs, (trace,) = read_back(uri, experiment)
    assert Counter(run.info.status for run in runs) == {"FAILED": 2, "FINISHED": 1}
    assert trace.info.state.value == "ERROR"


def test_a_job_costs_at_most_26_requests(mlflow_server, experiment):
    with open_road(mlflow_server) as road:
        upload = Upload(road.url, experiment)
        upload.send(a_new_record(passed=False), begun=False)  # the first one also asks for the server's version
        before = road.requests
        upload.send(a_new_record(passed=False), begun=False)
        assert road.requests - before <= 26


@pytest.mark.parametrize("nth", [6, 16, 25])
def test_a_delivery_that_broke_off_anywhere_is_completed_without_doubling_anything(mlflow_server, experiment, nth):
    record = a_new_record(passed=False)
    with open_road(mlflow_server) as road:
        upload = Upload(road.url, experiment)
        road.cut(after=nth)
        with pytest.raises(Away):
            upload.send(record, begun=False)
    Upload(mlflow_server, experiment).send(record, begun=True)
    assert_complete(mlflow_server, experiment, record)


def test_a_server_that_is_not_there_or_is_none_is_away(experiment, mlflow_server):
    with open_road(mlflow_server) as road:
        gone = road.url
    with pytest.raises(Away):
        Upload(gone, experiment)
    with pytest.raises(Away):
        Upload(f"{mlflow_server}/somewhere/else", experiment)


def test_a_deleted_experiment_holds_all_records_back_instead_of_losing_them(mlflow_server, experiment):
    first, second = a_new_record(), a_new_record()
    upload = Upload(mlflow_server, experiment)
    upload.send(first, begun=False)
    client = MlflowClient(mlflow_server)
    number = client.get_experiment_by_name(experiment).experiment_id
    client.delete_experiment(number)
    with pytest.raises(Away, match="deleted"):
        upload.send(second, begun=False)
    with pytest.raises(Away, match="deleted"):
        Upload(mlflow_server, experiment)
    client.restore_experiment(number)
    upload.send(second, begun=True)
    assert_complete(mlflow_server, experiment, first, second)


def test_what_mlflow_will_never_take_is_rejected(mlflow_server, experiment):
    record = a_new_record()
    odd = record.runs[0].model_copy(update={"params": {"a name / that \x00 no server takes": "x"}})
    with pytest.raises(Rejected):
        Upload(mlflow_server, experiment).send(record.model_copy(update={"runs": (odd,)}), begun=False)


def test_a_trace_alone_or_runs_alone_arrive_alone(uri, experiment):
    upload = Upload(uri, experiment)
    upload.send(a_new_record().model_copy(update={"runs": ()}), begun=False)
    _, runs, traces = read_back(uri, experiment)
    assert (len(runs), len(traces)) == (0, 1)
    upload.send(a_new_record().model_copy(update={"trace": None}), begun=False)
    _, runs, traces = read_back(uri, experiment)
    assert (len(runs), len(traces)) == (6, 1)
