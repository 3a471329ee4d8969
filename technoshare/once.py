"""One post for a token, whatever dies in between: reserve, send, record; look before sending again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from technoshare.errors import Ambiguous, Refused, Transient
from technoshare.models import Receipt
from technoshare.ports import Clock, Find, Send

SETTLE = 15.0
"""Seconds after which a message that Slack accepted can be looked up: the request's own 10 s and a margin."""

Sleep = Callable[[float], Awaitable[None]]
"""`asyncio.sleep`, or a test's own."""


@dataclass(frozen=True)
class Reservation:
    """What stands in the book for a token: since when, and the receipt once it is known."""

    at: float
    receipt: Receipt | None = None


class Book(Protocol):
    """Durable reservations. `reserve` and `renew` raise `ClaimLost` when the job is no longer ours."""

    async def reserve(self, token: str, at: float) -> Reservation | None:
        """Take the token and return None, or return what stands there already."""

    async def renew(self, token: str, at: float) -> None:
        """Start a standing reservation's time again."""

    async def record(self, token: str, receipt: Receipt) -> None:
        """Keep the receipt for good."""

    async def release(self, token: str) -> None:
        """Give the token back: nothing was sent."""


@dataclass(frozen=True)
class Once:
    """The protocol over a book."""

    book: Book
    clock: Clock
    sleep: Sleep

    async def __call__(self, token: str, send: Send, find: Find) -> Receipt:
        """Return the token's one receipt, sending only when nothing can have been sent before.

        `Refused` releases the reservation and is raised; `Ambiguous` keeps it and becomes a `Transient`, so that the
        next attempt looks first. Any other error keeps it too, since it does not say that nothing was sent.
        """
        standing = await self.book.reserve(token, self.clock())
        if standing is not None and standing.receipt is not None:
            return standing.receipt
        if standing is not None:
            if (found := await self._look(standing.at, find)) is not None:
                await self.book.record(token, found)
                return found
            await self.book.renew(token, self.clock())
        return await self._send(token, send)

    async def _send(self, token: str, send: Send) -> Receipt:
        try:
            receipt = await send()
        except Refused:
            await self.book.release(token)
            raise
        except Ambiguous as error:
            raise Transient(f"it is unknown whether the post arrived ({error})", after=SETTLE) from error
        await self.book.record(token, receipt)
        return receipt

    async def _look(self, at: float, find: Find) -> Receipt | None:
        await self.sleep(min(SETTLE, max(0.0, at + SETTLE - self.clock())))  # min: the clock may have been set back
        return await find(at)
