"""What arrives in a real MLflow, read back by a client of its own."""

import os
import uuid
from collections import Counter

import pytest

from technoshare.mlops.record import JobRecord, record_of
from technoshare.mlops.replay import ENVIRONMENT, Away, Rejected
from tests.mlops import sample
from tests.mlops.breakable import open_road

os.environ |= ENVIRONMENT  # as the replay thread does, before mlflow is imported

from mlflow import MlflowClient
from mlflow.artifacts import load_text

from technoshare.mlops.upload import Upload

STAGES = ["retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"]


@pytest.fixture
def experiment() -> str:
    return f"technoshare_{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["http", "sqlite"])
def uri(request, tmp_path, monkeypatch) -> str:
    if request.param == "http":
        return request.getfixturevalue("mlflow_server")
    monkeypatch.chdir(tmp_path)  # MLflow puts the artifacts of a bare database below the current folder
    return f"sqlite:///{tmp_path / 'direct.db'}"


def a_record(number: int = 1, *, passed: bool = True) -> JobRecord:
    job = sample.a_job(number)
    trails = sample.trails(job, passed=passed)
    outcome = "success" if passed else "degraded"
    return record_of(job, sample.TIMES, trails, outcome, app_version="0.1.0", projects_hash="5eed")


def read_back(uri: str, experiment: str) -> tuple[MlflowClient, list, list]:
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment).experiment_id
    return client, list(client.search_runs([found], max_results=1000)), client.search_traces(locations=[found])


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


def test_a_job_arrives_as_it_was(uri, experiment):
    record = a_record(passed=False)
    Upload(uri, experiment).send(record, begun=False)
    assert_complete(uri, experiment, record)
    client, runs, (trace,) = read_back(uri, experiment)
    by_name = {run.info.run_name: run for run in runs}
    for told in record.runs:
        run = by_name[told.name]
        listed = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert listed == set(told.artifacts)
    evidence = f"{by_name['retrieval'].info.artifact_uri}/evidence.json"
    if uri.startswith("sqlite"):
        assert load_text(evidence) == record.runs[1].artifacts["evidence.json"]
    assert trace.info.token_usage == {"input_tokens": 2100, "output_tokens": 700, "total_tokens": 2800}
    assert trace.info.cost["total_cost"] == pytest.approx(0.0115)


def test_a_record_sent_twice_is_there_once(uri, experiment):
    record = a_record()
    upload = Upload(uri, experiment)
    upload.send(record, begun=False)
    upload.send(record, begun=True)
    Upload(uri, experiment).send(record, begun=True)
    assert_complete(uri, experiment, record)


def test_a_failed_job_has_runs_for_the_stages_it_reached(uri, experiment):
    job = sample.a_job()
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
        upload.send(a_record(1, passed=False), begun=False)  # the first one also asks for the server's version
        before = road.requests
        upload.send(a_record(2, passed=False), begun=False)
        assert road.requests - before <= 26


@pytest.mark.parametrize("nth", [1, 2, 4, 8, 16, 24, 25, 26])
def test_a_delivery_that_broke_off_anywhere_is_completed_without_doubling_anything(mlflow_server, experiment, nth):
    record = a_record(passed=False)
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
    first, second = a_record(1), a_record(2)
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
    record = a_record()
    odd = record.runs[0].model_copy(update={"params": {"a name / that \x00 no server takes": "x"}})
    with pytest.raises(Rejected):
        Upload(mlflow_server, experiment).send(record.model_copy(update={"runs": (odd,)}), begun=False)


def test_a_trace_alone_or_runs_alone_arrive_alone(uri, experiment):
    upload = Upload(uri, experiment)
    upload.send(a_record(1).model_copy(update={"runs": ()}), begun=False)
    _, runs, traces = read_back(uri, experiment)
    assert (len(runs), len(traces)) == (0, 1)
    upload.send(a_record(2).model_copy(update={"trace": None}), begun=False)
    _, runs, traces = read_back(uri, experiment)
    assert (len(runs), len(traces)) == (6, 1)
