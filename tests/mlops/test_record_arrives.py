"""What MLflow itself makes of our records: its own sums, links and assessments, read back from a real server."""

import itertools
import json
import uuid

import pytest
from mlflow import MlflowClient

from technoshare.mlops.record import JobRecord, record_of
from technoshare.mlops.upload import Upload
from technoshare.models import PromptRef, Record, Trail, Usage
from tests.mlops import sample
from tests.mlops.reading import read_back

VERSION = "0.1.0+3ac1cf4d2b11"
numbers = itertools.count(2_000_000)


@pytest.fixture
def experiment() -> str:
    return f"technoshare_{uuid.uuid4().hex[:8]}"


def a_record(trails=sample.trails, **more) -> JobRecord:
    job = sample.a_job(next(numbers))
    return record_of(job, sample.TIMES, trails(job, **more), "success", app_version=VERSION, projects_hash="5eed")


def sent(uri: str, experiment: str, record: JobRecord):
    """Send it, and return its trace as MLflow has it."""
    Upload(uri, experiment).send(record, begun=False)
    client, _, _ = read_back(uri, experiment)
    return client.get_trace(record.trace.id)


# ---------------------------------------------------------------- tokens and money


class Busy:
    """A job with repairs, an earlier try of stage A whose spans are gone, and a repair that a deadline cut off."""

    stage_a = Usage(input_tokens=3000, output_tokens=500, cached_tokens=1000, cost_usd=0.015, calls=3)
    call = Usage(input_tokens=1000, output_tokens=200, cached_tokens=400, cost_usd=0.005)
    repair = Usage(input_tokens=800, output_tokens=100, cost_usd=0.004)

    def __call__(self, job) -> dict[str, Trail]:
        recorder = sample.a_recorder()
        with recorder.span("stage_a.run", "LLM") as stage_a:
            stage_a.io(outputs={"model": "gpt-4o", "items": []})  # MLflow takes a model from there by itself
            self.calls(recorder, 2)
        with recorder.span("quality_gates.validate", "CHAIN") as gates:
            self.calls(recorder, 2, self.repair)
        told = {"model": "gpt-4o"}
        return {
            "stage_a": sample.a_trail(1, Record(tags=told, attributes=told, metrics=self.stage_a.metrics()), stage_a),
            "quality_gates": sample.a_trail(2, Record(metrics=self.repair.metrics()), gates),
        }

    def calls(self, recorder, number: int, usage=call) -> None:
        for _ in range(number):
            with recorder.span("llm.call", "LLM") as call:
                half = usage.cost_usd / 2
                call.set(model="gpt-4o", provider="openai", input_cost_usd=half, output_cost_usd=half)
                call.set(**usage.metrics())


def test_tokens_and_cost_of_a_job_with_repairs_and_lost_tries_are_counted_once(mlflow_server, experiment):
    record = a_record(Busy())
    trace = sent(mlflow_server, experiment, record)
    assert trace.info.token_usage == {
        "input_tokens": 3000 + 1600,
        "output_tokens": 500 + 200,
        "total_tokens": 3500 + 1800,
        "cache_read_input_tokens": 1000,
    }
    assert trace.info.cost["total_cost"] == pytest.approx(0.015 + 0.008)
    charted = sum((span.get_attribute("mlflow.llm.cost") or {}).get("total_cost", 0.0) for span in trace.data.spans)
    assert charted == pytest.approx(0.023), "MLflow's charts add the costs of all spans"
    parent = record.runs[0]
    assert (parent.metrics["total_tokens"], parent.metrics["cost_usd"]) == (5300, pytest.approx(0.023))


def test_a_model_of_ones_own_gets_no_price_of_a_namesake(mlflow_server, experiment):
    def trails(job):
        recorder = sample.a_recorder()
        with recorder.span("stage_b.run", "LLM") as span, recorder.span("llm.call", "LLM") as call:
            call.set(
                model="gpt-4o", provider="llm.example.org", input_tokens=1000, output_tokens=500, total_tokens=1500
            )
        return {"stage_b": sample.a_trail(1, Record(), span)}

    trace = sent(mlflow_server, experiment, a_record(trails))
    assert trace.info.token_usage["total_tokens"] == 1500
    assert not (trace.info.cost or {}).get("total_cost")
    (call,) = [span for span in trace.data.spans if span.name == "llm.call"]
    assert call.get_attribute("mlflow.llm.provider") == "llm.example.org"
    assert call.get_attribute("mlflow.llm.cost") == {}, "MLflow would price it by its own list otherwise"


def test_input_and_output_cost_are_told_apart_where_all_calls_do(mlflow_server, experiment):
    def trails(job):
        return {"stage_a": sample.trails(job)["stage_a"]}

    trace = sent(mlflow_server, experiment, a_record(trails))
    assert trace.info.cost == pytest.approx({"input_cost": 0.003, "output_cost": 0.003, "total_cost": 0.006})


# ---------------------------------------------------------------- assessments


def test_gate_verdicts_stand_in_the_trace_as_assessments(mlflow_server, experiment):
    record = a_record(passed=False)
    trace = sent(mlflow_server, experiment, record)
    told = {one.name: one for one in trace.info.assessments}
    assert {name: one.feedback.value for name, one in told.items()} == {
        "schema_validity": True,
        "tldr_sentence_count": False,
    }
    failed = told["tldr_sentence_count"]
    assert (failed.rationale, failed.source.source_type, failed.source.source_id) == (
        "4 sentences", "CODE", "technoshare",
    )  # fmt: skip
    found = MlflowClient(mlflow_server).search_traces(
        locations=[trace.info.experiment_id], filter_string="feedback.tldr_sentence_count = 'false'"
    )
    assert [one.info.trace_id for one in found] == [record.trace.id]


def test_an_assessment_sent_twice_is_there_once(mlflow_server, experiment):
    record = a_record(passed=False)
    sent(mlflow_server, experiment, record)
    upload = Upload(mlflow_server, experiment)
    upload.send(record.model_copy(update={"runs": ()}), begun=True)
    trace = MlflowClient(mlflow_server).get_trace(record.trace.id)
    assert len(trace.info.assessments) == 2


# ---------------------------------------------------------------- where it came from


def test_a_trace_and_its_runs_lead_to_person_thread_commit_and_prompts(mlflow_server, experiment):
    def trails(job):
        promoted = PromptRef(name="stage_b_compose_reply", version="7", content_hash="ba9876543210")
        comment = sample.comment().model_copy(update={"prompt": promoted})
        stages = sample.trails(job)
        return stages | {"stage_b": stages["stage_b"].model_copy(update={"record": comment.record()})}

    record = a_record(trails)
    trace = sent(mlflow_server, experiment, record)
    _, runs, _ = read_back(mlflow_server, experiment)
    by_name = {run.info.run_name: run for run in runs}
    parent = by_name[record.runs[0].name]
    metadata, tags = trace.info.trace_metadata, trace.info.tags
    assert metadata["mlflow.trace.session"] == record.trace.session
    assert metadata["mlflow.trace.user"] == "U7"
    assert metadata["mlflow.sourceRun"] == parent.info.run_id
    assert metadata["mlflow.source.git.commit"] == parent.data.tags["mlflow.source.git.commit"] == "3ac1cf4d2b11"
    assert parent.data.params["app_version"] == VERSION
    assert tags["prompt.stage_a_extract_facts"] == "yaml:0123456789ab"
    assert tags["prompt.stage_b_compose_reply"] == "7:ba9876543210"
    linked = [{"name": "stage_b_compose_reply", "version": "7"}]
    assert json.loads(tags["mlflow.linkedPrompts"]) == linked, "a version from the files is none of the registry's"
    assert json.loads(by_name["stage_b"].data.tags["mlflow.linkedPrompts"]) == linked
    assert "mlflow.linkedPrompts" not in by_name["stage_a"].data.tags


def test_documents_of_the_retriever_are_shown_as_such(mlflow_server, experiment):
    trace = sent(mlflow_server, experiment, a_record())
    (retrieval,) = [span for span in trace.data.spans if span.span_type == "RETRIEVER"]
    for document in retrieval.outputs:
        assert set(document) == {"page_content", "metadata", "id"}
        assert document["metadata"]["doc_uri"].startswith("https://")


def test_artifacts_are_read_without_tools(mlflow_server, experiment):
    record = a_record()
    evidence = next(run for run in record.runs if run.name == "retrieval").artifacts["evidence.json"]
    assert "増分" in evidence, "as it is written, not as \\u5897"
    assert evidence.count("\n") > 20
    payload = json.loads(next(run for run in record.runs if run.name == "slack_post").artifacts["slack_payload.json"])
    assert payload["message"] == {"text": record.trace.spans[0].outputs["reply"], "blocks": [{"type": "divider"}]}
