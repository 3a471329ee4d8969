"""The daemon thread in which the replay runs, behind the jobs and never in their way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from technoshare.mlops.entry import Entry, Forgetting
from technoshare.mlops.record import JobRecord
from technoshare.mlops.replay import LAST_BACKOFF, Away, Pause, Replay, Sender, limit_mlflow
from technoshare.mlops.spool import Spool
from technoshare.models import Vote

logger = logging.getLogger("technoshare.mlops")

T = TypeVar("T")

CLOSE_SECONDS = 3.0
"""How long closing waits for a delivery that is under way; what is not delivered stays in the spool."""


class Ending(Exception):
    """The event loop is gone or going: the thread ends."""


class LoopQueue:
    """The spool, asked from a thread: the event loop does the work, since a SQLite file has one connection."""

    def __init__(self, spool: Spool, loop: asyncio.AbstractEventLoop, pause: Pause) -> None:
        self._spool, self._loop, self._pause = spool, loop, pause

    def next(self) -> Entry | None:
        """Return the oldest entry that is due, None when the spool closes."""
        return self._ask(self._spool.next)

    def delivered(self, number: int) -> None:
        """Forget the entry's content."""
        self._ask(lambda: self._spool.delivered(number))

    def failed(self, number: int, error: str) -> None:
        """Note why a try came to nothing."""
        self._ask(lambda: self._spool.failed(number, error))

    def postpone(self, number: int, seconds: float, error: str) -> None:
        """Let the others pass for so long."""
        self._ask(lambda: self._spool.postpone(number, seconds, error))

    def shelve(self, number: int, error: str) -> None:
        """Put the entry aside."""
        self._ask(lambda: self._spool.shelve(number, error))

    def _ask(self, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        while True:
            asked = question()
            try:
                return asyncio.run_coroutine_threadsafe(asked, self._loop).result()
            except (RuntimeError, CancelledError) as closed:  # loop or file, while a delivery took its time
                asked.close()
                raise Ending from closed
            except sqlite3.Error as error:
                logger.error("the MLflow spool cannot be used (%s); again in %g s", error, LAST_BACKOFF)  # noqa: TRY400 - no traceback says more
                if self._pause(LAST_BACKOFF):
                    raise Ending from error


class ReplayThread:
    """Runs a `Replay` beside the event loop. A daemon: a process never waits for it longer than `close` does."""

    def __init__(
        self,
        spool: Spool,
        *,
        uri: str,
        experiment: str,
        busy: Callable[[], bool],
        scrub: Callable[[JobRecord], JobRecord] = lambda record: record,
    ) -> None:
        self._spool = spool
        self._uri, self._experiment, self._busy, self._scrub = uri, experiment, busy, scrub
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._main, name="mlflow replay", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """End the thread. What it cannot deliver within `CLOSE_SECONDS` waits in the spool for the next start."""
        self._stop.set()
        self._spool.close()
        try:
            await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)
        except TimeoutError:
            logger.warning("the MLflow replay is still waiting for an answer; what is not delivered stays in the spool")

    def _main(self) -> None:
        limit_mlflow()
        try:
            Replay(
                queue=LoopQueue(self._spool, self._loop, self._stop.wait),
                connect=self._connect,
                pause=self._stop.wait,
                busy=self._busy,
            ).run()
        except Ending as why:
            logger.debug("replay ends: %r", why.__cause__)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended.set)

    def _connect(self) -> Sender:
        try:
            # Imports mlflow: 2 s that belong into this thread, and into the calm moment after the first job.
            from technoshare.mlops.upload import Upload  # noqa: PLC0415 - see above
        except ImportError as error:
            raise Away(f"mlflow cannot be imported: {error}") from error
        return _Scrubbing(Upload(self._uri, self._experiment), self._scrub)


@dataclass(frozen=True)
class _Scrubbing:
    """The last door: every record goes through `scrub`, here rather than in its job's way."""

    sender: Sender
    scrub: Callable[[JobRecord], JobRecord]

    def send(self, record: JobRecord, *, begun: bool) -> None:
        self.sender.send(self.scrub(record), begun=begun)

    def vote(self, vote: Vote) -> None:
        self.sender.vote(vote)

    def forget(self, forgetting: Forgetting) -> None:
        self.sender.forget(forgetting)
