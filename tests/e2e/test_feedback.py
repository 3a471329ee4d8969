"""A vote in Slack becomes an assessment on the job's trace, with the real bot and a real MLflow server."""

import asyncio
import socket

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from technoshare.mlops.server import running_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
DOCS = "https://docs.example.org/courier/retry-policy"
YOU, ADA = "U0YOU000001", "U0ADA000001"


def observed(workspace, folder, uri, experiment):
    return environment(
        workspace,
        folder,
        MLFLOW_TRACKING_URI=uri,
        MLFLOW_EXPERIMENT_NAME=experiment,
        MLFLOW_ENABLE_TRACKING="true",
        MLFLOW_ENABLE_TRACING="true",
    )


async def commented(workspace, url):
    """Share a link and return the ts of its comment."""
    ts = workspace.say(url)
    await workspace.until(lambda: comments(workspace, ts), timeout=60)
    return comments(workspace, ts)[0]["ts"]


def votes_in(uri, experiment):
    """What people think, as MLflow tells it: (who, helpful, why) for each trace, by its job's id."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    traces = client.search_traces(locations=[found.experiment_id]) if found else []
    return {
        trace.info.trace_metadata["mlflow.trace.session"]: sorted(
            (told.source.source_id, told.value, told.rationale or "")
            for told in client.get_trace(trace.info.trace_id).info.assessments
            if told.name == "user_feedback"
        )
        for trace in traces
    }


async def told(uri, experiment, *wanted):
    """Wait until these are the votes on all traces together."""
    seen = None
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    seen = votes_in(uri, experiment)
                except MlflowException as error:
                    seen = error
                else:
                    if sorted(vote for votes in seen.values() for vote in votes) == sorted(wanted):
                        return seen
                await asyncio.sleep(0.3)  # another process works; MLflow cannot tell when it is done
    except TimeoutError:
        raise AssertionError(f"MLflow says {seen}, not {wanted}") from None


async def test_votes_reasons_changes_and_removals_reach_the_trace_of_their_comment(tmp_path, mlflow_server):
    experiment = "votes"
    async with (
        open_workspace() as workspace,
        running_bot(observed(workspace, tmp_path, mlflow_server, experiment)) as bot,
    ):
        ts, other = await commented(workspace, BLOG), await commented(workspace, DOCS)
        assert await workspace.press(ts, "vote-up")
        assert await workspace.press(other, "vote-up", user=ADA)
        seen = await told(mlflow_server, experiment, (YOU, True, ""), (ADA, True, ""))
        assert sorted(map(len, seen.values())) == [1, 1]

        assert await workspace.press(ts, "vote-down")
        await workspace.until(workspace.view)
        assert await workspace.submit({"reasons": ["wrong_facts"], "words": "It took <!here> nine minutes"})
        reason = "wrong_facts: It took [mention removed] nine minutes"
        await told(mlflow_server, experiment, (YOU, False, reason), (ADA, True, ""))

        assert await workspace.press(ts, "vote-down")
        assert await workspace.press(other, "vote-down", user=ADA)
        await told(mlflow_server, experiment, (ADA, False, ""))
        assert await bot.stop() == 0


async def test_a_vote_while_mlflow_is_away_arrives_when_it_is_back_though_the_bot_was_killed(tmp_path):
    experiment = "votes"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with open_workspace() as workspace:
        settings = observed(workspace, tmp_path, f"http://127.0.0.1:{port}", experiment)
        async with running_bot(settings) as bot:
            ts = await commented(workspace, BLOG)
            assert await workspace.press(ts, "vote-up", user=ADA)
            assert await workspace.press(ts, "vote-down")
            await workspace.until(workspace.view)
            assert await workspace.submit({"reasons": ["other"], "words": ""})
            await bot.kill()
        with running_server(port=port, db=tmp_path / "mlflow.db", artifacts=tmp_path / "artifacts") as server:
            async with running_bot(settings) as bot:
                await told(server.url, experiment, (YOU, False, "other"), (ADA, True, ""))
                assert await workspace.press(ts, "vote-up", user=ADA)
                await told(server.url, experiment, (YOU, False, "other"))
                assert await bot.stop() == 0


async def test_a_fall_of_the_votes_is_one_line_in_the_operators_channel_however_often_the_bot_starts(tmp_path):
    async with open_workspace() as workspace:
        operators = workspace.add_channel("operators")
        settings = environment(workspace, tmp_path, ALERT_CHANNEL=operators, ALERT_VOTES="2")
        async with running_bot(settings) as bot:
            ts = await commented(workspace, BLOG)
            assert await workspace.press(ts, "vote-down")
            await workspace.until(workspace.view)
            await bot.kill()
        async with running_bot(settings) as bot:
            await workspace.until(lambda: workspace.messages(operators), timeout=60)
            await bot.kill()
        async with running_bot(settings) as bot:
            await commented(workspace, DOCS)  # by then it has looked at the rates
            assert await bot.stop() == 0
        (alert,) = workspace.messages(operators)
        assert alert["text"].startswith("1 of the last 1 votes (100 %) are 👎, more than the 30 % allowed")
