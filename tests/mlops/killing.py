"""A process that replays a spool and is killed -9 in the middle of it, again and again, until MLflow has everything.

`python -m tests.mlops.killing SPOOL URI EXPERIMENT` is the process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from technoshare.mlops.spool import open_spool
from technoshare.mlops.tracking import open_tracker
from technoshare.mlops.waiting import SpoolReport, read_spool
from tests.mlops.breakable import Road, open_road
from tests.mlops.sample import a_new_record, a_vote

ROOT = Path(__file__).resolve().parents[2]

REQUESTS = 24
"""About so many a job takes; kills are spread over all of them."""


class DeadlyRoad(Road):
    """Kills its traveller at the planned requests: they arrive, and nobody is left to hear the answer."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.plan: list[int] = []
        self.traveller = 0

    def count(self) -> tuple[bool, bool]:
        counted = super().count()
        with self.lock:
            if self.plan and self.requests >= self.plan[0]:
                self.plan.pop(0)
                os.kill(self.traveller, signal.SIGKILL)
        return counted


@dataclass(frozen=True)
class Killed:
    """How a replay under kills went; `votes` are the (job id, generation) whose comment got a thumb up."""

    records: tuple
    votes: frozenset[str]
    kills: int
    requests: int
    spool: SpoolReport


async def leave_behind(spool: Path, records: int) -> tuple[tuple, frozenset[str]]:
    """Write what a bot leaves that has worked while MLflow was away: records, and a vote on every fourth."""
    told = tuple(a_new_record(passed=n % 3 > 0) for n in range(records))
    voted = told[::4]
    async with open_spool(spool) as opened:
        for record in told:
            await opened.put(record)
        for record in voted:
            await opened.vote(a_vote(record))
    return told, frozenset(record.job_id for record in voted)


async def replay_under_kills(
    server: str, experiment: str, folder: Path, *, records: int, kills: int, seed: int = 0
) -> Killed:
    """Return when everything is delivered; the kills hit any of a job's requests."""
    spool = folder / "mlflow-spool.db"
    told, voted = await leave_behind(spool, records)
    with open_road(server, DeadlyRoad) as road:
        road.plan = list(planned(records, kills, Random(seed)))  # noqa: S311 - it decides where to kill
        died = 0
        while read_spool(spool).waiting:
            died += await _live(road, spool, experiment)
        return Killed(told, voted, died, road.requests, read_spool(spool))


def planned(records: int, kills: int, random: Random) -> Iterable[int]:
    """Return at which requests to kill: some time apart, each at another place in a job."""
    part = records * REQUESTS // (kills + 1)
    return (part * n + random.randrange(REQUESTS) for n in range(1, kills + 1))


async def _live(road: DeadlyRoad, spool: Path, experiment: str) -> bool:
    """Let one process replay until it is killed or nothing is left; tell whether it was killed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mlops.killing", str(spool), road.url, experiment,
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    road.traveller = child.pid
    ended = asyncio.create_task(child.wait())
    while not ended.done() and read_spool(spool).waiting:
        await asyncio.wait({ended}, timeout=0.1)
    if killed := ended.done():
        assert child.returncode == -signal.SIGKILL, child.returncode
    else:
        child.terminate()
    await ended
    return killed


async def _replay(spool: Path, uri: str, experiment: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with open_tracker(
        uri=uri, experiment=experiment, tracking=True, tracing=True, spool=spool, app_version="0.1.0",
        projects_hash="5eed", busy=lambda: False,
    ):  # fmt: skip
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_replay(Path(sys.argv[1]), *sys.argv[2:]))
