"""One file, one connection, shared commits: what every owner of a SQLite file relies on."""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from technoshare.errors import ConfigError
from technoshare.sqlite import Connection, Database, open_database

SCHEMA = (
    "create table notes (number integer primary key, text text not null) strict;"
    "create table parts (note integer references notes (number) deferrable initially deferred) strict;"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "notes.db"


@pytest.fixture
async def database(path: Path):
    async with open_database(path, (SCHEMA,)) as database:
        yield database


def adding(text: str):
    async def work(connection: Connection) -> None:
        await connection.execute_fetchall("insert into notes (text) values (?)", (text,))

    return work


async def texts(database: Database) -> list[str]:
    return [row["text"] for row in await database.execute("select text from notes order by number")]


async def traced(database: Database) -> list[str]:
    statements: list[str] = []
    await database.run(lambda connection: connection.set_trace_callback(statements.append))
    return statements


async def test_what_a_work_wrote_is_there_when_the_file_is_opened_again(path):
    async with open_database(path, (SCHEMA,)) as database:
        await database.run(adding("kept"))
        await database.execute("insert into notes (text) values (:text)", {"text": "too"})
    async with open_database(path, (SCHEMA,)) as database:
        assert await texts(database) == ["kept", "too"]


async def test_two_hundred_callers_at_once_share_a_few_commits(database):
    statements = await traced(database)
    await asyncio.gather(*(database.run(adding(str(number))) for number in range(200)))
    assert len(await texts(database)) == 200
    assert sum(statement == "COMMIT" for statement in statements) <= 3


async def test_the_file_is_durable_and_wary(database):
    async def pragmas(connection: Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
        return {name: next(iter(await connection.execute_fetchall(f"pragma {name}")))[0] for name in names}

    assert await database.run(pragmas) == {
        "journal_mode": "wal",
        "synchronous": 2,  # full: an acknowledged row survives a power cut
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": 5000,
    }


async def test_a_failing_work_is_undone_alone(database):
    async def failing(connection: Connection) -> None:
        await adding("half")(connection)
        raise ValueError("no")

    results = await asyncio.gather(
        database.run(adding("before")), database.run(failing), database.run(adding("after")), return_exceptions=True
    )
    assert isinstance(results[1], ValueError)
    assert await texts(database) == ["before", "after"]


async def test_a_failing_statement_harms_no_one_else(database):
    results = await asyncio.gather(
        database.run(adding("before")),
        database.execute("insert into notes (text) values (null)"),
        database.run(adding("after")),
        return_exceptions=True,
    )
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert await texts(database) == ["before", "after"]


async def test_a_commit_that_fails_is_told_to_each_of_its_callers_and_the_next_one_works(database):
    results = await asyncio.gather(
        database.run(adding("lost")),
        database.execute("insert into parts (note) values (4711)"),  # only the commit sees that there is no such note
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [sqlite3.IntegrityError, sqlite3.IntegrityError]
    await database.run(adding("kept"))
    assert await texts(database) == ["kept"]


async def test_a_full_disk_loses_nothing_that_was_promised_and_ends_when_there_is_room(database):
    ((pages,),) = await database.execute("pragma page_count")
    await database.execute(f"pragma max_page_count = {pages + 20}")
    results = await asyncio.gather(*(database.run(adding("x" * 10_000)) for _ in range(40)), return_exceptions=True)
    refused = [result for result in results if result is not None]
    assert refused
    assert {str(error) for error in refused} == {"database or disk is full"}
    assert len(await texts(database)) == 40 - len(refused)

    await database.execute("pragma max_page_count = 100000")
    await database.run(adding("room again"))
    assert (await texts(database))[-1] == "room again"


async def test_a_cancelled_caller_leaves_no_transaction_open(database):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: Connection) -> None:
        await adding("slow")(connection)
        begun.set()
        await go_on.wait()

    caller = asyncio.create_task(database.run(slow))
    await begun.wait()
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    waiting = asyncio.create_task(database.run(adding("next")))
    go_on.set()
    await waiting
    assert await texts(database) == ["slow", "next"]


async def test_a_caller_cancelled_while_it_waits_has_written_nothing(database):
    caller = asyncio.create_task(database.run(adding("never")))
    await asyncio.sleep(0)  # it stands in the queue now
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    assert await texts(database) == []


async def test_works_that_wait_are_finished_before_the_file_closes(path):
    async with open_database(path, (SCHEMA,)) as database:
        callers = [asyncio.create_task(database.run(adding(str(number)))) for number in range(300)]
        await asyncio.sleep(0)
    await asyncio.gather(*callers)
    async with open_database(path, (SCHEMA,)) as database:
        assert len(await texts(database)) == 300


async def test_a_closed_file_says_so(path):
    async with open_database(path, (SCHEMA,)) as database:
        pass
    with pytest.raises(RuntimeError, match="is closed"):
        await database.run(adding("late"))


async def test_a_work_that_waits_for_another_work_is_an_error_not_a_deadlock(database):
    async def nested(_: Connection) -> None:
        await database.run(adding("inner"))

    with pytest.raises(RuntimeError, match="another work"):
        await database.run(nested)


async def test_nobody_else_on_the_machine_can_read_the_files(database):
    await database.run(adding("private"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in database.path.parent.iterdir()}
    assert modes == dict.fromkeys(("notes.db", "notes.db-wal", "notes.db-shm", "notes.db.lock"), 0o600)


async def test_a_second_owner_is_refused_with_the_first_ones_pid(database):
    with pytest.raises(ConfigError, match=rf"is in use by another process \(pid {os.getpid()}\)"):
        async with open_database(database.path, (SCHEMA,)):
            pass


async def test_the_lock_ends_with_its_owner(path):
    for _ in range(2):
        async with open_database(path, (SCHEMA,)):
            pass


async def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(path):
    async with open_database(path, (SCHEMA,)) as database:
        await database.run(adding("old"))
    more = "alter table notes add column language text not null default 'en';"
    for _ in range(2):  # the second time there is nothing to do
        async with open_database(path, (SCHEMA, more)) as database:
            assert [tuple(row) for row in await database.execute("select text, language from notes")] == [("old", "en")]


async def test_a_migration_that_fails_changes_nothing(path):
    async with open_database(path, (SCHEMA,)):
        pass
    broken = "alter table notes add column half text; alter table nowhere add column other text;"
    with pytest.raises(ConfigError, match="no such table: nowhere"):
        async with open_database(path, (SCHEMA, broken)):
            pass
    async with open_database(path, (SCHEMA,)) as database:
        assert [row["name"] for row in await database.execute("pragma table_info(notes)")] == ["number", "text"]


async def test_a_file_from_a_newer_version_is_refused(path):
    async with open_database(path, (SCHEMA, "create table later (x) ;")):
        pass
    with pytest.raises(ConfigError, match="written by a newer version"):
        async with open_database(path, (SCHEMA,)):
            pass


async def damaged(path: Path) -> bytes:
    """Leave a file with a broken page and return its bytes."""
    async with open_database(path, (SCHEMA,)) as database:
        await asyncio.gather(*(database.run(adding(f"{number} " * 200)) for number in range(100)))
        await database.execute("create index by_text on notes (text)")
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xa5" * 4096)
    return path.read_bytes()  # noqa: ASYNC240 - a test


async def test_a_damaged_page_is_found_at_the_start(path):
    await damaged(path)
    with pytest.raises(ConfigError, match=r"notes\.db is damaged .* move it aside"):
        async with open_database(path, (SCHEMA,)):
            pass


async def test_a_damaged_file_can_be_kept_aside_and_begun_anew(path, caplog):
    content = await damaged(path)
    async with open_database(path, (SCHEMA,), replace_damaged=True) as database:
        assert database.replaced
        assert await database.execute("select * from notes") == []
    (kept,) = path.parent.glob("notes.db.damaged-*")
    assert kept.read_bytes() == content
    assert (kept.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o600, 0o600)
    assert f"it is kept as {kept}" in caplog.text
    async with open_database(path, (SCHEMA,), replace_damaged=True) as database:
        assert not database.replaced


@pytest.mark.parametrize("replace", [False, True])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(path, replace):
    path.parent.mkdir()
    path.write_text("dear diary, " * 100)
    with pytest.raises(ConfigError, match=r"is damaged .*not a database"):
        async with open_database(path, (SCHEMA,), replace_damaged=replace):
            pass
    assert path.read_text() == "dear diary, " * 100


async def test_damage_that_shows_while_the_file_is_open_is_told_and_a_full_disk_is_not_damage(database):
    async def refused(_):
        raise sqlite3.OperationalError("database or disk is full")

    async def broken(_):
        raise sqlite3.DatabaseError("database disk image is malformed")

    with pytest.raises(sqlite3.OperationalError):
        await database.run(refused)
    assert not database.damaged.is_set()
    with pytest.raises(sqlite3.DatabaseError):
        await database.run(broken)
    assert database.damaged.is_set()


async def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "folder").write_text("a file stands in the way")
    with pytest.raises(ConfigError, match="cannot open"):
        async with open_database(tmp_path / "folder" / "notes.db", (SCHEMA,)):
            pass
