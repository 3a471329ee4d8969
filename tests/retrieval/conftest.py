"""A small web on loopback, and names that lead wherever a test wants."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult


class Site:
    """A loopback web server that counts its requests."""

    def __init__(self, port: int, requests: list[web.Request]) -> None:
        self.port = port
        self.requests = requests
        self.origin = f"127.0.0.1:{port}"
        self.url = f"http://{self.origin}"


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OpenSite = Callable[[Handler], Awaitable[Site]]


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello from {request.path}")


@pytest.fixture
async def open_site() -> AsyncIterator[OpenSite]:
    """Open servers with `await open_site(handler)`; they close with the test."""
    runners = []

    async def start(handler: Handler = hello) -> Site:
        seen: list[web.Request] = []

        async def counted(request: web.Request) -> web.StreamResponse:
            seen.append(request)
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", counted)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        runners.append(runner)
        listener = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listener).start()
        return Site(listener.getsockname()[1], seen)

    yield start
    for runner in runners:
        await runner.cleanup()


class Names(AbstractResolver):
    """Answers for a name, one list of addresses per look-up; the last one stays."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): addresses for name, addresses in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        turns = self.answers[host]
        found = turns.pop(0) if len(turns) > 1 else turns[0]
        return [answer(host, address, port) for address in found]

    async def close(self) -> None:
        pass


def answer(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)


@pytest.fixture
def names() -> type[Names]:
    return Names
