"""What a job leaves behind is dropped when it has long ended; that it was there is known for ever."""

import asyncio
import sqlite3

import pytest

from technoshare.errors import Unusable
from technoshare.jobs.engine import MIGRATIONS, SqliteEngine, open_engine
from technoshare.jobs.pruning import prune, prune_daily
from technoshare.sqlite import open_database
from tests.jobs.sample import NOW, FakeTime, a_checkpoint, a_job

DAY = 86_400.0


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def engine(tmp_path, time):
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=time, sleep=time.sleep) as engine:
        yield engine


async def end(engine: SqliteEngine, *numbers: int, error: Exception | None = None) -> list[str]:
    """Submit and end jobs that read a page each; return the texts that the turns saw."""
    for number in numbers:
        await engine.submit(a_job(number, text="see <https://example.org>"))
    return await serve(engine, error=error)


async def serve(engine: SqliteEngine, *, error: Exception | None = None) -> list[str]:
    texts, stopping = [], asyncio.Event()

    async def answer(claim):
        texts.append(claim.job.text)
        await claim.save("retrieval", a_checkpoint({"read": "a long page"}))
        if error is not None:
            raise error

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(engine.serve(answer, answer, workers=4, stopping=stopping, drain=5))
        while (counts := await engine.counts())["ready"] or counts["running"]:
            pass
        stopping.set()
    return texts


async def checkpoints(engine: SqliteEngine) -> int:
    ((number,),) = await engine.database.execute("select count(*) from checkpoints")
    return number


async def test_after_thirty_days_an_ended_job_loses_its_checkpoints_and_its_message(engine, time):
    await end(engine, 1)
    await end(engine, 2, error=Unusable("the channel is gone"))
    time.now = NOW + 30 * DAY - 1
    assert (await prune(engine.database, time()), await checkpoints(engine)) == (0, 2)
    time.now = NOW + 30 * DAY + 1
    assert (await prune(engine.database, time()), await checkpoints(engine)) == (2, 0)
    payloads = await engine.database.execute("select payload from jobs")
    assert not [payload for (payload,) in payloads if "see" in payload]
    assert await prune(engine.database, time()) == 0


async def test_a_pruned_job_is_still_known(engine, time):
    await end(engine, 1)
    await prune(engine.database, NOW + 31 * DAY)
    assert not (await engine.submit(a_job(1))).fresh
    assert (await engine.counts())["done"] == 1


async def test_a_pruned_job_can_be_retried_and_is_pruned_again(engine, time):
    assert await end(engine, 1) == ["see <https://example.org>"]
    await prune(engine.database, NOW + 31 * DAY)
    assert await engine.retry(a_job(1).id)
    assert await serve(engine) == [""]
    assert await checkpoints(engine) == 1
    assert await prune(engine.database, NOW + 62 * DAY) == 1
    assert await checkpoints(engine) == 0


async def test_a_job_that_has_not_ended_keeps_everything_however_old(engine, time):
    await engine.submit(a_job(1))
    (claim,), _ = await engine._take(1)
    await claim.save("retrieval", a_checkpoint({"read": True}))
    await engine.submit(a_job(2))
    assert await prune(engine.database, NOW + 1000 * DAY) == 0
    assert await claim.load("retrieval") is not None


async def test_many_old_jobs_are_pruned_in_more_than_one_transaction(engine, time):
    await end(engine, *range(120))
    statements: list[str] = []
    await engine.database.run(lambda connection: connection.set_trace_callback(statements.append))
    assert await prune(engine.database, NOW + 31 * DAY) == 120
    assert sum(statement == "COMMIT" for statement in statements) >= 3
    assert await checkpoints(engine) == 0


async def test_old_jobs_are_pruned_at_the_start_and_then_every_day_whatever_the_disk_says(engine, time, caplog):
    await end(engine, 1)
    time.now = NOW + 20 * DAY
    await end(engine, 2)
    left: list[tuple[float, int]] = []

    async def sleep(seconds: float) -> None:
        left.append(((time() - NOW) / DAY, await checkpoints(engine)))
        time.now += seconds
        if len(left) == 2:
            await engine.database.execute(
                "create trigger full_disk before delete on checkpoints"
                " begin select raise(abort, 'database or disk is full'); end"
            )
        if len(left) == 13:
            await engine.database.execute("drop trigger full_disk")
        if len(left) == 14:
            raise asyncio.CancelledError

    time.now = NOW + 39.5 * DAY
    with pytest.raises(asyncio.CancelledError):
        await prune_daily(engine.database, time, sleep)
    assert left[0] == (39.5, 1)
    assert left[10:] == [(49.5, 1), (50.5, 1), (51.5, 1), (52.5, 0)]
    assert "cannot be pruned today: database or disk is full" in caplog.text


async def test_a_file_of_the_first_version_is_brought_up_to_date_and_its_old_jobs_are_pruned(tmp_path, time):
    path = tmp_path / "old.db"
    async with open_database(path, MIGRATIONS[:1]) as database:
        await database.execute(
            "insert into jobs (id, key, channel, ts, url, state, run_at, received, finished_at, payload)"
            " values ('0123456789ab', 'k', 'C1', '1.0', 'https://example.org', 'done', 1, 1, 2, '{\"text\": \"secret\"}')"
        )
    async with open_engine(f"sqlite:///{path}", clock=time) as engine:
        assert await prune(engine.database, time()) == 1
    with sqlite3.connect(path) as reader:
        assert reader.execute("select payload from jobs").fetchone() == ('{"text":""}',)
    reader.close()
