"""What MLflow is told about a job: the contract, name by name."""

import json

import pytest

from technoshare.mlops.record import JobRecord, record_of, root_span_id, trace_id
from technoshare.models import EXTRACTIVE, Trail
from technoshare.ports import JobTimes
from tests.mlops import sample

NESTED = {
    "retrieval": (
        {"adapter_name", "domain", "coverage"},
        {"latency_seconds", "snippet_count"},
        {"evidence.json"},
    ),
    "stage_a": (
        {"model", "prompt_name", "prompt_version", "content_hash"},
        {"latency_seconds", "tool_call_count", "source_count", "input_tokens", "output_tokens", "total_tokens", "cost_usd"},
        {"stage_a_facts.json", "sources.txt"},
    ),
    "stage_b": (
        {"model", "prompt_name", "prompt_version", "content_hash"},
        {"latency_seconds", "input_tokens", "output_tokens", "total_tokens", "cost_usd"},
        {"stage_b_result.json"},
    ),
    "quality_gates": (
        set(),
        {"latency_seconds", "gate_failures", "gate_total", "gate_pass_rate", "gate_passed", "repair_rounds"},
        set(),
    ),
    "slack_post": (set(), {"latency_seconds"}, {"slack_payload.json"}),
}  # fmt: skip

SPANS = {
    "retrieval.fetch_evidence": ("RETRIEVER", {"url", "adapter", "domain", "coverage", "snippet_count"}),
    "stage_a.run": ("LLM", {"model", "tool_calls", "tool_call_count", "sources", "source_count"}),
    "search_tool_call": ("TOOL", {"url", "content_length"}),
    "stage_b.run": ("LLM", {"model", "prompt_length"}),
    "quality_gates.validate": ("CHAIN", {"gate_failures", "gate_total", "gate_pass_rate"}),
    "slack.post_message": ("CHAIN", set()),
}


def recorded(job=None, trails=None, outcome="success", times=sample.TIMES) -> JobRecord:
    job = job or sample.a_job()
    trails = sample.trails(job) if trails is None else trails
    return record_of(job, times, trails, outcome, app_version="0.1.0", projects_hash="5eed")


def test_the_parent_run_says_which_job_it_was_and_how_it_went():
    job = sample.a_job()
    parent, *_ = recorded(job).runs
    assert parent.name == f"job_{job.id}"
    expected = {
        "job_id": job.id, "channel_id": "C024BE91L", "target_url": job.url, "outcome": "success",
        "kind": "job", "job_key": job.key, "generation": "0",
    }  # fmt: skip
    assert parent.tags.items() >= expected.items()
    assert parent.params == {
        "model": "gpt-4o",
        "adapter_name": "GenericAdapter",
        "prompt_versions": "stage_a_extract_facts=yaml:0123456789ab, stage_b_compose_reply=yaml:ba9876543210",
        "projects_hash": "5eed",
        "app_version": "0.1.0",
    }
    assert parent.metrics == pytest.approx(
        {
            "total_seconds": 5.5,
            "queue_wait_seconds": 0.25,
            "time_to_first_sign_seconds": 0.125,
            "total_tokens": 2800,
            "cost_usd": 0.0115,
        }
    )
    assert (parent.start, parent.end, parent.status) == (1_790_000_000_000, 1_790_000_005_500, "FINISHED")


@pytest.mark.parametrize("stage", NESTED)
def test_a_nested_run_has_the_tags_metrics_and_artifacts_of_its_stage(stage):
    (run,) = [run for run in recorded().runs if run.name == stage]
    tags, metrics, artifacts = NESTED[stage]
    assert run.tags["stage"] == stage
    assert tags <= set(run.tags)
    assert metrics <= set(run.metrics)
    assert set(run.artifacts) == artifacts
    assert run.metrics["latency_seconds"] == 0.5
    assert run.end - run.start == 500
    assert run.status == "FINISHED"


def test_a_failed_gate_is_told_in_failures_txt():
    job = sample.a_job()
    runs = {run.name: run for run in recorded(job, sample.trails(job, passed=False), "degraded").runs}
    assert "4 sentences" in runs["quality_gates"].artifacts["failures.txt"]
    assert runs["quality_gates"].metrics["gate_passed"] == 0.0


def test_a_stage_that_was_never_reached_has_no_run_and_a_failed_one_says_why():
    job = sample.a_job()
    record = recorded(job, sample.failed_trails(job), "failed")
    parent, *nested = record.runs
    assert [run.name for run in nested] == ["retrieval", "slack_post"]
    assert (parent.status, nested[0].status, nested[1].status) == ("FAILED", "FAILED", "FINISHED")
    assert nested[0].tags["error"] == "Unusable: the page is gone (404)"
    assert [span.status for span in record.trace.spans] == ["error", "error", "ok"]


def test_the_extractive_engine_has_no_token_figures_and_no_price():
    job = sample.a_job()
    plain = sample.comment().model_copy(update={"model": EXTRACTIVE, "prompt": None, "usage": sample.Usage()})
    trails = {"stage_b": Trail(started=1.0, ended=2.0, record=plain.record())}
    parent, stage_b = recorded(job, trails).runs
    assert parent.params["model"] == EXTRACTIVE
    assert parent.params["prompt_versions"] == "none"
    assert not {"total_tokens", "cost_usd"} & set(parent.metrics)
    assert set(stage_b.metrics) == {"latency_seconds"}


def test_unknown_times_are_left_out_and_no_duration_is_negative():
    job = sample.a_job()
    times = JobTimes(received=sample.START, claimed=sample.START - 3, first_sign=None)
    parent, *_ = recorded(job, {}, "withdrawn", times).runs
    assert parent.metrics == {"total_seconds": 0.0, "queue_wait_seconds": 0.0}


@pytest.mark.parametrize("name", SPANS)
def test_a_span_has_the_type_and_attributes_of_the_contract(name):
    (span,) = [span for span in recorded().trace.spans if span.name == name]
    kind, attributes = SPANS[name]
    assert span.kind == kind
    assert attributes <= set(span.attributes)


def test_one_trace_holds_all_spans_below_one_root_whose_ids_follow_from_the_job():
    job = sample.a_job()
    trace = recorded(job).trace
    root, *others = trace.spans
    assert trace.name == root.name == f"job_{job.id}"
    assert trace.id == trace_id(job.id, 0) == recorded(job).trace.id
    assert root.id == root_span_id(job.id, 0)
    assert root.parent is None
    known = {span.id for span in trace.spans}
    assert len(known) == len(trace.spans) == 8
    assert all(span.parent in known for span in others)
    names = {span.id: span.name for span in trace.spans}
    assert {span.name: names[span.parent] for span in others} == {
        "retrieval.fetch_evidence": root.name,
        "stage_a.run": root.name,
        "llm.call": "stage_a.run",
        "search_tool_call": "stage_a.run",
        "stage_b.run": root.name,
        "quality_gates.validate": root.name,
        "slack.post_message": root.name,
    }
    assert trace.session == f"{job.channel}:{job.thread_ts}"
    assert trace.user == job.user


def test_a_written_again_job_is_another_record_and_another_trace():
    job = sample.a_job()
    again = recorded(job.model_copy(update={"generation": 1}))
    assert again.runs[0].name == f"job_{job.id}"
    assert again.runs[0].tags["generation"] == "1"
    assert again.trace.id != recorded(job).trace.id


def test_mlflow_finds_tokens_cost_and_model_under_its_own_names():
    trace = recorded().trace
    spans = {span.name: span for span in trace.spans}
    usage = {"input_tokens": 1200, "output_tokens": 300, "total_tokens": 1500, "cache_read_input_tokens": 200}
    for name in ("stage_a.run", "llm.call"):
        assert spans[name].attributes["mlflow.chat.tokenUsage"] == usage
        assert spans[name].attributes["mlflow.llm.model"] == "gpt-4o"
    call = spans["llm.call"].attributes
    assert call["mlflow.llm.provider"] == "openai"
    assert call["mlflow.llm.cost"] == {"input_cost": 0.003, "output_cost": 0.003, "total_cost": 0.006}
    assert spans["stage_a.run"].attributes["mlflow.llm.cost"] == {}, "its call has told it"
    assert json.loads(trace.metadata["mlflow.trace.tokenUsage"]) == {
        "input_tokens": 2100, "output_tokens": 700, "total_tokens": 2800, "cache_read_input_tokens": 200,
    }  # fmt: skip
    assert json.loads(trace.metadata["mlflow.trace.cost"]) == {"total_cost": pytest.approx(0.0115)}
    assert "mlflow.chat.tokenUsage" not in spans["quality_gates.validate"].attributes


def test_the_trace_shows_the_link_the_documents_and_the_reply():
    job = sample.a_job()
    root, retrieval, *_ = recorded(job).trace.spans
    assert root.inputs == {"url": job.url, "message": job.text}
    assert root.outputs == {"outcome": "success", "reply": f"TLDR\nabout {job.url}"}
    assert [document["id"] for document in retrieval.outputs] == ["s1", "s2"]
    assert retrieval.outputs[0]["metadata"]["doc_uri"] == job.url


def test_artifacts_of_an_older_version_do_not_keep_a_job_from_being_recorded():
    job = sample.a_job()
    trail = sample.trails(job)["retrieval"]
    record = trail.record.model_copy(update={"artifacts": {"evidence.json": '{"shape": "of last year"}'}})
    record = recorded(job, {"retrieval": trail.model_copy(update={"record": record})})
    assert record.trace.spans[1].outputs == {"shape": "of last year"}


def test_a_record_survives_the_way_through_json():
    record = recorded()
    assert JobRecord.model_validate_json(record.model_dump_json()) == record
