"""The tracker as a bot uses it: jobs never wait for MLflow, and MLflow gets everything in the end."""

import asyncio
import os
import socket
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from technoshare.mlops.record import record_of
from technoshare.mlops.spool import open_spool
from technoshare.mlops.tracking import open_tracker
from tests.mlops import sample
from tests.mlops.breakable import open_road
from tests.mlops.reading import assert_complete, read_back

FIRST = 1_000_000
"""Jobs of other numbers than in the tests beside this one: they share a server."""


@pytest.fixture
def experiment() -> str:
    return f"technoshare_{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def tracker_to(uri: str, experiment: str, folder: Path, **more):
    settings = {
        "uri": uri,
        "experiment": experiment,
        "tracking": True,
        "tracing": True,
        "spool": folder / "mlflow-spool.db",
        "app_version": "0.1.0",
        "projects_hash": "5eed",
        "busy": lambda: False,
    }
    async with open_tracker(**(settings | more)) as tracker:
        yield tracker


async def delivered(tracker, count: int) -> None:
    """Wait until MLflow has so many records."""
    async with asyncio.timeout(120):
        while (await tracker.spool.counts())["delivered"] < count:  # noqa: ASYNC110 - nothing in the bot ever waits for it
            await asyncio.sleep(0.05)


async def finish(tracker, number: int):
    """A job's end, as the bot reports it; returns what should arrive."""
    job = sample.a_job(FIRST + number)
    trails = sample.trails(job, passed=number % 3 > 0)
    outcome = "success" if number % 3 else "degraded"
    await tracker.record(job, sample.TIMES, trails, outcome)
    return record_of(job, sample.TIMES, trails, outcome, app_version="0.1.0", projects_hash="5eed")


async def test_twenty_jobs_at_once_arrive_complete_and_unmixed(mlflow_server, experiment, tmp_path):
    async with tracker_to(mlflow_server, experiment, tmp_path) as tracker:
        records = await asyncio.gather(*(finish(tracker, n) for n in range(20)))
        await asyncio.gather(*(finish(tracker, n) for n in range(20)))  # a crash before `done` reports a job twice
        await delivered(tracker, 20)
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, *records)


async def test_what_was_recorded_while_mlflow_was_away_arrives_when_it_is_back(
    mlflow_server, experiment, tmp_path, caplog
):
    with open_road(mlflow_server) as road:
        road.cut()
        async with tracker_to(road.url, experiment, tmp_path) as tracker:
            records = [await finish(tracker, 100 + n) for n in range(3)]
            assert await asyncio.to_thread(road.refused.wait, 60)
            road.mend()
            await delivered(tracker, 3)
    assert caplog.text.count("MLflow is away") == 1
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, *records)


async def test_what_a_bot_leaves_in_the_spool_is_delivered_by_the_next_one(mlflow_server, experiment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        async with tracker_to(f"http://127.0.0.1:{silent.getsockname()[1]}", experiment, tmp_path) as tracker:
            record = await finish(tracker, 200)
            await asyncio.to_thread(silent.accept)  # the replay is waiting for an answer now
    async with open_spool(tmp_path / "mlflow-spool.db") as spool:
        assert (await spool.counts())["waiting"] == 1
    async with tracker_to(mlflow_server, experiment, tmp_path) as tracker:
        await delivered(tracker, 1)
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, record)


@pytest.mark.parametrize(("switch", "expected"), [("tracing", (6, 0)), ("tracking", (0, 1))])
async def test_runs_and_traces_can_be_switched_off_separately(mlflow_server, experiment, tmp_path, switch, expected):
    async with tracker_to(mlflow_server, experiment, tmp_path, **{switch: False}) as tracker:
        with tracker.span("stage", "CHAIN") as span:
            pass
        assert bool(span.finished()) == (switch == "tracking")
        await finish(tracker, 300 + expected[0])
        await delivered(tracker, 1)
    _, runs, traces = await asyncio.to_thread(read_back, mlflow_server, experiment)
    assert (len(runs), len(traces)) == expected


async def test_a_spool_that_cannot_be_written_costs_the_record_and_not_the_job(tmp_path, caplog):
    async with tracker_to("http://127.0.0.1:9", "x", tmp_path) as tracker:
        await tracker.spool._database.execute("drop table entries")
        await finish(tracker, 400)
    assert "is not recorded for MLflow" in caplog.text


async def test_no_variable_is_left_that_lets_mlflow_ask_a_server_by_itself(tmp_path, monkeypatch):
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        monkeypatch.setenv(name, "7")
    async with tracker_to("http://127.0.0.1:9", "x", tmp_path):
        assert not {"MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"} & set(os.environ)


OFF = """
import asyncio, sys
from pathlib import Path
from technoshare.mlops.tracking import open_tracker
from tests.mlops import sample

async def main(on):
    settings = dict(uri="http://127.0.0.1:9", experiment="x", spool=Path("spool.db"), app_version="", projects_hash="")
    async with open_tracker(tracking=on, tracing=on, busy=lambda: False, **settings) as tracker:
        with tracker.span("stage", "LLM") as span:
            span.set(model="m")
        await tracker.record(sample.a_job(), sample.TIMES, {}, "success")
        async with asyncio.timeout(60):
            while on and "mlflow" not in sys.modules:
                await asyncio.sleep(0.05)

asyncio.run(main(sys.argv[1] == "on"))
print("mlflow" in sys.modules, Path("spool.db").exists())
"""


@pytest.mark.parametrize(("switch", "expected"), [("off", "False False"), ("on", "True True")])
def test_with_both_switches_off_mlflow_is_never_imported_and_no_file_is_made(tmp_path, switch, expected):
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", OFF, switch]
    here = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    told = subprocess.run(command, cwd=tmp_path, env=here, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == expected
