"""A job taken out of the jobs file, but for its id: so a redelivery of its link is still known, and changes nothing.

Channel and time of its message stay too, as the message does.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from technoshare.models import FORGOTTEN, JobId
from technoshare.sqlite import Connection, Database

TABLES = ("checkpoints", "posts", "shares", "votes")
"""Where rows of a job are, by `job_id`."""

_CLOSE = """
update jobs set error = :forgotten, state = case state when 'ready' then 'dead' else state end,
  finished_at = coalesce(finished_at, :now)
where id = :job and state <> 'running' returning id
"""

_EMPTY = "update jobs set key = :forgotten || ' ' || id, url = '', payload = '{}' where id = :job"


@dataclass(frozen=True)
class Dropped:
    """What is gone: rows by table; and where in Slack (channel, ts) the job's posts stay."""

    counts: dict[str, int]
    posts: tuple[tuple[str, str], ...]


async def close_job(database: Database, job_id: JobId, now: float) -> bool:
    """End a job that waits, and let none be retried; False when it is being worked on, or unknown."""
    return bool(await database.execute(_CLOSE, {"job": job_id, "forgotten": FORGOTTEN, "now": now}))


async def drop_job(database: Database, job_id: JobId) -> Dropped:
    """Drop everything of a closed job but its id. Raises `sqlite3.Error`."""

    async def work(connection: Connection) -> Dropped:
        rows = {table: await _delete(connection, table, job_id) for table in TABLES}
        await connection.execute_fetchall(_EMPTY, {"job": job_id, "forgotten": FORGOTTEN})
        receipts = [json.loads(row["receipt"]) for row in rows["posts"] if row["receipt"]]
        return Dropped(
            counts={table: len(gone) for table, gone in rows.items()},
            posts=tuple((receipt["channel"], receipt["ts"]) for receipt in receipts),
        )

    dropped = await database.run(work)
    await database.empty_log()
    return dropped


async def _delete(connection: Connection, table: str, job_id: JobId) -> list[sqlite3.Row]:
    statement = f"delete from {table} where job_id = ? returning *"  # noqa: S608 - a constant
    return list(await connection.execute_fetchall(statement, (job_id,)))
