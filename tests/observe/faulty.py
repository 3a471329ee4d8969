"""What a sick MLflow costs a job, and what it loses: the lab's jobs with tracking, interleaved with jobs without it."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from technoshare.mlops.server import running_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import ROOT, comments, environment, running_bot
from tests.observe import lab
from tests.observe.contract import Expected, faults
from tests.observe.figures import at, table
from tests.observe.files import spooled, until_delivered
from tests.observe.gate import Gate, Mood, open_gate
from tests.observe.reading import read_experiment
from tests.observe.samples import BLOG

HEAD = ("MLflow", "jobs", "off p50", "+p50", "off p95", "+p95", "lag of 8: off", "on", "of 32: off", "on", "exit", "lost", "faults")  # fmt: skip
PATIENCE = 900.0
"""Seconds until the spool must be empty."""


@dataclass(frozen=True)
class Size:
    """How much is measured in each case."""

    rounds: int = 5
    alone: int = 10
    """Jobs of a round, one after the other."""
    eight: int = 24
    burst: int = 32
    backlog: int = 200
    kills: int = 5


class Lab:
    """A lab process. It stands still unless it is asked for jobs or told to go on."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process, self.folder = process, folder
        self.done = 0

    async def jobs(self, count: int, at_once: int) -> dict[str, list[float]]:
        """Let it run so many new jobs, and return what it measured."""
        self._process.stdin.write(f"{self.done} {count} {at_once}\n".encode())
        self.done += count
        return json.loads(await self._process.stdout.readline())

    @contextmanager
    def awake(self):
        self._process.send_signal(signal.SIGCONT)
        yield
        self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def open_lab(folder: Path, uri: str, experiment: str, *, on: bool, done: int = 0) -> AsyncIterator[Lab]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.observe.lab", str(folder), uri, experiment, "on" if on else "off",
        cwd=ROOT, env={name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=(folder / "log").open("ab"), limit=2**24,
    )  # fmt: skip
    opened = Lab(process, folder)
    opened.done = done
    try:
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError((folder / "log").read_text())
        yield opened
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            await opened.kill()


@dataclass
class Times:
    """Seconds of jobs and of the event loop's lateness, by how many jobs ran at once."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: {1: [], 8: [], 32: []})
    lag: dict[int, list[float]] = field(default_factory=lambda: {1: [], 8: [], 32: []})

    async def add(self, opened: Lab, size: Size) -> None:
        with opened.awake():
            for count, at_once in ((size.alone, 1), (size.eight, 8), (size.burst, 32)):
                told = await opened.jobs(count, at_once)
                self.seconds[at_once] += told["seconds"]
                self.lag[at_once] += told["lag"]


@dataclass(frozen=True)
class Row:
    """One case in figures; times in milliseconds."""

    name: str
    jobs: int
    off: Times
    on: Times
    exit: float | None
    faults: Sequence[str]

    def cells(self) -> tuple[str, ...]:
        def ms(value: float) -> str:
            return f"{value:.0f}"

        off, on = self.off.seconds[1], self.on.seconds[1]
        lags = [ms(at(times.lag[many], 0.99)) for many in (8, 32) for times in (self.off, self.on)]
        lost = sum("LOST" in fault for fault in self.faults)
        return (
            self.name, str(self.jobs), ms(at(off, 0.5)), f"{at(on, 0.5) - at(off, 0.5):+.1f}",
            ms(at(off, 0.95)), f"{at(on, 0.95) - at(off, 0.95):+.1f}", *lags,
            "" if self.exit is None else f"{self.exit:.1f} s", str(lost), str(len(self.faults)),
        )  # fmt: skip


Disturb = Callable[[int], Awaitable[None]]


class Cases:
    """One server, one gate before it, a folder; every case has an experiment of its own."""

    def __init__(self, gate: Gate, folder: Path, size: Size, tell: Callable[[str], None]) -> None:
        self._gate, self._folder, self._size, self._tell = gate, folder, size, tell
        self._stack = AsyncExitStack()
        self.rows: list[Row] = []

    def serve(self) -> None:
        """Start the server; the gate leads to it."""
        place = self._folder / "mlflow.db", self._folder / "mlartifacts"
        server = self._stack.enter_context(running_server(port=0, db=place[0], artifacts=place[1]))
        self._gate.target, self._server = server.url, server

    async def die(self) -> None:
        """Kill the server, with all its processes."""
        os.killpg(self._server.process.pid, signal.SIGKILL)
        await self._stack.aclose()

    async def control(self) -> None:
        """Off against off: what the machine itself adds."""
        async with open_lab(self._folder / "control", "", "", on=False) as other:
            off, on = await self._interleaved(other, _nothing)
        self._add(Row("off (control)", other.done, off, on, await self._exit("off"), ()))

    async def sick(self, mood: Mood) -> None:
        """Measure while the gate has a mood; then open it, and see that everything arrives."""
        await self._gate.be(mood)
        await self._measure("up" if mood == "open" else mood, _nothing, exit_=await self._exit(mood))

    async def dying(self) -> None:
        """The server is killed in the middle of the jobs, and is back when they are done."""

        async def disturb(number: int) -> None:
            if number == self._size.rounds // 2:
                await self.die()

        await self._gate.be("open")
        await self._measure("dies midway", disturb, before_end=self._serve_again)

    async def restarted(self) -> None:
        """The server is killed and started again while jobs go on."""

        async def disturb(number: int) -> None:
            if number == 1:
                await self.die()
                await self._serve_again()

        await self._gate.be("open")
        await self._measure("restarted", disturb)

    async def back(self) -> None:
        """Back after many jobs; the bot is killed in the middle of its replay, again and again, and works meanwhile."""
        name, size, folder = "back", self._size, self._folder / "back"
        await self._gate.be("refused")
        async with open_lab(folder, self._gate.url, name, on=True) as first:
            await first.jobs(size.backlog, 32)
            await first.kill()
        await self._gate.be("open")
        chance = random.Random(0)  # noqa: S311 - moments that can be had again
        for _ in range(size.kills):
            async with open_lab(folder, self._gate.url, name, on=True, done=first.done) as life:
                before = spooled(folder, "delivered")
                await until_delivered(folder, min(before + 3, first.done), timeout=PATIENCE)
                await asyncio.sleep(chance.uniform(0, 1))
                await life.kill()
        self._tell(f"back: {spooled(folder, 'delivered')} of {size.backlog} delivered when killed for the last time")
        async with open_lab(folder, self._gate.url, name, on=True, done=first.done) as last:
            off, on = await self._interleaved(last, _nothing)
            with last.awake():
                await until_delivered(folder, last.done, timeout=PATIENCE)
        label = f"back after {size.backlog}, {size.kills} kills"
        self._add(Row(label, last.done, off, on, None, await self._judged(name, last.done)))

    # ---------------------------------------------------------------- parts

    async def _measure(
        self,
        name: str,
        disturb: Disturb,
        *,
        exit_: float | None = None,
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        experiment = name.replace(" ", "_")
        async with open_lab(self._folder / experiment, self._gate.url, experiment, on=True) as on_lab:
            off, on = await self._interleaved(on_lab, disturb)
            if before_end is not None:
                await before_end()
            await self._gate.be("open")
            with on_lab.awake():
                await until_delivered(on_lab.folder, on_lab.done, timeout=PATIENCE)
        self._add(Row(name, on_lab.done, off, on, exit_, await self._judged(experiment, on_lab.done)))

    async def _interleaved(self, on_lab: Lab, disturb: Disturb) -> tuple[Times, Times]:
        """Jobs without tracking and with it, in turns; the other process stands still meanwhile."""
        off, on = Times(), Times()
        async with open_lab(self._folder / f"off-{len(self.rows)}", "", "", on=False) as off_lab:
            for warm in (off_lab, on_lab):
                with warm.awake():
                    await warm.jobs(8, 8)
            for number in range(self._size.rounds):
                turns = [(off, off_lab), (on, on_lab)]
                await disturb(number)
                for times, turn in turns if number % 2 else reversed(turns):
                    await times.add(turn, self._size)
        return off, on

    async def _serve_again(self) -> None:
        await asyncio.to_thread(self.serve)

    async def _judged(self, experiment: str, jobs: int) -> list[str]:
        expected = [
            Expected(job.url, job.channel, job.ts, f"of run {number},")
            for number in range(jobs)
            for job in [lab.a_job(number, experiment)]
        ]
        seen = await asyncio.to_thread(read_experiment, self._gate.target, experiment)
        found = [*faults(expected, seen.jobs, r"of run \d+,"), *seen.faults()]
        for fault in found[:5]:
            self._tell(f"  {experiment}: {fault}")
        return found

    async def _exit(self, mood: Mood | Literal["off"]) -> float:
        """Return how many seconds the real bot, idle, takes to end while MLflow is so."""
        folder, on = self._folder / f"exit-{mood}", "false" if mood == "off" else "true"
        folder.mkdir()
        async with open_workspace() as workspace:
            settings = environment(
                workspace, folder, MLFLOW_TRACKING_URI=self._gate.url, MLFLOW_EXPERIMENT_NAME=f"exit_{mood}",
                MLFLOW_ENABLE_TRACKING=on, MLFLOW_ENABLE_TRACING=on,
            )  # fmt: skip
            async with running_bot(settings) as bot:
                ts = workspace.say(BLOG)
                await workspace.until(lambda: comments(workspace, ts), timeout=60)
                if mood == "open":
                    await until_delivered(folder)
                elif mood != "off":
                    await bot.said("MLflow is away", within=60)
                begun = time.monotonic()
                if await bot.stop():
                    raise AssertionError("\n".join(bot.log))
                return time.monotonic() - begun

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self._tell("  ".join(row.cells()))


async def _nothing(number: int) -> None:
    del number


async def measure(folder: Path, size: Size, tell: Callable[[str], None], only: Sequence[str] = ()) -> list[Row]:
    """Run the cases, and return their rows."""
    async with open_gate() as gate:
        cases = Cases(gate, folder, size, tell)
        every: dict[str, Callable[[], Awaitable[None]]] = {
            "control": cases.control,
            "up": lambda: cases.sick("open"),
            "refused": lambda: cases.sick("refused"),
            "silent": lambda: cases.sick("silent"),
            "500": lambda: cases.sick("500"),
            "dying": cases.dying,
            "restarted": cases.restarted,
            "back": cases.back,
        }
        await asyncio.to_thread(cases.serve)
        try:
            for name in only or every:
                await every[name]()
        finally:
            await cases.die()
    return cases.rows


def shown(rows: Sequence[Row]) -> str:
    """Return the table; times in milliseconds, lag as its 99th percentile."""
    return table(HEAD, [row.cells() for row in rows])
