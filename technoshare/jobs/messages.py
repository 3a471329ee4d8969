"""What became of the messages that hold the links: deleted ones, and how the links of one message ended."""

from __future__ import annotations

from technoshare.jobs.engine import CANCELLED
from technoshare.models import FORGOTTEN, Job, Outcome
from technoshare.ports import Clock
from technoshare.sqlite import Database

_ENDS = """
select jobs.state, jobs.error, coalesce(shares.outcome, '') as outcome
from jobs left join shares on shares.job_id = jobs.id
where jobs.channel = ? and jobs.ts = ? order by jobs.number
"""

_UNSIGNED = """
select channel, ts, max(generation) > 0 from jobs
where end_sign_at is null and finished_at >= ? group by channel, ts
"""

RECENT = 86_400.0
"""Seconds for which a missing sign is set belatedly; whoever posted the link yesterday has seen the reply."""


class SqliteMessages:
    """The `Messages` of one jobs file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def withdraw(self, channel: str, ts: str) -> None:
        """Note that a message was deleted; durable when it returns, whether or not its link is known by then."""
        note = "insert into withdrawn (channel, ts, at) values (?, ?, ?) on conflict do nothing"
        await self._database.execute(note, (channel, ts, self._clock()))

    async def withdrawn(self, job: Job) -> bool:
        """Tell whether the message that holds the job's link was deleted."""
        select = "select 1 from withdrawn where channel = ? and ts = ?"
        return bool(await self._database.execute(select, (job.channel, job.ts)))

    async def waiting(self, channel: str, since: float) -> set[str]:
        """Return the ts of the messages, from unix time `since` on, of which a link is not answered yet."""
        select = (
            "select distinct ts from jobs where state in ('ready', 'running') and channel = ? and cast(ts as real) >= ?"
        )
        return {row["ts"] for row in await self._database.execute(select, (channel, since))}

    async def ends(self, channel: str, ts: str) -> tuple[Outcome | None, ...]:
        """Return how each link of a message ended, in their order; None for one that waits or is worked on.

        A job that was cancelled by hand never gets a reply: it counts as withdrawn.
        """
        return tuple(_end(*row) for row in await self._database.execute(_ENDS, (channel, ts)))

    async def unsigned(self) -> tuple[tuple[str, str, bool], ...]:
        """Return channel and ts of the messages whose last sign is missing, and whether a link was tried anew."""
        rows = await self._database.execute(_UNSIGNED, (self._clock() - RECENT,))
        return tuple((channel, ts, bool(anew)) for channel, ts, anew in rows)

    async def note_sign(self, channel: str, ts: str) -> None:
        """Note that the sign of a message's end stands, or that Slack takes none."""
        note = "update jobs set end_sign_at = ? where channel = ? and ts = ? and state in ('done', 'dead')"
        await self._database.execute(note, (self._clock(), channel, ts))


def _end(state: str, error: str, outcome: Outcome | str) -> Outcome | None:
    if state == "ready":  # also one that is tried anew, whose last outcome still stands in the ledger
        return None
    if outcome or state == "running":
        return outcome or None  # type: ignore[return-value] # text, to mypy
    return "failed" if error and error not in (CANCELLED, FORGOTTEN) else "withdrawn"
