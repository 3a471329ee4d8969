"""A door before an MLflow server that can be shut in several ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Mood = Literal["open", "refused", "silent", "500"]

_SORRY = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"


class Gate:
    """Listens on a port of its own and passes everything on to `target`, or does what its mood is."""

    def __init__(self, target: str = "") -> None:
        self.target = target
        self._mood: Mood = "refused"
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def be(self, mood: Mood) -> None:
        """Change the mood; connections that are open break."""
        self._mood = mood
        for writer in tuple(self._open):
            writer.transport.abort()
        if mood == "refused":
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._mood == "open":
                await self._pass_on(reader, writer)
            while self._mood != "open" and await reader.read(65536):
                if self._mood == "500":
                    writer.write(_SORRY)
                    await writer.drain()
                    return
        except OSError:
            pass  # one side has gone, as it may
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = urlsplit(self.target)
        from_server, to_server = await asyncio.open_connection(there.hostname, there.port)
        self._open.add(to_server)
        try:
            back = asyncio.create_task(_copy(from_server, writer))
            await _copy(reader, to_server)
            await back
        finally:
            self._open.discard(to_server)
            to_server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def open_gate(target: str = "") -> AsyncIterator[Gate]:
    """A gate that is open when it has a target."""
    gate = Gate(target)
    await gate.be("open")  # takes its port
    if not target:
        await gate.be("refused")
    try:
        yield gate
    finally:
        await gate.be("refused")
