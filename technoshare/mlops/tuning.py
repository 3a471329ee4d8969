"""MLflow's SQLite file made fit: a journal that lets readers and writers work side by side, and statistics.

MLflow sets up neither. Without WAL one slow page of its UI locks every writer out; without statistics SQLite picks a
plan for "sort by metric" that does not end in minutes once there are some ten thousand runs.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from technoshare.errors import ConfigError
from technoshare.models import Value

PATIENCE = 20.0
"""Seconds to wait for others who use the file; MLflow itself waits as long."""

SAMPLE = 1000
"""Rows of each index that the statistics are made from: enough for the right plan, and quick however long the file."""

SERVERS_FILE = Path("mlflow.db")
"""Where `make mlflow` keeps it."""

_OURS = frozenset({"alembic_version", "experiments", "runs"})
"""Tables by which a file is known as MLflow's."""


class Look(Value):
    """How a file stands: its size in bytes, its runs, its journal, how many indexes SQLite has statistics of."""

    bytes: int
    runs: int
    journal: str
    statistics: int

    @property
    def fit(self) -> bool:
        """Whether both are there."""
        return self.journal == "wal" and self.statistics > 0


class Tuned(Value):
    """What tuning changed, and the seconds that it took."""

    path: Path
    before: Look
    after: Look
    seconds: float


def file_of(database: str) -> Path:
    """Return the file of `sqlite:///path`, or the path itself. Raises `ConfigError` for a server's address."""
    kind, separator, rest = database.partition("://")
    if not separator:
        return Path(database)
    if kind.startswith("sqlite") and rest.startswith("/") and rest[1:]:
        return Path(rest[1:])
    if kind.startswith("postgres"):
        raise ConfigError("PostgreSQL needs no tuning: it has its own journal and analyses by itself (autovacuum)")
    raise ConfigError(f"{kind}://… is a server; where its file lies, run: technoshare mlflow tune --db PATH")


def file_behind(uri: str) -> Path | None:
    """Return the file that a tracking URI leads to: its own, or `make mlflow`'s for a server; None when unknown."""
    if uri.startswith("http"):
        return SERVERS_FILE if SERVERS_FILE.exists() else None
    return file_of(uri) if uri.startswith("sqlite") else None


def look(path: Path) -> Look:
    """Look at the file without changing it. Raises `ConfigError` when it is not MLflow's."""
    with _open(path) as connection:
        return _look(path, connection)


def tune(path: Path, *, patience: float = PATIENCE) -> Tuned:
    """Set WAL and make fresh statistics; a server may run meanwhile, and uses them from its next query on.

    Raises `ConfigError` when the file is not MLflow's, or is in use for longer than `patience` seconds.
    """
    with _open(path, patience) as connection:
        before, started = _look(path, connection), time.monotonic()
        connection.execute("pragma journal_mode = wal")
        _analyse(connection)
        return Tuned(path=path, before=before, after=_look(path, connection), seconds=time.monotonic() - started)


def prepare(path: Path) -> None:
    """Create the file in WAL mode when there is none; tune it when it is MLflow's. Raises `ConfigError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            connection.execute("pragma journal_mode = wal")
            known = _tables(connection) >= _OURS
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"cannot open {path}: {error}") from error
    if known:
        tune(path)


def _analyse(connection: sqlite3.Connection) -> None:
    """Make statistics anew, in one transaction.

    The old table goes first: only a changed schema makes connections that are open elsewhere read the new ones.
    """
    connection.execute(f"pragma analysis_limit = {SAMPLE}")
    connection.execute("begin immediate")
    try:
        if "sqlite_stat1" in _tables(connection):
            connection.execute("drop table sqlite_stat1")
        connection.execute("analyze")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def _open(path: Path, patience: float = PATIENCE) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise ConfigError(f"{path} does not exist; name MLflow's file: technoshare mlflow tune --db PATH")
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)) as connection:
            if not _tables(connection) >= _OURS:
                raise ConfigError(f"{path} is not a database of MLflow")
            yield connection
    except sqlite3.OperationalError as error:
        busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
        advice = f"in use for more than {patience:g} s; try again, or end the server first" if busy else str(error)
        raise ConfigError(f"{path}: {advice}") from error
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path} is not a database of MLflow ({error})") from error


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}


def _look(path: Path, connection: sqlite3.Connection) -> Look:

    def one(question: str) -> Any:
        return connection.execute(question).fetchone()[0]

    return Look(
        bytes=path.stat().st_size,
        runs=one("select count(*) from runs"),
        journal=one("pragma journal_mode"),
        statistics=one("select count(*) from sqlite_stat1") if "sqlite_stat1" in _tables(connection) else 0,
    )
