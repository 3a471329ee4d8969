"""Turns in a channel that Slack has slowed down: without them all replies that wait come back at the same second."""

from __future__ import annotations

from technoshare.models import JobId
from technoshare.ports import Clock

STEP = 1.0
"""Seconds between two posts in one channel, Slack's rule of thumb; it is kept only where Slack has said 429."""


class Pace:
    """One turn a second for each job that wants to post in a slowed channel, in the order in which they asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._turns: dict[JobId, float] = {}

    def wait(self, channel: str, job_id: JobId) -> float:
        """Return the seconds until the job's turn, 0 when it may post now; a turn once given is kept for it."""
        now = self._clock()
        turn = self._turns.get(job_id)
        if turn is None:
            turn = self._next.get(channel, now)
            if turn > now:
                self._turns[job_id], self._next[channel] = turn, turn + STEP
        if turn > now:
            return turn - now
        self._turns.pop(job_id, None)
        return 0.0

    def slow(self, channel: str, after: float) -> None:
        """Let nobody post in the channel for so many seconds, and then one job after the other."""
        self._next[channel] = max(self._next.get(channel, 0.0), self._clock() + after)
