"""What the spool holds, one kind a class: finished jobs, votes on their comments, jobs to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from technoshare.mlops.record import JobRecord
from technoshare.models import JobId, Value, Vote


class Forgetting(Value):
    """A job of which nothing is to be left in MLflow, in none of its generations."""

    job_id: JobId


Item = JobRecord | Vote | Forgetting
Kind = Literal["job", "vote", "forget"]

KINDS: Mapping[Kind, type[Item]] = {"job": JobRecord, "vote": Vote, "forget": Forgetting}


@dataclass(frozen=True)
class Entry:
    """One item on its way, as JSON, in the spool since unix time `since`."""

    number: int
    kind: Kind
    body: str
    since: float
    tries: int = 0
    """Deliveries that were begun before this one; MLflow may know a part of it already."""
    waits: int = 0
    """Times that MLflow did not know yet what it belongs to."""

    def item(self) -> Item:
        """Return what it holds. Raises `ValidationError` when another version wrote it in another shape."""
        return KINDS[self.kind].model_validate_json(self.body)
