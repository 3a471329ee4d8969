"""Many jobs at once through real bots into one experiment, read back: is everything there, once, and where it belongs?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.server import Workspace, open_workspace
from tests.bench.__main__ import open_pages
from tests.bot_process import BotProcess, comments, environment, running_bot
from tests.observe.contract import Expected, faults
from tests.observe.files import until_delivered
from tests.observe.reading import SeenExperiment, read_experiment

MARKS = r"of run \d+,"
"""Stands in every sentence of a page of `open_pages`, with the page's number."""


@dataclass(frozen=True)
class Crowd:
    """So many bots, each with a Slack and a spool of its own, and so many links in each channel at once."""

    bots: int = 1
    links: int = 64
    patience: float = 300.0
    """Seconds for everything to be answered and delivered."""


@dataclass(frozen=True)
class Count:
    """What arrived, and what is wrong with it."""

    seen: SeenExperiment
    faults: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line for people."""
        jobs = self.seen.jobs
        runs = [run for job in jobs for run in (job.parent, *job.nested)]
        tags, metrics = sum(len(run.tags) for run in runs), sum(len(run.metrics) for run in runs)
        artifacts = sum(len(run.artifacts) for run in runs)
        spans = sum(len(trace.spans) for job in jobs for trace in job.traces)
        return (
            f"{len(jobs)} jobs: {len(runs)} runs, {tags} tags, {metrics} metrics, {artifacts} artifacts,"
            f" {sum(len(job.traces) for job in jobs)} traces, {spans} spans; {len(self.faults)} faults"
        )


async def observe(crowd: Crowd, folder: Path, mlflow: str, experiment: str) -> Count:
    """Let the bots do it all at once, wait until their spools are empty, and count."""
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(open_pages())
        model = await stack.enter_async_context(open_model_server(Behaviour(latency=0.05, jitter=0.5)))
        settings = {
            "FETCH_ALLOW_HOSTS": f"127.0.0.1:{port}",
            "LLM_API": "chat",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-test-0000",
            "MLFLOW_TRACKING_URI": mlflow,
            "MLFLOW_EXPERIMENT_NAME": experiment,
            "MLFLOW_ENABLE_TRACKING": "true",
            "MLFLOW_ENABLE_TRACING": "true",
        }
        teams = [
            Team(number, await stack.enter_async_context(open_workspace()), folder / f"bot-{number}", port)
            for number in range(crowd.bots)
        ]
        for team in teams:
            team.bot = await stack.enter_async_context(running_bot(team.settings(settings)))
        expected = [job for team in teams for job in team.say(crowd.links)]
        await asyncio.gather(*(team.until_done(crowd) for team in teams))
    seen = await asyncio.to_thread(read_experiment, mlflow, experiment)
    return Count(seen, (*faults(expected, seen.jobs, MARKS), *seen.faults()))


class Team:
    """A Slack with one bot in a channel of its own."""

    def __init__(self, number: int, workspace: Workspace, folder: Path, port: int) -> None:
        self.bot: BotProcess
        self._first = 1000 * number
        self._workspace, self._folder, self._port = workspace, folder, port
        self._channel = workspace.add_channel(f"links-{number}") if number else workspace.channel
        self._said: list[str] = []
        folder.mkdir()

    def settings(self, more: dict[str, str]) -> dict[str, str]:
        return environment(self._workspace, self._folder, TECHNOSHARE_CHANNEL_ID=self._channel, **more)

    def say(self, links: int) -> list[Expected]:
        return [self._say(self._first + number) for number in range(links)]

    def _say(self, number: int) -> Expected:
        url = f"http://127.0.0.1:{self._port}/{number}"
        ts = self._workspace.say(url, channel=self._channel)
        self._said.append(ts)
        return Expected(url, self._channel, ts, mark=f"of run {number},")

    async def until_done(self, crowd: Crowd) -> None:
        await self._workspace.until(self._all_answered, timeout=crowd.patience)
        await until_delivered(self._folder, crowd.links, timeout=crowd.patience)
        code = await self.bot.stop()
        if code:
            raise AssertionError(f"the bot ended with {code}")

    def _all_answered(self) -> bool:
        return all(comments(self._workspace, ts, self._channel) for ts in self._said)
