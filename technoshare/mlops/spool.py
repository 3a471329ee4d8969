"""Finished jobs on their way to MLflow, in a SQLite file of their own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from technoshare.mlops.record import JobRecord
from technoshare.ports import Clock
from technoshare.sqlite import Connection, Database, open_database

logger = logging.getLogger("technoshare.mlops")

MIGRATIONS = (
    """
    create table records (
        number integer primary key,     -- order of replay
        job_id text not null,
        generation integer not null,
        state text not null check (state in ('waiting', 'delivered', 'shelved')),
        stored_at real not null,        -- unix seconds
        begun integer not null default 0,   -- 1: a delivery was tried, MLflow may know a part of it
        error text not null default '',     -- why it is on the shelf
        body text not null,             -- JSON; empty once delivered
        unique (job_id, generation)
    ) strict;
    create index waiting on records (number) where state = 'waiting';
    """,
)

CAP = 20_000
"""Most records that wait, about 2 GB: a disk filled by a server that nobody ever starts would stop the jobs too."""

REMEMBERED = 30 * 86_400.0
"""Seconds for which a delivered record is known, so that a job which ends twice is not recorded twice."""


@dataclass(frozen=True)
class Entry:
    """A record to deliver, as JSON, stored at unix time `since`.

    `begun` says that an earlier try may have left a part of it in MLflow.
    """

    number: int
    body: str
    begun: bool
    since: float


class Spool:
    """First in, first out; every change is on disk when its call returns."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._arrived = asyncio.Event()
        self._arrived.set()  # what an earlier process left may wait already
        self._closing = False
        self._full = False

    async def put(self, record: JobRecord) -> None:
        """Keep the record; a known (job id, generation) changes nothing. Above the cap it is dropped, and logged."""
        values = (record.job_id, record.generation, self._clock(), record.model_dump_json(), CAP)
        rows = await self._database.execute(
            "insert into records (job_id, generation, state, stored_at, body) select ?, ?, 'waiting', ?, ?"
            " where (select count(*) from records where state = 'waiting') < ?"
            " on conflict (job_id, generation) do nothing returning number",
            values,
        )
        self._arrived.set()
        if not rows:
            await self._check_cap()

    async def _check_cap(self) -> None:
        waiting = (await self.counts())["waiting"]
        if waiting >= CAP and not self._full:
            self._full = True
            logger.error("%d jobs wait for MLflow: the spool is full, further jobs are not recorded", waiting)
        self._full = waiting >= CAP

    async def next(self) -> Entry | None:
        """Wait for the oldest record that is not delivered and mark it as begun; None when the spool closes."""
        while not self._closing:
            self._arrived.clear()
            if (entry := await self._database.run(_begin)) is not None:
                return entry
            await self._arrived.wait()
        return None

    async def delivered(self, number: int) -> None:
        """Forget the record's content; that it was delivered stays known."""
        await self._database.execute("update records set state = 'delivered', body = '' where number = ?", (number,))

    async def shelve(self, number: int, error: str) -> None:
        """Put a record aside that MLflow will never take."""
        await self._database.execute(
            "update records set state = 'shelved', error = ? where number = ?", (error, number)
        )

    async def counts(self) -> dict[str, int]:
        """Return how many records wait, were delivered, lie on the shelf."""
        rows = await self._database.execute("select state, count(*) from records group by state")
        return {"waiting": 0, "delivered": 0, "shelved": 0} | dict(tuple(row) for row in rows)

    async def prune(self) -> None:
        """Forget deliveries of long ago."""
        before = self._clock() - REMEMBERED
        await self._database.execute("delete from records where state = 'delivered' and stored_at < ?", (before,))

    def close(self) -> None:
        """Let whoever waits in `next` go."""
        self._closing = True
        self._arrived.set()


async def _begin(connection: Connection) -> Entry | None:
    rows = await connection.execute_fetchall(
        "select number, body, begun, stored_at from records where state = 'waiting' order by number limit 1"
    )
    for number, body, begun, since in rows:
        await connection.execute_fetchall("update records set begun = 1 where number = ?", (number,))
        return Entry(number, body, bool(begun), since)
    return None


@asynccontextmanager
async def open_spool(path: Path, clock: Clock = time.time) -> AsyncIterator[Spool]:
    """Open the file; a damaged one is kept aside, since jobs need no spool. Raises `ConfigError` when it is in use."""
    async with open_database(path, MIGRATIONS, replace_damaged=True) as database:
        spool = Spool(database, clock)
        await spool.prune()
        yield spool
