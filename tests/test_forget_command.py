"""`technoshare forget`: nothing of a job is left in the bot's files but its id, with or without a running bot."""

import asyncio
import contextlib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from technoshare.app import open_desk
from technoshare.cli import main
from technoshare.jobs.control import open_control
from technoshare.jobs.engine import SqliteEngine
from technoshare.jobs.forgetting import TABLES
from technoshare.jobs.orders import Desk
from technoshare.jobs.report import list_jobs, show_job
from technoshare.jobs.shares import SqliteShares
from technoshare.jobs.votes import SqliteVotes
from technoshare.mlops import tracking
from technoshare.mlops.spool import open_spool
from technoshare.models import Click, Message, Receipt, Share, Vote
from technoshare.retrieval.cache import CachingFetcher, read_for
from technoshare.retrieval.guard import Policy
from technoshare.settings import load_settings
from tests.jobs.sample import NOW, a_checkpoint, a_job
from tests.mlops import sample
from tests.retrieval.answers import Web, page

URL = "https://example.org/private-matters"
JOB = a_job(1, url=URL, key=f"v1 T1 C1 1.0 {URL}", text=f"private-matters of Lena: {URL}", user="UPRIVATE")
OTHER = a_job(2)
TRACES_OF_IT = (b"private-matters", b"UPRIVATE")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)  # the developer's own .env is not read
    monkeypatch.setenv("PROJECTS_FILE", str(ROOT / "prompts" / "projects.yaml"))
    monkeypatch.setenv("JOBS_URL", "sqlite:///data/jobs.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # MLflow is away
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    return tmp_path / "data"


@asynccontextmanager
async def desk():
    """What the running bot has open."""
    async with open_desk(load_settings()) as opened:
        yield opened


async def a_life(desk: Desk) -> None:
    """Both jobs are answered, recorded, shared and voted on; what they read is in the cache."""
    fetcher = CachingFetcher(
        Web({URL: page("private-matters"), OTHER.url: page("other")}), desk.pages, Policy(), lambda: NOW
    )

    async def answer(claim):
        read_for.set(claim.job.id)
        await fetcher.get(claim.job.url)
        await claim.save("retrieval", a_checkpoint({"url": claim.job.url}))

        async def send():
            return Receipt(channel="C1", thread_ts="1.0", ts="7.0", message=Message(text=claim.job.url, blocks=()))

        await claim.once("token" + claim.job.id, send, send)
        await SqliteShares(desk.engine.database, lambda *_: "", lambda: NOW).add(
            Share(
                job_id=claim.job.id, channel="C1", ts=claim.job.ts, thread_ts=claim.job.ts, user=claim.job.user,
                url=claim.job.url, final_url=claim.job.url, at=NOW, outcome="success", reply_ts="7.0",
            )
        )  # fmt: skip
        await desk.archive.record(claim.job, sample.TIMES, sample.trails(claim.job), "success")
        await desk.archive.vote(Vote(job_id=claim.job.id, generation=0, user=claim.job.user, value="up", at=1.0))

    await desk.engine.submit(JOB)
    await desk.engine.submit(OTHER)
    await work(desk.engine, answer, JOB.id, OTHER.id)
    for job in (JOB, OTHER):
        click = Click(job_id=job.id, generation=0, channel="C1", ts="7.0", user=job.user, value="up", at=2.0)
        assert await SqliteVotes(desk.engine.database, desk.archive).cast(click)


async def work(engine: SqliteEngine, answer, *ended: str) -> None:
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(engine.serve(answer, answer, workers=4, stopping=stopping, drain=5))
        while [await engine.state(job_id) for job_id in ended if await engine.state(job_id) in ("ready", "running")]:
            pass
        stopping.set()


async def forget(job: str = JOB.id) -> int:
    return await asyncio.to_thread(main, ["forget", job])


def bytes_of(data: Path) -> bytes:
    return b"".join(file.read_bytes() for file in data.iterdir() if file.is_file())


@pytest.mark.parametrize("running", [True, False])
async def test_nothing_of_a_forgotten_job_is_left_in_any_file_and_everything_of_the_others(data, capsys, running):
    async with desk() as opened:
        await a_life(opened)
        assert all(words in bytes_of(data) for words in TRACES_OF_IT)
        async with open_control(opened) if running else contextlib.nullcontext():
            if running:
                assert await forget() == 0
                assert not any(words in bytes_of(data) for words in TRACES_OF_IT)
    if not running:
        assert await forget() == 0
        assert not any(words in bytes_of(data) for words in TRACES_OF_IT)
    told = capsys.readouterr().out
    for words in ("checkpoints (1), posts (1), shares (1), votes (1), cached pages (1), entries for MLflow (2)", "MLflow forgets it as soon as",
                  "its post stays in Slack: channel C1, message 7.0"):  # fmt: skip
        assert f"{JOB.id}: " in told
        assert words in told
    assert [job.url for job in list_jobs("sqlite:///data/jobs.db")] == [OTHER.url, ""]
    assert len(show_job("sqlite:///data/jobs.db", OTHER.id).stages) == 1
    async with open_spool(data / "mlflow-spool.db") as spool:
        assert (await spool.counts())["waiting"] == 3, "the order to forget, and what there is of the other job"


async def test_a_forgotten_link_that_is_delivered_again_changes_nothing_and_cannot_be_retried(capsys):
    async with desk() as opened, open_control(opened):
        await a_life(opened)
        await forget()
        assert not (await opened.engine.submit(JOB)).fresh
        assert not await opened.engine.retry(JOB.id)
        assert await asyncio.to_thread(main, ["jobs", "retry", JOB.id]) == 1
        await opened.archive.record(JOB, sample.TIMES, sample.trails(JOB), "success")
        assert (await opened.archive.spool.counts())["waiting"] == 3
        assert len(list_jobs("sqlite:///data/jobs.db")) == 2
        late = Click(job_id=JOB.id, generation=0, channel="C1", ts="7.0", user="U1", value="down", at=9.0)
        assert await SqliteVotes(opened.engine.database, opened.archive).cast(late) is None
        assert await asyncio.to_thread(main, ["replay", JOB.id]) == 1
    told = capsys.readouterr().err
    assert "only a job that ended and is not forgotten can be retried" in told
    assert f"job {JOB.id} was forgotten: nothing is kept of it" in told


async def test_a_job_that_is_being_worked_on_and_one_that_is_unknown_are_refused(capsys):
    async with desk() as opened, open_control(opened):
        await opened.engine.submit(JOB)
        await opened.engine._take(1)
        assert await forget() == 1
        assert await forget("0123456789ab") == 1
        assert list_jobs("sqlite:///data/jobs.db")[0].url == URL
    assert capsys.readouterr().err.splitlines() == [
        f"technoshare: job {JOB.id} is being worked on; it can be forgotten when it has ended",
        "technoshare: there is no job 0123456789ab",
    ]


async def test_a_job_that_waits_is_ended_and_never_answered(data):
    async with desk() as opened, open_control(opened):
        await opened.engine.submit(JOB)
        assert await forget() == 0
        assert await opened.engine.state(JOB.id) == "dead"
        assert await opened.engine._take(1) == ([], None)
    assert not any(words in bytes_of(data) for words in TRACES_OF_IT)


async def test_forgetting_that_broke_off_is_completed_by_the_next_try(data):
    async with desk() as opened, open_control(opened):
        await a_life(opened)
        await opened.engine.database.execute(
            "create trigger full_disk before delete on shares begin select raise(abort, 'database or disk is full'); end"
        )
        assert await forget() == 1
        await opened.engine.database.execute("drop trigger full_disk")
        assert not await opened.engine.retry(JOB.id), "half of it is gone already"
        assert await forget() == 0
        assert not any(words in bytes_of(data) for words in TRACES_OF_IT)


async def test_with_mlflow_off_what_waits_for_it_is_forgotten_too(data, monkeypatch, capsys):
    async with desk() as opened:
        await a_life(opened)
    monkeypatch.setenv("MLFLOW_ENABLE_TRACKING", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_TRACING", "false")
    assert await forget() == 0
    assert "MLflow is switched off" in capsys.readouterr().out
    assert not any(words in bytes_of(data) for words in TRACES_OF_IT)


async def test_without_a_jobs_file_the_line_says_so(data, capsys):
    assert await forget() == 1
    assert "data/jobs.db does not exist" in capsys.readouterr().err
    assert not data.exists()


async def test_no_table_of_the_jobs_file_is_forgotten_when_a_job_is(data):
    """Whoever adds a table with a job's id in it also says what becomes of its rows."""
    async with desk() as opened:
        schema = "select m.name from sqlite_schema m, pragma_table_info(m.name) c where m.type = 'table' and c.name = 'job_id'"
        tables = {row["name"] for row in await opened.engine.database.execute(schema)}
    assert tables <= set(TABLES)
