"""The line in the log that says how jobs and records stand."""

import asyncio
import logging

import pytest

from technoshare.jobs.engine import open_engine
from technoshare.jobs.health import FIRST, LATE, PERIOD, tell_health
from technoshare.mlops.privacy import Privacy
from technoshare.mlops.spool import open_spool
from technoshare.mlops.tracing import Recorder, Untracked
from technoshare.mlops.tracking import SpooledTracker
from technoshare.ports import Health
from tests.jobs.sample import NOW, FakeTime, a_job
from tests.mlops import sample


class Ticks:
    """A clock that moves only while somebody sleeps, and ends after so many naps."""

    def __init__(self, naps: int) -> None:
        self.now, self.naps, self.slept = NOW, naps, []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == self.naps:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
async def engine(tmp_path):
    async with open_engine(f"sqlite:///{tmp_path / 'jobs.db'}", clock=lambda: NOW) as engine:
        yield engine


async def lines(engine, caplog, *, naps: int = 1, tracker=None, ticks=None) -> list[logging.LogRecord]:
    ticks = ticks or Ticks(naps)
    caplog.set_level(logging.INFO, "technoshare.health")
    with pytest.raises(asyncio.CancelledError):
        await tell_health(engine.database, tracker or Untracked(), ticks, ticks.sleep)
    return [record for record in caplog.records if record.name == "technoshare.health"]


async def test_it_is_told_soon_after_the_start_and_then_every_ten_minutes(engine, caplog):
    ticks = Ticks(3)
    told = await lines(engine, caplog, ticks=ticks)
    assert ticks.slept == [FIRST, PERIOD, PERIOD] == [5.0, 600.0, 600.0]
    assert len(told) == 3


async def test_a_bot_with_nothing_to_do_says_so(engine, caplog):
    (line,) = await lines(engine, caplog)
    assert line.message == "jobs: 0 wait, 0 run, 0 ended since the start · MLflow: off"
    assert line.levelno == logging.INFO


async def test_it_counts_what_waits_runs_and_has_ended_since_the_start(engine, caplog):
    for number in range(4):
        await engine.submit(a_job(number, received=NOW))
    await engine._take(1)
    for number, at in ((3, NOW + 1), (2, NOW - 9)):  # the second one by the last process
        done = "update jobs set state = 'done', finished_at = ? where id = ?"
        await engine.database.execute(done, (at, a_job(number).id))
    (line,) = await lines(engine, caplog)
    assert line.message.startswith("jobs: 1 wait, the oldest for 5 s, 1 run, 1 ended since the start")


async def test_a_job_that_waits_for_a_quarter_of_an_hour_makes_it_a_warning(engine, caplog):
    await engine.submit(a_job(received=NOW - LATE + 1))
    first, second = await lines(engine, caplog, naps=2)
    assert (first.levelno, second.levelno) == (logging.WARNING, logging.WARNING)
    assert "the oldest for 15 min" in first.message


async def test_a_job_that_has_just_come_is_no_warning(engine, caplog):
    await engine.submit(a_job(received=NOW))
    (line,) = await lines(engine, caplog)
    assert line.levelno == logging.INFO


@pytest.mark.parametrize(("oldest", "level"), [(LATE - 1, logging.INFO), (LATE + 1, logging.WARNING)])
async def test_a_record_that_waits_for_mlflow_too_long_makes_it_a_warning(engine, caplog, oldest, level):
    class Waiting:
        async def health(self) -> Health:
            return Health("MLflow: 3 wait", oldest)

    (line,) = await lines(engine, caplog, tracker=Waiting())
    assert (line.levelno, line.message.rpartition(" · ")[2]) == (level, "MLflow: 3 wait")


async def test_what_the_spool_holds_is_told_with_its_age(engine, caplog, tmp_path):
    moment = FakeTime()
    async with open_spool(tmp_path / "spool.db", clock=moment) as spool:
        tracker = SpooledTracker(
            spool, Recorder(), tracking=True, tracing=True, app_version="1", projects_hash="5eed", privacy=Privacy()
        )
        assert (await tracker.health()) == Health("MLflow: all delivered")
        await tracker.record(sample.a_job(), sample.TIMES, sample.trails(sample.a_job()), "success")
        moment.now += 1200
        assert (await tracker.health()) == Health("MLflow: 1 wait, the oldest for 20 min", 1200.0)
        (line,) = await lines(engine, caplog, tracker=tracker)
    assert line.levelno == logging.WARNING


async def test_a_jobs_file_that_cannot_be_read_is_said_and_ends_nothing(engine, caplog):
    await engine.database.execute("alter table jobs rename to gone")
    told = await lines(engine, caplog, naps=2)
    assert [line.levelno for line in told] == [logging.WARNING] * 2
    assert "cannot be read" in told[0].message
