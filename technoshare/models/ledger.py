"""What is remembered of answered links, and what people say about them."""

from __future__ import annotations

from typing import Literal

from technoshare.models.comment import Comment
from technoshare.models.evidence import Evidence
from technoshare.models.record import JobId, Outcome, Value


class Share(Value):
    """A line of the ledger: which page was shared where, by whom, and what became of it."""

    job_id: JobId
    channel: str
    ts: str
    thread_ts: str
    user: str
    url: str
    final_url: str
    at: float
    outcome: Outcome
    reply_ts: str = ""
    evidence: Evidence | None = None
    comment: Comment | None = None


class Click(Value):
    """Somebody pressed 👍 or 👎 under a post, as Slack tells it; nothing in it is known to be true yet."""

    job_id: JobId
    generation: int
    channel: str
    ts: str
    """Of the post."""
    user: str
    value: Literal["up", "down"]
    at: float
    """Slack's own time of the click, unix seconds: one that is delivered twice has it twice."""


class Vote(Value):
    """What somebody thinks of a comment. One person has one vote on each: the last one counts."""

    job_id: JobId
    generation: int
    """Which of the job's comments: a Retry makes another one."""
    channel: str = ""
    """Where the comment stands: it decides whether MLflow is told the reason. Empty: the strictest rule counts."""
    user: str
    """Slack's user id, never a name."""
    value: Literal["up", "down", "none"]
    """`none` takes an earlier vote back."""
    reason: str = ""
    at: float
    """Unix seconds."""


class Complaint(Value):
    """A comment that somebody voted down, with what it was made from."""

    job_id: JobId
    generation: int
    url: str
    evidence: Evidence
    reasons: tuple[str, ...]
    """As they were kept, one for each 👎 that has one."""


class Alert(Value):
    """A line to be said once, since a rate fell below what is wanted."""

    token: str
    """Marks its one post."""
    line: str
