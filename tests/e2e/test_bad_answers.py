"""Bad model answers through the whole bot: the thread always gets a comment, and nothing that was paid for is lost."""

import pytest
from aiohttp import web
from mlflow import MlflowClient

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot
from tests.e2e.test_visible_ends import recorded, serving
from tests.samples import PAGE

FACTS_COME_THIRD = ("", "")
"""Two rounds of the search tool go before."""

KEYLESS = "Written by: extractive, no model, because "
SCRIPTS = {
    "quota": (("quota",), f"{KEYLESS}the model's account has no credit left (429)"),
    "refusal": (("refusal",), f"{KEYLESS}the model declined to answer"),
    "unlike": ((*FACTS_COME_THIRD, "wrong_schema", "wrong_schema"), f"{KEYLESS}the model's answers did not have the form"),
    "cut": ((*FACTS_COME_THIRD, "length", "length"), f"{KEYLESS}the model's answers were cut off at their length limit"),
    "late": ((*FACTS_COME_THIRD, "", "401"), "Written by: extractive, from gpt-4o's facts, because the model refused"),
    "blip": (("503", "html", "stream_cut"), "Written by: gpt-4o"),
    "fenced": ((*FACTS_COME_THIRD, "fenced"), "Written by: gpt-4o"),
}  # fmt: skip


async def page(request):
    html = "".join(f"<p>{line}</p>" for line in PAGE.splitlines())
    title = request.query.get("of", "")
    return web.Response(
        text=f"<html><title>Roofs {title}</title><article>{html}</article></html>", content_type="text/html"
    )


async def answered(workspace, url):
    ts = workspace.say(url)
    await workspace.until(lambda: comments(workspace, ts), timeout=60)
    (comment,) = comments(workspace, ts)
    return comment["text"]


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_every_bad_answer_ends_in_a_comment_that_says_who_wrote_it(tmp_path, mlflow_server, api):
    experiment = f"bad_answers_{api}"
    async with open_workspace() as workspace, open_model_server() as model, serving(page, "/page") as host:
        settings = environment(
            workspace, tmp_path, FETCH_ALLOW_HOSTS=host, LLM_API=api,
            OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000",
            MLFLOW_TRACKING_URI=mlflow_server, MLFLOW_EXPERIMENT_NAME=experiment, MLFLOW_ENABLE_TRACKING="true",
        )  # fmt: skip
        async with running_bot(settings) as bot:
            for name, (faults, author) in SCRIPTS.items():
                model.script(*faults)
                text = await answered(workspace, f"http://{host}/page?of={name}")
                assert author in text
                assert "TLDR" in text
            client = MlflowClient(mlflow_server)
            await recorded(client, experiment, len(SCRIPTS))
            assert await bot.stop() == 0
    (found,) = client.search_experiments(filter_string=f"name = '{experiment}'")
    runs = client.search_runs([found.experiment_id])
    jobs = [run for run in runs if run.data.tags["kind"] == "job"]
    told = model.stats()
    assert sum(job.data.metrics.get("total_tokens", 0) for job in jobs) == told["input_tokens"] + told["output_tokens"]
    fallbacks = {run.data.tags["target_url"].partition("=")[2] for run in runs if "fallback" in run.data.tags}
    assert fallbacks == {"quota", "refusal", "unlike", "cut", "late"}


async def test_a_days_budget_is_kept_over_a_restart_and_the_reply_says_that_it_is_spent(tmp_path):
    async with open_workspace() as workspace, open_model_server() as model, serving(page, "/page") as host:
        settings = environment(
            workspace, tmp_path, FETCH_ALLOW_HOSTS=host, DAILY_BUDGET_USD="0.000001",
            OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000",
        )  # fmt: skip
        for name in ("first", "second"):
            async with running_bot(settings) as bot:
                text = await answered(workspace, f"http://{host}/page?of={name}")
                assert f"{KEYLESS}today's model budget is spent" in text
                assert await bot.stop() == 0
        assert model.requests() == 1  # the call that spent it
