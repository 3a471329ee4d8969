"""Durable jobs in one SQLite file, worked on by one process."""

from __future__ import annotations

import asyncio
import logging
import math
import random as chance
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import get_args

from technoshare.errors import ConfigError
from technoshare.jobs.arrivals import Arrivals, Row
from technoshare.jobs.claim import SqliteClaim, turn_of
from technoshare.jobs.worker import BACKOFF_CAP, STORAGE_PAUSE, Worker
from technoshare.models import FORGOTTEN, Job, JobId, JobState, Submitted
from technoshare.once import Sleep
from technoshare.ports import Answer, Clock, GiveUp
from technoshare.sqlite import Connection, Database, open_database

logger = logging.getLogger("technoshare.jobs")

MIGRATIONS = tuple(
    files("technoshare.jobs").joinpath(name).read_text(encoding="utf-8")
    for name in (
        "schema.sql",
        "schema-2.sql",
        "schema-3.sql",
        "schema-4.sql",
        "schema-5.sql",
        "schema-6.sql",
        "schema-7.sql",
    )
)

LONGEST_NAP = 60.0
"""Seconds after which the queue is looked at in any case: the wall clock may have been set meanwhile."""

QUIET, LONGEST_BURST = 0.05, 1.0
"""Seconds without a new job before work begins, but at most so many: in a burst, storing and acking come first."""

NOTEWORTHY_SLIP = 1.0
"""Seconds that the wall clock must go back to count as set: time servers take back a few milliseconds all the time."""

CANCELLED = "cancelled"
"""The error of a job that was ended by hand: nobody is to be told."""

PATIENT_INTERRUPTIONS = 3
"""So often an interrupted job keeps its place, lest it queue behind a backlog; then it backs off like a failing one."""

_CLAIM = """
update jobs set state = 'running', claims = claims + 1, first_claimed_at = coalesce(first_claimed_at, :now)
where number in (
  select number from jobs where state = 'ready' and run_at <= :now
  order by priority desc, run_at, number limit :limit)
returning id, key, channel, ts, url, received, payload, generation, claims, failures, parks, interruptions, error
"""

_RESCUE = """
update jobs set state = 'ready', interruptions = interruptions + 1,
  run_at = case when interruptions < :patient then run_at
                else :now + min(:cap, 1 << min(interruptions, 10)) end
where state = 'running' returning id
"""

_LATEST_NOTED = """
select max(max(received, coalesce(first_claimed_at, received))) from jobs where state in ('ready', 'running')
"""


class WallClock:
    """A clock that remembers its highest time, since somebody may set it back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = -math.inf

    def __call__(self) -> float:
        """Return the time."""
        now = self._clock()
        self.has_been(now)
        return now

    def has_been(self, at: float) -> None:
        """Know that the clock showed this time once."""
        self._latest = max(self._latest, at)

    def slipped(self) -> float:
        """Return by how many seconds the clock was set back, 0 when it was not; each time is told once."""
        now = self._clock()
        if self._latest - now < NOTEWORTHY_SLIP:
            return 0.0
        slip, self._latest = self._latest - now, now
        return slip


class SqliteEngine:
    """Durable jobs."""

    def __init__(self, database: Database, *, clock: Clock, sleep: Sleep, random: Callable[[], float]) -> None:
        self.database = database
        self._clock = WallClock(clock)
        self._sleep = sleep
        self._random = random
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._arrivals = Arrivals(database)
        self._submitted = -math.inf  # on the event loop's clock

    @property
    def busy(self) -> bool:
        """Whether a job is being worked on now."""
        return bool(self._running)

    async def submit(self, job: Job, *, run_at: float | None = None, priority: int = 0) -> Submitted:
        """Store the job; durable when it returns. A known key changes nothing."""
        self._submitted = asyncio.get_running_loop().time()
        await self._heed_clock()  # first, so that jobs which came before the clock was set are told from this one
        row: Row = {
            "id": job.id,
            "key": job.key,
            "channel": job.channel,
            "ts": job.ts,
            "url": job.url,
            "priority": priority,
            "run_at": self._clock() if run_at is None else run_at,
            "generation": job.generation,
            "received": job.received,
            "payload": job.model_dump_json(),
        }
        fresh = await self._arrivals.store(job.id, row)
        self._wake.set()
        return Submitted(job_id=job.id, fresh=fresh)

    async def signed(self, job_id: JobId, at: float) -> None:
        """Note when the first sign of life stood; a later note changes nothing."""
        note = "update jobs set first_sign_at = ? where id = ? and first_sign_at is null"
        await self.database.execute(note, (at, job_id))

    async def retry(self, job_id: JobId, *, generation: int | None = None) -> bool:
        """Start a new generation of a job that ended; its milestones begin anew. Others are left alone: False.

        With `generation` given, only a job of that generation is: two clicks on one button are one retry.
        """
        now = self._clock()
        begun = await self.database.execute(
            "update jobs set state = 'ready', generation = generation + 1, failures = 0, parks = 0, interruptions = 0,"
            " error = '', run_at = ?, received = ?, first_sign_at = null, first_claimed_at = null, finished_at = null,"
            " pruned_at = null, end_sign_at = null"
            " where id = ? and state in ('done', 'dead') and generation = coalesce(?, generation) and error <> ?"
            " returning id",
            (now, now, job_id, generation, FORGOTTEN),
        )
        self._wake.set()
        return bool(begun)

    async def cancel(self, job_id: JobId) -> bool:
        """End a job that waits, without a reply; one that runs or has ended is left alone: False."""
        ended = await self.database.execute(
            "update jobs set state = 'dead', error = ?, finished_at = ? where id = ? and state = 'ready' returning id",
            (CANCELLED, self._clock(), job_id),
        )
        return bool(ended)

    async def state(self, job_id: JobId) -> JobState | None:
        """Return the job's state, None when there is no such job."""
        rows = await self.database.execute("select state from jobs where id = ?", (job_id,))
        return rows[0]["state"] if rows else None

    async def counts(self) -> dict[JobState, int]:
        """Return how many jobs are in each state."""
        rows = await self.database.execute("select state, count(*) from jobs group by state")
        return dict.fromkeys(get_args(JobState), 0) | {state: jobs for state, jobs in rows}  # noqa: C416 - mypy knows no pair in a Row

    async def serve(
        self, answer: Answer, give_up: GiveUp, *, workers: int, stopping: asyncio.Event, drain: float
    ) -> None:
        """Work until `stopping` is set, then give the workers `drain` seconds and hand the rest back at no cost."""
        worker = Worker(answer, give_up, self._clock, self._sleep, self._random)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake_on(stopping))
            while not stopping.is_set():
                self._wake.clear()
                await self._calm()
                claims, due = await self._take(workers - len(self._running))
                for claim in claims:
                    self._begin(group.create_task(worker.work(claim), name=f"job {claim.job.id}"))
                await self._change(due)
            if self._running:
                await asyncio.wait(self._running, timeout=drain)
            for task in self._running:
                task.cancel()

    async def _calm(self) -> None:
        """Return when no job has come for a moment."""
        now = asyncio.get_running_loop().time
        patience = now() + LONGEST_BURST
        while now() < patience and (left := self._submitted + QUIET - now()) > 0:  # noqa: ASYNC110 - the end of a burst is no event
            await asyncio.sleep(left)

    def _begin(self, task: asyncio.Task[None]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._wake.set()

        self._running.add(task)
        task.add_done_callback(ended)

    async def _wake_on(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._wake.set()

    async def _change(self, due: float | None) -> None:
        """Wait for a job to come or to end, for the stop, or until `due`."""
        alarm = None if due is None else asyncio.create_task(self._ring(due))
        try:
            await self._wake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _ring(self, due: float) -> None:
        await self._sleep(min(LONGEST_NAP, max(0.0, due - self._clock())))
        self._wake.set()

    async def _take(self, limit: int) -> tuple[list[SqliteClaim], float | None]:
        """Claim up to `limit` jobs; also return when the next one is due if a worker would be free for it."""
        now = self._clock()
        if limit == 0:
            return [], None

        async def work(connection: Connection) -> tuple[list[sqlite3.Row], float | None]:
            rows = list(await connection.execute_fetchall(_CLAIM, {"now": now, "limit": limit}))
            if len(rows) == limit:  # all slots are taken now
                return rows, None
            ((due,),) = await connection.execute_fetchall("select min(run_at) from jobs where state = 'ready'")
            return rows, due

        try:
            await self._heed_clock()
            rows, due = await self.database.run(work)
        except sqlite3.Error as error:
            logger.error("no job can be claimed (%s); again in %g s", error, STORAGE_PAUSE)  # noqa: TRY400 - no traceback says more
            return [], now + STORAGE_PAUSE
        return [SqliteClaim(turn_of(row), self.database, clock=self._clock, sleep=self._sleep) for row in rows], due

    async def _heed_clock(self) -> None:
        """Keep jobs from waiting for a time that the clock showed already: when it is set back, so are they."""
        if slip := self._clock.slipped():
            logger.warning("the clock was set back by %.0f s; the jobs that wait follow it", slip)
            await self.database.execute("update jobs set run_at = run_at - ? where state = 'ready'", (slip,))

    async def rescue(self) -> int:
        """Make every running row ready again and return how many there were; right only before anything is served."""
        ((latest,),) = await self.database.execute(_LATEST_NOTED)
        if latest is not None:
            self._clock.has_been(latest)
        await self._heed_clock()
        values = {"now": self._clock(), "patient": PATIENT_INTERRUPTIONS, "cap": BACKOFF_CAP}
        return len(await self.database.execute(_RESCUE, values))


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    random: Callable[[], float] = chance.random,
    replace_damaged: bool = False,
) -> AsyncIterator[SqliteEngine]:
    """Open the jobs at `url` (`sqlite:///path`); jobs that ran when the last process died wait again.

    Raises `ConfigError` for another kind of address and for a file that cannot be used.
    """
    async with open_database(file_of(url), MIGRATIONS, replace_damaged=replace_damaged) as database:
        engine = SqliteEngine(database, clock=clock, sleep=sleep, random=random)
        if interrupted := await engine.rescue():
            logger.info("%d interrupted jobs are taken up again", interrupted)
        yield engine


def file_of(url: str) -> Path:
    """Return the path in `sqlite:///path`. Raises `ConfigError` for another kind of address."""
    kind, _, path = url.partition(":///")
    if kind == "sqlite" and path:
        return Path(path)
    if url.startswith("postgres"):
        raise ConfigError("JOBS_URL: the PostgreSQL engine is not available yet; use sqlite:///data/technoshare.db")
    raise ConfigError("JOBS_URL must look like sqlite:///data/technoshare.db")
