"""Orders to a running bot through a Unix socket beside the jobs file: one JSON line in, one out.

Retry: `{"order": "retry", "job": "0123456789ab"}`; the answer is `{"told": "waits for a new start", "refused": ""}`, or
says why it was refused.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from technoshare.errors import TechnoShareError
from technoshare.jobs.engine import file_of, open_engine
from technoshare.jobs.orders import Desk, JobOrder, Order, Refusal, ShelfOrder, obey
from technoshare.models import Value

logger = logging.getLogger("technoshare.jobs")

PATIENCE = 10.0
"""Seconds for one order, on both sides; most cost one commit, forgetting waits a few seconds for MLflow."""

_ORDER: TypeAdapter[JobOrder | ShelfOrder] = TypeAdapter(Order)


class Reply(Value):
    """What was done; or, in `refused`, why nothing was."""

    told: str = ""
    refused: str = ""


@asynccontextmanager
async def open_control(desk: Desk) -> AsyncIterator[None]:
    """Take orders while the block runs. A bot that cannot open the socket works without it."""
    path = socket_of(desk.engine.database.path)
    serving: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(desk, reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    try:
        listener = _listener(path)
    except OSError as error:
        logger.warning("orders such as `technoshare jobs retry` will not reach this bot: %s: %s", path, error)
        yield
        return
    server = await asyncio.start_unix_server(connected, sock=listener)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@asynccontextmanager
async def open_desk(url: str) -> AsyncIterator[Desk]:
    """What retrying and cancelling take. Raises `ConfigError` when the file cannot be had."""
    async with open_engine(url) as engine:
        yield Desk(engine)


async def give_order(
    url: str, order: JobOrder | ShelfOrder, desk: AbstractAsyncContextManager[Desk] | None = None
) -> str:
    """Have the order carried out by the bot that runs on these jobs, or, when none does, at our own desk.

    Returns what to tell. Raises `Refusal` with the reason, and `ConfigError` when the file cannot be had.
    """
    path = file_of(url)
    try:
        reader, writer = await asyncio.open_unix_connection(socket_of(path))
    except OSError:  # no socket, or one that a killed bot left behind: whether none runs, the file's lock will tell
        if not path.exists():
            raise Refusal(f"{path} does not exist: no bot has run with this JOBS_URL") from None
        async with desk or open_desk(url) as opened:
            return await obey(opened, order)
    with closing(writer):
        reply = await _ask(reader, writer, order)
    if reply.refused:
        raise Refusal(reply.refused)
    return reply.told


def socket_of(path: Path) -> Path:
    """Return where the bot that owns this jobs file listens."""
    return path.with_name(f"{path.name}.sock")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, order: JobOrder | ShelfOrder) -> Reply:
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(order.model_dump_json().encode() + b"\n")
            return Reply.model_validate_json(await reader.readline())
    except (OSError, TimeoutError, ValidationError) as error:
        raise TechnoShareError("the running bot did not answer; look with `technoshare jobs show`") from error


async def _serve(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(OSError, TimeoutError):  # whoever asked has gone
        async with asyncio.timeout(PATIENCE):
            reply = await _reply(desk, reader)
            writer.write(reply.model_dump_json().encode() + b"\n")
            await writer.drain()


async def _reply(desk: Desk, reader: asyncio.StreamReader) -> Reply:
    try:
        order = _ORDER.validate_json(await reader.readline())
        told = await obey(desk, order)
    except ValueError:  # pydantic's error, and a line that is too long
        return Reply(refused='an order looks like {"order": "retry", "job": "0123456789ab"}')
    except Refusal as refusal:
        return Reply(refused=str(refusal))
    logger.info("by hand: %s", order.model_dump_json())
    return Reply(told=told)


def _listener(path: Path) -> socket.socket:
    """Return a socket that only this user can reach; nobody can between bind and chmod, since it does not listen yet.

    What a killed bot left behind is replaced; the lock on the jobs file says that no other bot listens there.
    """
    if path.is_socket():
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener
