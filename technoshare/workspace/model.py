"""A scripted OpenAI-protocol server on loopback, for tests, benchmarks and offline demonstrations.

It speaks Chat Completions and Responses, fills any JSON schema, answers this project's own schemas with sentences from
the page in the prompt, and misbehaves on demand. Run it alone: `python -m technoshare.workspace.model --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import random
import signal
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from technoshare.workspace import model_faults as faults
from technoshare.workspace import model_says
from technoshare.workspace.model_protocol import Asked, BadRequest, Chat, Responses, Said, check, tokens

MOST_BODY = 16 * 1024 * 1024  # bytes of a request; a prompt of 100,000 characters is far below
KEPT = 100  # requests to look at afterwards; more would only fill the memory of a long benchmark


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves; times in seconds."""

    latency: float = 0.0
    jitter: float = 0.0
    """Up to so much is added to the latency."""
    search_rounds: int = 1
    """So many rounds of tool calls come before an answer, where tools are offered."""
    fault_rate: float = 0.0
    """Share of requests that meet one of `rate_faults`."""
    rate_faults: tuple[str, ...] = ("429", "500", "503", "reset")
    retry_after: float = 1.0
    """What a 429 asks to wait."""
    refuses: tuple[str, ...] = ()
    """Parameters that are refused by name, such as `tools`; `response_format=json_schema` refuses only that type."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every answer."""


class ModelServer:
    """A running server; `base_url` is what OPENAI_BASE_URL takes."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.base_url = ""
        self.bodies: deque[dict[str, Any]] = deque(maxlen=KEPT)
        """The JSON of the last requests."""
        self._random = random.Random(0)  # noqa: S311 - faults and jitter that can be had again, not secrets
        self._script: deque[str] = deque()
        self._kinds: Counter[str] = Counter()
        self._apis: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._in_flight = 0
        self._most_in_flight = 0
        self._gates: dict[str, asyncio.Event] = {}
        self._held = asyncio.Event()

    # ---------------------------------------------------------------- what tests and benchmarks do with it

    def script(self, *names: str) -> None:
        """Let the next requests meet these faults, one each; an empty name is a request that goes well."""
        if unknown := [name for name in names if name and not faults.known(name)]:
            raise ValueError(f"no fault {', '.join(unknown)}; there are {', '.join(faults.NAMES)} and any 4xx or 5xx")
        self._script.extend(names)

    def requests(self, kind: str | None = None) -> int:
        """Return how many requests came, of one kind when given: `tools`, `text`, or a schema's name (`facts`, …)."""
        return self._kinds.total() if kind is None else self._kinds[kind]

    def hold(self, kind: str) -> None:
        """Keep every answer of the kind back until `release`."""
        self._gates[kind] = asyncio.Event()
        self._held.clear()

    async def until_held(self) -> None:
        """Wait until an answer is being kept back."""
        await self._held.wait()

    def release(self) -> None:
        """Let out what was kept back, and keep nothing back any more."""
        for gate in self._gates.values():
            gate.set()
        self._gates.clear()

    def stats(self) -> dict[str, Any]:
        """Return what came so far: requests by API, kind and fault, tokens told, requests in flight now and at most."""
        return {
            "requests": self._kinds.total(),
            "by_api": dict(self._apis),
            "by_kind": dict(self._kinds),
            "by_fault": dict(self._faults),
            "input_tokens": self._tokens["input"],
            "output_tokens": self._tokens["output"],
            "in_flight": self._in_flight,
            "max_in_flight": self._most_in_flight,
        }

    # ---------------------------------------------------------------- what it answers

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        return await self._counted(Chat(), request)

    async def responses(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/responses`."""
        return await self._counted(Responses(), request)

    async def models(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/models`."""
        del request
        return web.json_response(
            {"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "here"}]}
        )

    async def control(self, request: web.Request) -> web.StreamResponse:
        """`POST /control` with `{"faults": ["429", "hang", …]}` adds to the script."""
        try:
            self.script(*(await request.json())["faults"])
        except (ValueError, KeyError, TypeError) as error:
            return faults.refuse(400, str(error), "bad_control")
        return web.json_response({"scripted": list(self._script)})

    async def show_stats(self, request: web.Request) -> web.StreamResponse:
        """`GET /stats`."""
        del request
        return web.json_response(self.stats())

    async def _counted(self, api: Chat | Responses, request: web.Request) -> web.StreamResponse:
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            return await self._answer(api, request)
        except BadRequest as error:
            return faults.refuse(400, str(error), "invalid_request_error")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return faults.refuse(400, f"not a request: {error!r}", "invalid_request_error")
        finally:
            self._in_flight -= 1

    async def _answer(self, api: Chat | Responses, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        asked = api.read(body)
        self._kinds[asked.kind] += 1
        self._apis[api.name] += 1
        if refused := next((name for name in self.behaviour.refuses if faults.has(body, name)), None):
            self._faults["refused"] += 1
            return faults.refuse_parameter(refused.partition("=")[0])
        if body.get("stream"):
            raise BadRequest("this server does not stream")
        check(asked)
        fault = self._next_fault()
        await self._pause(asked)
        said = faults.worsen(fault, self._says(asked))
        if not faults.hides_usage(fault):
            self._tokens.update(input=tokens(asked.prompt), output=tokens(said.text))
        behaviour = self.behaviour
        return await faults.send(
            fault, request, api.write(asked, said), retry_after=behaviour.retry_after, more=behaviour.headers
        )

    def _next_fault(self) -> str:
        if self._script:
            fault = self._script.popleft()
        elif self._random.random() < self.behaviour.fault_rate:
            fault = self._random.choice(self.behaviour.rate_faults)
        else:
            fault = ""
        self._faults.update([fault] if fault else [])
        return fault

    async def _pause(self, asked: Asked) -> None:
        await asyncio.sleep(self.behaviour.latency + self._random.random() * self.behaviour.jitter)
        if gate := self._gates.get(asked.kind):
            self._held.set()
            await gate.wait()

    def _says(self, asked: Asked) -> Said:
        if asked.tools and asked.rounds < self.behaviour.search_rounds:
            name, schema = next(iter(asked.tools.items()))
            arguments = model_says.fill(schema, model_says.query(asked.prompt))
            return Said(calls=((name, model_says.as_json(arguments)),), finish="tool_calls")
        if asked.schema is None:
            return Said("I have what I need." if asked.tools else model_says.unbound(asked.prompt))
        return Said(model_says.as_json(model_says.answer(asked.schema_name, asked.schema, asked.prompt)))


@asynccontextmanager
async def open_model_server(
    behaviour: Behaviour = Behaviour(),
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[ModelServer]:
    """Run a server until the block ends; port 0 takes a free one. Raises `OSError` when the port is taken."""
    server = ModelServer(behaviour)
    application = web.Application(client_max_size=MOST_BODY)
    application.add_routes(
        [
            web.post("/v1/chat/completions", server.chat),
            web.post("/v1/responses", server.responses),
            web.get("/v1/models", server.models),
            web.post("/control", server.control),
            web.get("/stats", server.show_stats),
        ]
    )
    # A client that gives up ends its handler, and the end of the block does not wait for one that hangs on purpose.
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        server.base_url = f"http://{host}:{runner.addresses[0][1]}/v1"
        yield server
    finally:
        server.release()
        await runner.cleanup()


# ---------------------------------------------------------------- on its own


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns 0, or 2 when the port is taken or a fault's name is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(parsed))
    except (OSError, ValueError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        told = f"port {parsed.port} is taken; choose another with --port" if taken else str(error)
        print(f"model server: {told}", file=sys.stderr)  # noqa: T201 - a program's last words
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m technoshare.workspace.model", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before every answer")
    parser.add_argument("--jitter", type=float, default=0.0, metavar="SECONDS", help="up to so much more")
    parser.add_argument("--search-rounds", type=int, default=1, metavar="N", help="rounds of tool calls (default 1)")
    parser.add_argument("--fault-rate", type=float, default=0.0, metavar="SHARE", help="0 to 1")
    parser.add_argument("--retry-after", type=float, default=1.0, metavar="SECONDS", help="what a 429 asks to wait")
    parser.add_argument(
        "--faults",
        default="",
        metavar="NAMES",
        help=f"for the first requests: {', '.join(faults.NAMES)}, any 4xx or 5xx",
    )
    return parser


async def _serve(parsed: argparse.Namespace) -> None:
    behaviour = Behaviour(
        latency=parsed.latency,
        jitter=parsed.jitter,
        search_rounds=parsed.search_rounds,
        fault_rate=parsed.fault_rate,
        retry_after=parsed.retry_after,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with open_model_server(behaviour, port=parsed.port) as server:
        server.script(*(name for name in parsed.faults.split(",") if name))
        print(f"model server on {server.base_url}", flush=True)  # noqa: T201 - the one line that tells its address
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
