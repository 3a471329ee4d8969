"""A bot without Slack, pages and models: engine, runner, checkpoints, tracker and replay are real, and the five stages
take 50 ms, so that some milliseconds more can be told from noise.

`python -m tests.observe.lab FOLDER URI EXPERIMENT on|off` reads a line for each order from standard input:
`FIRST COUNT AT_ONCE` runs so many jobs and answers with JSON, `{"seconds": […], "lag": […]}`. End of input ends it.
The first order is answered when the replay has imported mlflow, which a bot does once, some seconds after its first job.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, cast

from technoshare import render
from technoshare.jobs.engine import open_engine
from technoshare.mlops.tracking import open_tracker
from technoshare.models import Comment, Evidence, Facts, Job, Receipt, Reviewed, Sentence, Snippet, Source, Verdict
from technoshare.ports import Services
from technoshare.runner import StageRunner, stage
from tests.bench.__main__ import late, page
from tests.mlops import sample

CHANNEL = "C0LAB000001"
CALL_SECONDS = 0.02
"""Of each of the two model calls."""


def url(number: int) -> str:
    return f"https://lab.example.org/{number}"


def a_job(number: int, experiment: str) -> Job:
    """Jobs of two experiments differ: their traces would be one, as the ids of both follow from the key."""
    ts = f"{1_790_000_000 + number}.000100"
    return Job(
        key=f"lab {experiment} {number}", team="T0LAB", channel=CHANNEL, ts=ts, thread_ts=ts, user="U0LAB", url=url(number),
        text=f"look: {url(number)}", received=time.time(),
    )  # fmt: skip


# ---------------------------------------------------------------- five stages, with results as large as real ones


@stage("retrieval", span="retrieval.fetch_evidence", kind="RETRIEVER", timeout=60)
async def retrieve(services: Services, job: Job) -> Evidence:
    parts = page(int(job.url.rpartition("/")[2])).split("<p>")[1:]
    snippets = tuple(
        Snippet(id=f"s{n}", text=part.partition("</p>")[0], source=job.url, start=600 * n, end=600 * n + 500)
        for n, part in enumerate(parts, 1)
    )
    return sample.evidence(job).model_copy(update={"snippets": snippets})


@stage("stage_a", span="stage_a.run", kind="LLM", timeout=60)
async def extract(services: Services, evidence: Evidence) -> Facts:
    await _call(services, evidence)
    with services.tracker.span("search_tool_call", "TOOL") as span:
        span.set(url=evidence.url, content_length=len(evidence.snippets[1].text))
        span.io(inputs=evidence.url, outputs=evidence.snippets[1].text)
    told = sample.facts(sample.a_job())
    items = tuple(
        told.items[0].model_copy(update={"id": f"f{n}", "text": text, "quote": text, "snippet": snippet.id})
        for n, snippet in enumerate(evidence.snippets, 1)
        for text in [snippet.text.split(". ")[0]]
    )
    return told.model_copy(update={"items": items, "sources": (evidence.url,)})


@stage("stage_b", span="stage_b.run", kind="LLM", timeout=60)
async def compose(services: Services, evidence: Evidence, facts: Facts) -> Comment:
    await _call(services, evidence)
    said = tuple(Sentence(text=f"{fact.text}.", facts=(fact.id,)) for fact in facts.items)
    return sample.comment().model_copy(update={"tldr": said[:3], "summary": said[3:15]})


@stage("quality_gates", span="quality_gates.validate", kind="CHAIN", timeout=60)
async def review(services: Services, job: Job, evidence: Evidence, comment: Comment) -> Reviewed:
    verdicts = tuple(
        Verdict(check=f"check_{n}", section="comment", severity="block", score=1.0, passed=True) for n in range(21)
    )
    source = Source(
        url=job.url, title=evidence.title, domain=evidence.domain, adapter=evidence.adapter, coverage="full", words=1500
    )
    return Reviewed(comment=comment, source=source, verdicts=verdicts, outcome="success")


@stage("slack_post", span="slack.post_message", kind="CHAIN", timeout=60)
async def post(services: Services, job: Job, reviewed: Reviewed) -> Receipt:
    message = render.message(reviewed)
    return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts=f"{time.time():.6f}", message=message)


async def _call(services: Services, evidence: Evidence) -> None:
    with services.tracker.span("llm.call", "LLM") as span:
        await asyncio.sleep(CALL_SECONDS)
        span.set(model="gpt-4o", input_tokens=600, output_tokens=200, total_tokens=800, cost_usd=0.003)
        prompt = "\n".join(snippet.text for snippet in evidence.snippets)
        span.io(inputs=[{"role": "user", "content": prompt}], outputs={"role": "assistant", "content": prompt[:3000]})


async def answer(run: StageRunner, job: Job) -> None:
    evidence = await run(retrieve, job)
    facts = await run(extract, evidence)
    comment = await run(compose, evidence, facts)
    await run(post, job, await run(review, job, evidence, comment))


# ---------------------------------------------------------------- the process


class Lab:
    """Runs jobs on order, and tells how long each took from its arrival to its end."""

    def __init__(self, engine, tracker, experiment) -> None:
        nobody = cast("Any", None)
        self._engine, self._tracker, self._experiment = engine, tracker, experiment
        self._services = Services(
            fetcher=nobody, parser=nobody, writer=nobody, poster=nobody, tracker=tracker, projects=(), clock=time.time
        )
        self._ended: dict[str, asyncio.Event] = {}

    async def answer(self, claim) -> None:
        await answer(StageRunner(self._services, claim), claim.job)
        trails = {name: kept.trail for name, kept in (await claim.checkpoints()).items()}
        await self._tracker.record(claim.job, await claim.times(), trails, "success")
        if ended := self._ended.pop(claim.job.id, None):  # None: a job that a killed process has left behind
            ended.set()

    async def give_up(self, claim, reason) -> None:
        raise AssertionError(reason)

    async def jobs(self, first: int, count: int, at_once: int) -> dict[str, list[float]]:
        turns, seconds = asyncio.Semaphore(at_once), list[float]()
        async with late() as lag:
            await asyncio.gather(*(self._job(number, turns, seconds) for number in range(first, first + count)))
        return {"seconds": seconds, "lag": lag}

    async def _job(self, number: int, turns: asyncio.Semaphore, seconds: list[float]) -> None:
        async with turns:
            begun, job = time.perf_counter(), a_job(number, self._experiment)
            ended = self._ended[job.id] = asyncio.Event()
            await self._engine.submit(job)
            await self._engine.signed(job.id, time.time())
            await ended.wait()
            seconds.append(time.perf_counter() - begun)


async def main(folder: Path, uri: str, experiment: str, *, on: bool) -> None:
    stopping = asyncio.Event()
    async with (
        open_engine(f"sqlite:///{folder}/technoshare.db") as engine,
        open_tracker(
            uri=uri, experiment=experiment, tracking=on, tracing=on, spool=folder / "mlflow-spool.db",
            app_version="0.1.0", projects_hash="5eed", busy=lambda: engine.busy,
        ) as tracker,
        asyncio.TaskGroup() as group,
    ):  # fmt: skip
        lab = Lab(engine, tracker, experiment)
        group.create_task(engine.serve(lab.answer, lab.give_up, workers=32, stopping=stopping, drain=5))
        print("ready", flush=True)
        while order := await asyncio.to_thread(sys.stdin.readline):  # the loop is what is measured
            told = await lab.jobs(*map(int, order.split()))
            while on and not hasattr(sys.modules.get("technoshare.mlops.upload"), "Upload"):  # noqa: ASYNC110 - an import tells nobody
                await asyncio.sleep(0.1)
            print(json.dumps(told), flush=True)
        stopping.set()


if __name__ == "__main__":
    _, place, to, name, switch = sys.argv
    asyncio.run(main(Path(place), to, name, on=switch == "on"))
