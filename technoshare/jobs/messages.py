"""What became of the messages that hold the links: deleted ones, and how the links of one message ended."""

from __future__ import annotations

from technoshare.models import Job, Outcome
from technoshare.ports import Clock
from technoshare.sqlite import Database

_ENDS = """
select jobs.state, coalesce(shares.outcome, '') as outcome
from jobs left join shares on shares.job_id = jobs.id
where jobs.channel = ? and jobs.ts = ? order by jobs.number
"""


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

    async def ends(self, channel: str, ts: str) -> tuple[Outcome | None, ...]:
        """Return how each link of a message ended, in their order; None for one that waits or is worked on.

        A job that was cancelled by hand never gets a reply: it counts as withdrawn.
        """
        return tuple(_end(state, outcome) for state, outcome in await self._database.execute(_ENDS, (channel, ts)))


def _end(state: str, outcome: Outcome | str) -> Outcome | None:
    if state == "ready":  # also one that is tried anew, whose last outcome still stands in the ledger
        return None
    return outcome or ("withdrawn" if state in ("done", "dead") else None)  # type: ignore[return-value] # text, to mypy
