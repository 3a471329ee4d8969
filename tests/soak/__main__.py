"""`make soak`: the real `python bot.py` for half an hour while Slack and MLflow misbehave.

Slack answers 5 % of the calls with 429, accepts 2 % of the posts without an answer and tells the socket to go once a
minute; the MLflow server is killed and started again twice. Printed each minute: the bot's memory and what waits; at
the end: links lost, comments doubled, records that MLflow never got, growth of memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from technoshare.workspace.faults import Fault
from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.server import Workspace, open_workspace
from tests.bench.__main__ import open_pages
from tests.bot_process import ROOT, BotProcess, comments, environment, running_bot
from tests.crash.loop import CALLS, ever_replied

ALLOWED = 0.05
"""Growth of memory from minutes 5-10 to the last five: a leak shows more, a warm cache less."""

PATIENCE = 120.0
"""Seconds at the end for the jobs and records that still wait; a dropped answer alone costs 15."""


@dataclass
class Soak:
    """One run."""

    workspace: Workspace
    bot: BotProcess
    port: int
    folder: Path
    minutes: float
    every: float
    said: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    async def run(self, mlflow: Restarts) -> None:
        """Post links all the time, restart MLflow after a third and two thirds of it."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self.workspace.faults.disconnect_every(60)),
                group.create_task(self._watch()),
                group.create_task(self._restart(mlflow)),
            ]
            while time.monotonic() - began < 60 * self.minutes:
                self.said.append(self.workspace.say(f"http://127.0.0.1:{self.port}/{len(self.said)}"))
                await asyncio.sleep(self.every)
            for task in background:
                task.cancel()
        await self._settled()

    async def _restart(self, mlflow: Restarts) -> None:
        for _ in range(2):
            await asyncio.sleep(20 * self.minutes)
            await mlflow.restart()
            print("        MLflow was killed and started again", flush=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(60)
            self.memory.append(resident(self.bot.process.pid))
            print(
                f"{len(self.memory):4} min  {self.memory[-1]:6.1f} MiB  {len(self.said)} links, "
                f"{self.unanswered} without an answer, {spooled(self.folder)} records on their way to MLflow",
                flush=True,
            )

    async def _settled(self) -> None:
        self.workspace.faults.calm()
        deadline = time.monotonic() + PATIENCE
        while (self.unanswered or spooled(self.folder)) and time.monotonic() < deadline:  # noqa: ASYNC110 - the spool's file is another process'
            await asyncio.sleep(0.5)

    @property
    def unanswered(self) -> int:
        """How many links have no reply in their thread."""
        return sum(not comments(self.workspace, ts) for ts in self.said)

    @property
    def growth(self) -> float | None:
        """Memory of the last five minutes against minutes 5 to 10; None for a run too short to tell."""
        if len(self.memory) < 15:
            return None
        return statistics.mean(self.memory[-5:]) / statistics.mean(self.memory[5:10]) - 1


class Restarts:
    """An MLflow server that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start, and return when the server answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "technoshare.mlops.server", "--port", str(self._port),
            "--db", str(self._folder / "mlflow.db"), "--artifacts", str(self._folder / "mlartifacts"),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the MLflow server ended at once"

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()


def resident(pid: int) -> float:
    """Return a process's memory in MiB."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def spooled(folder: Path) -> int:
    """Return how many records wait for MLflow."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'mlflow-spool.db'}?mode=ro", uri=True)) as spool:
        return int(spool.execute("select count(*) from records where state = 'waiting'").fetchone()[0])


@contextlib.asynccontextmanager
async def opened(minutes: float, every: float) -> AsyncIterator[tuple[Soak, Restarts]]:
    """Everything that takes part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mlflow = Restarts(folder)
        async with (
            open_pages() as port,
            open_workspace() as workspace,
            open_model_server(Behaviour(latency=0.2, jitter=0.3)) as model,
        ):
            await mlflow.start()
            settings = environment(
                workspace, folder, FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}", MLFLOW_TRACKING_URI=mlflow.url,
                MLFLOW_ENABLE_TRACKING="true", MLFLOW_ENABLE_TRACING="true",
                OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000", LLM_API="chat",
            )  # fmt: skip
            for method in CALLS:
                workspace.faults.at_random(method, 0.05, Fault("rate_limit", retry_after=1))
            workspace.faults.at_random("chat.postMessage", 0.02, Fault("drop_answer"))
            try:
                async with running_bot(settings) as bot:
                    yield Soak(workspace, bot, port, folder, minutes, every), mlflow
            finally:
                await mlflow.stop()


async def main() -> int:
    """Return 0 when nothing was lost or doubled and memory stood still."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=1.5, metavar="SECONDS", help="between two links")
    parsed = parser.parse_args()
    async with opened(parsed.minutes, parsed.every) as (soak, mlflow):
        await soak.run(mlflow)
        doubled = sum(count - 1 for count in ever_replied(soak.workspace).values())
        unsent, raised = spooled(soak.folder), sum("Traceback" in line for line in soak.bot.log)
        met, growth = soak.workspace.faults.met, soak.growth
        code = await soak.bot.stop()
    print(
        f"  links {len(soak.said)}, LOST {soak.unanswered}, DOUBLED {doubled}, records MLflow never got {unsent}\n"
        f"  met: {met['rate_limit']} × 429, {met['drop_answer']} dropped answers; tracebacks {raised}; exit {code}\n"
        f"  memory: {'too short to tell' if growth is None else f'{growth:+.1%} (allowed {ALLOWED:+.0%})'}"
    )
    return int(bool(soak.unanswered or doubled or unsent or raised or code or (growth or 0) > ALLOWED))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
