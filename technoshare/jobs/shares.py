"""The ledger of what was shared and answered, in the jobs file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from technoshare.models import AlreadyShared, Job, Share
from technoshare.ports import Clock
from technoshare.retrieval.urls import canonical_url
from technoshare.sqlite import Connection, Database

WINDOW = 30 * 86_400.0
"""Seconds for which a page counts as shared already."""

_EARLIER = """
select user, ts, at from shares
where channel = :channel and (identity = :identity or final_identity = :identity)
  and job_id <> :job and at >= :since
  and (outcome in ('success', 'degraded')
       or outcome = '' and not exists (select 1 from jobs where jobs.id = job_id and state = 'dead'))
  and not exists (select 1 from withdrawn where withdrawn.channel = shares.channel and withdrawn.ts = shares.ts)
order by at limit 1
"""

_NOTE = """
insert into shares (job_id, generation, channel, ts, thread_ts, user, url, identity, at, outcome)
values (:job, :generation, :channel, :ts, :thread_ts, :user, :url, :identity, :at, :outcome)
on conflict (job_id) do update set generation = excluded.generation, outcome = excluded.outcome
"""

_LED = """
update shares set outcome = :outcome, final_url = :final_url, final_identity = :identity where job_id = :job
"""

_COMPLETE = """
insert into shares (job_id, generation, channel, ts, thread_ts, user, url, identity, final_url, final_identity, at,
                    outcome, reply_ts, evidence, comment)
values (:job, 0, :channel, :ts, :thread_ts, :user, :url, :identity, :final_url, :final_identity, :at,
        :outcome, :reply_ts, :evidence, :comment)
on conflict (job_id) do update set final_url = excluded.final_url, final_identity = excluded.final_identity,
  outcome = excluded.outcome, reply_ts = excluded.reply_ts, evidence = excluded.evidence, comment = excluded.comment
"""


class SqliteShares:
    """The ledger; never pruned. `permalink` turns channel and message ts into an address."""

    def __init__(self, database: Database, permalink: Callable[[str, str], str], clock: Clock) -> None:
        self._database = database
        self._permalink = permalink
        self._clock = clock

    async def earlier(self, job: Job, final_url: str = "") -> AlreadyShared | None:
        """Return the earlier share of the same page in this channel; atomically note this one when there is none.

        A page counts for 30 days, from when another job took it on, under its posted and its final address, unless
        that job failed. A job that asks again gets the same answer; one that asks in a new generation gets None: its
        comment is wanted. With `final_url`, the question is whether the page to which the link led was shared.
        """
        row = {
            "job": job.id,
            "generation": job.generation,
            "channel": job.channel,
            "ts": job.ts,
            "thread_ts": job.thread_ts,
            "user": job.user,
            "url": job.url,
            "identity": canonical_url(final_url or job.url),
            "final_url": final_url,
            "at": job.received,
            "since": self._clock() - WINDOW,
        }

        async def work(connection: Connection) -> sqlite3.Row | None:
            found = None
            if not job.generation if final_url else await _may_be_a_duplicate(connection, job):
                found = next(iter(await connection.execute_fetchall(_EARLIER, row)), None)
            note = _LED if final_url else _NOTE
            await connection.execute_fetchall(note, row | {"outcome": "duplicate" if found else ""})
            return found

        found = await self._database.run(work)
        if found is None:
            return None
        link = self._permalink(job.channel, found["ts"])
        return AlreadyShared(user=found["user"], at=found["at"], permalink=link, unread=job.unread)

    async def add(self, share: Share) -> None:
        """Complete this job's line; a failed one no longer counts as shared."""
        row = {
            "job": share.job_id,
            "channel": share.channel,
            "ts": share.ts,
            "thread_ts": share.thread_ts,
            "user": share.user,
            "url": share.url,
            "identity": canonical_url(share.url),
            "final_url": share.final_url,
            "final_identity": canonical_url(share.final_url),
            "at": share.at,
            "outcome": share.outcome,
            "reply_ts": share.reply_ts,
            "evidence": share.evidence.model_dump_json() if share.evidence else None,
            "comment": share.comment.model_dump_json() if share.comment else None,
        }
        await self._database.execute(_COMPLETE, row)


async def _may_be_a_duplicate(connection: Connection, job: Job) -> bool:
    """Tell whether nothing says yet that this job is to be answered with a comment of its own."""
    select = "select generation, outcome from shares where job_id = ?"
    lines = list(await connection.execute_fetchall(select, (job.id,)))
    return not lines or (lines[0]["outcome"] == "duplicate" and lines[0]["generation"] == job.generation)
