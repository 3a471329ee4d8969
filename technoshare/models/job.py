"""The job."""

from __future__ import annotations

import hashlib
from typing import Literal

from technoshare.models.record import JobId, Value

FORGOTTEN = "forgotten"
"""The error of a job of which nothing but its id is left."""
JobState = Literal["ready", "running", "done", "dead"]


class Job(Value):
    """One link of one Slack message, to be answered once in that message's thread."""

    key: str
    team: str
    channel: str
    ts: str
    """The message that holds the link."""
    thread_ts: str
    """Where the answer goes: the message itself, or the thread that it was broadcast from."""
    user: str
    url: str
    text: str = ""
    """The message as its author sees it."""
    unread: tuple[str, ...] = ()
    """Links of the same message beyond the limit, named in this job's reply instead of read."""
    received: float
    """Unix seconds when the event arrived."""
    generation: int = 0
    """Grows with each Retry or Write again; every generation has its own checkpoints."""

    @property
    def id(self) -> JobId:
        """12 hex digits, the same in every bot that sees the same link."""
        return JobId(hashlib.sha256(self.key.encode()).hexdigest()[:12])


class Submitted(Value):
    """Answer of `JobEngine.submit`: `fresh` is False when the key was known already."""

    job_id: JobId
    fresh: bool
