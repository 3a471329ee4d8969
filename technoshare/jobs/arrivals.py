"""The way into the jobs table: jobs that come at the same moment go in with one statement and one commit.

Each statement is a round trip to SQLite's thread; a burst of 200 links would pay for 200 of them.
"""

from __future__ import annotations

import asyncio
import json

from pydantic import JsonValue

from technoshare.models import JobId
from technoshare.sqlite import Connection, Database

_INSERT = """
insert into jobs (id, key, channel, ts, url, priority, run_at, generation, received, payload)
select json_extract(value, '$.id'), json_extract(value, '$.key'), json_extract(value, '$.channel'),
       json_extract(value, '$.ts'), json_extract(value, '$.url'), json_extract(value, '$.priority'),
       json_extract(value, '$.run_at'), json_extract(value, '$.generation'), json_extract(value, '$.received'),
       json_extract(value, '$.payload')
from json_each(?) where true -- for SQLite's parser: without it "on conflict" reads like a join
order by json_each.key on conflict do nothing returning id -- on the key, or, once that is forgotten, on the id
"""

Row = dict[str, JsonValue]
"""A job's columns by their names."""


class Arrivals:
    """Rows on their way in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[JobId, Row] = {}
        self._storing: asyncio.Task[set[JobId]] | None = None

    async def store(self, job_id: JobId, row: Row) -> bool:
        """Return whether the job is new; durable when it returns. Raises `sqlite3.Error` when it cannot be stored."""
        first = job_id not in self._rows
        self._rows.setdefault(job_id, row)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store())
        stored = await asyncio.shield(self._storing)  # a caller that is cancelled takes nobody's row with it
        return first and job_id in stored

    async def _store(self) -> set[JobId]:
        try:
            return await self._database.run(self._insert)
        finally:
            if asyncio.current_task() is self._storing:  # the file is closed: the work was never begun
                self._take()

    async def _insert(self, connection: Connection) -> set[JobId]:
        rows = await connection.execute_fetchall(_INSERT, (json.dumps(self._take()),))
        return {row["id"] for row in rows}

    def _take(self) -> list[Row]:
        """Return what is to be stored now; whoever comes from here on goes in with the next statement."""
        rows = list(self._rows.values())
        self._rows, self._storing = {}, None
        return rows
