"""The HTTP cache: pages that were read within a day are not asked for again, and older ones only for a change.

It stands behind whatever signs requests, so it sees what really goes out, and in front of the guarded fetcher, whose
policy it asks first: what is forbidden today is refused, whatever was kept yesterday.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urldefrag, urlsplit

from technoshare.errors import FetchRefused
from technoshare.models import Page
from technoshare.ports import Clock, Fetcher
from technoshare.retrieval.fetch import DEFAULT_LIMIT, too_large
from technoshare.retrieval.guard import Policy, origin_of
from technoshare.retrieval.pages import Kept, NoPages, Pages

logger = logging.getLogger("technoshare.retrieval")

DAY = 86_400.0
FRESH = DAY
"""Seconds for which a page is not asked for again, unless its site names fewer."""
FRESH_AT = {"api.github.com": 600.0}
"""GitHub names 60 s, and an answer "not modified" costs one of the 60 calls an hour too unless it is signed."""

asked_again: ContextVar[bool] = ContextVar("asked again", default=False)
"""Whether a person wants this link read once more (Retry): then every page counts as old, which costs little."""

read_for: ContextVar[str] = ContextVar("read for", default="")
"""Id of the job for which pages are read; when it is to be forgotten, so are they."""

_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
_OWN_TERMS = frozenset({"if-none-match", "if-modified-since", "range"})
_TERMS = ("cache-control", "etag", "last-modified")
_PASSING = ("set-cookie", "x-ratelimit-")
"""Headers of an answer that are true only once."""


@dataclass(frozen=True)
class CachingFetcher:
    """A `Fetcher` that remembers what `inner` got; only whole, public answers to plain requests."""

    inner: Fetcher
    pages: Pages | NoPages
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

    async def _find(self, key: str) -> Kept | None:
        kept = await self.pages.find(key, read_for.get())
        try:
            if kept is not None:
                self.policy.check(kept.page.url)
        except FetchRefused as why:  # the network decides what can still be read
            logger.warning("the fetch cache is not asked: %s", why)
            return None
        return kept

    async def _keep(self, key: str, page: Page) -> None:
        now = self.clock()
        await self.pages.keep(key, Kept(page, now + _fresh_for(page)), _lasting(page.headers), now, read_for.get())


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
