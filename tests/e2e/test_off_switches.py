"""MLflow's two switches, seen in the process of a real bot."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

LINK = "https://notes.example.org/til/sqlite-user-version"

AT_EXIT = """
import atexit, json, os, sys

def tell():
    with open(os.environ["MODULES_FILE"], "w") as file:
        json.dump(sorted(sys.modules), file)

atexit.register(tell)
"""
"""As `sitecustomize`, it makes the bot's own process write down what it has imported."""


async def a_job_of_a_bot(folder: Path, ready: Callable[[], bool] = lambda: True, **switches: str):
    """Let a bot answer one link and say how it stands; return the modules it ended with, and that line."""
    (folder / "sitecustomize.py").write_text(AT_EXIT)
    async with open_workspace() as workspace:
        settings = environment(workspace, folder, PYTHONPATH=f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        async with running_bot(settings | switches | {"MODULES_FILE": str(folder / "modules.json")}) as bot:
            ts = workspace.say(LINK)
            await workspace.until(lambda: comments(workspace, ts), timeout=60)
            health = await bot.said("ended since the start")
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(ready):  # noqa: ASYNC110 - MLflow cannot tell when it is done
                    await asyncio.sleep(0.3)
            assert await bot.stop() == 0
    return set(json.loads((folder / "modules.json").read_text())), health


async def test_with_both_off_the_bots_process_never_imports_mlflow_and_opens_no_spool(tmp_path):
    modules, health = await a_job_of_a_bot(tmp_path)
    assert "technoshare.app" in modules
    assert not {name for name in modules if name.partition(".")[0] in {"mlflow", "mlflow_skinny"}}
    assert not {path.name for path in tmp_path.iterdir() if "spool" in path.name}
    assert health.endswith("MLflow: off")


@pytest.mark.parametrize(("on", "expected"), [("TRACKING", (6, 0)), ("TRACING", (0, 1))])
async def test_runs_and_traces_each_work_alone(tmp_path, mlflow_server, on, expected):
    client, experiment = MlflowClient(mlflow_server), f"only_{on.lower()}"

    def arrived() -> tuple[int, int]:
        known = client.get_experiment_by_name(experiment)
        if known is None:
            return 0, 0
        runs = client.search_runs([known.experiment_id], "attributes.status = 'FINISHED'")
        return len(runs), len(client.search_traces(locations=[known.experiment_id], include_spans=False))

    modules, health = await a_job_of_a_bot(
        tmp_path,
        lambda: arrived() == expected,
        MLFLOW_TRACKING_URI=mlflow_server,
        MLFLOW_EXPERIMENT_NAME=experiment,
        **{f"MLFLOW_ENABLE_{on}": "true"},
    )
    assert arrived() == expected
    assert "mlflow" in modules
    assert "MLflow: off" not in health
