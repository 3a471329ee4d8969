"""One line in the log, now and then: how the jobs stand, and what is on its way to MLflow."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3

from technoshare.once import Sleep
from technoshare.ports import Clock, Health, Watched
from technoshare.sqlite import Database
from technoshare.text import duration

logger = logging.getLogger("technoshare.health")

FIRST = 5.0
"""Seconds after the start: by then it is clear what the last process has left."""

PERIOD = 600.0
"""Seconds between two lines."""

LATE = 900.0
"""Seconds; whatever waits longer than this makes the line a warning."""

_FIGURES = """
select (select count(*) from jobs where state = 'ready') as waiting,
       (select count(*) from jobs where state = 'running') as running,
       (select count(*) from jobs
        where finished_at >= :since and finished_at is not null and pruned_at is null) as ended,
       (select min(received) from jobs where state = 'ready') as oldest
"""


async def tell_health(
    database: Database, tracker: Watched, clock: Clock, sleep: Sleep = asyncio.sleep, every: float = PERIOD
) -> None:
    """Log one line after `FIRST` seconds and then each `every` seconds, until cancelled."""
    started, pause = clock(), FIRST
    while True:
        await sleep(pause)
        pause = every
        parts = (await _jobs(database, started, clock()), await tracker.health())
        late = max(part.oldest for part in parts) > LATE
        logger.log(logging.WARNING if late else logging.INFO, "%s", " · ".join(part.told for part in parts))


async def _jobs(database: Database, since: float, now: float) -> Health:
    try:
        ((waiting, running, ended, oldest),) = await database.execute(_FIGURES, {"since": since})
    except sqlite3.Error as error:
        return Health(f"jobs: the file cannot be read: {error}", oldest=math.inf)
    age = 0.0 if oldest is None else max(0.0, now - oldest)
    waits = f", the oldest for {duration(age)}" if waiting else ""
    return Health(f"jobs: {waiting} wait{waits}, {running} run, {ended} ended since the start", age)
