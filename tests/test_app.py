"""What the composition root itself decides."""

import asyncio
import sqlite3

import pytest

from technoshare.app import open_observation
from technoshare.bot import _guard
from technoshare.settings import load_settings
from technoshare.sqlite import open_database


async def test_a_file_that_turns_out_to_be_damaged_ends_the_bot_with_one_line(tmp_path):
    problems = []

    async def broken(_):
        raise sqlite3.DatabaseError("database disk image is malformed")

    async with open_database(tmp_path / "jobs.db", ()) as database, asyncio.timeout(10):
        guarding = asyncio.create_task(_guard(database, problems.append))
        with pytest.raises(sqlite3.DatabaseError):
            await database.run(broken)
        await guarding
    (problem,) = problems
    assert "jobs.db is damaged" in str(problem)


async def test_the_bot_tells_mlflow_what_the_settings_allow_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_CONTENT", "metadata,C024BE91L:none")
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-ours")
    monkeypatch.setenv("JOBS_URL", f"sqlite:///{tmp_path / 'jobs.db'}")
    async with open_observation(load_settings(), busy=lambda: True) as tracker:
        modes = [tracker.privacy.content.of(channel) for channel in ("C024BE91L", "C7")]
        assert modes == ["none", "metadata"]
        assert "a-token-of-ours" in tracker.privacy.secrets
