"""A bot's prompts beside a real MLflow: fresh without a restart, and never waited for."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

import pytest

from technoshare.llm.prompts import STAGE_A, STAGE_B
from technoshare.mlops import prompt_refresh
from technoshare.mlops.prompt_book import LivePrompts
from technoshare.mlops.prompt_refresh import open_prompts
from tests.mlops.breakable import open_road
from tests.mlops.prompt_samples import FOLDER, NOW, a_prompt, empty_registry


@pytest.fixture(autouse=True)
def _every_word(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "data" / "prompts-prod.json"


@asynccontextmanager
async def prompts_of(uri: str | None, copy):
    """A running bot's prompts, refreshed ever so often."""
    async with asyncio.timeout(120), open_prompts(FOLDER, copy, uri, lambda: NOW, seconds=0.02) as prompts:
        yield prompts


async def becomes(prompts: LivePrompts, version: str) -> None:
    """Wait until the prompt of stage B is of that version."""
    while prompts.get(STAGE_B).ref.version != version:  # noqa: ASYNC110 - nothing in the bot ever waits for it
        await asyncio.sleep(0.02)


def promote(registry, words: str) -> None:
    version, _ = registry.sync(a_prompt(words=words))
    registry.point(STAGE_B, "prod", version.version)


async def test_a_running_bot_follows_promotion_and_rollback_without_a_restart(mlflow_server, copy, caplog):
    registry = await asyncio.to_thread(empty_registry, mlflow_server)
    async with prompts_of(mlflow_server, copy) as prompts:
        assert prompts.get(STAGE_B).ref.version == "yaml"
        for words, version in ((" One.", "1"), (" Two.", "2")):
            await asyncio.to_thread(promote, registry, words)
            await becomes(prompts, version)
            assert prompts.get(STAGE_B).messages[0][1].endswith(words)
            assert prompts.get(STAGE_A).ref.version == "yaml"
        for version in ("1", "none"):
            await asyncio.to_thread(registry.point, STAGE_B, "prod", version)
            await becomes(prompts, version.replace("none", "yaml"))
    told = [message.removeprefix(f"prompt {STAGE_B}: ") for message in caplog.messages if STAGE_B in message]
    assert ["from MLflow" in line or line.split("from ")[1] for line in told] == [
        "prompts/ (nothing promoted)", True, True, True, "prompts/ (nothing promoted)",
    ]  # fmt: skip


async def test_a_start_without_mlflow_uses_what_was_promoted_last(mlflow_server, copy, caplog):
    registry = await asyncio.to_thread(empty_registry, mlflow_server)
    await asyncio.to_thread(promote, registry, " One.")
    with open_road(mlflow_server) as road:
        async with prompts_of(road.url, copy) as prompts:
            assert prompts.get(STAGE_B).ref.version == "1", "the first answer is waited for"
        road.cut()
        async with prompts_of(road.url, copy) as prompts:
            assert prompts.get(STAGE_B).ref.version == "1"
            assert prompts.place(STAGE_B) == "the last good copy"
            await asyncio.to_thread(road.refused.wait, 60)
            await asyncio.to_thread(promote, registry, " Two.")
            road.mend()
            await becomes(prompts, "2")
    assert "those in use stay: " in caplog.text
    assert json.loads(copy.read_text("utf-8"))["prompts"][0]["version"] == "2"


@pytest.fixture
def silent_server():
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_silent_mlflow_holds_up_the_first_start_for_a_while_only(silent_server, copy, caplog, monkeypatch):
    monkeypatch.setattr(prompt_refresh, "FIRST_ANSWER_SECONDS", 0.3)
    turns = 0

    async def something_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    other = asyncio.create_task(something_else())
    async with prompts_of(silent_server, copy) as prompts:
        assert turns > 3, "the loop must go on meanwhile"
        assert prompts.get(STAGE_B).ref.version == "yaml"
        assert "from prompts/ (MLflow has not answered yet)" in caplog.text
        before = turns
        await asyncio.sleep(0.1)
        assert turns > before
    other.cancel()


async def test_where_prod_is_known_no_start_waits_for_mlflow(mlflow_server, silent_server, copy, monkeypatch):
    registry = await asyncio.to_thread(empty_registry, mlflow_server)
    await asyncio.to_thread(promote, registry, " One.")
    for name in (STAGE_A,):
        version, _ = await asyncio.to_thread(registry.sync, a_prompt(name))
        await asyncio.to_thread(registry.point, name, "prod", version.version)
    async with prompts_of(mlflow_server, copy):
        pass
    monkeypatch.setattr(prompt_refresh.RefreshThread, "first_answer", None)  # whoever waits now fails
    async with prompts_of(silent_server, copy) as prompts:
        assert [prompts.get(name).ref.version for name in (STAGE_A, STAGE_B)] == ["1", "1"]


async def test_with_mlflow_off_nothing_is_started_and_the_copy_is_used_all_the_same(mlflow_server, copy, caplog):
    registry = await asyncio.to_thread(empty_registry, mlflow_server)
    await asyncio.to_thread(promote, registry, " One.")
    async with prompts_of(mlflow_server, copy):
        pass
    before = set(threading.enumerate())  # threads of earlier tests may end meanwhile
    async with prompts_of(None, copy) as prompts:
        assert prompts.get(STAGE_B).ref.version == "1"
        assert set(threading.enumerate()) <= before
    assert "from prompts/ (MLflow is off)" in caplog.text


@pytest.mark.parametrize(
    "settings",
    [
        {
            "MLFLOW_ENABLE_TRACKING": "false",
            "MLFLOW_ENABLE_TRACING": "false",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        },
        {"LLM_MODEL": "extractive", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
    ],
    ids=["off", "keyless"],
)
def test_without_mlflow_or_without_a_model_mlflow_is_never_imported(settings, tmp_path):
    program = """
import asyncio, sys, threading
from technoshare.app import open_book
from technoshare.settings import load_settings

async def main():
    async with open_book(load_settings()):
        names = [thread.name for thread in threading.enumerate()]
        print("mlflow" in sys.modules, "prompt refresh" in names)

asyncio.run(main())
"""
    environment = {"PATH": "", "JOBS_URL": f"sqlite:///{tmp_path}/t.db"} | settings
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=FOLDER.parent, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "False"]
