"""What only the SQLite engine promises: one file that others may read, one process, orphans at start."""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from technoshare.errors import ConfigError, Transient
from technoshare.jobs.engine import SqliteEngine, open_engine
from tests.jobs.sample import NOW, FakeTime, a_checkpoint, a_job


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db"


@asynccontextmanager
async def opened(url: str, time: FakeTime):
    async with open_engine(url, clock=time, sleep=time.sleep, random=lambda: 0.5) as engine:
        yield engine


async def until(engine: SqliteEngine, state: str, number: int) -> None:
    async with asyncio.timeout(20):
        while (await engine.counts())[state] != number:
            pass


@asynccontextmanager
async def serving(engine: SqliteEngine, answer, told=None):
    async def tell(claim, reason):
        if told is not None:
            told.append(reason)

    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.serve(answer, tell, workers=4, stopping=stopping, drain=5))
        yield
        stopping.set()


async def interrupt(engine: SqliteEngine, interruptions: int) -> None:
    """Leave the file as a process that was killed in the middle of every job leaves it."""
    await engine.database.execute(
        "update jobs set state = 'running', claims = claims + 1, interruptions = ?", (interruptions,)
    )


async def column(engine: SqliteEngine, name: str) -> list[object]:
    return [row[0] for row in await engine.database.execute(f"select {name} from jobs order by number")]  # noqa: S608 - a name from this file


async def nothing(_) -> None:
    """Answer with nothing."""


# ---------------------------------------------------------------- the address and the file


@pytest.mark.parametrize("url", ["postgresql://localhost/jobs", "postgres://u@h/d"])
async def test_postgresql_is_a_clear_error_until_it_exists(url):
    with pytest.raises(ConfigError, match="not available yet"):
        async with open_engine(url):
            pass


@pytest.mark.parametrize("url", ["", "jobs.db", "sqlite://", "sqlite:///", "mysql:///jobs"])
async def test_another_address_is_a_clear_error(url):
    with pytest.raises(ConfigError, match="JOBS_URL must look like"):
        async with open_engine(url):
            pass


async def test_a_second_process_on_the_same_file_is_refused(url, time):
    async with opened(url, time):
        with pytest.raises(ConfigError, match="in use by another process"):
            async with opened(url, time):
                pass


async def test_other_programs_read_channel_message_and_address_in_clear_while_the_bot_runs(url, time, tmp_path):
    async with opened(url, time) as engine:
        await engine.submit(a_job())
        with closing(sqlite3.connect(f"file:{tmp_path}/jobs.db?mode=ro", uri=True)) as reader:
            row = reader.execute("select id, channel, ts, url, state from jobs").fetchone()
    assert row == (a_job().id, "C1", a_job().ts, "https://example.org/1", "ready")


async def test_a_burst_of_two_hundred_links_costs_a_few_commits(url, time):
    async with opened(url, time) as engine:
        statements: list[str] = []
        await engine.database.run(lambda connection: connection.set_trace_callback(statements.append))
        await asyncio.gather(*(engine.submit(a_job(number)) for number in range(200)))
        assert (await engine.counts())["ready"] == 200
        assert sum(statement == "COMMIT" for statement in statements) <= 3


async def test_jobs_of_one_moment_keep_their_order_and_a_link_that_came_twice_is_new_once(url, time):
    async with opened(url, time) as engine:
        numbers = [*range(40, 0, -1), 7, 7]
        submitted = await asyncio.gather(*(engine.submit(a_job(number)) for number in numbers))
        assert [answer.fresh for answer in submitted] == [True] * 40 + [False] * 2
        assert await column(engine, "id") == [a_job(number).id for number in range(40, 0, -1)]
        assert (await engine.submit(a_job(7))).fresh is False


async def test_a_link_that_comes_while_another_is_stored_is_not_forgotten(url, time):
    async with opened(url, time) as engine:
        first = asyncio.create_task(engine.submit(a_job(1)))
        for number in range(2, 60):
            await asyncio.sleep(0)  # a little further into the commit each time
            assert (await engine.submit(a_job(number))).fresh
        assert (await first).fresh
        assert (await engine.counts())["ready"] == 59


async def test_a_job_for_a_file_that_is_closed_is_refused_and_not_kept_for_the_next(url, time):
    async with opened(url, time) as engine:
        pass
    for _ in range(2):
        with pytest.raises(RuntimeError, match="is closed"):
            await engine.submit(a_job(1))


# ---------------------------------------------------------------- orphans


async def test_an_interrupted_job_keeps_its_place_before_a_backlog(url, time):
    async with opened(url, time) as engine:
        await engine.submit(a_job(1), run_at=NOW - 100)
        await interrupt(engine, 0)
        for number in range(2, 50):
            await engine.submit(a_job(number), run_at=NOW - 50)
    time.now += 60
    async with opened(url, time) as engine:
        (first,), _ = await engine._take(1)
    assert first.job == a_job(1)


async def test_with_five_thousand_jobs_queued_the_interrupted_early_ones_are_among_the_first_hundred(url, time):
    async with opened(url, time) as engine:
        for first in range(0, 5000, 250):
            await asyncio.gather(*(engine.submit(a_job(number)) for number in range(first, first + 250)))
            time.now += 1
        early, _ = await engine._take(32)
        for claim in early:
            await claim.save("retrieval", a_checkpoint({"read": True}))
    finished: list[str] = []
    enough = asyncio.Event()

    async def answer(claim):
        finished.append(claim.job.id)
        if len(finished) == 100:
            enough.set()

    async with opened(url, time) as engine, serving(engine, answer):
        async with asyncio.timeout(20):
            await enough.wait()
    assert {claim.job.id for claim in early} <= set(finished[:100])


async def test_an_interruption_costs_no_failure_and_makes_the_old_claim_worthless(url, time):
    async with opened(url, time) as engine:
        await engine.submit(a_job())
        (old,), _ = await engine._take(1)
    async with opened(url, time) as engine:
        (new,), _ = await engine._take(1)
        assert (new.turn.number, new.turn.failures, new.turn.interruptions) == (old.turn.number + 1, 0, 1)


@pytest.mark.parametrize(("interruptions", "wait"), [(0, 0), (2, 0), (3, 8), (4, 16), (20, 600)])
async def test_a_job_that_is_interrupted_again_and_again_lets_others_go_first(url, time, interruptions, wait):
    async with opened(url, time) as engine:
        await engine.submit(a_job())
        await interrupt(engine, interruptions)
    async with opened(url, time) as engine:
        assert await column(engine, "run_at") == [NOW + wait]


async def test_a_job_that_seems_to_kill_the_process_is_given_up_and_its_thread_told(url, time):
    async with opened(url, time) as engine:
        await engine.submit(a_job())
        await interrupt(engine, 24)
    told: list[str] = []

    async def deadly(_):
        raise AssertionError("it must not run again")

    async with opened(url, time) as engine, serving(engine, deadly, told):
        await until(engine, "dead", 1)
    assert told == ["it was interrupted 25 times"]


# ---------------------------------------------------------------- odd rows and odd disks


async def test_a_job_whose_content_this_version_cannot_read_is_answered_from_its_columns(url, time):
    answered = []

    async def answer(claim):
        answered.append(claim.job)

    async with opened(url, time) as engine:
        await engine.submit(a_job(1, user="U7"))
        await engine.submit(a_job(2))
        await engine.database.execute("update jobs set payload = '{}' where id = ?", (a_job(1).id,))
        async with serving(engine, answer):
            await until(engine, "done", 2)
    assert answered == [a_job(1, team="", user=""), a_job(2)]


async def test_a_checkpoint_of_another_version_counts_as_absent(url, time):
    async with opened(url, time) as engine:
        await engine.submit(a_job())
        (claim,), _ = await engine._take(1)
        for stage in ("retrieval", "stage_a", "stage_b"):
            await claim.save(stage, a_checkpoint({"stage": stage}))
        await engine.database.execute("update checkpoints set version = 999 where stage = 'retrieval'")
        await engine.database.execute("update checkpoints set trail = '{\"began\": 1}' where stage = 'stage_a'")
        assert [await claim.load(stage) for stage in ("retrieval", "stage_a")] == [None, None]
        assert list(await claim.checkpoints()) == ["stage_b"]


async def test_an_ending_that_cannot_be_written_is_written_when_the_disk_has_room_again(url, time):
    refusals = []

    async with opened(url, time) as engine:

        async def sleep(seconds: float) -> None:
            refusals.append(seconds)
            if len(refusals) == 3:
                await engine.database.execute("drop trigger full_disk")
            await time.sleep(seconds)

        engine._sleep = sleep
        await engine.submit(a_job())
        await engine.database.execute(
            "create trigger full_disk before update of state on jobs when new.state = 'done'"
            " begin select raise(abort, 'database or disk is full'); end"
        )
        async with serving(engine, nothing):
            await until(engine, "done", 1)
    assert refusals == [5, 5, 5]


async def test_jobs_are_claimed_again_when_the_disk_has_room_again(url, time):
    async with opened(url, time) as engine:

        async def sleep(seconds: float) -> None:
            await engine.database.execute("drop trigger if exists full_disk")
            await time.sleep(seconds)

        engine._sleep = sleep
        await engine.submit(a_job())
        await engine.database.execute(
            "create trigger full_disk before update of state on jobs when new.state = 'running'"
            " begin select raise(abort, 'database or disk is full'); end"
        )
        async with serving(engine, nothing):
            await until(engine, "done", 1)
        assert await column(engine, "failures") == [0]


async def test_a_job_that_waits_is_seen_soon_after_the_wall_clock_jumps(url, time):
    naps = []

    async with opened(url, time) as engine:

        async def sleep(seconds: float) -> None:
            naps.append(seconds)
            time.now += 86_400  # somebody sets the clock
            await asyncio.sleep(0)

        engine._sleep = sleep
        await engine.submit(a_job(), run_at=NOW + 86_400)
        async with serving(engine, nothing):
            await until(engine, "done", 1)
    assert naps == [60]


@pytest.mark.parametrize("restart", [False, True])
async def test_jobs_that_wait_follow_a_wall_clock_that_is_set_back(url, time, restart):
    async with opened(url, time) as engine:
        await engine.submit(a_job(1, received=NOW), run_at=NOW + 600)
        await engine.submit(a_job(2, received=NOW))
        time.now -= 86_400
        if not restart:
            await engine.submit(a_job(3, received=time.now))
            assert [await taken(engine), await column(engine, "run_at")] == [
                [2, 3],
                [time.now + 600, time.now, time.now],
            ]
    if restart:
        async with opened(url, time) as engine:
            assert [await taken(engine), await column(engine, "run_at")] == [[2], [time.now + 600, time.now]]


async def taken(engine: SqliteEngine) -> list[int]:
    claims, _ = await engine._take(10)
    return [int(claim.job.url.rsplit("/")[-1]) for claim in claims]


async def test_a_clock_that_a_time_server_corrects_a_little_moves_nothing(url, time):
    async with opened(url, time) as engine:
        await engine.submit(a_job(1), run_at=NOW + 600)
        time.now -= 0.5
        await engine._take(1)
        assert await column(engine, "run_at") == [NOW + 600]


async def test_a_clock_that_jumps_while_jobs_run_loses_none_and_ends_each_once(url, time):
    ended: list[str] = []

    async def answer(claim):
        time.now += (-1) ** len(ended) * 1e6 * (len(ended) + 1)
        ended.append(claim.job.id)

    async with opened(url, time) as engine:
        for number in range(20):
            await engine.submit(a_job(number))
        async with serving(engine, answer):
            await until(engine, "done", 20)
    assert sorted(ended) == sorted(a_job(number).id for number in range(20))


async def test_a_full_disk_acknowledges_nothing_that_is_not_stored_and_work_goes_on_when_there_is_room(url, time):
    async with opened(url, time) as engine:
        ((pages,),) = await engine.database.execute("pragma page_count")
        await engine.database.execute(f"pragma max_page_count = {pages + 10}")
        told = await asyncio.gather(
            *(engine.submit(a_job(number, text="long " * 2000)) for number in range(20)), return_exceptions=True
        )
        refused = [answer for answer in told if isinstance(answer, sqlite3.OperationalError)]
        stored = {answer.job_id for answer in told if not isinstance(answer, BaseException)}
        assert refused
        assert set(await column(engine, "id")) == stored

        await engine.database.execute("pragma max_page_count = 100000")
        again = [await engine.submit(a_job(number, text="long " * 2000)) for number in range(20)]
        assert sum(submitted.fresh for submitted in again) == len(refused)
        async with serving(engine, nothing):
            await until(engine, "done", 20)


async def test_a_submit_whose_caller_is_cancelled_in_the_middle_harms_no_other(url, time):
    async with opened(url, time) as engine:
        callers = [asyncio.create_task(engine.submit(a_job(number))) for number in range(50)]
        await asyncio.sleep(0)
        for caller in callers[::2]:
            caller.cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert all(result.fresh for result in results[1::2])
        redelivered = [await engine.submit(a_job(number)) for number in range(50)]
        assert not any(submitted.fresh for submitted in redelivered[1::2])
        async with serving(engine, nothing):
            await until(engine, "done", 50)


# ---------------------------------------------------------------- kill -9

CHILD = """
import asyncio, sys
from tests.jobs.sample import a_checkpoint, a_job
from technoshare.jobs.engine import open_engine

async def answer(claim):
    if await claim.load("retrieval") is None:
        await claim.save("retrieval", a_checkpoint({"read": claim.job.url}))
    print("reading", claim.job.id, flush=True)
    await asyncio.Event().wait()

async def give_up(claim, reason):
    print("given up", flush=True)

async def main(url):
    async with open_engine(url) as engine, asyncio.TaskGroup() as group:
        async def submit(number):
            print("stored", (await engine.submit(a_job(number))).job_id, flush=True)
        group.create_task(engine.serve(answer, give_up, workers=2, stopping=asyncio.Event(), drain=0))
        for number in range(1000):
            await submit(number)

asyncio.run(main(sys.argv[1]))
"""


async def killed_in_the_middle(url: str) -> tuple[set[str], set[str]]:
    """Start a process that stores and works, kill it with -9 and return what it said was stored and begun."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, url, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    said: dict[str, set[str]] = {"stored": set(), "reading": set()}
    try:
        async with asyncio.timeout(30):
            while len(said["stored"]) < 30 or len(said["reading"]) < 2:
                what, job_id = (await child.stdout.readline()).decode().split()
                said[what].add(job_id)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        rest = await child.stdout.read()
        await child.wait()
    for line in rest.decode().splitlines():
        if len(line.split()) == 2 and len(line.split()[1]) == 12:
            said[line.split()[0]].add(line.split()[1])
    return said["stored"], said["reading"]


async def test_a_process_killed_in_the_middle_loses_nothing_it_acknowledged_and_reads_nothing_twice(url, time):
    stored, reading = await killed_in_the_middle(url)
    answered: dict[str, object] = {}

    async def answer(claim):
        answered[claim.job.id] = await claim.load("retrieval")

    async with open_engine(url) as engine:
        async with serving(engine, answer):
            await until(engine, "ready", 0)
            await until(engine, "running", 0)
        assert set(await column(engine, "failures")) == {0}
    assert stored <= set(answered)
    assert {job_id for job_id, checkpoint in answered.items() if checkpoint is not None} == reading


async def test_a_parked_job_is_due_again_after_a_restart(url, time):
    async def parks(_):
        raise Transient("rate limited", after=1000)

    async with opened(url, time) as engine:
        engine._sleep = lambda _: asyncio.Event().wait()  # this process will not see the day
        await engine.submit(a_job())
        async with serving(engine, parks):
            async with asyncio.timeout(20):
                while await column(engine, "parks") != [1]:
                    pass
    async with opened(url, time) as engine:
        assert await engine._take(1) == ([], NOW + 1000)
        time.now += 1000
        claims, _ = await engine._take(1)
        assert [claim.job for claim in claims] == [a_job()]
