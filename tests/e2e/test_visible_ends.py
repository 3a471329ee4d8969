"""Every link ends so that a person sees it: five ends, their signs, and the Retry button, with the real bot."""

import asyncio
import json
import re
import sqlite3
from contextlib import asynccontextmanager, closing

import aiohttp
from aiohttp import web
from mlflow import MlflowClient

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot
from tests.e2e.test_observed import delivered
from tests.samples import PAGE

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
DOCS = "https://docs.example.org/courier/retry-policy"
REPO = "https://github.com/technoshare-samples/ledgerline"
GONE = "https://blog.example.org/2019/old-post"

DONE, FAILED = ["white_check_mark"], ["warning"]


@asynccontextmanager
async def serving(handler, path):
    """A server with one handler; yields its `host:port`."""
    app = web.Application()
    app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Shortening:
    """Stands between the bot and a model; takes a sentence from the TLDR while `on`."""

    def __init__(self, base_url):
        self._base_url = base_url
        self.on = False

    async def answer(self, request):
        url = self._base_url.rstrip("/") + request.path.removeprefix("/v1")
        async with aiohttp.ClientSession() as session, session.post(url, json=await request.json()) as answer:
            said = await answer.json()
        message = said["choices"][0]["message"]
        if self.on and '"tldr"' in (message.get("content") or ""):
            comment = json.loads(message["content"])
            message["content"] = json.dumps(comment | {"tldr": comment["tldr"][:2]})
        return web.json_response(said)


async def ended(workspace, ts, sign):
    """Wait for the sign of an end and return what stands in the thread."""
    await workspace.until(lambda: workspace.reactions(ts) == sign, timeout=60)
    return [comment["text"] for comment in comments(workspace, ts)]


async def test_every_link_ends_in_exactly_one_of_five_ways(tmp_path, mlflow_server):
    experiment = "visible_ends"
    async with open_workspace() as workspace, open_model_server() as model:
        shortening = Shortening(model.base_url)
        async with serving(shortening.answer, "/v1/{rest:.*}") as host:
            settings = environment(
                workspace,
                tmp_path,
                LLM_API="chat",
                OPENAI_BASE_URL=f"http://{host}/v1",
                OPENAI_API_KEY="sk-test-0000",
                MLFLOW_TRACKING_URI=mlflow_server,
                MLFLOW_EXPERIMENT_NAME=experiment,
                MLFLOW_ENABLE_TRACKING="true",
            )
            async with running_bot(settings) as bot:
                said = {"success": workspace.say(BLOG)}
                (text,) = await ended(workspace, said["success"], DONE)
                assert re.search(r"Checks: (\d+) of \1 passed", text)

                said["duplicate"] = workspace.say(f"{BLOG}?utm_source=x")
                (text,) = await ended(workspace, said["duplicate"], DONE)
                assert "Already shared here" in text

                preview = {"from_url": GONE, "title": "An old post", "text": "It was about kites.", "id": 1}
                said["failed"] = workspace.say(GONE, attachments=[preview])
                (text,) = await ended(workspace, said["failed"], FAILED)
                assert "404" in text
                assert "Slack's own preview, not checked: “An old post: It was about kites.”" in text

                shortening.on = True
                said["degraded"] = workspace.say(REPO)
                (text,) = await ended(workspace, said["degraded"], DONE)
                assert "Automatic check: The TLDR has 2 sentences instead of 3." in text

                model.hold("comment")
                said["withdrawn"] = workspace.say(DOCS)
                await model.until_held()
                workspace.delete(said["withdrawn"])
                await workspace.until(lambda: all(delivery.acked_at for delivery in workspace.deliveries))
                model.release()
                client = MlflowClient(mlflow_server)
                await recorded(client, experiment, len(said))
                assert await bot.stop() == 0
            assert comments(workspace, said["withdrawn"]) == []
    assert ledger(tmp_path) == {ts: outcome for outcome, ts in said.items()}
    (found,) = client.search_experiments(filter_string=f"name = '{experiment}'")
    runs = client.search_runs([found.experiment_id])
    parents = [run for run in runs if run.data.tags.get("kind") == "job"]
    assert sorted(run.data.tags["outcome"] for run in parents) == sorted(said)
    (withdrawn,) = [run.info.run_id for run in parents if run.data.tags["outcome"] == "withdrawn"]
    stages = {run.data.tags["stage"] for run in runs if run.data.tags.get("mlflow.parentRunId") == withdrawn}
    assert stages == {"retrieval", "stage_a", "stage_b", "quality_gates"}


async def recorded(client, experiment, jobs):
    await delivered(client, experiment, None)
    finished = "tags.kind = 'job' and attributes.status != 'RUNNING'"
    async with asyncio.timeout(60):
        while True:
            (found,) = client.search_experiments(filter_string=f"name = '{experiment}'")
            if len(client.search_runs([found.experiment_id], finished)) == jobs:
                return
            await asyncio.sleep(0.3)  # another process works; MLflow cannot tell when it is done


def ledger(folder):
    with closing(sqlite3.connect(f"file:{folder / 'technoshare.db'}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("select ts, outcome from shares").fetchall())


async def test_a_click_on_retry_brings_a_comment_and_a_second_click_brings_nothing(tmp_path):
    status = [404]

    async def page(request):
        if status[0] != 200:
            return web.Response(status=status[0], text="not yet")
        html = "".join(f"<p>{line}</p>" for line in PAGE.splitlines())
        return web.Response(
            text=f"<html><title>Roofs</title><article>{html}</article></html>", content_type="text/html"
        )

    async with (
        open_workspace() as workspace,
        serving(page, "/page") as host,
        running_bot(environment(workspace, tmp_path, FETCH_ALLOW_HOSTS=host)) as bot,
    ):
        ts = workspace.say(f"http://{host}/page")
        await ended(workspace, ts, FAILED)
        (failure,) = comments(workspace, ts)
        status[0] = 200
        assert await workspace.press(failure["ts"], "retry")
        assert await workspace.press(failure["ts"], "retry")
        first, second = await ended(workspace, ts, DONE)
        assert "404" in first
        assert "TLDR" in second
        assert await workspace.press(failure["ts"], "retry")  # the button of an attempt that is over
        await bot.said("nothing to do")
        other = workspace.say(GONE)
        await ended(workspace, other, FAILED)
        assert len(comments(workspace, ts)) == 2
        tokens = [comment["metadata"]["event_payload"]["token"] for comment in comments(workspace, ts)]
        assert len(set(tokens)) == 2
        assert await bot.stop() == 0


async def test_a_link_that_waits_is_not_read_once_its_message_is_deleted(tmp_path):
    async with open_workspace() as workspace, open_model_server() as model:
        model.hold("comment")
        settings = environment(
            workspace, tmp_path, WORKERS="1", OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000"
        )
        async with running_bot(settings):
            first = workspace.say(BLOG)
            await model.until_held()
            asked = model.requests("facts")
            waiting = workspace.say(DOCS)
            await workspace.until(lambda: workspace.reactions(waiting))
            workspace.delete(waiting)
            await workspace.until(lambda: all(delivery.acked_at for delivery in workspace.deliveries))
            model.release()
            await ended(workspace, first, DONE)
            last = workspace.say(GONE)
            await ended(workspace, last, FAILED)
        assert model.requests("facts") == asked
        assert comments(workspace, waiting) == []
    assert ledger(tmp_path).get(waiting) == "withdrawn"
