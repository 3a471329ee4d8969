"""`technoshare spool`: what waits for MLflow and what it refused, beside a running bot; and another try."""

import asyncio
import contextlib
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from technoshare.app import open_desk
from technoshare.cli import main
from technoshare.jobs.control import open_control
from technoshare.jobs.engine import open_engine
from technoshare.jobs.orders import Desk
from technoshare.mlops.privacy import Privacy
from technoshare.mlops.record import JobRecord
from technoshare.mlops.spool import open_spool
from technoshare.mlops.tracing import Recorder
from technoshare.mlops.tracking import SpooledTracker
from technoshare.models import Vote
from technoshare.settings import load_settings

JOBS = [f"{number:012x}" for number in range(4)]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)  # the developer's own .env is not read
    monkeypatch.setattr("technoshare.terminal._OUT", Console(highlight=False, width=160))
    monkeypatch.setenv("PROJECTS_FILE", str(ROOT / "prompts" / "projects.yaml"))
    monkeypatch.setenv("JOBS_URL", "sqlite:///data/jobs.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return tmp_path / "data"


@contextlib.asynccontextmanager
async def a_spool(data: Path):
    """One delivered, one on the shelf, one that was tried, one that was not."""
    async with open_spool(data / "mlflow-spool.db") as spool:
        for job in JOBS[:3]:
            await spool.put(JobRecord(job_id=job, generation=0))
        await spool.delivered((await spool.next()).number)
        await spool.shelve((await spool.next()).number, "400: too odd")
        await spool.failed((await spool.next()).number, "Connection refused")
        await spool.vote(Vote(job_id=JOBS[3], generation=0, user="U1", value="up", at=time.time() - 500))
        yield spool


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["spool", *arguments])


async def test_what_waits_and_what_was_refused_is_shown_beside_a_running_bot(data, capsys):
    async with a_spool(data):
        assert await command() == 0
        words = capsys.readouterr().out
        assert await command("--json") == 0
    for expected in ("2 wait for MLflow, the oldest for 8 min; 1 on the shelf; 1 delivered", "400: too odd",
                     "Connection refused", "vote", "spool retry NUMBER", *JOBS[1:]):  # fmt: skip
        assert expected in words
    assert JOBS[0] not in words
    told = json.loads(capsys.readouterr().out)
    assert [(line["kind"], line["job"], line["tries"], line["error"]) for line in told["waiting"]] == [
        ("job", JOBS[2], 1, "Connection refused"),
        ("vote", JOBS[3], 0, ""),
    ]
    assert [line["error"] for line in told["shelved"]] == ["400: too odd"]
    assert told["delivered"] == 1
    assert 500 <= told["oldest_seconds"] < 560


async def test_where_no_spool_is_nothing_waits(data, capsys):
    assert await command() == 0
    assert capsys.readouterr().out == "0 wait for MLflow; 0 on the shelf; 0 delivered in the last 30 days\n"
    assert not data.exists()


async def test_a_spool_of_another_version_is_one_clear_line(data, capsys):
    async with a_spool(data) as spool:
        await spool._database._connection.execute_fetchall("pragma user_version = 99")
        assert await command() == 2
    assert "has schema 99, this version reads 2; upgrade TechnoShare" in capsys.readouterr().err


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("which", ["2", "all"])
async def test_what_was_refused_is_tried_again_by_the_bot_or_without_it(data, capsys, running, which):
    async with open_engine("sqlite:///data/jobs.db"), a_spool(data):
        pass
    if running:
        async with open_desk(load_settings()) as desk, open_control(desk):
            assert await command("retry", which) == 0
    else:
        assert await command("retry", which) == 0
    assert capsys.readouterr().out == "1 tried again\n"
    async with open_spool(data / "mlflow-spool.db") as spool:
        assert await spool.counts() == {"waiting": 3, "delivered": 1, "shelved": 0}


async def test_only_what_is_on_the_shelf_can_be_tried_again(data, capsys):
    async with open_engine("sqlite:///data/jobs.db"), a_spool(data):
        pass
    assert await command("retry", "3") == 1
    assert "there is no entry 3 on the shelf" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        await command("retry", "each")


async def test_the_bots_health_line_tells_what_waits(data):
    async with a_spool(data) as spool:
        tracker = SpooledTracker(
            spool, Recorder(), tracking=True, tracing=True, app_version="", projects_hash="", privacy=Privacy()
        )
        assert (await tracker.health()).told == "MLflow: 2 wait, the oldest for 8 min; 1 on the shelf"
        await spool.unshelve()
        for _ in range(3):
            await spool.delivered((await spool.next()).number)
        assert (await tracker.health()).told == "MLflow: all delivered"


async def test_with_mlflow_off_the_health_line_says_so(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_TRACKING", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_TRACING", "false")
    async with open_desk(load_settings()) as desk:
        assert isinstance(desk, Desk)
        assert (await desk.archive.health()).told == "MLflow: off"
