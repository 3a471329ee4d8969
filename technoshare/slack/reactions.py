"""The signs on a message: 👀 while its links are read, then ✅ or ⚠️; behind the back of acks and jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Literal
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Refused
from technoshare.models import Job, JobId, Outcome
from technoshare.ports import Clock, JobEngine, Messages
from technoshare.slack.errands import Errands
from technoshare.slack.web import NO_ANSWER, code_of, failure_of

log = logging.getLogger("technoshare.slack")

EYES, DONE, FAILED = "eyes", "white_check_mark", "warning"
SHOWN = {EYES: "👀", DONE: "✅", FAILED: "⚠️"}

_AT_ONCE = 8  # a burst of 200 messages must not open 200 connections
_ENDS_AT_ONCE = 2  # Slack lets reactions be removed 20 times a minute: who waits for that must not hold up a 👀
MEND_SECONDS = 600.0
"""Between two looks for signs that are missing."""

Went = Literal["done", "refused", "unknown"]
"""How a call to Slack went; `unknown` may be asked again."""


def sign_of(ends: Sequence[Outcome | None]) -> str | None:
    """Return the sign of a message whose links ended so: the worst one counts. None when there is none to give.

    There is none while a link is worked on, and none for a message that is gone.
    """
    told = {end for end in ends if end != "withdrawn"}
    if not told or None in told:
        return None
    return FAILED if "failed" in told else DONE


class Signs:
    """Sets and replaces reactions in background tasks that it owns: none outlives `close`.

    A failure is logged, never raised: the thread says the same in words.
    """

    def __init__(self, client: AsyncWebClient, engine: JobEngine, messages: Messages, clock: Clock) -> None:
        self._client = client
        self._engine = engine
        self._messages = messages
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._end_slots = asyncio.Semaphore(_ENDS_AT_ONCE)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._errands = Errands("a sign could not be looked up or noted")
        self.close = self._errands.close

    def give(self, channel: str, ts: str, job_ids: Sequence[JobId]) -> None:
        """Set 👀 on a message soon and note the moment for its jobs."""
        self._errands.begin(self._give(channel, ts, job_ids))

    def again(self, job: Job) -> None:
        """Turn ⚠️ back into 👀 soon: a link is tried anew."""
        self._errands.begin(self._give(job.channel, job.ts, [job.id], instead=(FAILED,)))

    def end(self, job: Job) -> None:
        """Turn 👀 into ✅ or ⚠️ soon, if the job was the last of its message to end."""
        self._errands.begin(self._end(job.channel, job.ts, anew=job.generation > 0))

    async def mend(self) -> None:
        """Set the ends' signs that a crash or an outage ate, now and every ten minutes, until cancelled."""
        while True:
            self._errands.begin(self._mend())
            await asyncio.sleep(MEND_SECONDS)

    def _turn(self, channel: str, ts: str) -> asyncio.Lock:
        """Return what keeps the signs of one message in order: a 👀 that Slack puts off must not follow its ✅."""
        return self._turns.setdefault((channel, ts), asyncio.Lock())

    async def _give(self, channel: str, ts: str, job_ids: Sequence[JobId], instead: Sequence[str] = ()) -> None:
        async with self._turn(channel, ts), self._slots:
            stands = await self._add(channel, ts, EYES)
            for name in instead:
                await self._remove(channel, ts, name)
        if stands == "done":
            at = self._clock()
            for job_id in job_ids:
                await self._engine.signed(job_id, at)

    async def _end(self, channel: str, ts: str, *, anew: bool) -> None:
        async with self._turn(channel, ts), self._end_slots:
            ends = await self._messages.ends(channel, ts)
            if None in ends:
                return
            sign = sign_of(ends)
            went = [await self._add(channel, ts, sign)] if sign else []  # first: without any it would look forgotten
            went.append(await self._remove(channel, ts, EYES))
            if anew and sign == DONE:  # ⚠️ of the attempt before, where 👀 could not take its place
                went.append(await self._remove(channel, ts, FAILED))
            if "unknown" not in went:
                await self._messages.note_sign(channel, ts)

    async def _mend(self) -> None:
        for channel, ts, anew in await self._messages.unsigned():
            await self._end(channel, ts, anew=anew)

    async def _add(self, channel: str, ts: str, name: str) -> Went:
        # already_reacted: a delivery that came twice, an end that was repeated
        call = self._client.reactions_add(channel=channel, name=name, timestamp=ts)
        return await _went(call, f"no {SHOWN[name]} on {ts} in {channel}", fine="already_reacted")

    async def _remove(self, channel: str, ts: str, name: str) -> Went:
        call = self._client.reactions_remove(channel=channel, name=name, timestamp=ts)
        return await _went(call, f"{SHOWN[name]} stays on {ts} in {channel}", fine="no_reaction")


async def _went(call: Awaitable[object], trouble: str, *, fine: str) -> Went:
    """Make one call; a failure is a line in the log. A message that is gone takes no sign, and needs none."""
    try:
        await call
    except SlackApiError as error:
        code, failure = code_of(error), failure_of(error)
        if code == fine:
            return "done"
        if code != "message_not_found":
            log.warning("%s: %s", trouble, code)
        return "refused" if isinstance(failure, Refused) and failure.after is None else "unknown"
    except NO_ANSWER as error:
        log.warning("%s: %s", trouble, type(error).__name__)
        return "unknown"
    return "done"
