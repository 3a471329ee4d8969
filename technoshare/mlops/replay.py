"""Takes what the spool holds to MLflow: patient with MLflow, polite to jobs, and never stuck on one entry."""

from __future__ import annotations

import logging
import math
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from technoshare.mlops.entry import Entry, Forgetting
from technoshare.mlops.record import JobRecord
from technoshare.models import Vote
from technoshare.ports import Clock

logger = logging.getLogger("technoshare.mlops")

CALM = 60.0
"""Longest time in seconds that an entry waits for running jobs; then it is delivered beside them."""

LOOK = 0.25
"""Seconds between two looks whether jobs still run."""

QUIET = 1.0
"""Seconds without a job that make a calm moment: one link is seldom alone, and the next one is in a hurry too."""

SHARE = 0.25
"""Most of one core that the replay may use, as long as the bot runs."""

LONGEST_PACE = 2.0
"""Seconds; what happens once, such as the import of mlflow, is not paid back in full."""

FIRST_BACKOFF, LAST_BACKOFF = 0.5, 30.0
"""Seconds until MLflow is asked again; doubled each time."""

MOST_SURPRISES = 8
"""So often is an entry tried that fails in a way nobody foresaw; then it is shelved, or it would block all others."""

FIRST_WAIT, LAST_WAIT, MOST_WAITS = 5.0, 3600.0, 34
"""Seconds that a vote gives its job's trace to arrive, doubled each time: with so many, a day of a server that is up.

The trace may come from another process's spool, or never; after that the vote is shelved.
"""

ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # default 7: one call to a stopped server blocks for 4 minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # default 120: with retries, a silent server blocks for 20 minutes
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # "View run … at …" for every run
}
"""What mlflow reads from the environment and nowhere else; a value that is already there is somebody's choice."""


def limit_mlflow() -> None:
    """Bound how long mlflow may wait. To be called before it is imported, in every process that does."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


class Away(Exception):
    """MLflow is not there or cannot take anything now: everything waits."""


class Rejected(Exception):
    """MLflow will never take this entry: it goes to the shelf."""


class Missing(Exception):
    """MLflow does not know, or not yet, what this entry belongs to: it lets others pass for a while."""


class Sender(Protocol):
    """Where entries go. Every method raises `Away` or `Rejected`, and may be repeated after an unknown outcome."""

    def send(self, record: JobRecord, *, begun: bool) -> None:
        """Write the record, or with `begun` what is missing of it."""

    def vote(self, vote: Vote) -> None:
        """Make this the person's one vote on the job's trace, or take it back. Also raises `Missing`."""

    def forget(self, forgetting: Forgetting) -> None:
        """Leave nothing of the job."""


class Queue(Protocol):
    """The spool as the thread sees it: every call blocks until the event loop has done it."""

    def next(self) -> Entry | None:
        """Return the oldest entry that is due, None when it is time to end."""

    def delivered(self, number: int) -> None:
        """Forget the entry's content."""

    def failed(self, number: int, error: str) -> None:
        """Note why a try came to nothing."""

    def postpone(self, number: int, seconds: float, error: str) -> None:
        """Let the others pass for so long."""

    def shelve(self, number: int, error: str) -> None:
        """Put the entry aside."""


Pause = Callable[[float], bool]
"""Wait so many seconds; True when it is time to end."""


@dataclass
class Replay:
    """Takes one entry after the other to MLflow. `connect` opens MLflow and raises `Away` when it cannot."""

    queue: Queue
    connect: Callable[[], Sender]
    pause: Pause
    busy: Callable[[], bool]
    cpu: Callable[[], float] = time.thread_time
    """Seconds of processor time that this thread has used."""
    clock: Clock = time.time

    def __post_init__(self) -> None:
        self._sender: Sender | None = None
        self._away = False
        self._backoff = FIRST_BACKOFF
        self._busy_at = -math.inf
        self._surprises: Counter[int] = Counter()

    def run(self) -> None:
        """Deliver until the queue or the pause says that it is time to end."""
        while (entry := self.queue.next()) is not None:
            if self._hold_back(entry):
                return
            used = self.cpu()
            backoff = self._deliver(entry)
            if self.pause(backoff or min(LONGEST_PACE, (self.cpu() - used) * (1 / SHARE - 1))):
                return

    def _hold_back(self, entry: Entry) -> bool:
        """Wait for the jobs, as long as the entry is young: calm moments alone are too few under steady load.

        A person waits for what is to be forgotten.
        """
        if entry.kind == "forget":
            return False
        while (
            not self._calm() and 0 <= self.clock() - entry.since < CALM
        ):  # a clock set back must not hold it for hours
            if self.pause(LOOK):
                return True
        return False

    def _calm(self) -> bool:
        """Tell whether no job was seen for a moment."""
        now = self.clock()
        if self.busy():
            self._busy_at = now
        return not 0 <= now - self._busy_at < QUIET

    def _deliver(self, entry: Entry) -> float:
        """Try once; return for how many seconds nothing is to be tried."""
        try:
            self._send(entry)
        except Away as away:
            self._went_away(away)
            return self._back_off(entry, str(away))
        except Missing as missing:
            self._postpone(entry, str(missing))
        except (Rejected, ValidationError) as error:
            self._shelve(entry, str(error))
        except Exception as error:
            logger.exception("MLflow replay")
            self._surprises[entry.number] += 1
            told = f"{type(error).__name__}: {error}"
            if self._surprises[entry.number] < MOST_SURPRISES:
                return self._back_off(entry, told)
            self._shelve(entry, told)
        else:
            self.queue.delivered(entry.number)
        self._backoff = FIRST_BACKOFF
        return 0.0

    def _send(self, entry: Entry) -> None:
        item = entry.item()
        self._sender = self._sender or self.connect()
        match item:
            case JobRecord():
                self._sender.send(item, begun=entry.tries > 0)
            case Vote():
                self._sender.vote(item)
            case Forgetting():
                self._sender.forget(item)
        if self._away:
            self._away = False
            logger.info("MLflow is back")

    def _back_off(self, entry: Entry, error: str) -> float:
        self.queue.failed(entry.number, error)
        backoff, self._backoff = self._backoff, min(LAST_BACKOFF, 2 * self._backoff)
        return backoff

    def _went_away(self, why: Away) -> None:
        self._sender = None  # the experiment may be another one when it comes back
        if not self._away:
            self._away = True
            logger.warning("MLflow is away, jobs go on and their records wait: %s", why)

    def _postpone(self, entry: Entry, error: str) -> None:
        if entry.waits >= MOST_WAITS:
            self._shelve(entry, error)
        else:
            self.queue.postpone(entry.number, min(LAST_WAIT, FIRST_WAIT * 2**entry.waits), error)

    def _shelve(self, entry: Entry, error: str) -> None:
        self.queue.shelve(entry.number, error)
        logger.error("MLflow refuses entry %d, it is kept on the shelf: %s", entry.number, error)
