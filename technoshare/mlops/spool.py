"""What is on its way to MLflow, in a SQLite file of its own: finished jobs, votes, jobs to be forgotten."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from technoshare.mlops.entry import Entry, Forgetting
from technoshare.mlops.record import JobRecord
from technoshare.models import JobId, Vote
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
    """
    create table entries (
        number integer primary key autoincrement,   -- order of replay; never used twice, since a delivery names it
        kind text not null check (kind in ('job', 'vote', 'forget')),
        job_id text not null,
        generation integer not null default 0,
        person text not null default '',    -- who voted
        state text not null default 'waiting' check (state in ('waiting', 'delivered', 'shelved')),
        stored_at real not null,        -- unix seconds; of a vote: when it was given
        due real not null default 0,    -- unix seconds; not tried before
        tries integer not null default 0,   -- deliveries begun; after one MLflow may know a part of it
        waits integer not null default 0,   -- times that MLflow did not know yet what it belongs to
        error text not null default '',     -- of the last try; of one on the shelf: why it is there
        body text not null,             -- JSON; empty once delivered
        unique (kind, job_id, generation, person)
    ) strict;
    insert into entries (number, kind, job_id, generation, state, stored_at, tries, error, body)
        select number, 'job', job_id, generation, state, stored_at, begun, error, body from records;
    drop table records;
    create index waiting on entries ((kind = 'forget') desc, number) where state = 'waiting';
    create index of_job on entries (job_id);
    """,
)

CAP = 20_000
"""Most entries that wait, about 2 GB: a disk filled by a server that nobody ever starts would stop the jobs too."""

REMEMBERED = 30 * 86_400.0
"""Seconds for which a delivered entry is known, so that a job which ends twice is not recorded twice."""

LONGEST_NAP = 60.0
"""Seconds after which postponed entries are looked at in any case: the wall clock may have been set meanwhile."""

_SUPERSEDE = """
delete from entries where kind = 'vote' and :kind = 'vote'
  and job_id = :job and generation = :generation and person = :person and stored_at <= :at
"""

_PUT = """
insert into entries (kind, job_id, generation, person, stored_at, body)
select :kind, :job, :generation, :person, :at, :body
where (select count(*) from entries where state = 'waiting') < :cap
  and not exists (select 1 from entries where kind = 'forget' and job_id = :job)
on conflict do nothing returning number
"""

_NEXT = """
select number, kind, body, stored_at as since, tries, waits from entries
where state = 'waiting' and due <= ? order by kind = 'forget' desc, number limit 1
"""


class Spool:
    """First in, first out, but forgetting goes first; every change is on disk when its call returns."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._arrived = asyncio.Event()
        self._arrived.set()  # what an earlier process left may wait already
        self._left = asyncio.Event()
        self._closing = False
        self._full = False

    async def put(self, record: JobRecord) -> None:
        """Keep the record; a known (job id, generation) changes nothing. Above the cap it is dropped, and logged.

        Of a forgotten job nothing is kept.
        """
        row = {"kind": "job", "job": record.job_id, "generation": record.generation, "person": ""}
        await self._put(row | {"at": self._clock(), "body": record.model_dump_json()})

    async def vote(self, vote: Vote) -> None:
        """Keep the vote instead of the same person's earlier one on the same comment; else as `put`."""
        row = {"kind": "vote", "job": vote.job_id, "generation": vote.generation, "person": vote.user}
        await self._put(row | {"at": vote.at, "body": vote.model_dump_json()})

    async def forget(self, job_id: JobId) -> int:
        """Drop what is held of the job, for ever, and have MLflow forget it; return how many entries waited."""
        row = {"kind": "forget", "job": job_id, "generation": 0, "person": "", "at": self._clock(), "cap": math.inf}

        async def work(connection: Connection) -> int:
            dropped = "delete from entries where job_id = :job returning kind, state"
            rows = list(await connection.execute_fetchall(dropped, row))
            await connection.execute_fetchall(_PUT, row | {"body": Forgetting(job_id=job_id).model_dump_json()})
            return sum(kind != "forget" and state != "delivered" for kind, state in rows)

        waited = await self._database.run(work)
        await self._database.empty_log()
        self._arrived.set()
        return waited

    async def forgotten(self, job_id: JobId) -> None:
        """Wait until MLflow has forgotten the job."""
        waits = "select 1 from entries where kind = 'forget' and job_id = ? and state <> 'delivered'"
        self._left.clear()
        while await self._database.execute(waits, (job_id,)):
            await self._left.wait()
            self._left.clear()

    async def _put(self, row: Mapping[str, object]) -> None:
        async def work(connection: Connection) -> bool:
            await connection.execute_fetchall(_SUPERSEDE, row)
            return bool(await connection.execute_fetchall(_PUT, {**row, "cap": CAP}))

        kept = await self._database.run(work)
        self._arrived.set()
        if not kept:
            await self._check_cap()

    async def _check_cap(self) -> None:
        waiting = (await self.counts())["waiting"]
        if waiting >= CAP and not self._full:
            self._full = True
            logger.error("%d jobs wait for MLflow: the spool is full, further jobs are not recorded", waiting)
        self._full = waiting >= CAP

    async def next(self) -> Entry | None:
        """Wait for the oldest entry that is due and count a try of it; None when the spool closes."""
        while not self._closing:
            self._arrived.clear()
            if (entry := await self._database.run(self._begin)) is not None:
                return entry
            await self._change()
        return None

    async def _begin(self, connection: Connection) -> Entry | None:
        for row in await connection.execute_fetchall(_NEXT, (self._clock(),)):
            await connection.execute_fetchall("update entries set tries = tries + 1 where number = ?", (row["number"],))
            return Entry(**row)
        return None

    async def _change(self) -> None:
        """Return when something came, or a postponed entry is due."""
        ((due,),) = await self._database.execute("select min(due) from entries where state = 'waiting'")
        nap = None if due is None else min(LONGEST_NAP, max(0.0, due - self._clock()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), nap)

    async def delivered(self, number: int) -> None:
        """Forget the entry's content; that it was delivered stays known."""
        await self._database.execute(
            "update entries set state = 'delivered', error = '', body = '' where number = ?", (number,)
        )
        self._left.set()

    async def failed(self, number: int, error: str) -> None:
        """Note why a try came to nothing; the entry keeps its place."""
        await self._database.execute("update entries set error = ? where number = ?", (error, number))

    async def postpone(self, number: int, seconds: float, error: str) -> None:
        """Let the others pass for so long."""
        await self._database.execute(
            "update entries set due = ?, waits = waits + 1, error = ? where number = ?",
            (self._clock() + seconds, error, number),
        )

    async def shelve(self, number: int, error: str) -> None:
        """Put an entry aside that MLflow will never take."""
        await self._database.execute(
            "update entries set state = 'shelved', error = ? where number = ?", (error, number)
        )

    async def unshelve(self, number: int | None = None) -> int:
        """Let an entry, or all, try again from the shelf; return how many there were."""
        rows = await self._database.execute(
            "update entries set state = 'waiting', due = 0, waits = 0"
            " where state = 'shelved' and number = coalesce(?, number) returning number",
            (number,),
        )
        self._arrived.set()
        return len(rows)

    async def counts(self) -> dict[str, int]:
        """Return how many entries wait, were delivered, lie on the shelf."""
        rows = await self._database.execute("select state, count(*) from entries group by state")
        return {"waiting": 0, "delivered": 0, "shelved": 0} | dict(tuple(row) for row in rows)

    async def oldest(self) -> float:
        """Return for how many seconds the oldest entry has been waiting, 0 when none is."""
        ((since,),) = await self._database.execute("select min(stored_at) from entries where state = 'waiting'")
        return 0.0 if since is None else max(0.0, self._clock() - since)

    async def prune(self) -> None:
        """Forget deliveries of long ago; what was forgotten is remembered, lest it come back."""
        before = self._clock() - REMEMBERED
        await self._database.execute(
            "delete from entries where state = 'delivered' and kind <> 'forget' and stored_at < ?", (before,)
        )

    def close(self) -> None:
        """Let whoever waits in `next` go."""
        self._closing = True
        self._arrived.set()


@asynccontextmanager
async def open_spool(path: Path, clock: Clock = time.time) -> AsyncIterator[Spool]:
    """Open the file; a damaged one is kept aside, since jobs need no spool. Raises `ConfigError` when it is in use."""
    async with open_database(path, MIGRATIONS, replace_damaged=True) as database:
        spool = Spool(database, clock)
        await spool.prune()
        yield spool
