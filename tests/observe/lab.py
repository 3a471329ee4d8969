"""The bot's inside as a process that can be measured: engine, pipeline, checkpoints, tracker and replay are real, while
pages, model and Slack answer at once, so that some milliseconds can be told from noise.

`python -m tests.observe.lab FOLDER URI EXPERIMENT on|off` reads commands from standard input, a line each:
`jobs FIRST COUNT AT_ONCE` answers with a line of JSON, `{"seconds": […], "lag": […]}`; end of input ends it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from pathlib import Path

from technoshare import pipeline
from technoshare.jobs.engine import open_engine
from technoshare.jobs.messages import SqliteMessages
from technoshare.jobs.shares import SqliteShares
from technoshare.mlops.tracking import open_tracker
from technoshare.models import Job, Page, Receipt
from technoshare.ports import Services
from technoshare.retrieval.parse_child import parse
from technoshare.retrieval.snippets import with_sentences
from technoshare.runner import StageRunner
from tests.bench.__main__ import late, page
from tests.mlops import sample

MODEL_SECONDS = 0.05
"""How long each model call takes: long enough for jobs to overlap, short enough for many of them."""
CHANNEL = "C0LAB000001"


def url(number: int) -> str:
    return f"https://lab.example.org/{number}"


def mark(number: int) -> str:
    """Stands in the page of this number and in no other."""
    return f"of run {number},"


class Pages:
    """Fetcher and parser in one: the page is there at once, and parsed on the spot."""

    async def get(self, address, *, headers=None, limit=None) -> Page:
        body = page(int(address.rpartition("/")[2])).encode()
        return Page(url=address, status=200, headers={}, content_type="text/html", body=body)

    async def parse(self, kind, body, *, url, charset=""):
        return await asyncio.to_thread(lambda: with_sentences(parse(kind, body, url, charset)))


class Writer:
    """Facts and comment from the page itself, inside the spans that a model's calls have."""

    model = "gpt-4o"

    def __init__(self, tracker) -> None:
        self._tracker = tracker

    async def facts(self, evidence, *, tools):
        await self._call(evidence.snippets[0].text)
        await tools[0].call(tools[0].arguments(query="checkpoints"))
        quotes = [snippet.text.split(". ")[0] for snippet in evidence.snippets]
        items = tuple(
            sample.facts(sample.a_job())
            .items[0]
            .model_copy(update={"id": f"f{n}", "text": quote, "quote": quote, "snippet": snippet.id})
            for n, (quote, snippet) in enumerate(zip(quotes, evidence.snippets, strict=True), 1)
        )
        return sample.facts(sample.a_job()).model_copy(update={"items": items, "tool_calls": (), "sources": ()})

    async def comment(self, evidence, facts, *, repair=None):
        await self._call(facts.items[0].text)
        said = sample.comment()
        sentences = [
            said.tldr[0].model_copy(update={"text": f"{fact.text}.", "facts": (fact.id,)}) for fact in facts.items
        ]
        return said.model_copy(update={"tldr": tuple(sentences[:3]), "summary": tuple(sentences[3:15])})

    async def _call(self, prompt: str) -> None:
        with self._tracker.span("llm.call", "LLM") as span:
            await asyncio.sleep(MODEL_SECONDS)
            span.set(model=self.model, input_tokens=600, output_tokens=200, total_tokens=800, cost_usd=0.003)
            span.io(inputs=[{"role": "user", "content": prompt * 10}], outputs={"role": "assistant", "content": prompt})


class Poster:
    """A Slack that takes every post."""

    async def post(self, job, message) -> Receipt:
        return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts=f"{time.time():.6f}", message=message)


class Lab:
    """Takes orders for jobs and tells how long each took."""

    def __init__(self, engine) -> None:
        self._engine = engine
        self._ended: dict[str, asyncio.Event] = {}

    async def jobs(self, first: int, count: int, at_once: int) -> dict[str, list[float]]:
        """Run so many jobs, `at_once` of them at a time; seconds of each, and of the event loop's lateness."""
        turns = asyncio.Semaphore(at_once)
        seconds: list[float] = []
        async with late() as lag:
            await asyncio.gather(*(self._one(number, turns, seconds) for number in range(first, first + count)))
        return {"seconds": seconds, "lag": lag}

    async def _one(self, number: int, turns: asyncio.Semaphore, seconds: list[float]) -> None:
        async with turns:
            begun = time.perf_counter()
            job = a_job(number)
            ended = self._ended[job.id] = asyncio.Event()
            await self._engine.submit(job)
            await ended.wait()
            seconds.append(time.perf_counter() - begun)

    def ended(self, job: Job) -> None:
        if ended := self._ended.pop(job.id, None):  # None: a job of the process before, which was killed
            ended.set()


def a_job(number: int) -> Job:
    ts = f"{1_790_000_000 + number}.000100"
    return Job(
        key=f"lab {number}", team="T0LAB", channel=CHANNEL, ts=ts, thread_ts=ts, user="U0LAB", url=url(number),
        text=f"look: {url(number)}", received=time.time(),
    )  # fmt: skip


async def main(folder: Path, uri: str, experiment: str, *, on: bool) -> None:
    stopping = asyncio.Event()
    async with (
        open_engine(f"sqlite:///{folder}/technoshare.db") as engine,
        open_tracker(
            uri=uri, experiment=experiment, tracking=on, tracing=on, spool=folder / "mlflow-spool.db",
            app_version="0.1.0", projects_hash="5eed", busy=lambda: engine.busy,
        ) as tracker,
    ):  # fmt: skip
        pages, lab = Pages(), Lab(engine)
        shares = SqliteShares(engine.database, _no_permalink, time.time)
        messages = SqliteMessages(engine.database, time.time)
        services = Services(
            fetcher=pages, parser=pages, writer=Writer(tracker), poster=Poster(), tracker=tracker, projects=(),
            clock=time.time,
        )  # fmt: skip

        async def answer(claim) -> None:
            own = dataclasses.replace(services)
            outcome = await pipeline.answer(StageRunner(own, claim), claim.job, shares, messages)
            trails = {stage: kept.trail for stage, kept in (await claim.checkpoints()).items()}
            await tracker.record(claim.job, await claim.times(), trails, outcome)
            lab.ended(claim.job)

        async def give_up(claim, reason) -> None:
            raise AssertionError(reason)

        async with asyncio.TaskGroup() as group:
            group.create_task(engine.serve(answer, give_up, workers=32, stopping=stopping, drain=5))
            await _obey(lab)
            stopping.set()


def _no_permalink(channel: str, ts: str) -> str:
    return f"https://slack.example/{channel}/{ts}"


async def _obey(lab: Lab) -> None:
    """Do what the lines say; a thread reads them, since the loop is what is measured."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        first, count, at_once = map(int, line.split()[1:])
        print(json.dumps(await lab.jobs(first, count, at_once)), flush=True)


if __name__ == "__main__":
    _, place, to, name, switch = sys.argv
    asyncio.run(main(Path(place), to, name, on=switch == "on"))
