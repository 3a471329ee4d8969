"""What can be ordered from the command line, and how it is carried out, in the running bot or without one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

from pydantic import Field

from technoshare.errors import ConfigError, TechnoShareError
from technoshare.jobs.engine import SqliteEngine
from technoshare.jobs.forgetting import close_job, drop_job
from technoshare.models import JobId, JobState, Value
from technoshare.ports import Clock


class JobOrder(Value):
    """What is to be done with which job."""

    order: Literal["retry", "cancel", "forget"]
    job: JobId


class ShelfOrder(Value):
    """Let an entry on the shelf of MLflow's spool try again; all of them without a number."""

    order: Literal["unshelve"] = "unshelve"
    entry: int | None = None


Order = Annotated[JobOrder | ShelfOrder, Field(discriminator="order")]


class Refusal(TechnoShareError):
    """The order makes no sense for this job."""


class Memory(Protocol):
    """Whatever remembers jobs besides the jobs file."""

    async def forget(self, job_id: JobId) -> int:
        """Leave nothing of the job; return how many things were dropped. Raises `sqlite3.Error`."""


class Archive(Memory, Protocol):
    """MLflow and the spool on the way there."""

    async def forgotten(self, job_id: JobId) -> str:
        """Say, after some seconds at most, how far MLflow is with what it was told to forget."""

    async def unshelve(self, number: int | None) -> int:
        """Let what MLflow has refused try again; return how many entries. Raises `sqlite3.Error`."""


class Blank:
    """Where nothing but the jobs file is at hand: enough to retry and to cancel."""

    async def forget(self, job_id: JobId) -> int:
        """Have nothing."""
        del job_id
        return 0

    async def forgotten(self, job_id: JobId) -> str:
        """Say so."""
        return f"nothing but the jobs file was asked to forget {job_id}"

    async def unshelve(self, number: int | None) -> int:
        """Have nothing."""
        del number
        return 0


@dataclass(frozen=True)
class Desk:
    """What orders act on."""

    engine: SqliteEngine
    archive: Archive = field(default_factory=Blank)
    pages: Memory = field(default_factory=Blank)
    permalink: Callable[[str, str], str] = lambda channel, ts: f"channel {channel}, message {ts}"
    """Where a post is, for people."""
    clock: Clock = time.time


async def obey(desk: Desk, order: JobOrder | ShelfOrder) -> str:
    """Carry the order out and return what to tell. Raises `Refusal` when it makes no sense, or the disk is full."""
    try:
        match order:
            case ShelfOrder():
                return await _unshelve(desk, order)
            case JobOrder(order="forget"):
                return await _forget(desk, order)
            case JobOrder():
                return await _change(desk, order)
    except (sqlite3.Error, ConfigError) as error:
        raise Refusal(f"the file refuses: {error}") from error


async def _change(desk: Desk, order: JobOrder) -> str:
    act, told = {
        "retry": (desk.engine.retry, "waits for a new start"),
        "cancel": (desk.engine.cancel, "cancelled"),
    }[order.order]
    state = await desk.engine.state(order.job)
    if not await act(order.job):
        raise Refusal(_why_not(order, state))
    return told


async def _forget(desk: Desk, order: JobOrder) -> str:
    """Close the job first, so that nothing more is written, and empty its row last: the order may be repeated."""
    database = desk.engine.database
    if not await close_job(database, order.job, desk.clock()):
        raise Refusal(_why_not(order, await desk.engine.state(order.job)))
    entries = await desk.archive.forget(order.job)
    pages = await desk.pages.forget(order.job)
    dropped = await drop_job(database, order.job)
    counted = (*dropped.counts.items(), ("cached pages", pages), ("entries for MLflow", entries))
    lines = [
        "forgotten here: " + (", ".join(f"{name} ({number})" for name, number in counted if number) or "its link"),
        await desk.archive.forgotten(order.job),
        *(f"its post stays in Slack: {desk.permalink(*post)}" for post in dropped.posts),
    ]
    return "\n".join(lines)


async def _unshelve(desk: Desk, order: ShelfOrder) -> str:
    number = await desk.archive.unshelve(order.entry)
    if not number and order.entry is not None:
        raise Refusal(f"there is no entry {order.entry} on the shelf")
    return f"{number} tried again"


def _why_not(order: JobOrder, state: JobState | None) -> str:
    if state is None:
        return f"there is no job {order.job}"
    now = {"ready": "waits for its turn", "running": "is being worked on", "done": "is done", "dead": "is dead"}[state]
    rule = {
        "retry": "only a job that ended and is not forgotten can be retried",
        "cancel": "only one that waits can be cancelled",
        "forget": "it can be forgotten when it has ended",
    }[order.order]
    return f"job {order.job} {now}; {rule}"
