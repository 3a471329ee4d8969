"""The openai client of a server and the wire over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai import AsyncOpenAI

from technoshare.llm import concessions
from technoshare.llm.chat import ChatWire
from technoshare.llm.pace import Pace
from technoshare.llm.responses import ResponsesWire
from technoshare.llm.retrying import Retrying
from technoshare.llm.server import Server
from technoshare.llm.wire import OPENAI_URL, Api, Wire, is_openai, wire_for


@asynccontextmanager
async def open_wire(*, api: Api, base_url: str | None, api_key: str | None) -> AsyncIterator[Wire]:
    """Open the wire that fits the server; its connections are closed at the end."""
    address = base_url or OPENAI_URL  # given always, or the client would read the environment by itself
    # Servers of one's own often want no key, but the client insists on some text.
    async with AsyncOpenAI(api_key=api_key or "none", base_url=address, max_retries=0) as client:
        pace = Pace()
        yield Retrying(plain_wire(wire_for(api, address), client, pace, full=is_openai(address)), pace)


def plain_wire(name: str, client: AsyncOpenAI, pace: Pace, *, full: bool) -> Wire:
    """Return the wire without retries."""
    if name == "responses":
        return ResponsesWire(Server(client, concessions.RESPONSES, pace), full=full)
    return ChatWire(Server(client, concessions.CHAT, pace), full=full)
