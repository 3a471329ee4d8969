"""👀: the first sign that a link was seen, set behind the ack's back so that a slow Slack cannot delay it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.models import JobId
from technoshare.ports import Clock, JobEngine
from technoshare.slack.web import NO_ANSWER, code_of

log = logging.getLogger("technoshare.slack")

EYES = "eyes"

_AT_ONCE = 8  # a burst of 200 messages must not open 200 connections
PATIENCE = 5.0
"""Seconds that a stopping bot waits for signs on their way."""


class FirstSign:
    """Sets 👀 in background tasks that it owns: none outlives `close`."""

    def __init__(self, client: AsyncWebClient, engine: JobEngine, clock: Clock) -> None:
        self._client = client
        self._engine = engine
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def give(self, channel: str, ts: str, job_ids: Sequence[JobId]) -> None:
        """React to a message soon and note the moment for its jobs; a failure is logged, never raised."""
        if self._closed:
            return
        task = asyncio.create_task(self._give(channel, ts, job_ids))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self, patience: float = PATIENCE) -> None:
        """Wait so many seconds for what is under way and cancel the rest; nothing begins any more."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _give(self, channel: str, ts: str, job_ids: Sequence[JobId]) -> None:
        async with self._slots:
            stands = await self._react(channel, ts)
        if stands:
            at = self._clock()
            for job_id in job_ids:
                await self._engine.signed(job_id, at)

    async def _react(self, channel: str, ts: str) -> bool:
        """Return whether the reaction stands now."""
        try:
            await self._client.reactions_add(channel=channel, name=EYES, timestamp=ts)
        except SlackApiError as error:
            if (code := code_of(error)) != "already_reacted":  # a delivery that came twice
                log.warning("no 👀 on %s in %s: %s", ts, channel, code)
                return False
        except NO_ANSWER as error:
            log.warning("no 👀 on %s in %s: %s", ts, channel, type(error).__name__)
            return False
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a 👀 could not be noted: %s: %s", type(error).__name__, error)
