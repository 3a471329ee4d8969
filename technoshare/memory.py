"""A claim without a database: for evaluation, the command line and tests."""

from __future__ import annotations

import asyncio
import time

from technoshare.models import Checkpoint, Job, Receipt
from technoshare.once import Once, Reservation, Sleep
from technoshare.ports import Clock, Find, JobTimes, Send


class MemoryClaim:
    """A job that is ours as long as the process lives; what it remembers ends with it."""

    def __init__(self, job: Job, *, clock: Clock = time.time, sleep: Sleep = asyncio.sleep) -> None:
        self._job = job
        self._claimed = clock()
        self._checkpoints: dict[str, Checkpoint] = {}
        self._once = Once(MemoryBook(), clock, sleep)

    @property
    def job(self) -> Job:
        """The job."""
        return self._job

    async def load(self, stage: str) -> Checkpoint | None:
        """Return the stage's checkpoint."""
        return self._checkpoints.get(stage)

    async def save(self, stage: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint."""
        self._checkpoints[stage] = checkpoint

    async def checkpoints(self) -> dict[str, Checkpoint]:
        """Return all checkpoints, in the order of their stages' start."""
        return dict(sorted(self._checkpoints.items(), key=lambda kept: kept[1].trail.started))

    async def times(self) -> JobTimes:
        """Return the milestones; nobody gave a sign of life."""
        return JobTimes(received=self._job.received, claimed=self._claimed, first_sign=None)

    async def once(self, token: str, send: Send, find: Find) -> Receipt:
        """Reserve, send, record."""
        return await self._once(token, send, find)


class MemoryBook:
    """Reservations in a dictionary."""

    def __init__(self) -> None:
        self._posts: dict[str, Reservation] = {}

    async def reserve(self, token: str, at: float) -> Reservation | None:
        """Take the token and return None, or return what stands there already."""
        if (standing := self._posts.get(token)) is None:
            self._posts[token] = Reservation(at)
        return standing

    async def renew(self, token: str, at: float) -> None:
        """Start a standing reservation's time again."""
        self._posts[token] = Reservation(at)

    async def record(self, token: str, receipt: Receipt) -> None:
        """Keep the receipt."""
        self._posts[token] = Reservation(self._posts[token].at, receipt)

    async def release(self, token: str) -> None:
        """Give the token back."""
        del self._posts[token]
