"""Socket Mode: tickets, sockets, envelopes to one of them, acks in time or deliveries again."""

import asyncio
import secrets
import time
from dataclasses import dataclass

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ValidationError

from technoshare.workspace.changes import Changes
from technoshare.workspace.connection import Connection
from technoshare.workspace.faults import Faults
from technoshare.workspace.identity import APP
from technoshare.workspace.shapes import Json, envelope

MAX_CONNECTIONS = 10
"""Slack's limit for one app; the eleventh is told `too_many_websockets`."""

TICKET_SECONDS = 30.0
"""How long a ticket may wait for its handshake; Slack does not document it."""


@dataclass
class Delivery:
    """One envelope sent over one socket. Times are unix seconds; an event that is retried has several deliveries."""

    envelope_id: str
    event_id: str
    event: Json
    sent_at: float
    acked_at: float | None
    retry_attempt: int
    connection: int


class Ack(BaseModel):
    """What a client answers to an envelope."""

    envelope_id: str


class SocketMode:
    """Delivers payloads to the connected bots: each to one socket, again when it is not acknowledged in time."""

    def __init__(
        self,
        connections: list[Connection],
        faults: Faults,
        changes: Changes,
        *,
        ack_seconds: float,
        retry_seconds: tuple[float, ...],
    ) -> None:
        self.connections = connections
        self.deliveries: list[Delivery] = []
        self._faults = faults
        self._changes = changes
        self._ack_seconds = ack_seconds
        self._retry_seconds = retry_seconds
        self._tickets: dict[str, float] = {}
        self._sent: dict[str, tuple[Delivery, asyncio.Event]] = {}
        self._open = asyncio.Event()
        self._opened = 0
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def ticket(self) -> str:
        """Return a ticket that opens one socket once."""
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return ticket

    def deliver(self, payload: Json, *, kind: str = "events_api") -> None:
        """Deliver a payload as soon as a socket is open, and again until it is acknowledged or given up."""
        if self._faults.take("lose_events"):
            return
        task = asyncio.get_running_loop().create_task(self._deliver(payload, kind))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, payload: Json, *, kind: str) -> bool:
        """Send what a person waits for: once, and at once or not at all. Tell whether it was acknowledged in time."""
        if all(connection.leaving for connection in self.connections):
            return False
        return await self._attempt(payload, kind, 0)

    async def close(self) -> None:
        """Stop delivering and close every socket."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in tuple(self.connections)))

    # ------------------------------------------------------------ outgoing

    async def _deliver(self, payload: Json, kind: str) -> None:
        if await self._attempt(payload, kind, 0):
            return
        for attempt, pause in enumerate(self._retry_seconds, start=1):
            await asyncio.sleep(pause)
            if await self._attempt(payload, kind, attempt):
                return

    async def _attempt(self, payload: Json, kind: str, attempt: int) -> bool:
        """Send once and tell whether it was acknowledged in time."""
        frame = envelope(payload, kind=kind, attempt=attempt)
        acked = await self._send(frame, payload, attempt)
        try:
            async with asyncio.timeout(self._ack_seconds):
                await acked.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, frame: Json, payload: Json, attempt: int) -> asyncio.Event:
        """Wait for an open socket and send; a socket that breaks meanwhile does not count as an attempt."""
        while True:
            connection = await self._next_connection()
            delivery = Delivery(
                envelope_id=frame["envelope_id"],
                event_id=payload.get("event_id") or payload.get("trigger_id", ""),
                event=payload.get("event", payload),
                sent_at=time.time(),
                acked_at=None,
                retry_attempt=attempt,
                connection=connection.number,
            )
            acked = asyncio.Event()
            self._sent[delivery.envelope_id] = delivery, acked
            try:
                if not connection.deaf:
                    await connection.send(frame)
            except ConnectionError:
                self._forget(connection)
                continue
            self.deliveries.append(delivery)
            self._changes.note()
            return acked

    async def _next_connection(self) -> Connection:
        while True:
            usable = [connection for connection in self.connections if not connection.leaving]
            if usable:
                self._turn += 1
                return usable[self._turn % len(usable)]
            self._open.clear()
            await self._open.wait()

    # ------------------------------------------------------------ incoming

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Take a client's WebSocket handshake and serve its socket until it closes."""
        valid_until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if self._faults.take("reject_handshakes") or time.monotonic() > valid_until:
            return web.Response(status=403, text="this ticket opens nothing")
        # Pings are answered below, so that a fault can stop it; a client that hangs delays the end by a second.
        socket = web.WebSocketResponse(autoping=False, timeout=1.0)
        await socket.prepare(request)
        self._opened += 1
        connection = Connection(self._opened, socket, request)
        if len(self.connections) >= MAX_CONNECTIONS:
            await connection.dismiss("too_many_websockets")
            await connection.close()
            return socket
        await self._serve(connection, socket)
        return socket

    async def _serve(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        try:
            await connection.send(_hello(len(self.connections) + 1))
            self.connections.append(connection)  # from here on envelopes may come; hello was first
            self._open.set()
            self._changes.note()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
                elif message.type is WSMsgType.PING and not self._faults.no_pong:
                    await socket.pong(message.data)
        except ConnectionError:
            pass  # the client is gone, which is a way to end
        finally:
            self._forget(connection)

    def _acknowledge(self, frame: str) -> None:
        try:
            ack = Ack.model_validate_json(frame)
        except ValidationError:
            return  # not an ack; Slack takes no notice of other frames
        if ack.envelope_id in self._sent:  # a late one is noted too, but the retry goes out all the same
            delivery, acked = self._sent[ack.envelope_id]
            delivery.acked_at = delivery.acked_at or time.time()
            acked.set()
            self._changes.note()

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self._changes.note()


def _hello(connections: int) -> Json:
    return {
        "type": "hello",
        "num_connections": connections,
        "debug_info": {"host": "local", "build_number": 1, "approximate_connection_time": 18060},
        "connection_info": {"app_id": APP},
    }
