"""What MLflow shows of a job that the real bot did with a model, over both wires."""

import asyncio

import pytest
from mlflow import MlflowClient

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
STAGES = {"retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"}
SPANS = {
    "retrieval.fetch_evidence": "RETRIEVER",
    "stage_a.run": "LLM",
    "search_tool_call": "TOOL",
    "stage_b.run": "LLM",
    "quality_gates.validate": "CHAIN",
    "slack.post_message": "CHAIN",
}


@pytest.fixture(params=["chat", "responses"])
async def observed(request, tmp_path, mlflow_server):
    """A client, the runs and the trace of one job over a wire; the bot has ended."""
    experiment = f"observed_{request.param}"
    async with open_workspace() as workspace, open_model_server() as model:
        settings = environment(
            workspace,
            tmp_path,
            LLM_API=request.param,
            OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY="sk-test-0000",
            MLFLOW_TRACKING_URI=mlflow_server,
            MLFLOW_EXPERIMENT_NAME=experiment,
            MLFLOW_ENABLE_TRACKING="true",
            MLFLOW_ENABLE_TRACING="true",
        )
        async with running_bot(settings) as bot:
            ts = workspace.say(BLOG)
            await workspace.until(lambda: comments(workspace, ts), timeout=60)
            client = MlflowClient(mlflow_server)
            await delivered(client, experiment, bot)
            assert await bot.stop() == 0
        assert model.stats()["by_api"] == {request.param: model.requests()}
    (found,) = client.search_experiments(filter_string=f"name = '{experiment}'")
    (trace,) = client.search_traces(locations=[found.experiment_id])
    return client, client.search_runs([found.experiment_id]), client.get_trace(trace.info.trace_id)


async def delivered(client, experiment, bot):
    """Wait until the parent run has ended, which the replay does last."""
    async with asyncio.timeout(60):
        while True:
            for found in client.search_experiments(filter_string=f"name = '{experiment}'"):
                if client.search_runs([found.experiment_id], "tags.kind = 'job' and attributes.status = 'FINISHED'"):
                    return
            await asyncio.sleep(0.3)  # another process works; MLflow cannot tell when it is done


async def test_runs_usage_and_trace_of_a_job_are_complete(observed):
    client, runs, trace = observed
    by_name = {run.data.tags.get("stage", "job"): run for run in runs}
    job, stage_a, stage_b = by_name["job"], by_name["stage_a"], by_name["stage_b"]
    assert set(by_name) == STAGES | {"job"}
    assert job.info.run_name == f"job_{job.data.tags['job_id']}"
    assert job.data.tags["outcome"] == "success"
    assert job.data.tags["target_url"] == BLOG
    assert all(run.data.metrics["input_tokens"] > 0 < run.data.metrics["output_tokens"] for run in (stage_a, stage_b))
    total = stage_a.data.metrics["total_tokens"] + stage_b.data.metrics["total_tokens"]
    assert job.data.metrics["total_tokens"] == total
    assert job.data.metrics["time_to_first_sign_seconds"] >= 0
    assert stage_a.data.metrics["tool_call_count"] >= 1
    assert stage_a.data.tags["prompt_name"] == "stage_a_extract_facts"
    files = {file.path for file in client.list_artifacts(stage_a.info.run_id)}
    assert files == {"stage_a_facts.json", "sources.txt"}
    kinds = {span.name: span.span_type for span in trace.data.spans}
    assert kinds.items() >= SPANS.items()
    assert trace.info.trace_metadata["mlflow.sourceRun"] == job.info.run_id
    assert "sk-test-0000" not in trace.to_json()
