"""An engine that remembers, and a bot connected to a local workspace."""

import asyncio
import time
from contextlib import asynccontextmanager

from technoshare.models import Click, Job, Submitted, Vote
from technoshare.slack.connection import open_slack
from technoshare.workspace.server import open_workspace


class Engine:
    """A job engine that only stores: it may be told to wait, or to fail."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.signs: dict[str, float] = {}
        self.retries: list[tuple[str, int]] = []
        self.failures: list[Exception] = []
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    @property
    def urls(self) -> list[str]:
        return [job.url for job in self.jobs.values()]

    async def submit(self, job, *, run_at=None, priority=0) -> Submitted:
        self.entered.set()
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        fresh = job.key not in self.jobs
        self.jobs.setdefault(job.key, job)
        return Submitted(job_id=job.id, fresh=fresh)

    async def signed(self, job_id, at) -> None:
        self.signs.setdefault(job_id, at)

    async def retry(self, job_id, *, generation=None) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        self.retries.append((job_id, generation))
        return True


class Messages:
    """Remembers which messages are gone; `standing` is how the links of every message ended."""

    def __init__(self, *standing) -> None:
        self.gone: list[tuple[str, str]] = []
        self.standing = standing
        self.unanswered: set[str] = set()
        self.missing: list[tuple[str, str]] = []
        self.signed: list[tuple[str, str]] = []

    async def waiting(self, channel, since) -> set[str]:
        return {ts for ts in self.unanswered if float(ts) >= since}

    async def withdraw(self, channel, ts) -> None:
        self.gone.append((channel, ts))

    async def ends(self, channel, ts):
        return self.standing

    async def unsigned(self):
        return tuple((channel, ts, False) for channel, ts in self.missing)

    async def note_sign(self, channel, ts) -> None:
        self.signed.append((channel, ts))


class Looks:
    """Up to where channels were read back, in memory."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    async def last(self, channel) -> float | None:
        return self.times.get(channel)

    async def note(self, channel, at) -> None:
        self.times[channel] = max(at, self.times.get(channel, at))


class Votes:
    """Counts every click, wherever it comes from; remembers what it was told."""

    def __init__(self) -> None:
        self.clicks: list[Click] = []
        self.standing: dict[str, str] = {}
        self.explained: list[Vote] = []
        self.stands = True
        self.failures: list[Exception] = []
        self.handed_on = 0
        self.may_hand_on = asyncio.Event()
        self.may_hand_on.set()

    async def cast(self, click) -> Vote | None:
        if self.failures:
            raise self.failures.pop(0)
        self.clicks.append(click)
        if not self.stands:
            return None
        value = "none" if self.standing.get(click.user) == click.value else click.value
        self.standing[click.user] = value
        return Vote.model_validate(click.model_dump(exclude={"ts"}) | {"value": value})

    async def explain(self, vote) -> bool:
        self.explained.append(vote)
        return self.stands

    async def hand_on(self) -> None:
        await self.may_hand_on.wait()
        self.handed_on += 1


def unexpected(problem) -> None:
    raise AssertionError(problem)


@asynccontextmanager
async def a_bot(workspace, engine, **changes):
    """The Slack room, connected; the rhythms are quick so that what has to be waited for comes soon."""
    settings = {
        "bot_token": workspace.bot_token,
        "app_token": workspace.app_token,
        "api_url": workspace.api_url,
        "channels": (workspace.channel,),
        "engine": engine,
        "messages": Messages(),
        "looks": Looks(),
        "votes": Votes(),
        "refused": unexpected,
        "clock": time.time,
        "ping_seconds": 0.1,
        "watch_seconds": 0.02,
        "pause_seconds": 0.02,
    }
    async with open_slack(**settings | changes) as slack:
        yield slack


@asynccontextmanager
async def a_running_bot(engine, **changes):
    async with open_workspace() as workspace, a_bot(workspace, engine, **changes) as slack:
        await asyncio.wait_for(slack.connected.wait(), 10)
        yield workspace


def acked(workspace, count=1):
    """Whether so many different events were delivered and all of them acknowledged in the end."""
    events = {delivery.event_id for delivery in workspace.deliveries}
    done = {delivery.event_id for delivery in workspace.deliveries if delivery.acked_at}
    return len(events) >= count and events == done
