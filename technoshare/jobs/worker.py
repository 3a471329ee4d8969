"""What happens to a claimed job: it is answered, and whatever that raises becomes an ending.

The log reads like a ledger: `→` begun, `←` done, `↻` again later, `⊘` handed back, `!` dead.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from technoshare.errors import ClaimLost, Transient, Undelivered, Unusable
from technoshare.jobs.claim import Ending, SqliteClaim, Turn
from technoshare.once import Sleep
from technoshare.ports import Answer, Clock, GiveUp

logger = logging.getLogger("technoshare.jobs")

MAX_FAILURES = 5
"""So many failures, then the thread is told and the job is dead: 2 + 4 + 8 + 16 s of backoff lie between them."""

MAX_PARKS = 20
"""So often may a server say "later" at no cost; from then on it counts as a failure."""

MAX_INTERRUPTIONS = 25
"""A job that was running each time the process died is taken to be the one that kills it."""

MAX_DELIVERIES = 160
"""How often to try to bring a reply to Slack: at 10 minutes each it outlasts a day without Slack."""

BACKOFF_CAP = 600.0
"""Longest backoff in seconds."""

STORAGE_PAUSE = 5.0
"""Seconds until a database that refused a write (disk full) is asked again."""

_MARKS = {"ready": "↻", "done": "←", "dead": "!"}


def backoff(failures: int, random: Callable[[], float]) -> float:
    """Return 2^n seconds with a jitter of half to one and a half, at most ten minutes; `random` gives 0 to 1."""
    return min(BACKOFF_CAP, 2.0 ** min(failures, 10) * (0.5 + random()))


@dataclass(frozen=True)
class Worker:
    """Answers claimed jobs; `work` raises nothing but cancellation, so a bad job never harms a sibling."""

    answer: Answer
    give_up: GiveUp
    clock: Clock
    sleep: Sleep
    random: Callable[[], float]

    async def work(self, claim: SqliteClaim) -> None:
        """Take one turn of the job to its end; when cancelled, hand the job back as it was."""
        started = self.clock()
        logger.info("→ %s %s", claim.job.id, claim.job.url)
        try:
            ending = await self._ending(claim)
            await self._settle(claim, ending)
        except asyncio.CancelledError:
            await self._hand_back(claim)
            raise
        except ClaimLost as lost:
            logger.warning("⊘ %s", lost)
            return
        later = "" if ending.run_at is None else f" in {max(0.0, ending.run_at - self.clock()):.0f} s"
        told = f": {ending.error}" if ending.error else ""
        logger.info("%s %.1fs %s%s%s", _MARKS[ending.state], self.clock() - started, claim.job.id, later, told)

    async def _ending(self, claim: SqliteClaim) -> Ending:
        turn = claim.turn
        if turn.failures >= MAX_FAILURES:  # the thread could not be told before
            return await self._given_up(claim, turn.error, turn.failures)
        if turn.interruptions >= MAX_INTERRUPTIONS:
            return await self._given_up(claim, f"it was interrupted {turn.interruptions} times", turn.failures)
        return await self._answered(claim)

    async def _answered(self, claim: SqliteClaim) -> Ending:
        turn = claim.turn
        try:
            await self.answer(claim)
        except ClaimLost:
            raise
        except Unusable as why:
            return Ending("dead", turn.failures, turn.parks, str(why))
        except Undelivered as late:
            return self._undelivered(turn, str(late), turn.failures, late.after)
        except Transient as late:
            return await self._again(claim, str(late), late.after)
        except asyncio.CancelledError as cancelled:
            if _cancelling():
                raise
            return await self._again(claim, _plain(cancelled), None)  # some library's own: a failure like any other
        except Exception as error:
            logger.exception("job %s", claim.job.id)
            return await self._again(claim, _plain(error), None)
        return Ending("done", turn.failures, turn.parks)

    async def _again(self, claim: SqliteClaim, why: str, after: float | None) -> Ending:
        turn = claim.turn
        if after is not None and turn.parks < MAX_PARKS:
            return Ending("ready", turn.failures, turn.parks + 1, why, self.clock() + after)
        failures = turn.failures + 1
        if failures >= MAX_FAILURES:
            return await self._given_up(claim, why, failures)
        pause = backoff(failures, self.random) if after is None else after
        return Ending("ready", failures, turn.parks, why, self.clock() + pause)

    async def _given_up(self, claim: SqliteClaim, why: str, failures: int) -> Ending:
        turn = claim.turn
        try:
            await self.give_up(claim, why)
        except ClaimLost:
            raise
        except Unusable as refused:
            return Ending("dead", failures, turn.parks, f"{why}; the thread was not told: {refused}")
        except Transient as late:
            return self._undelivered(turn, why, failures, late.after)
        except Exception:
            logger.exception("job %s could not tell its thread that it failed", claim.job.id)
            return self._undelivered(turn, why, failures, None)
        return Ending("dead", failures, turn.parks, why)

    def _undelivered(self, turn: Turn, why: str, failures: int, after: float | None) -> Ending:
        """Wait for Slack, longer each time: what is to be said is ready, and nobody else can say it."""
        parks = turn.parks + 1
        if parks > MAX_DELIVERIES:
            return Ending("dead", failures, parks, f"{why}; the thread could not be told")
        pause = max(after or 0.0, backoff(parks, self.random))
        return Ending("ready", failures, parks, why, self.clock() + pause)

    async def _settle(self, claim: SqliteClaim, ending: Ending) -> None:
        while True:
            try:
                return await claim.settle(ending)
            except sqlite3.Error as error:
                logger.error("the jobs file refuses writes (%s); again in %g s", error, STORAGE_PAUSE)  # noqa: TRY400 - no traceback says more
                await self.sleep(STORAGE_PAUSE)

    async def _hand_back(self, claim: SqliteClaim) -> None:
        turn = claim.turn
        logger.info("⊘ %s handed back", claim.job.id)
        try:
            await claim.settle(Ending("ready", turn.failures, turn.parks, turn.error))
        except (ClaimLost, sqlite3.Error) as error:  # the next start finds the row and takes it up
            logger.warning("job %s is left as it is: %s", claim.job.id, error)


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _plain(error: BaseException) -> str:
    """Say it without the error's own words: they are for the log, this may reach the thread."""
    return f"an unexpected error ({type(error).__name__})"
