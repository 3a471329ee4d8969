"""What a loop of crashes cost: counted from the workspace, the jobs file and the bot's own log, never from its word."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

STAGES = ("retrieval", "stage_a", "stage_b", "quality_gates", "slack_post")
_BEGINS = re.compile(r"begins: ([0-9a-f]{12}) (\d+) (\w+)$")

Stage = tuple[str, int, str]
"""Job id, generation, name."""


@dataclass
class Stages:
    """Which stages began, and which of those had been finished before."""

    began: Counter[Stage] = field(default_factory=Counter)
    again: list[Stage] = field(default_factory=list)

    def count(self, log: str, finished: set[Stage]) -> None:
        """Take in the log of one life; `finished` is what the jobs file held when it began."""
        reached: defaultdict[tuple[str, int], int] = defaultdict(int)
        for job, generation, name in (match.groups() for match in map(_BEGINS.search, log.splitlines()) if match):
            stage, place = (job, int(generation), name), STAGES.index(name)
            # A later stage has begun in this very life: this one had its result.
            if stage in finished or place < reached[stage[:2]]:
                self.again.append(stage)
            reached[stage[:2]] = max(reached[stage[:2]], place)
            self.began[stage] += 1

    @property
    def in_flight(self) -> int:
        """How often an unfinished stage had to begin again."""
        return self.began.total() - len(self.began) - len(self.again)


@dataclass(frozen=True)
class Toll:
    """The closing figures of a loop."""

    kills: int
    links: int
    events: int
    """Deliveries of events that carry a link, each time under an envelope of its own."""
    unacknowledged: int
    """Links of which no delivery was ever acknowledged."""
    lost: int
    """Acknowledged links whose job has not ended or whose thread is empty."""
    duplicates: int
    """Replies beyond the first, ever seen in a thread."""
    again: int
    """Finished stages that began again."""
    in_flight: int
    stages: int
    interruptions: int
    looked_up: int
    """Calls of conversations.replies: sends whose outcome was unknown."""
    dropped: int
    limited: int
    unsigned: int
    """Messages that do not show ✅ or ⚠️ alone."""
    dead: int
    integrity: str
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        return (
            not (self.lost or self.duplicates or self.again or self.unacknowledged or self.unsigned or self.dead)
            and self.integrity == "ok"
        )

    def table(self) -> str:
        """Return the figures for people, a line each."""
        rows = (
            ("kills -9", self.kills),
            ("links posted", self.links),
            ("events delivered", f"{self.events} (redeliveries and duplicates under other ids among them)"),
            ("never acknowledged", self.unacknowledged),
            ("LOST", self.lost),
            ("DUPLICATE COMMENTS", self.duplicates),
            ("FINISHED STAGES RUN AGAIN", f"{self.again} of {self.stages} starts"),
            ("stages in flight run again", self.in_flight),
            ("jobs interrupted", self.interruptions),
            ("answers dropped after the post", self.dropped),
            ("429s", self.limited),
            ("look-ups", self.looked_up),
            ("without the sign of an end", self.unsigned),
            ("jobs given up", self.dead),
            ("quick_check", self.integrity),
            ("seconds", f"{self.seconds:.0f}"),
        )
        return "\n".join(f"  {name:32}{value}" for name, value in rows)


def finished_stages(file: Path) -> set[Stage]:
    """Return the stages whose result is committed; none while there is no file."""
    rows = _read(file, "select job_id, generation, stage from checkpoints where result <> 'null'")
    return {(job, generation, stage) for job, generation, stage in rows}


def ended_jobs(file: Path) -> dict[str, str]:
    """Return the state of the jobs that ended, by the ts of their message."""
    return dict(_read(file, "select ts, state from jobs where state in ('done', 'dead')"))


def unfinished(file: Path) -> int:
    """Return how many jobs have not ended."""
    rows = _read(file, "select count(*) from jobs where state in ('ready', 'running')")
    return rows[0][0] if rows else 0


def interruptions(file: Path) -> int:
    """Return how often jobs were found running by a new process."""
    return _read(file, "select coalesce(sum(interruptions), 0) from jobs")[0][0]


def integrity(file: Path) -> str:
    """Return SQLite's own verdict on the file."""
    return _read(file, "pragma quick_check(1)")[0][0]


def _read(file: Path, query: str) -> list[tuple]:
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:  # killed before the first migration was committed
            if "no such table" not in str(error):
                raise
            return []
