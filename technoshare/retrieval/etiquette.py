"""What some hosts ask of their clients: one request at a time, a rest when they say so, a token for its owner alone."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from technoshare.errors import FetchError
from technoshare.models import Page
from technoshare.ports import Clock, Fetcher

ARXIV_PAUSE = 3.0
"""Seconds between two requests to arXiv's API, by its terms of use."""
ARXIV_QUEUE = 3
"""Requests that may wait; whoever comes later reads the paper's own page at once instead of waiting ten seconds."""
GITHUB_TYPES = ("application/vnd.github+", "application/vnd.github.")
"""Only our GitHub adapter asks for these types, so a posted link to the API itself never travels with the token."""


class Lane:
    """One request at a time, so many seconds apart; a short queue, because others wait for the answer."""

    def __init__(
        self,
        *,
        pause: float = ARXIV_PAUSE,
        queue: int = ARXIV_QUEUE,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause, self._queue, self._clock, self._sleep = pause, queue, clock, sleep
        self._free = asyncio.Lock()
        self._inside = 0
        self._next = clock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for our turn and hold the lane. Raises a transient `FetchError` when the queue is full."""
        if self._inside > self._queue:
            raise FetchError("too many requests are waiting for arXiv", transient=True)
        self._inside += 1
        try:
            async with self._free:
                await self._sleep(max(0.0, self._next - self._clock()))
                self._next = self._clock() + self._pause
                yield
        finally:
            self._inside -= 1


_BACKOFF = re.compile(rb'"backoff"\s*:\s*(\d{1,5})\b')


class Rest:
    """The seconds without requests that Stack Exchange's API asks for inside its answers."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock, self._over = clock, clock()

    def require_over(self) -> None:
        """Raise a transient `FetchError` while the rest lasts: whoever asks all the same is shut out for the day."""
        if self._clock() < self._over:
            raise FetchError("Stack Exchange has asked us to wait", transient=True)

    def note(self, page: Page) -> Page:
        """Return the answer; a rest that it asks for begins."""
        if asked := _BACKOFF.search(page.body):
            self._over = self._clock() + int(asked[1])
        return page


@dataclass(frozen=True)
class ConsiderateFetcher:
    """A `Fetcher` next to the live one that waits where a host wants it; behind the cache, whose answers are free."""

    inner: Fetcher
    arxiv: Lane = field(default_factory=Lane)
    stack_exchange: Rest = field(default_factory=Rest)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer (see `Fetcher`)."""
        parts = urlsplit(url)
        if parts.hostname == "export.arxiv.org" and parts.path.startswith("/api/"):
            async with self.arxiv.turn():
                return await self.inner.get(url, headers=headers, limit=limit)
        if parts.hostname == "api.stackexchange.com":
            self.stack_exchange.require_over()
            return self.stack_exchange.note(await self.inner.get(url, headers=headers, limit=limit))
        return await self.inner.get(url, headers=headers, limit=limit)


@dataclass(frozen=True)
class SigningFetcher:
    """A `Fetcher` that signs our own questions to GitHub's API; in front of the cache, which keeps no signed answer."""

    inner: Fetcher
    github_token: str = field(repr=False)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer (see `Fetcher`)."""
        ours = (headers or {}).get("Accept", "").startswith(GITHUB_TYPES)
        if ours and url.startswith("https://api.github.com/"):
            headers = {**(headers or {}), "Authorization": f"Bearer {self.github_token}"}
        return await self.inner.get(url, headers=headers, limit=limit)
