"""`technoshare jobs`: looking beside a running bot, and giving it orders."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console

from technoshare.cli import main
from technoshare.errors import ConfigError, TechnoShareError, Unusable
from technoshare.jobs.control import give_order, open_control, socket_of
from technoshare.jobs.engine import SqliteEngine, open_engine
from technoshare.jobs.orders import Desk, JobOrder, Refusal
from technoshare.jobs.report import list_jobs, show_job
from technoshare.jobs.shares import SqliteShares
from technoshare.models import Share
from tests.jobs.sample import NOW, FakeTime, a_checkpoint, a_job, a_receipt

ONE, TWO, THREE, FOUR = (a_job(number).id for number in (1, 2, 3, 4))
UNKNOWN = "0123456789ab"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def url(tmp_path: Path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)  # the developer's own .env is not read
    monkeypatch.setattr("technoshare.terminal._OUT", Console(highlight=False, width=160))
    monkeypatch.setenv("JOBS_URL", "sqlite:///jobs.db")
    return "sqlite:///jobs.db"


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def door(tmp_path) -> Path:
    return tmp_path / "jobs.db.sock"


@asynccontextmanager
async def bot(url: str, time: FakeTime):
    """What `app.run_bot` opens for the jobs."""
    async with open_engine(url, clock=time, sleep=time.sleep, random=lambda: 0.5) as engine, open_control(Desk(engine)):
        yield engine


async def work(engine: SqliteEngine, answer, *ended: str) -> None:
    """Serve until the jobs have ended."""
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(engine.serve(answer, answer, workers=4, stopping=stopping, drain=5))
        while [await engine.state(job_id) for job_id in ended if await engine.state(job_id) in ("ready", "running")]:
            pass
        stopping.set()


async def a_day(engine: SqliteEngine, time: FakeTime) -> None:
    """One job is done, one is dead, one waits for a server, one runs."""

    async def answer(claim):
        if claim.job.id == TWO:
            raise Unusable("the channel is gone")
        await claim.save("retrieval", a_checkpoint({"read": True}))

        async def send():
            return a_receipt("7.000")

        await claim.once("token", send, send)
        share = Share(
            job_id=claim.job.id, channel="C1", ts=claim.job.ts, thread_ts=claim.job.ts, user="U1", url=claim.job.url,
            final_url=claim.job.url, at=NOW, outcome="degraded", reply_ts="7.000",
        )  # fmt: skip
        await SqliteShares(engine.database, lambda *_: "", time).add(share)

    for number in (1, 2):
        await engine.submit(a_job(number))
    await work(engine, answer, ONE, TWO)
    await engine.submit(a_job(3), run_at=NOW + 3600)
    await engine.submit(a_job(4))
    await engine._take(1)


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["jobs", *arguments])


# ---------------------------------------------------------------- looking


async def test_the_list_shows_every_job_beside_a_running_bot(url, time, capsys):
    async with bot(url, time) as engine:
        await a_day(engine, time)
        assert await command("list") == 0
        table = capsys.readouterr().out
        assert await command("list", "--json") == 0
        jobs = json.loads(capsys.readouterr().out)
    assert [(job["id"], job["state"], job["outcome"]) for job in jobs] == [
        (FOUR, "running", ""),
        (THREE, "ready", ""),
        (TWO, "dead", ""),
        (ONE, "done", "degraded"),
    ]
    for words in (ONE, TWO, THREE, FOUR, "https://example.org/1", "the channel is gone", "degraded", "running"):
        assert words in table


async def test_the_list_can_be_of_one_state(url, time, capsys):
    async with bot(url, time) as engine:
        await a_day(engine, time)
        assert await command("list", "--state", "dead", "--json") == 0
    assert [job["id"] for job in json.loads(capsys.readouterr().out)] == [TWO]


async def test_a_long_list_is_cut_for_people_and_whole_for_programs(url, time, capsys):
    async with bot(url, time) as engine:
        await asyncio.gather(*(engine.submit(a_job(number)) for number in range(60)))
        assert await command("list") == 0
        assert "and 10 older ones" in capsys.readouterr().out
        assert await command("list", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 60


async def test_one_job_is_shown_with_its_stages_and_its_post(url, time, capsys):
    async with bot(url, time) as engine:
        await a_day(engine, time)
        assert await command("show", ONE) == 0
        words = capsys.readouterr().out
        assert await command("show", ONE, "--json") == 0
    job = json.loads(capsys.readouterr().out)
    assert (job["state"], job["outcome"], job["claims"], job["failures"]) == ("done", "degraded", 1, 0)
    assert job["stages"] == [{"stage": "retrieval", "status": "ok", "seconds": 1.5, "error": ""}]
    assert job["posts"] == [{"reserved": NOW, "channel": "C1", "thread_ts": "1.000", "posted": "7.000"}]
    for expected in ("done, degraded", "1 claims, 0 failures", "✓ retrieval", "1.50 s", "C1 7.000"):
        assert expected in words


async def test_looking_works_when_the_bot_is_off_and_writes_nothing(url, time, file):
    async with bot(url, time) as engine:
        await a_day(engine, time)
    before = file.read_bytes()
    assert len(list_jobs(url)) == 4
    assert show_job(url, TWO).error == "the channel is gone"
    assert file.read_bytes() == before


async def test_looking_works_after_a_kill_that_left_everything_in_the_log_file(url, time, file):
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED,
        url,
        cwd=Path.cwd(),
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert await child.wait() == -9
    assert file.with_name("jobs.db-wal").stat().st_size > 0
    assert [(job.id, job.state) for job in list_jobs(url)] == [(ONE, "running")]
    assert show_job(url, ONE).claims == 1


KILLED = """
import asyncio, os, signal, sys
from technoshare.jobs.control import open_control
from technoshare.jobs.engine import open_engine
from technoshare.jobs.orders import Desk
from tests.jobs.sample import a_job

async def main():
    async with open_engine(sys.argv[1]) as engine, open_control(Desk(engine)):
        await engine.submit(a_job())
        await engine._take(1)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_without_a_file_the_line_says_so(url, file, capsys):
    assert await command("list") == 2
    assert "jobs.db does not exist" in capsys.readouterr().err
    assert not file.exists()


async def test_a_file_of_another_version_is_one_clear_line(url, time):
    async with bot(url, time) as engine:
        await engine.database._connection.execute_fetchall("pragma user_version = 99")
    with pytest.raises(ConfigError, match=r"jobs\.db has schema 99, .* upgrade TechnoShare"):
        list_jobs(url)


# ---------------------------------------------------------------- orders


@pytest.mark.parametrize("running", [True, False])
async def test_a_retry_and_a_cancel_are_done_by_the_bot_or_without_it(url, time, running):
    async with bot(url, time) as engine:
        await a_day(engine, time)
    async with bot(url, time) if running else contextlib.nullcontext():
        assert await command("retry", ONE) == 0
        assert await command("cancel", THREE) == 0
        jobs = {job.id: job for job in list_jobs(url)}
    assert (jobs[ONE].state, jobs[ONE].generation) == ("ready", 1)
    assert (jobs[THREE].state, jobs[THREE].error) == ("dead", "cancelled")


async def test_a_job_that_is_retried_by_hand_is_begun_at_once(url, time):
    seen = []

    async def answer(claim):
        seen.append(claim.job.generation)

    async with bot(url, time) as engine:
        await engine.submit(a_job(1))
        await work(engine, answer, ONE)
        stopping = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(engine.serve(answer, answer, workers=1, stopping=stopping, drain=5))
            await give_order(url, JobOrder(order="retry", job=ONE))
            while len(seen) < 2:
                await engine.counts()
            stopping.set()
    assert seen == [0, 1]


NONSENSE = [
    ("retry", UNKNOWN, f"there is no job {UNKNOWN}"),
    ("cancel", UNKNOWN, f"there is no job {UNKNOWN}"),
    ("retry", THREE, f"job {THREE} waits for its turn; only a job that ended and is not forgotten can be retried"),
    ("cancel", TWO, f"job {TWO} is dead; only one that waits can be cancelled"),
]


@pytest.mark.parametrize("running", [True, False])
async def test_an_order_that_makes_no_sense_is_one_clear_line(url, time, capsys, running):
    async with bot(url, time) as engine:
        await a_day(engine, time)
    async with bot(url, time) if running else contextlib.nullcontext():
        for action, job, why in NONSENSE:
            assert await command(action, job) == 1
            assert capsys.readouterr().err.splitlines()[-1] == f"technoshare: {why}"


async def test_a_job_that_runs_is_not_cancelled(url, time):
    async with bot(url, time) as engine:
        await a_day(engine, time)
        with pytest.raises(Refusal, match="is being worked on; only one that waits"):
            await give_order(url, JobOrder(order="cancel", job=FOUR))


async def test_an_unknown_job_cannot_be_shown_and_no_file_has_no_jobs(url, time, file, capsys):
    assert await command("retry", ONE) == 1
    assert not file.exists()
    async with bot(url, time):
        assert await command("show", UNKNOWN) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"technoshare: there is no job {UNKNOWN}"


async def test_an_order_that_the_disk_refuses_is_one_clear_line(url, time):
    async with bot(url, time) as engine:
        await a_day(engine, time)
        await engine.database.execute(
            "create trigger full_disk before update on jobs begin select raise(abort, 'database or disk is full'); end"
        )
        with pytest.raises(Refusal, match="the file refuses: database or disk is full"):
            await give_order(url, JobOrder(order="retry", job=ONE))


# ---------------------------------------------------------------- the socket


async def test_only_its_owner_reaches_the_socket_and_it_goes_with_the_bot(url, time, door):
    async with bot(url, time):
        mode = door.stat().st_mode
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
    assert not door.exists()


async def test_the_socket_of_a_killed_bot_is_passed_over_and_replaced(url, time):
    async with bot(url, time) as engine:
        await engine.submit(a_job(1))
        await engine.submit(a_job(2))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind("jobs.db.sock")
    assert await command("cancel", ONE) == 0
    async with bot(url, time):
        assert await command("cancel", TWO) == 0
    assert {job.error for job in list_jobs(url)} == {"cancelled"}


async def test_a_bot_whose_socket_cannot_be_opened_works_and_the_order_says_who_has_the_file(
    url, time, door, caplog, capsys
):
    door.mkdir()
    async with bot(url, time) as engine:
        await engine.submit(a_job(1))
        assert await command("cancel", ONE) == 2
        assert await engine.state(ONE) == "ready"
    assert "will not reach this bot" in caplog.text
    assert f"in use by another process (pid {os.getpid()})" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b'{"order": "drop", "job": "x"}\n', b"\xff\xfe\n", b"x" * 100_000 + b"\n"]
)
async def test_whoever_speaks_something_else_is_told_the_form(url, time, line):
    async with bot(url, time) as engine:
        reader, writer = await asyncio.open_unix_connection(socket_of(engine.database.path))
        writer.write(line)
        assert "an order looks like" in json.loads(await reader.readline())["refused"]
        writer.close()


async def test_a_guest_who_says_nothing_does_not_keep_the_bot_from_ending(url, time):
    async with asyncio.timeout(5):
        async with bot(url, time) as engine:
            _, writer = await asyncio.open_unix_connection(socket_of(engine.database.path))
            await engine.counts()
        writer.close()


async def test_a_bot_that_hangs_up_is_said_to_have_given_no_answer(url, time):
    async with open_engine(url, clock=time) as engine:
        server = await asyncio.start_unix_server(lambda _, writer: writer.close(), socket_of(engine.database.path))
        with pytest.raises(TechnoShareError, match="did not answer"):
            await give_order(url, JobOrder(order="retry", job=ONE))
        server.close()
