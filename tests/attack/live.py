"""A small world on loopback: every address leads to one of two real servers, and those count who comes.

Sockets that the guard lets pass are wired to the server outside when their address is one of the table's good ones,
and to the server inside otherwise: the world does not ask the guard what it thinks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from technoshare.errors import FetchRefused
from technoshare.retrieval.guard import Policy
from tests.attack.addresses import GOOD_LITERALS, NAMES, OUTSIDE, OUTSIDE_6
from tests.attack.bodies import Body, once

PUBLIC = {ip_address(address.strip("[]")) for address in (*GOOD_LITERALS.split(), OUTSIDE, OUTSIDE_6)}


@dataclass
class World:
    """What was connected and what the two servers saw; and how the one outside answers."""

    connected: list[str] = field(default_factory=list)
    """Addresses that a socket was connected to."""
    served: dict[str, int] = field(default_factory=lambda: {"inside": 0, "outside": 0})
    """Connections that the servers accepted."""
    ports: dict[str, int] = field(default_factory=dict)
    redirects: list[str] = field(default_factory=list)
    """Locations that the next answers outside name, one after another."""
    body: Body | None = None
    """What the server outside sends instead of a page."""
    turning: list[str] = field(default_factory=list)
    """What `turning.example.org` leads to, one look-up after another."""

    def wire(self, family: int, kind: int, protocol: int) -> socket.socket:
        """Return a socket that reaches the server which stands for the address."""
        return _Wired(self, family, kind, protocol)

    @property
    def inside(self) -> int:
        """Connections to forbidden addresses, by the account that knows more of them."""
        return max(self.served["inside"], sum(side_of(address) == "inside" for address in self.connected))

    async def serve(self, side: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; inside always with a page, because a caught request must look like a success."""
        self.served[side] += 1
        with suppress(ConnectionError):
            is_tls = (await reader.read(65_536))[:1] == b"\x16"
            async for piece in _nothing() if is_tls else self._answer(side):
                writer.write(piece)
                await writer.drain()
                if writer.is_closing() or reader.at_eof():
                    break
        writer.close()

    def _answer(self, side: str) -> AsyncIterator[bytes]:
        if side == "outside" and self.redirects:
            return once(b"HTTP/1.1 302 Found\r\nLocation: " + self.redirects.pop(0).encode() + _END)()
        if side == "outside" and self.body:
            return self.body()
        return once(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain" + _END)()


_END = b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_nothing = once(b"")


def side_of(address: str) -> str:
    """Return where an address belongs in this world."""
    return "outside" if ip_address(address.partition("%")[0]) in PUBLIC else "inside"


class _Wired(socket.socket):
    """An IPv4 socket that takes any address and goes to loopback; asyncio believes in the family it asked for."""

    def __init__(self, world: World, family: int, kind: int, protocol: int) -> None:
        super().__init__(socket.AF_INET, kind, protocol)
        self._world, self._asked = world, socket.AddressFamily(family)

    @property
    def family(self) -> socket.AddressFamily:  # type: ignore[override]
        return self._asked

    def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
        self._world.connected.append(address[0])
        super().connect(("127.0.0.1", self._world.ports[side_of(address[0])]))


class Resolver(AbstractResolver):
    """The world's names. Numbers in odd spellings mean what they mean to a system's resolver; all others lead outside."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [answer(host, address, port) for address in self.addresses(host)]

    def addresses(self, host: str) -> Sequence[str]:
        if host == "turning.example.org" and self.world.turning:
            turns = self.world.turning
            return [turns.pop(0) if len(turns) > 1 else turns[0]]
        with suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]
        if _is_internal(host):
            return ["127.0.0.1"]
        return NAMES.get(host, [OUTSIDE])

    async def close(self) -> None:
        pass


class Deceiver(Resolver):
    """Shows every name's look-up a public address, and its real one to the connection: perfect rebinding."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [_TwoFaced(answer(host, address, port)) for address in self.addresses(host)]


class _TwoFaced(dict):  # type: ignore[type-arg]
    looked = False

    def __getitem__(self, key: str) -> object:
        if key == "host" and not self.looked:
            self.looked = True
            return OUTSIDE
        return super().__getitem__(key)


def answer(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)


def _is_internal(host: str) -> bool:
    """Tell whether a company's resolver would know the name: it has no dot, or an internal ending."""
    last = host.rstrip(".").rpartition(".")[2]
    return "." not in host.rstrip(".") or last not in {"org", "com", "uk", "example"}


class OnlyTheSocket(Policy):
    """The policy without its look at the form, so that everything gets as far as the socket factory."""

    def check(self, url: str) -> URL:
        try:
            parsed = URL(url)
        except ValueError as error:
            raise FetchRefused("no address") from error
        if not parsed.host or not parsed.port:
            raise FetchRefused("no address")
        return parsed


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """Start both servers."""
    world = World()
    async with AsyncExitStack() as servers:
        for side in ("inside", "outside"):
            server = await asyncio.start_server(partial(world.serve, side), "127.0.0.1", 0)
            world.ports[side] = server.sockets[0].getsockname()[1]
            await servers.enter_async_context(server)
        yield world
