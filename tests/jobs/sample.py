"""A job, and a clock that only moves when somebody sleeps."""

import asyncio

from pydantic import JsonValue

from technoshare.models import Checkpoint, Job, Message, Receipt, Trail

NOW = 1_800_000_000.0


class FakeTime:
    """`clock()` is the time; `sleep` moves it on at once and remembers how far."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def a_job(number: int = 1, **changes) -> Job:
    ts = f"{NOW + number:.6f}"
    job = Job(
        key=f"v1 T1 C1 {ts} https://example.org/{number}",
        team="T1",
        channel="C1",
        ts=ts,
        thread_ts=ts,
        user="U1",
        url=f"https://example.org/{number}",
        received=NOW - 1,
    )
    return job.model_copy(update=changes)


def a_checkpoint(result: JsonValue = None, *, started: float = NOW) -> Checkpoint:
    return Checkpoint(result=result, trail=Trail(started=started, ended=started + 1.5))


def a_receipt(ts: str = "2.000") -> Receipt:
    return Receipt(channel="C1", thread_ts="1.000", ts=ts, message=Message(text="a comment", blocks=()))
