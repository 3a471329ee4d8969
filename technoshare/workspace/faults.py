"""Switches that make the local Slack misbehave as the real one has been seen to."""

from collections import defaultdict, deque
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
        """Use up the next fault of a method."""
        waiting = self._calls[method]
        return waiting.popleft() if waiting else None

    def take(self, counter: Literal["reject_handshakes", "fail_connections_open", "lose_events"]) -> bool:
        """Use up one of a counter; False when it stands at 0."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0
