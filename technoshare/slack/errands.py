"""Work behind the back of acks: tasks that somebody owns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger("technoshare.slack")

PATIENCE = 5.0
"""Seconds that a stopping bot waits for what is under way."""


class Errands:
    """Tasks of which none outlives `close`; one that fails is a line in the log, since nobody waits for it."""

    def __init__(self, trouble: str) -> None:
        self._trouble = trouble
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Do it soon; after `close`, not at all."""
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work)
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

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s: %s", self._trouble, type(error).__name__, error)
