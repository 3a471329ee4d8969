"""What is dropped when a job has long ended: its checkpoints and the text of the message that held the link.

The row stays, so the key is known for ever and a late redelivery changes nothing; so does the ledger of shares.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from technoshare.once import Sleep
from technoshare.ports import Clock
from technoshare.sqlite import Connection, Database

logger = logging.getLogger("technoshare.jobs")

KEEP = 30 * 86_400.0
"""Seconds for which an ended job keeps everything; as long as a page counts as shared already."""

PERIOD = 86_400.0

BATCH = 50
"""Jobs in one transaction: their checkpoints hold whole pages, and an event must not wait long for its commit."""

_OLD = """
select id from jobs
where finished_at is not null and pruned_at is null and finished_at < :before
order by finished_at limit :batch
"""

_FORGET = "update jobs set pruned_at = ?, payload = json_set(payload, '$.text', '') where id = ?"


async def prune(database: Database, now: float) -> int:
    """Drop what jobs that ended 30 days before `now` left behind; return how many jobs that were."""
    jobs = 0
    while pruned := await _prune_some(database, now):
        jobs += pruned
    return jobs


async def prune_daily(database: Database, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
    """Prune now and then once a day, until cancelled; a file that refuses is asked again the next day."""
    while True:
        try:
            if jobs := await prune(database, clock()):
                logger.info("%d jobs ended over 30 days ago: their checkpoints are dropped", jobs)
        except sqlite3.Error as error:
            logger.warning("old jobs cannot be pruned today: %s", error)
        await sleep(PERIOD)


async def _prune_some(database: Database, now: float) -> int:
    async def work(connection: Connection) -> int:
        rows = await connection.execute_fetchall(_OLD, {"before": now - KEEP, "batch": BATCH})
        jobs = [row["id"] for row in rows]
        for job_id in jobs:
            await connection.execute_fetchall("delete from checkpoints where job_id = ?", (job_id,))
            await connection.execute_fetchall(_FORGET, (now, job_id))
        return len(jobs)

    return await database.run(work)
