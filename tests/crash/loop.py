"""Kill the bot -9 at random points, again and again, while Slack redelivers, doubles, limits and drops; then count."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from technoshare.workspace.faults import Fault
from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.server import Workspace, open_workspace
from tests.bench.__main__ import open_pages
from tests.bot_process import comments, environment
from tests.crash.life import Life
from tests.crash.toll import Stages, Toll, ended_jobs, finished_stages, integrity, interruptions, unfinished

CALLS = ("chat.postMessage", "reactions.add", "reactions.remove", "conversations.replies", "conversations.history")


@dataclass(frozen=True)
class Plan:
    """How to torment; the same seed takes the same decisions, the machine's timing does the rest."""

    kills: int = 20
    links: int = 6
    """Posted in each life."""
    seed: int = 0
    dropped: float = 0.1
    """Share of posts that Slack accepts without an answer."""
    blind: bool = False
    """Leave the look-up out, so that the loop must find duplicates."""
    longest_life: float = 1.5
    """Seconds between the moment at which the bot connects, or begins to work, and its death, at most."""
    patience: float = 300.0
    """Seconds that the last life may take to finish everything."""


async def crash(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Toll:
    """Run the loop in an empty folder and return what it cost; `tell` gets a line now and then."""
    began = time.monotonic()
    async with (
        open_pages() as port,
        open_workspace(ack_seconds=1.0, retry_seconds=(0.0, 1.0, 3.0, 5.0, 10.0, 20.0)) as workspace,
        open_model_server(Behaviour(jitter=0.05)) as model,
    ):
        settings = environment(
            workspace, folder, FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}", LOG_LEVEL="DEBUG", WORKERS="8",
            OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000", LLM_API="chat",
        )  # fmt: skip
        loop = Loop(plan, workspace, settings, folder, port)
        await loop.run(tell)
        return loop.toll(time.monotonic() - began)


class Loop:
    """The state of one loop."""

    def __init__(self, plan: Plan, workspace: Workspace, settings: dict[str, str], folder: Path, port: int) -> None:
        self._plan = plan
        self._workspace = workspace
        self._settings = settings
        self._folder = folder
        self._file = folder / "technoshare.db"
        self._port = port
        self._chance = random.Random(plan.seed)  # noqa: S311 - decisions that can be had again
        self._stages = Stages()
        self._said: list[str] = []
        self._lives = 0

    async def run(self, tell: Callable[[str], None]) -> None:
        """Kill as often as planned, then let one bot finish in peace."""
        self._misbehave()
        for kill in range(1, self._plan.kills + 1):
            with self._life() as life:
                await self._torment(life)
            if kill % 10 == 0 or kill == self._plan.kills:
                tell(f"{kill:4} kills, {len(self._said)} links, {unfinished(self._file)} jobs unfinished")
        self._workspace.faults.calm()
        with self._life():
            await self._settled()

    @contextmanager
    def _life(self) -> Iterator[Life]:
        finished = finished_stages(self._file)
        self._lives += 1
        life = Life(self._settings, self._folder / f"life-{self._lives}.log", blind=self._plan.blind)
        try:
            yield life
        finally:
            life.kill()
            self._stages.count(life.log.read_text("utf-8", "replace"), finished)

    def _misbehave(self) -> None:
        faults = self._workspace.faults
        for method in CALLS:
            faults.at_random(method, 0.05, Fault("rate_limit", retry_after=1))
        faults.at_random("chat.postMessage", self._plan.dropped, Fault("drop_answer"))
        faults.at_random("chat.postMessage", 0.01, Fault("server_error"))
        faults.at_random("conversations.replies", 0.05, Fault("server_error"))

    async def _torment(self, life: Life) -> None:
        """Post links before and after the bot connects, then return at the moment at which it is to die."""
        early = self._chance.randint(0, self._plan.links)
        self._post(early)
        await self._workspace.until(lambda: self._workspace.connected, timeout=60)
        self._post(self._plan.links - early)
        moment, when = self._chance.random(), self._chance.uniform(0.0, self._plan.longest_life)
        if moment < 0.8:
            await _until(lambda: life.ready, 60)
        if moment < 0.4:
            await self._next_post()
        else:
            await asyncio.sleep(when)

    def _post(self, links: int) -> None:
        """Say so many links, now and then one that was said before; some events come twice under different ids."""
        for _ in range(links):
            again = self._said and self._chance.random() < 0.05
            page = self._chance.randrange(len(self._said)) if again else len(self._said)
            self._said.append(self._workspace.say(f"look: http://127.0.0.1:{self._port}/{page}"))
            if self._chance.random() < 0.2:
                self._deliver_again(self._chance.choice(self._said))

    def _deliver_again(self, ts: str) -> None:
        (message,) = (message for message in self._workspace.messages() if message["ts"] == ts)
        shared = {"channel": self._workspace.channel, "event_ts": ts, "channel_type": "channel"}
        self._workspace.deliver({**message, **shared})

    async def _next_post(self) -> None:
        """Return at the moment at which a post has been accepted, or after a while without one."""
        before = self._posts()
        try:
            await self._workspace.until(lambda: self._posts() > before, timeout=self._plan.longest_life)
        except TimeoutError:
            return

    def _posts(self) -> int:
        return sum(call.method == "chat.postMessage" for call in self._workspace.calls)

    async def _settled(self) -> None:
        """Return when every link has its end and its sign, or when patience ends: the count will tell."""
        await _until(lambda: set(self._said) <= ended_jobs(self._file).keys(), self._plan.patience)
        await _until(lambda: not self._unsigned(), 60)

    def _unsigned(self) -> list[str]:
        """Return the messages that do not show, and show alone, the sign of an end."""
        ends = (["white_check_mark"], ["warning"])
        return [ts for ts in set(self._said) if self._workspace.reactions(ts) not in ends]

    def toll(self, seconds: float) -> Toll:
        """Count."""
        workspace, ended = self._workspace, ended_jobs(self._file)
        said = set(self._said)
        events = [delivery for delivery in workspace.deliveries if delivery.event.get("ts") in said]
        acknowledged = {delivery.event["ts"] for delivery in events if delivery.acked_at}
        return Toll(
            kills=self._plan.kills,
            links=len(said),
            events=len(events),
            unacknowledged=len(said - acknowledged),
            lost=sum(ts not in ended or not comments(workspace, ts) for ts in acknowledged),
            duplicates=sum(count - 1 for count in ever_replied(workspace).values()),
            again=len(self._stages.again),
            in_flight=self._stages.in_flight,
            stages=self._stages.began.total(),
            interruptions=interruptions(self._file),
            looked_up=sum(call.method == "conversations.replies" for call in workspace.calls),
            dropped=workspace.faults.met["drop_answer"],
            limited=workspace.faults.met["rate_limit"],
            unsigned=len(self._unsigned()),
            dead=sum(state == "dead" for state in ended.values()),
            integrity=integrity(self._file),
            seconds=seconds,
        )


def ever_replied(workspace: Workspace) -> Counter[str]:
    """Return how many replies of the bot were ever seen in each thread, also those that are gone by now."""
    seen = {
        (message["thread_ts"], message["ts"])
        for message in (
            *(delivery.event for delivery in workspace.deliveries),
            *(reply for message in workspace.messages() for reply in workspace.replies(message["ts"])),
        )
        if message.get("type") == "message" and message.get("bot_id") and "subtype" not in message
    }
    return Counter(thread for thread, _ in seen)


async def _until(condition: Callable[[], bool], patience: float) -> None:
    """Return when the condition holds or patience ends; files tell no one that they changed, so they are asked."""
    deadline = time.monotonic() + patience
    while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.05)
