"""A job that its process did not survive, or that had to wait, is still one run with one trace in MLflow."""

import asyncio
import time
from contextlib import asynccontextmanager

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot
from tests.observe.contract import STAGES, Expected, faults
from tests.observe.files import until_delivered, until_parked
from tests.observe.reading import read_experiment

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"


@asynccontextmanager
async def watched(folder, mlflow, experiment):
    """A workspace, a scripted model and the settings of a bot that reports to an experiment."""
    async with open_workspace() as workspace, open_model_server() as model:
        yield workspace, model, environment(
            workspace,
            folder,
            LLM_API="chat",
            OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY="sk-test-0000",
            MLFLOW_TRACKING_URI=mlflow,
            MLFLOW_EXPERIMENT_NAME=experiment,
            MLFLOW_ENABLE_TRACKING="true",
            MLFLOW_ENABLE_TRACING="true",
        )  # fmt: skip


async def the_one_job(workspace, ts, mlflow, experiment):
    """Read the experiment back: it holds this job and nothing else, complete."""
    seen = await asyncio.to_thread(read_experiment, mlflow, experiment)
    expected = Expected(BLOG, workspace.channel, ts)
    assert faults([expected], seen.jobs) + seen.faults() == []
    assert len(comments(workspace, ts)) == 1
    (job,) = seen.jobs
    return job, {name: span_of(job, promised.span) for name, promised in STAGES.items()}


def span_of(job, name):
    (span,) = (span for span in job.traces[0].spans if span.name == name)
    return span


async def test_a_job_killed_in_two_of_its_stages_is_one_run_with_one_trace(tmp_path, mlflow_server):
    ts, moments = "", [time.time_ns()]
    async with watched(tmp_path, mlflow_server, "killed_twice") as (workspace, model, settings):
        for stage in ("facts", "comment"):
            model.hold(stage)
            async with running_bot(settings) as bot:
                ts = ts or workspace.say(BLOG)
                await model.until_held()
                await bot.kill()
            model.release()
            moments.append(time.time_ns())
        async with running_bot(settings) as bot:
            await workspace.until(lambda: comments(workspace, ts), timeout=60)
            await until_delivered(tmp_path)
            assert await bot.stop() == 0
        job, spans = await the_one_job(workspace, ts, mlflow_server, "killed_twice")
    begun, first, second = moments
    assert begun < spans["retrieval"].start < spans["retrieval"].end < first, "a stage of the first process"
    assert first < spans["stage_a"].start < spans["stage_a"].end < second, "a stage of the second process"
    assert second < spans["stage_b"].start
    root = span_of(job, job.parent.name)
    assert begun < root.start < spans["retrieval"].start
    assert spans["slack_post"].end <= root.end
    assert (job.parent.start, job.parent.end) == (round(root.start / 1e6), round(root.end / 1e6))
    assert job.parent.tags["outcome"] == "success"
    dead = (second - spans["stage_a"].end) / 1e9
    assert job.parent.metrics["total_seconds"] >= dead, "the time without a bot belongs to the job"


async def test_a_link_that_waited_while_no_bot_ran_says_so_in_its_queue_wait(tmp_path, mlflow_server):
    async with watched(tmp_path, mlflow_server, "waited") as (workspace, model, settings):
        model.hold("comment")
        async with running_bot(settings | {"WORKERS": "1"}) as bot:
            workspace.say("https://docs.example.org/courier/retry-policy")
            await model.until_held()
            ts = workspace.say(BLOG)
            await workspace.until(lambda: workspace.reactions(ts))
            killed = time.time()
            await bot.kill()
        model.release()
        begun = time.time()
        async with running_bot(settings) as bot:
            await workspace.until(lambda: comments(workspace, ts), timeout=60)
            await until_delivered(tmp_path, jobs=2)
            assert await bot.stop() == 0
    seen = await asyncio.to_thread(read_experiment, mlflow_server, "waited")
    (job,) = (job for job in seen.jobs if job.parent.tags["target_url"] == BLOG)
    assert job.parent.start / 1000 < killed
    assert job.parent.start / 1000 + job.parent.metrics["queue_wait_seconds"] > begun
    assert min(run.start for run in job.nested) / 1000 > begun


async def test_a_job_that_slack_told_to_wait_and_another_process_resumed_is_one_run(tmp_path, mlflow_server):
    async with watched(tmp_path, mlflow_server, "parked_by_slack") as (workspace, model, settings):
        workspace.faults.rate_limit("chat.postMessage", retry_after=3)
        async with running_bot(settings) as bot:
            ts = workspace.say(BLOG)
            await workspace.until(lambda: workspace.faults.met["rate_limit"], timeout=60)
            await until_parked(tmp_path)
            await bot.kill()
        paid, resumed = model.requests(), time.time_ns()
        async with running_bot(settings) as bot:
            await workspace.until(lambda: comments(workspace, ts), timeout=60)
            await until_delivered(tmp_path)
            assert await bot.stop() == 0
        assert model.requests() == paid
        _, spans = await the_one_job(workspace, ts, mlflow_server, "parked_by_slack")
    assert spans["quality_gates"].end < resumed < spans["slack_post"].start


async def test_a_job_that_the_model_told_to_wait_and_another_process_resumed_is_one_run(tmp_path, mlflow_server):
    async with watched(tmp_path, mlflow_server, "parked_by_model") as (workspace, model, settings):
        model.script(*["503"] * 40)
        async with running_bot(settings | {"LLM_FALLBACKS": "none"}) as bot:
            ts = workspace.say(BLOG)
            await until_parked(tmp_path)
            await bot.kill()
        model._script.clear()
        resumed = time.time_ns()
        async with running_bot(settings) as bot:
            await workspace.until(lambda: comments(workspace, ts), timeout=120)
            await until_delivered(tmp_path)
            assert await bot.stop() == 0
        _, spans = await the_one_job(workspace, ts, mlflow_server, "parked_by_model")
    assert spans["retrieval"].end < resumed < spans["stage_a"].start
