"""Orders to a running bot through a Unix socket beside the jobs file: one JSON line in, one out.

Retry: `{"order": "retry", "job": "0123456789ab"}`; the answer is `{"refused": ""}`, or says why it was.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from technoshare.errors import TechnoShareError
from technoshare.jobs.engine import SqliteEngine, file_of, open_engine
from technoshare.models import JobId, JobState, Value

logger = logging.getLogger("technoshare.jobs")

PATIENCE = 10.0
"""Seconds for one order, on both sides; it costs one commit."""

Action = Literal["retry", "cancel"]


class Order(Value):
    """What is to be done with which job."""

    order: Action
    job: JobId


class Reply(Value):
    """Empty when the order was carried out, else the reason why not."""

    refused: str = ""


class Refusal(TechnoShareError):
    """The order makes no sense for this job."""


@asynccontextmanager
async def open_control(engine: SqliteEngine) -> AsyncIterator[None]:
    """Take orders while the block runs. A bot that cannot open the socket works without it."""
    path = socket_of(engine.database.path)
    serving: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(engine, reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    try:
        listener = _listener(path)
    except OSError as error:
        logger.warning("`technoshare jobs retry` and `cancel` will not reach this bot: %s: %s", path, error)
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


async def give_order(url: str, order: Order) -> None:
    """Have the order carried out by the bot that runs on these jobs, or do it here when none does.

    Raises `Refusal` with the reason, and `ConfigError` when the file cannot be had.
    """
    path = file_of(url)
    try:
        reader, writer = await asyncio.open_unix_connection(socket_of(path))
    except OSError:  # no socket, or one that a killed bot left behind: whether none runs, the file's lock will tell
        if not path.exists():
            raise Refusal(f"there is no job {order.job}: {path} does not exist") from None
        async with open_engine(url) as engine:
            await obey(engine, order)
        return
    with closing(writer):
        reply = await _ask(reader, writer, order)
    if reply.refused:
        raise Refusal(reply.refused)


async def obey(engine: SqliteEngine, order: Order) -> None:
    """Carry the order out. Raises `Refusal` when the job is unknown or in the wrong state, or the disk is full."""
    act = engine.retry if order.order == "retry" else engine.cancel
    try:
        state = await engine.state(order.job)
        done = await act(order.job)
    except sqlite3.Error as error:
        raise Refusal(f"the jobs file refuses: {error}") from error
    if state is None:
        raise Refusal(f"there is no job {order.job}")
    if not done:
        raise Refusal(_why_not(order, state))


def socket_of(path: Path) -> Path:
    """Return where the bot that owns this jobs file listens."""
    return path.with_name(f"{path.name}.sock")


def _why_not(order: Order, state: JobState) -> str:
    now = {"ready": "waits for its turn", "running": "is being worked on", "done": "is done", "dead": "is dead"}[state]
    rule = "only a job that ended can be retried" if order.order == "retry" else "only one that waits can be cancelled"
    return f"job {order.job} {now}; {rule}"


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, order: Order) -> Reply:
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(order.model_dump_json().encode() + b"\n")
            return Reply.model_validate_json(await reader.readline())
    except (OSError, TimeoutError, ValidationError) as error:
        raise TechnoShareError("the running bot did not answer; look with `technoshare jobs show`") from error


async def _serve(engine: SqliteEngine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(OSError, TimeoutError):  # whoever asked has gone
        async with asyncio.timeout(PATIENCE):
            reply = await _reply(engine, reader)
            writer.write(reply.model_dump_json().encode() + b"\n")
            await writer.drain()


async def _reply(engine: SqliteEngine, reader: asyncio.StreamReader) -> Reply:
    try:
        order = Order.model_validate_json(await reader.readline())
        await obey(engine, order)
    except ValueError:  # pydantic's error, and a line that is too long
        return Reply(refused='an order looks like {"order": "retry", "job": "0123456789ab"}')
    except Refusal as refusal:
        return Reply(refused=str(refusal))
    logger.info("by hand: %s %s", order.order, order.job)
    return Reply()


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
