"""A wire that keeps asking: own retries with a deadline, because the client's are blind to one."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from technoshare.llm.pace import Pace
from technoshare.llm.wire import Answer, Failed, Request, Wire

MOST_AT_ONCE = 32  # calls in flight: as many as there are workers by default
MOST_ATTEMPTS = 4
FIRST_PAUSE = 0.5  # seconds, doubled with every attempt
LONGEST_PAUSE = 8.0  # what the vendor's own client waits at most
ATTEMPT_SECONDS = 120.0  # a long comment of a slow model needs a minute; a hung server must leave time for one more try
SHORTEST_CALL = 5.0  # an attempt with less time left than this would only be paid for and thrown away


@dataclass(frozen=True)
class Retrying:
    """Asks `wire` again as long as that may help before the request's deadline."""

    wire: Wire
    pace: Pace = field(default_factory=Pace)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    attempt_seconds: float = ATTEMPT_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    @property
    def name(self) -> str:
        """The wire's own name."""
        return self.wire.name

    async def ask(self, request: Request) -> Answer:
        """Return the first answer; `attempts` counts the tries. Raises `Failed` when no further try makes sense."""
        attempt = 1
        while isinstance(answer := await self._attempt(request), Failed):
            pause = self._pause(answer, attempt, request.deadline)
            if pause is None:
                raise answer
            await self.sleep(pause)
            attempt += 1
        return replace(answer, attempts=attempt)

    async def _attempt(self, request: Request) -> Answer | Failed:
        async with self.slots:
            if (late := await self._room(request)) is not None:
                return late
            left = min(self.attempt_seconds, request.deadline - self.clock())
            try:
                # The client's own time-out is per read: a server that drips bytes never meets it.
                async with asyncio.timeout(left):
                    return await self.wire.ask(request)
            except Failed as failed:
                return failed
            except TimeoutError:
                return Failed("the model did not answer in time", again="now", obstacle="model_late")

    async def _room(self, request: Request) -> Failed | None:
        """Wait until the server has room for the request by its own account; say so when that is too late."""
        while (pause := self.pace.wait(request.model, request.tokens)) > 0:
            if self.clock() + pause + SHORTEST_CALL > request.deadline:
                return Failed("the model is busy (its rate limit)", again="later", after=pause, obstacle="model_busy")
            await self.sleep(pause)
        return None

    def _pause(self, failed: Failed, attempt: int, deadline: float) -> float | None:
        """Return the seconds to wait before the next attempt, None when there is none."""
        if failed.again != "now" or attempt >= MOST_ATTEMPTS:
            return None
        pause = self.jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
        pause += failed.after or 0.0  # the server's wish, and a little more so that not everybody comes back at once
        return pause if self.clock() + pause + SHORTEST_CALL <= deadline else None
