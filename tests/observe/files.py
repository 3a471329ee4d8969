"""What the files of a running bot tell: another process writes them, so they are asked again and again."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

SPOOL, JOBS = "mlflow-spool.db", "technoshare.db"


async def until_delivered(folder: Path, jobs: int = 1, timeout: float = 60.0) -> None:
    """Wait until the spool says that MLflow has so many jobs."""
    await _until(lambda: spooled(folder, "delivered") >= jobs, timeout)


async def until_parked(folder: Path, timeout: float = 60.0) -> None:
    """Wait until a job was put aside for later."""
    parked = "select count(*) from jobs where state = 'ready' and parks + failures > 0"
    await _until(lambda: _asked(folder / JOBS, parked) > 0, timeout)


def spooled(folder: Path, state: str) -> int:
    """Return how many jobs of the spool are `waiting`, `delivered` or `shelved`."""
    return _asked(folder / SPOOL, "select count(*) from entries where kind = 'job' and state = ?", state)


def _asked(file: Path, question: str, *values: str) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        ((answer,),) = connection.execute(question, values)
        return answer


async def _until(condition: Callable[[], bool], timeout: float) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - a file tells nobody that it changed
            await asyncio.sleep(0.1)
