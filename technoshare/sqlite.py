"""A SQLite file with one connection and one writer task; callers share commits, so durability stays cheap.

One connection per file, guarded by a lock file, is not only tidy: SQLite 3.7.0 to 3.51.2 can corrupt a WAL that two
connections write or checkpoint, and a second task on one connection loses its statements in the first one's rollback.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiosqlite
from aiosqlite import Connection as Connection  # noqa: PLC0414 - offered to the rooms that write the works

from technoshare.errors import ConfigError, Damaged

log = logging.getLogger("technoshare.storage")

T = TypeVar("T")

Values = Sequence[object] | Mapping[str, object]
"""A statement's values, for `?` or for `:name`."""

BATCH = 256
"""Most works in one commit: 200 rows cost the same fsync as one, and a commit stays well under 100 ms."""

BUSY_SECONDS = 5.0
"""How long to wait for a reader of the file, such as a backup."""

_WAL_LIMIT = 16 * 1024 * 1024

_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True)
class _Request(Generic[T]):
    work: Callable[[Connection], Awaitable[T]]
    answer: asyncio.Future[T]

    def settle(self, outcome: T | Exception) -> None:
        """Tell the caller, unless it was cancelled meanwhile."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Database:
    """An open file. Everything, reads too, goes through `run` or `execute`."""

    def __init__(self, path: Path, connection: Connection, *, replaced: bool) -> None:
        self.path = path
        self.replaced = replaced
        """Whether the file is new because the one that stood here was damaged."""
        self.damaged = asyncio.Event()
        """Set when SQLite finds the file damaged while it is open: nothing can be relied on any more."""
        self._connection = connection
        self._waiting: deque[_Request[Any]] = deque()  # unbounded: each entry is a caller that waits
        self._wake = asyncio.Event()
        self._closing = False
        self._emptying = False
        self._writer = asyncio.create_task(self._write(), name=f"writer of {path.name}")

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return what `work` returns; its changes are on disk by then.

        `work` uses nothing but the connection and leaves the transaction alone. When it raises, its changes are undone
        and the error comes here. When the commit fails, every caller that shared it gets the `sqlite3.Error`. A
        cancelled caller does not know whether its work was done.
        """

        async def all_or_nothing(connection: Connection) -> T:
            await connection.execute_fetchall("savepoint work")
            try:
                result = await work(connection)
            except Exception:
                if connection.in_transaction:  # else, disk full or I/O error, SQLite itself undid the whole batch
                    await connection.execute_fetchall("rollback to work")
                    await connection.execute_fetchall("release work")
                raise
            await connection.execute_fetchall("release work")
            return result

        return await self._enqueue(all_or_nothing)

    async def execute(self, statement: str, values: Values = ()) -> list[sqlite3.Row]:
        """Return the rows of one statement; as `run`, and three times as fast, since a statement needs no savepoint."""

        async def work(connection: Connection) -> list[sqlite3.Row]:
            return list(await connection.execute_fetchall(statement, values))

        return await self._enqueue(work)

    async def empty_log(self) -> None:
        """Take what was deleted out of the write-ahead log too, unless somebody is reading the file."""
        self._emptying = True
        await self.execute("select 1")

    async def close(self) -> None:
        """Finish the works that wait, then end the writer."""
        self._closing = True
        self._wake.set()
        await self._writer

    async def _enqueue(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._closing or self._writer.done():
            raise RuntimeError(f"{self.path} is closed")
        if asyncio.current_task() is self._writer:
            raise RuntimeError("a work cannot wait for another work")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(work, answer))
        self._wake.set()
        return await answer

    async def _write(self) -> None:
        try:
            while not self._closing:
                await self._wake.wait()
                self._wake.clear()
                while batch := list(islice(self._waiting, BATCH)):
                    await self._commit(batch)
                    for _ in batch:
                        self._waiting.popleft()
        finally:
            for request in self._waiting:
                request.settle(RuntimeError(f"{self.path} is closed"))

    async def _commit(self, batch: list[_Request[Any]]) -> None:
        wanted = [request for request in batch if not request.answer.done()]
        try:
            await self._connection.execute_fetchall("begin immediate")
            outcomes = [await self._attempt(request) for request in wanted]
            await self._connection.commit()
            await self._empty_log()
        except Exception as error:  # noqa: BLE001 - the writer must not die, and each caller of the batch is told
            outcomes = [error] * len(wanted)
        finally:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):  # if it fails, so does the next batch's begin, and it is tried again
                    await self._connection.rollback()
        for request, outcome in zip(wanted, outcomes, strict=True):
            if type(outcome) is sqlite3.DatabaseError:  # itself, not a full disk or a broken rule: those are subclasses
                self.damaged.set()
            request.settle(outcome)

    async def _empty_log(self) -> None:
        if self._emptying:
            self._emptying = False
            with suppress(sqlite3.Error):  # the batch is committed, whatever becomes of the log
                await self._connection.execute_fetchall("pragma wal_checkpoint(truncate)")

    async def _attempt(self, request: _Request[T]) -> T | Exception:
        try:
            return await request.work(self._connection)
        except Exception as error:
            if not self._connection.in_transaction:
                raise
            return error


@asynccontextmanager
async def open_database(
    path: Path, migrations: Sequence[str], *, lock: bool = True, replace_damaged: bool = False
) -> AsyncIterator[Database]:
    """Open the file, create or upgrade it as needed, and close it in the end.

    `migrations` only ever grows: script number n takes the schema from version n-1 to n. With `lock` no second process
    can have the file. With `replace_damaged` a damaged one is moved aside, kept, and begun anew. Raises `ConfigError`
    when the file is in use, damaged, from a newer version or cannot be opened.
    """
    _create(path)
    with _locked(path) if lock else nullcontext():
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(_connected(path, migrations))
            except Damaged as damage:
                if not replace_damaged or not _is_sqlite(path):  # what never was a database may be somebody's text
                    raise
                log.error("%s; it is kept as %s, and a new one begins", damage.how, _set_aside(path))  # noqa: TRY400 - no traceback says more
                connection = await stack.enter_async_context(_connected(path, migrations))
                replaced = True
            else:
                replaced = False
            database = Database(path, connection, replaced=replaced)
            try:
                yield database
            finally:
                await database.close()


def _create(path: Path) -> None:
    """Make the file private before SQLite opens it; its -wal and -shm files then get the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(f"cannot open {path}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `<path>.lock`. The kernel lets go of it when the process ends, however it ends."""
    name = f"{path}.lock"
    with os.fdopen(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{path} is in use by another process (pid {file.read().strip() or '?'})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@asynccontextmanager
async def _connected(path: Path, migrations: Sequence[str]) -> AsyncIterator[Connection]:
    async with aiosqlite.connect(path, isolation_level=None, timeout=BUSY_SECONDS) as connection:
        try:
            await _prepare(path, connection, migrations)
        except sqlite3.OperationalError as error:
            raise ConfigError(f"cannot open {path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise _damaged(path, str(error)) from error
        yield connection


async def _prepare(path: Path, connection: Connection, migrations: Sequence[str]) -> None:
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode = wal", "synchronous = full", f"journal_size_limit = {_WAL_LIMIT}"):
        await connection.execute_fetchall(f"pragma {pragma}")
    await connection.execute_fetchall("pragma trusted_schema = off")
    await connection.execute_fetchall("pragma secure_delete = on")  # what is forgotten must not lie in free pages
    ((verdict,),) = await connection.execute_fetchall("pragma quick_check(1)")
    if verdict != "ok":
        raise _damaged(path, verdict.splitlines()[-1])
    await _migrate(path, connection, migrations)
    await connection.execute_fetchall("pragma foreign_keys = on")  # afterwards: a migration may rebuild a table


async def _migrate(path: Path, connection: Connection, migrations: Sequence[str]) -> None:
    ((version,),) = await connection.execute_fetchall("pragma user_version")
    if version > len(migrations):
        raise ConfigError(
            f"{path} was written by a newer version of TechnoShare "
            f"(schema {version}, this one knows {len(migrations)}); upgrade, or use another file"
        )
    for number, script in enumerate(migrations[version:], version + 1):
        # The script brings its own transaction, since `executescript` commits any that is open before it starts.
        # If it fails, closing the connection rolls it back.
        await connection.executescript(f"begin immediate;\n{script}\n;pragma user_version = {number};\ncommit;")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def _set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; return the new name."""
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{kept}{suffix}")
    _create(path)
    return kept


def _damaged(path: Path, how: str) -> Damaged:
    advice = f"move it aside together with {path.name}-wal and start again with a new one"
    return Damaged(f"{path} is damaged ({how})", advice)
