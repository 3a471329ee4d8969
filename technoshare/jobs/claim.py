"""A claimed job in SQLite: its checkpoints, its posts and how its turn ends, each write behind the fence."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.types import JsonValue

from technoshare.errors import ClaimLost
from technoshare.models import Checkpoint, Job, Receipt, Trail
from technoshare.once import Once, Reservation, Sleep
from technoshare.ports import Clock, Find, JobTimes, Send
from technoshare.sqlite import Connection, Database

CHECKPOINT_VERSION = 1
"""Raise it when the meaning of stored results changes in a way that their types cannot show."""

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


@dataclass(frozen=True)
class Turn:
    """What a job's row said when it was claimed; `number` is the fencing token."""

    job: Job
    number: int
    failures: int
    parks: int
    interruptions: int
    error: str


@dataclass(frozen=True)
class Ending:
    """What becomes of the row when a turn ends; `run_at` None leaves the job's place in the queue."""

    state: Literal["ready", "done", "dead"]
    failures: int
    parks: int
    error: str = ""
    run_at: float | None = None


def turn_of(row: sqlite3.Row) -> Turn:
    """Read a claimed row."""
    job = _job(row).model_copy(update={"generation": row["generation"]})
    return Turn(job, row["claims"], row["failures"], row["parks"], row["interruptions"], row["error"])


def _job(row: sqlite3.Row) -> Job:
    """Return the job; where another version wrote what this one cannot read, the row's own columns must do."""
    try:
        return Job.model_validate_json(row["payload"])
    except ValidationError:
        known = {name: row[name] for name in ("key", "channel", "ts", "url", "received")}
        return Job(**known, team="", thread_ts=row["ts"], user="")


class Fence:
    """Lets a write through only while the claim is the job's newest one and not settled."""

    def __init__(self, turn: Turn) -> None:
        self._row = (turn.job.id, turn.number)

    async def check(self, connection: Connection) -> None:
        """Raise `ClaimLost` when the job is no longer ours; true until the transaction ends."""
        ours = "select 1 from jobs where id = ? and claims = ? and state = 'running'"
        if not await connection.execute_fetchall(ours, self._row):
            raise ClaimLost(f"job {self._row[0]} is no longer ours")


class SqliteClaim:
    """One turn of a job and its durable memory."""

    def __init__(self, turn: Turn, database: Database, *, clock: Clock, sleep: Sleep) -> None:
        self.turn = turn
        self._database = database
        self._clock = clock
        self._fence = Fence(turn)
        self._once = Once(SqliteBook(turn, database, self._fence), clock, sleep)

    @property
    def job(self) -> Job:
        """The job."""
        return self.turn.job

    async def load(self, stage: str) -> Checkpoint | None:
        """Return the stage's checkpoint of this generation."""
        return (await self._read(" and stage = ?", stage)).get(stage)

    async def save(self, stage: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; durable when it returns."""
        row = {
            "job": self.job.id,
            "generation": self.job.generation,
            "stage": stage,
            "version": CHECKPOINT_VERSION,
            "started": checkpoint.trail.started,
            "result": _JSON.dump_json(checkpoint.result).decode(),
            "trail": checkpoint.trail.model_dump_json(),
        }

        async def work(connection: Connection) -> None:
            await self._fence.check(connection)
            await connection.execute_fetchall(
                "insert or replace into checkpoints (job_id, generation, stage, version, started, result, trail)"
                " values (:job, :generation, :stage, :version, :started, :result, :trail)",
                row,
            )

        await self._database.run(work)

    async def checkpoints(self) -> dict[str, Checkpoint]:
        """Return all checkpoints of this generation, in the order of their stages' start.

        One that another version wrote and this one cannot read counts as absent.
        """
        return await self._read("")

    async def _read(self, condition: str, *values: str) -> dict[str, Checkpoint]:
        columns = "stage, result, trail"
        ours = "job_id = ? and generation = ? and version = ?"
        select = f"select {columns} from checkpoints where {ours}{condition} order by started"  # noqa: S608 - constants

        keys = (self.job.id, self.job.generation, CHECKPOINT_VERSION, *values)
        read = {row["stage"]: _checkpoint(row) for row in await self._database.execute(select, keys)}
        return {stage: checkpoint for stage, checkpoint in read.items() if checkpoint is not None}

    async def times(self) -> JobTimes:
        """Return the milestones so far."""
        select = "select received, first_claimed_at, first_sign_at from jobs where id = ?"
        (row,) = await self._database.execute(select, (self.job.id,))
        return JobTimes(*row)

    async def once(self, token: str, send: Send, find: Find) -> Receipt:
        """Reserve, send, record: one receipt for `token`, ever."""
        return await self._once(token, send, find)

    async def settle(self, ending: Ending) -> None:
        """End this turn; every later write of this claim raises `ClaimLost`."""
        row = {
            "job": self.job.id,
            "state": ending.state,
            "run_at": ending.run_at,
            "failures": ending.failures,
            "parks": ending.parks,
            "error": ending.error,
            "finished": None if ending.state == "ready" else self._clock(),
        }

        async def work(connection: Connection) -> None:
            await self._fence.check(connection)
            await connection.execute_fetchall(
                "update jobs set state = :state, run_at = coalesce(:run_at, run_at), failures = :failures,"
                " parks = :parks, error = :error, finished_at = :finished where id = :job",
                row,
            )

        await self._database.run(work)


class SqliteBook:
    """Reservations of posts in the jobs file."""

    def __init__(self, turn: Turn, database: Database, fence: Fence) -> None:
        self._job_id = turn.job.id
        self._database = database
        self._fence = fence

    async def reserve(self, token: str, at: float) -> Reservation | None:
        """Take the token and return None, or return what stands there already."""

        async def work(connection: Connection) -> Reservation | None:
            await self._fence.check(connection)
            row = (token, self._job_id, at)
            insert = "insert into posts (token, job_id, at) values (?, ?, ?) on conflict do nothing returning token"
            if await connection.execute_fetchall(insert, row):
                return None
            select = "select at, receipt from posts where token = ?"
            ((since, receipt),) = await connection.execute_fetchall(select, (token,))
            return Reservation(since, None if receipt is None else Receipt.model_validate_json(receipt))

        return await self._database.run(work)

    async def renew(self, token: str, at: float) -> None:
        """Start a standing reservation's time again."""

        async def work(connection: Connection) -> None:
            await self._fence.check(connection)
            await connection.execute_fetchall("update posts set at = ? where token = ?", (at, token))

        await self._database.run(work)

    async def record(self, token: str, receipt: Receipt) -> None:
        """Keep the receipt; not fenced, since the post is a fact whoever owns the job by now."""
        update = "update posts set receipt = ? where token = ?"
        await self._database.execute(update, (receipt.model_dump_json(), token))

    async def release(self, token: str) -> None:
        """Give the token back: nothing was sent."""

        async def work(connection: Connection) -> None:
            await self._fence.check(connection)
            await connection.execute_fetchall("delete from posts where token = ?", (token,))

        await self._database.run(work)


def _checkpoint(row: sqlite3.Row) -> Checkpoint | None:
    try:
        trail = Trail.model_validate_json(row["trail"])
        return Checkpoint(result=_JSON.validate_json(row["result"]), trail=trail)
    except ValidationError:
        return None
