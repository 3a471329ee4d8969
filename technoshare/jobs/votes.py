"""Votes on comments, in the jobs file: kept before they are acked, then handed on to MLflow's spool."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from technoshare.models import Click, Vote
from technoshare.ports import Feedback
from technoshare.sqlite import Connection, Database

logger = logging.getLogger("technoshare.jobs")

_COMMENTED = """
select 1 from jobs join posts on posts.job_id = jobs.id
where jobs.id = :job_id and jobs.channel = :channel and :generation <= jobs.generation
  and coalesce(json_extract(posts.receipt, '$.ts') = :ts, true) -- just posted, and the receipt is not there yet
"""

_STANDING = "select value, at from votes where job_id = :job_id and generation = :generation and user = :user"

_CAST = """
insert into votes (job_id, generation, user, value, at) values (:job_id, :generation, :user, :value, :at)
on conflict (job_id, generation, user)
do update set value = excluded.value, reason = '', at = excluded.at, handed_on = 0
"""

_VERY = "job_id = :job_id and generation = :generation and user = :user and value = :value and at = :at"

_NEW = """
select job_id, votes.generation, jobs.channel, user, value, reason, at from votes join jobs on jobs.id = job_id
where handed_on = 0 order by at
"""


class SqliteVotes:
    """The `Votes` of one jobs file."""

    def __init__(self, database: Database, feedback: Feedback) -> None:
        self._database = database
        self._feedback = feedback
        self._turn = asyncio.Lock()  # else a vote could overtake the one before it

    async def cast(self, click: Click) -> Vote | None:
        """Count a click and return what stands now; None when it changes nothing.

        A click is known by its time, so one that is delivered again, or late, undoes nothing.
        """

        async def work(connection: Connection) -> Vote | None:
            row = click.model_dump()
            if not await connection.execute_fetchall(_COMMENTED, row):
                return None
            standing = next(iter(await connection.execute_fetchall(_STANDING, row)), None)
            if standing is not None and standing["at"] >= click.at:
                return None
            again = standing is not None and standing["value"] == click.value
            told = click.model_dump(exclude={"ts"}) | ({"value": "none"} if again else {})
            vote = Vote.model_validate(told)
            await connection.execute_fetchall(_CAST, vote.model_dump())
            return vote

        return await self._database.run(work)

    async def explain(self, vote: Vote) -> bool:
        """Give the 👎 its reason, and say whether that very vote still stands."""
        update = f"update votes set reason = :reason, handed_on = 0 where {_VERY} returning at"  # noqa: S608 - constants
        return bool(await self._database.execute(update, vote.model_dump()))

    async def hand_on(self) -> None:
        """Hand on what is new, oldest first; a vote that changes meanwhile stays new. A file that refuses is logged."""
        done = f"update votes set handed_on = 1 where {_VERY} and reason = :reason"  # noqa: S608 - constants
        async with self._turn:
            try:
                for row in await self._database.execute(_NEW):
                    vote = Vote.model_validate(dict(row))
                    await self._feedback.vote(vote)
                    await self._database.execute(done, vote.model_dump())
            except sqlite3.Error as error:
                logger.error("votes wait in the jobs file for the next click or start: %s", error)  # noqa: TRY400 - no traceback says more
