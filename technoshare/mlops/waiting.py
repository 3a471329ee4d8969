"""What the spool says, read beside a running bot: for `technoshare spool`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from technoshare.errors import ConfigError
from technoshare.mlops.entry import Kind
from technoshare.mlops.spool import MIGRATIONS
from technoshare.models import JobId, Value

_LINES = """
select number, kind, job_id as job, generation, state, stored_at as since, due, tries, error from entries
where state in ('waiting', 'shelved') order by state desc, kind = 'forget' desc, number
"""

_DELIVERED = "select count(*) as delivered from entries where state = 'delivered'"


class EntryLine(Value):
    """One entry; `since` and `due` are unix seconds, `error` is why the last try came to nothing."""

    number: int
    kind: Kind
    job: JobId
    generation: int
    state: Literal["waiting", "shelved"]
    since: float
    due: float
    tries: int
    error: str


class SpoolReport(Value):
    """What waits, in the order of its delivery, and what lies on the shelf."""

    waiting: tuple[EntryLine, ...] = ()
    shelved: tuple[EntryLine, ...] = ()
    delivered: int = 0
    """In the last 30 days."""

    @property
    def oldest(self) -> float | None:
        """Since when, in unix seconds, the oldest entry has been waiting."""
        return min((line.since for line in self.waiting), default=None)


def read_spool(path: Path) -> SpoolReport:
    """Return what the spool holds; a bot that never had anything to tell has none.

    Raises `ConfigError` when the file cannot be read.
    """
    if not path.exists():
        return SpoolReport()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            _check(path, connection)
            lines = [EntryLine(**row) for row in connection.execute(_LINES)]
            delivered = connection.execute(_DELIVERED).fetchone()["delivered"]
    except sqlite3.Error as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    return SpoolReport(
        waiting=tuple(line for line in lines if line.state == "waiting"),
        shelved=tuple(line for line in lines if line.state == "shelved"),
        delivered=delivered,
    )


def _check(path: Path, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("pragma user_version").fetchone()
    if version != len(MIGRATIONS):
        advice = "start the bot once to upgrade it" if version < len(MIGRATIONS) else "upgrade TechnoShare"
        raise ConfigError(f"{path} has schema {version}, this version reads {len(MIGRATIONS)}; {advice}")
