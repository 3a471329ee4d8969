"""The tracker as a bot uses it: jobs never wait for MLflow, and MLflow gets everything in the end."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from technoshare.mlops.spool import open_spool
from tests.mlops.breakable import open_road
from tests.mlops.reading import assert_complete, delivered, read_back
from tests.mlops.sample import a_new_job, finish

NOWHERE = "http://127.0.0.1:9"


async def test_twenty_jobs_at_once_arrive_complete_and_unmixed(mlflow_server, experiment, tracker_to):
    async with tracker_to() as tracker:
        jobs = [a_new_job() for _ in range(20)]
        records = await asyncio.gather(*(finish(tracker, job) for job in jobs))
        await asyncio.gather(*(finish(tracker, job) for job in jobs))  # a crash before `done` reports a job twice
        await delivered(tracker, 20)
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, *records)


async def test_what_was_recorded_while_mlflow_was_away_arrives_when_it_is_back(
    mlflow_server, experiment, tracker_to, caplog
):
    with open_road(mlflow_server) as road:
        road.cut()
        async with tracker_to(uri=road.url) as tracker:
            records = [await finish(tracker, passed=passed) for passed in (True, False, True)]
            assert await asyncio.to_thread(road.refused.wait, 60)
            road.mend()
            await delivered(tracker, 3)
    assert caplog.text.count("MLflow is away") == 1
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, *records)


async def test_what_a_bot_leaves_in_the_spool_is_delivered_by_the_next_one(
    mlflow_server, experiment, tracker_to, tmp_path
):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        async with tracker_to(uri=f"http://127.0.0.1:{silent.getsockname()[1]}") as tracker:
            record = await finish(tracker)
            await asyncio.to_thread(silent.accept)  # the replay is waiting for an answer now
    async with open_spool(tmp_path / "mlflow-spool.db") as spool:
        assert (await spool.counts())["waiting"] == 1
    async with tracker_to() as tracker:
        await delivered(tracker, 1)
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, record)


@pytest.mark.parametrize(("switch", "expected"), [("tracing", (6, 0)), ("tracking", (0, 1))])
async def test_runs_and_traces_can_be_switched_off_separately(mlflow_server, experiment, tracker_to, switch, expected):
    async with tracker_to(**{switch: False}) as tracker:
        with tracker.span("stage", "CHAIN") as span:
            pass
        assert bool(span.finished()) == (switch == "tracking")
        await finish(tracker)
        await delivered(tracker, 1)
    _, runs, traces = await asyncio.to_thread(read_back, mlflow_server, experiment)
    assert (len(runs), len(traces)) == expected


async def test_a_spool_that_cannot_be_written_costs_the_record_and_not_the_job(tracker_to, caplog):
    async with tracker_to(uri=NOWHERE) as tracker:
        await tracker.spool._database.execute("drop table entries")
        await finish(tracker)
    assert "is not recorded for MLflow" in caplog.text


async def test_no_variable_is_left_that_lets_mlflow_ask_a_server_by_itself(tracker_to, monkeypatch):
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        monkeypatch.setenv(name, "7")
    async with tracker_to(uri=NOWHERE):
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
