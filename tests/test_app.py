"""What the composition root itself decides."""

import asyncio
import sqlite3

import pytest

from technoshare.app import _guard
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
