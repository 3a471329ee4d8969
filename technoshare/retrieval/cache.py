"""The HTTP cache: pages that were read within a day are not asked for again, and older ones only for a change.

It stands behind whatever signs requests, so it sees what really goes out, and in front of the guarded fetcher, whose
policy it asks first: what is forbidden today is refused, whatever was kept yesterday.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from technoshare.errors import ConfigError, Damaged, FetchRefused
from technoshare.models import Page
from technoshare.ports import Clock, Fetcher
from technoshare.retrieval.fetch import DEFAULT_LIMIT, media_type, too_large
from technoshare.retrieval.guard import Policy, origin_of
from technoshare.sqlite import Database, open_database

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
)

DAY = 86_400.0
FRESH = DAY
"""Seconds for which a page is not asked for again, unless its site names fewer."""
FRESH_AT = {"api.github.com": 600.0}
"""GitHub names 60 s, and an answer "not modified" costs one of the 60 calls an hour too unless it is signed."""
KEPT = 7 * DAY
"""Seconds after which a page that nobody asked for again is dropped."""
CAP = 200_000_000
"""Bytes of bodies; some 2,000 pages. The oldest go first."""

asked_again: ContextVar[bool] = ContextVar("asked again", default=False)
"""Whether a person wants this link read once more (Retry): then every page counts as old, which costs little."""

_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
_OWN_TERMS = frozenset({"if-none-match", "if-modified-since", "range"})
_TERMS = ("cache-control", "etag", "last-modified")
_PASSING = ("set-cookie", "x-ratelimit-")
"""Headers of an answer that are true only once."""

_PRUNE = """
with ages as (select key, sum(size) over (order by checked_at desc, key) as so_far from pages)
delete from pages where checked_at < :oldest or key in (select key from ages where so_far > :cap)
"""


@dataclass(frozen=True)
class _Kept:
    page: Page
    fresh_until: float


@dataclass(frozen=True)
class CachingFetcher:
    """A `Fetcher` that remembers what `inner` got; only whole, public answers to plain requests."""

    inner: Fetcher
    database: Database
    policy: Policy
    clock: Clock

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer (see `Fetcher`), kept or new."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if not (_PRIVATE | _OWN_TERMS).isdisjoint(sent):
            return await self.inner.get(url, headers=headers, limit=limit)
        self.policy.check(url)
        key = key_of(url, sent)
        kept = await self._find(key)
        if kept is None:
            page = await self.inner.get(url, headers=headers, limit=limit)
        elif kept.fresh_until > self.clock() and not asked_again.get():
            return _within(limit, kept.page)
        else:
            page = await self._ask_again(url, headers or {}, limit, kept.page)
        if self._may_keep(page):
            await self._keep(key, page)
        return page

    async def _ask_again(self, url: str, headers: Mapping[str, str], limit: int | None, kept: Page) -> Page:
        """Ask whether the page has changed. After a redirect nobody knows what a validator means, so ask anew."""
        terms = _validators(kept) if kept.url == urldefrag(url).url else {}
        page = await self.inner.get(url, headers={**headers, **terms}, limit=limit)
        if page.status != 304:
            return page
        if page.url != kept.url:  # it redirects now, to a page that happens to have the same validator
            return await self.inner.get(url, headers=headers, limit=limit)
        renewed = {name: page.headers[name] for name in _TERMS if name in page.headers}
        return _within(limit, kept.model_copy(update={"headers": kept.headers | renewed}))

    def _may_keep(self, page: Page) -> bool:
        """Tell whether the answer is whole, meant for everybody, and from outside the operator's network."""
        if page.status != 200 or page.headers.get("vary", "").strip() == "*":
            return False
        if not _directives(page).keys().isdisjoint({"no-store", "private"}):
            return False
        return origin_of(self.policy.check(page.url)) not in self.policy.exempt

    async def _find(self, key: str) -> _Kept | None:
        try:
            rows = await self.database.execute(
                "select final_url, headers, body, fresh_until from pages where key = ?", (key,)
            )
            for final_url, headers, body, fresh_until in rows:
                self.policy.check(final_url)
                known = dict(json.loads(headers))
                page = Page(url=final_url, status=200, headers=known, content_type=media_type(known), body=body)
                return _Kept(page, fresh_until)
        except (sqlite3.Error, ValueError, FetchRefused) as error:  # the network decides what can still be read
            logger.warning("the fetch cache cannot be read: %s", error)
        return None

    async def _keep(self, key: str, page: Page) -> None:
        now = self.clock()
        values = (key, now, now + _fresh_for(page), len(page.body), page.url, json.dumps(_lasting(page.headers)))
        try:
            await self.database.execute(
                "insert or replace into pages values (?, ?, ?, ?, ?, ?, ?)", (*values, page.body)
            )
            await self.database.execute(_PRUNE, {"oldest": now - KEPT, "cap": CAP})
        except sqlite3.Error as error:
            logger.warning("the fetch cache cannot be written: %s", error)


def key_of(url: str, headers: Mapping[str, str]) -> str:
    """Return what tells requests apart; header names in lower case."""
    return json.dumps([urldefrag(url).url, sorted(headers.items())])


def _within(limit: int | None, page: Page) -> Page:
    most = DEFAULT_LIMIT if limit is None else limit
    if len(page.body) > most:
        raise too_large(most)
    return page


def _validators(page: Page) -> dict[str, str]:
    told = {"If-None-Match": page.headers.get("etag"), "If-Modified-Since": page.headers.get("last-modified")}
    return {name: value for name, value in told.items() if value}


def _lasting(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith(_PASSING)}


def _directives(page: Page) -> dict[str, str]:
    """Return what `Cache-Control` says, names in lower case."""
    parts = (part.strip().partition("=") for part in page.headers.get("cache-control", "").split(","))
    return {name.strip().lower(): value.strip('" ') for name, _, value in parts}


def _fresh_for(page: Page) -> float:
    told = _directives(page)
    if (host := urlsplit(page.url).hostname or "") in FRESH_AT:
        return FRESH_AT[host]
    if "no-cache" in told:
        return 0.0
    age = told.get("max-age", "")
    return min(FRESH, float(age)) if age.isascii() and age.isdigit() else FRESH


@asynccontextmanager
async def open_cache(inner: Fetcher, path: Path, *, policy: Policy, clock: Clock) -> AsyncIterator[Fetcher]:
    """Put the cache in `path` in front of `inner`; never raises.

    A damaged file is thrown away. One that cannot be opened, or that another process has, is done without.
    """
    async with AsyncExitStack() as stack:
        try:
            database = await _opened(stack, path)
        except (ConfigError, OSError) as why:
            logger.warning("pages are read without a cache: %s", why)
            yield inner
        else:
            yield CachingFetcher(inner, database, policy, clock)


async def _opened(stack: AsyncExitStack, path: Path) -> Database:
    try:
        return await stack.enter_async_context(open_database(path, MIGRATIONS))
    except Damaged:
        logger.warning("%s is damaged: the fetch cache begins anew", path)
        _remove(path)
        return await stack.enter_async_context(open_database(path, MIGRATIONS))


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
