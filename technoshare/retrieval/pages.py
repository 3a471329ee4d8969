"""The file of the fetch cache: answers by request, and for which jobs they were read, so that they go with a job."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from technoshare.errors import ConfigError, Damaged
from technoshare.models import Page
from technoshare.retrieval.fetch import media_type
from technoshare.sqlite import Connection, Database, open_database

logger = logging.getLogger("technoshare.retrieval")

MIGRATIONS = (
    """
    create table pages (
        key text primary key,           -- address and headers of the request
        checked_at real not null,       -- unix seconds; when the site last said so
        fresh_until real not null,
        size integer not null,          -- bytes of the body
        final_url text not null,
        headers text not null,          -- JSON
        body blob not null
    ) strict;
    create index by_age on pages (checked_at desc, size);
    """,
    """
    delete from pages;                  -- nobody knows for which jobs they were read
    create table readers (
        job_id text not null,
        key text not null references pages (key) on delete cascade,
        primary key (job_id, key)
    ) strict, without rowid;
    create index of_page on readers (key);
    """,
)

KEPT = 7 * 86_400.0
"""Seconds after which a page that nobody asked for again is dropped."""
CAP = 200_000_000
"""Bytes of bodies; some 2,000 pages. The oldest go first."""

_KEEP = """
insert into pages values (:key, :now, :fresh_until, :size, :final_url, :headers, :body)
on conflict (key) do update set checked_at = :now, fresh_until = :fresh_until, size = :size, final_url = :final_url,
  headers = :headers, body = :body
"""

_READ = "insert into readers select :job, key from pages where key = :key and :job <> '' on conflict do nothing"

_PRUNE = """
with ages as (select key, sum(size) over (order by checked_at desc, key) as so_far from pages)
delete from pages where checked_at < :oldest or key in (select key from ages where so_far > :cap)
"""


@dataclass(frozen=True)
class Kept:
    """A page, and until which unix time nobody needs to ask whether it has changed."""

    page: Page
    fresh_until: float


class Pages:
    """Never raises into a job: a file that refuses costs nothing but itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: str, job_id: str) -> Kept | None:
        """Return what is kept under the key; the job has read it then."""

        async def work(connection: Connection) -> list[sqlite3.Row]:
            await connection.execute_fetchall(_READ, {"job": job_id, "key": key})
            select = "select final_url, headers, body, fresh_until from pages where key = ?"
            return list(await connection.execute_fetchall(select, (key,)))

        try:
            for final_url, headers, body, fresh_until in await self._database.run(work):
                known = dict(json.loads(headers))
                page = Page(url=final_url, status=200, headers=known, content_type=media_type(known), body=body)
                return Kept(page, fresh_until)
        except (sqlite3.Error, ValueError) as error:
            logger.warning("the fetch cache cannot be read: %s", error)
        return None

    async def keep(self, key: str, kept: Kept, headers: Mapping[str, str], now: float, job_id: str) -> None:
        """Keep the page with those of its headers, read for the job; the oldest others make room."""
        page = kept.page
        row = {
            "key": key,
            "now": now,
            "fresh_until": kept.fresh_until,
            "size": len(page.body),
            "final_url": page.url,
            "headers": json.dumps(dict(headers)),
            "body": page.body,
        }

        async def work(connection: Connection) -> None:
            await connection.execute_fetchall(_KEEP, row)
            await connection.execute_fetchall(_READ, {"job": job_id, "key": key})
            await connection.execute_fetchall(_PRUNE, {"oldest": now - KEPT, "cap": CAP})

        try:
            await self._database.run(work)
        except sqlite3.Error as error:
            logger.warning("the fetch cache cannot be written: %s", error)

    async def forget(self, job_id: str) -> int:
        """Drop every page that was read for the job, and return how many. Raises `sqlite3.Error`."""
        dropped = await self._database.execute(
            "delete from pages where key in (select key from readers where job_id = ?) returning 1", (job_id,)
        )
        await self._database.empty_log()
        return len(dropped)


class NoPages:
    """Where the file cannot be had, or nobody wants one."""

    async def find(self, key: str, job_id: str) -> Kept | None:
        """Find nothing."""

    async def keep(self, key: str, kept: Kept, headers: Mapping[str, str], now: float, job_id: str) -> None:
        """Keep nothing."""

    async def forget(self, job_id: str) -> int:
        """Have nothing."""
        del job_id
        return 0


@asynccontextmanager
async def open_pages(path: Path) -> AsyncIterator[Pages | NoPages]:
    """Open the file; never raises. A damaged one is thrown away, one that another process has is done without."""
    async with AsyncExitStack() as stack:
        try:
            database = await _opened(stack, path)
        except (ConfigError, OSError) as why:
            logger.warning("pages are read without a cache: %s", why)
            yield NoPages()
        else:
            yield Pages(database)


async def _opened(stack: AsyncExitStack, path: Path) -> Database:
    try:
        return await stack.enter_async_context(open_database(path, MIGRATIONS))
    except Damaged:
        logger.warning("%s is damaged: the fetch cache begins anew", path)
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        return await stack.enter_async_context(open_database(path, MIGRATIONS))
