"""Switches that make the local Slack misbehave as the real one has been seen to."""

import asyncio
import random
from collections import Counter, defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from technoshare.workspace.connection import Connection

FaultKind = Literal["rate_limit", "drop_answer", "refuse", "server_error"]


@dataclass(frozen=True)
class Fault:
    """What happens to one call of a Web API method."""

    kind: FaultKind
    retry_after: float = 1.0
    """Seconds, for `rate_limit`."""
    error: str = "internal_error"
    """Slack's code, for `refuse`."""


class Faults:
    """Counters count down as they are used; faults of a method are used up in the order in which they were set."""

    def __init__(self, connections: list[Connection]) -> None:
        self.reject_handshakes = 0
        """So many WebSocket handshakes fail; their tickets are spent all the same."""
        self.fail_connections_open = 0
        """So many calls of apps.connections.open fail."""
        self.no_pong = False
        """Pings of the client stay without an answer."""
        self.lose_events = 0
        """So many events are never delivered: only the channel's history knows them."""
        self._connections = connections
        self._calls: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._shares: defaultdict[str, list[tuple[float, Fault]]] = defaultdict(list)
        self._random = random.Random(0)  # noqa: S311 - faults that can be had again, not secrets
        self.met: Counter[str] = Counter()
        """How many calls met a fault, by kind."""

    def rate_limit(self, method: str, n: int = 1, retry_after: float = 1.0) -> None:
        """The next `n` calls get 429 with Retry-After in seconds; nothing is done."""
        self._calls[method].extend([Fault("rate_limit", retry_after=retry_after)] * n)

    def drop_answer(self, method: str, n: int = 1) -> None:
        """The next `n` calls are carried out, but the connection closes instead of an answer."""
        self._calls[method].extend([Fault("drop_answer")] * n)

    def refuse(self, method: str, n: int = 1, error: str = "internal_error") -> None:
        """The next `n` calls get `ok: false` with this code; nothing is done."""
        self._calls[method].extend([Fault("refuse", error=error)] * n)

    def server_error(self, method: str, n: int = 1) -> None:
        """The next `n` calls get HTTP 503 without JSON; nothing is done."""
        self._calls[method].extend([Fault("server_error")] * n)

    def at_random(self, method: str, share: float, fault: Fault) -> None:
        """From now on so large a share of the method's calls, 0 to 1, meets this fault, in the same order each time."""
        if not 0 <= share <= 1 or share + sum(taken for taken, _ in self._shares[method]) > 1:
            raise ValueError(f"{share:g} of the calls of {method} cannot fail so")
        self._shares[method].append((share, fault))

    def calm(self) -> None:
        """Forget every fault of calls, set or at random; what befell sockets stays."""
        self._calls.clear()
        self._shares.clear()

    async def disconnect_every(self, seconds: float) -> None:
        """Tell every open socket to go, again and again, until cancelled; Slack does so every few hours."""
        while True:
            await asyncio.sleep(seconds)
            with suppress(ConnectionError):  # a socket that has just gone need not be told
                await self.disconnect()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every open socket to go; the client must fetch a new ticket."""
        for connection in tuple(self._connections):
            await connection.dismiss(reason)

    def cut(self) -> None:
        """Break every open socket without a word, as a dead network does."""
        for connection in tuple(self._connections):
            connection.cut()

    def deafen(self) -> None:
        """The sockets open now stay open and are answered, but no event comes through them any more."""
        for connection in self._connections:
            connection.deaf = True

    def next_for(self, method: str) -> Fault | None:
        """Use up the next fault of a method; when none is set, chance may have one."""
        waiting = self._calls[method]
        fault = waiting.popleft() if waiting else self._drawn(method)
        if fault is not None:
            self.met[fault.kind] += 1
        return fault

    def _drawn(self, method: str) -> Fault | None:
        shares = self._shares[method]
        drawn = self._random.random() if shares else 1.0
        for share, fault in shares:
            if drawn < share:
                return fault
            drawn -= share
        return None

    def take(self, counter: Literal["reject_handshakes", "fail_connections_open", "lose_events"]) -> bool:
        """Use up one of a counter; False when it stands at 0."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0
