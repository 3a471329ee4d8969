"""Every kind of bad model answer, over both wires, through the whole pipeline: what a reader sees, what is recorded.

`python -m tests.llm.bad_answers` prints the table; `test_bad_answers.py` tests it. The server is the scripted one on
loopback; a job that is parked is taken up again at once, with the clock put forward.
"""

import asyncio
import logging
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass

from openai import AsyncOpenAI

from technoshare import pipeline
from technoshare.errors import Transient
from technoshare.llm.client import plain_wire
from technoshare.llm.extractive import Extractive
from technoshare.llm.fallback import Fallback
from technoshare.llm.pace import Pace
from technoshare.llm.retrying import Retrying
from technoshare.llm.writer import ModelWriter
from technoshare.memory import MemoryClaim
from technoshare.mlops.record import record_of
from technoshare.mlops.tracing import Recorder
from technoshare.models import Job, Receipt
from technoshare.ports import Services
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshot
from technoshare.retrieval.parser import open_parser
from technoshare.runner import StageRunner
from technoshare.workspace.model import Behaviour, open_model_server
from tests.llm.samples import KEY, PROJECTS, PROMPTS, ROOT, no_wait

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
MODEL = "gpt-4o"

KINDS = {
    "429": "the model is busy (429)",
    "quota": "the model's account has no credit left (429)",
    "500": "the model server is in trouble (500)",
    "503": "the model server is in trouble (503)",
    "reset": "the connection to the model broke off",
    "hang": "the model did not answer in time",
    "drip": "the model did not answer in time",
    "cut": "the model's answer was cut off on the way",
    "bad_json": "the model's answers were not JSON",
    "wrong_schema": "the model's answers did not have the form asked for",
    "fenced": "",
    "refusal": "the model declined to answer",
    "length": "the model's answers were cut off at their length limit",
    "empty": "the model gave an empty answer twice",
    "html": "a web page came instead of the model's answer",
    "stream_cut": "the model's answer came as a stream that broke off",
    "stream_error": "the model server is in trouble (500 in a stream)",
    "stream": "the model server streams although it was not asked to",
    "thinking": "",
    "not_json": "the model server sent something that is not JSON",
    "error_body": "the model server is in trouble (502 in an answer)",
    "empty_body": "the model server sent an empty body",
    "too_long": "the page is too long for the model (400)",
    "401": "the model refused the request (401: check OPENAI_API_KEY)",
    "404": "the model refused the request (404: check LLM_MODEL and OPENAI_BASE_URL)",
    "422": "the model refused the request (422: scripted_422)",
}
"""Fault of the scripted server → the reason that a reader is given when it lasts; empty where the answer is usable."""

ONCE, LASTING, FROM_STAGE_B = ("", "", "?"), (), ("", "", "")
"""Requests that go before: two rounds of the search tool and the facts. `?` is a single fault."""


@dataclass(frozen=True)
class End:
    """How a job ended."""

    text: str
    """The posted message."""
    outcome: str
    parks: int
    statuses: dict[str, str]
    """Stage → status of its run."""
    tags: dict[str, dict[str, str]]
    tokens: float
    """In the job's run."""
    told: int
    """Tokens that the server told."""
    calls: int
    """Spans of model calls that are kept."""
    requests: int

    @property
    def line(self):
        """What the reply says about its author, or the whole of an apology."""
        return next((line for line in self.text.splitlines() if line.startswith("Written by")), self.text)


class Thread:
    def __init__(self):
        self.posts = []

    async def post(self, job, message):
        self.posts.append(message.text)
        return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts="1.0", message=message)


class Nothing:
    """No earlier share, no deleted message."""

    async def earlier(self, job, final_url=""):
        return None

    async def withdrawn(self, job):
        return False


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@asynccontextmanager
async def open_reading():
    """Fetcher and parser, which all jobs share."""
    fetcher = FrozenFetcher([load_snapshot(path) for path in (ROOT / "evalsets" / "snapshots").glob("*.yaml")])
    async with open_parser(processes=1) as parser:
        yield fetcher, parser


async def end_of(fault, api, before, reading, *, keyless=True):
    """Answer one link while the server has the fault, and return how that ended."""
    once = before[-1:] == ("?",)
    behaviour = Behaviour(retry_after=0.01, fault_rate=0.0 if once else 1.0, rate_faults=(fault,))
    async with (
        open_model_server(behaviour) as server,
        AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0) as client,
    ):
        server.script(*(fault if name == "?" else name for name in before))
        time, thread, tracker, pace = Time(), Thread(), Recorder(), Pace()
        patient = 0.4 if fault in ("hang", "drip") else 30.0
        wire = Retrying(plain_wire(api, client, pace, full=True), pace, sleep=no_wait, attempt_seconds=patient)
        model = ModelWriter(wire, model=MODEL, prompts=PROMPTS, projects=PROJECTS, tracker=tracker)
        writer = Fallback((model,), Extractive(PROJECTS) if keyless else None, clock=time)
        fetcher, parser = reading
        services = Services(fetcher, parser, writer, thread, tracker, PROJECTS, clock=lambda: 1_795_000_000.0)
        return await _ended(services, server, thread, time)


async def _ended(services, server, thread, time):
    job = Job(key=BLOG, team="T", channel="C1", ts="1.0", thread_ts="1.0", user="U1", url=BLOG, received=1_795_000_000)
    claim, parks = MemoryClaim(job, clock=services.clock), 0
    while True:
        try:
            outcome = await pipeline.answer(StageRunner(services, claim), job, Nothing(), Nothing())
        except Transient as late:
            parks += 1
            assert parks < 20
            time.now += late.after
        else:
            break
    trails = {stage: checkpoint.trail for stage, checkpoint in (await claim.checkpoints()).items()}
    record = record_of(job, await claim.times(), trails, outcome, app_version="0", projects_hash="0")
    parent, *stages = record.runs
    told = server.stats()
    return End(
        text="\n".join(thread.posts),
        outcome=parent.tags["outcome"],
        parks=parks,
        statuses={run.name: run.status for run in stages},
        tags={run.name: run.tags for run in stages},
        tokens=parent.metrics.get("total_tokens", 0.0),
        told=told["input_tokens"] + told["output_tokens"],
        calls=sum(span.name == "llm.call" for span in record.trace.spans),
        requests=told["requests"],
    )


# ---------------------------------------------------------------- the table


async def _table():
    print("| bad answer | wire | once: the reader sees | lasting: the reader sees | MLflow | tokens told = recorded |")
    print("|---|---|---|---|---|---|")
    lost = 0
    logging.disable()  # hundreds of failures are the point
    async with open_reading() as reading:
        for fault in KINDS:
            for api in ("chat", "responses"):
                once, lasting, late = [
                    await end_of(fault, api, before, reading) for before in (ONCE, LASTING, FROM_STAGE_B)
                ]
                lost += sum(end.tokens != end.told for end in (once, lasting, late))
                print(_row(fault, api, once, lasting, late), flush=True)
    print(f"\n{len(KINDS)} kinds x 2 wires x 3 (once, lasting, from stage B on); jobs whose tokens were lost: {lost}")
    return 1 if lost else 0


def _row(fault, api, once, lasting, late):
    parked = f", parked {lasting.parks} ×" if lasting.parks else ""
    stages = ", ".join(
        f"{name} {lasting.statuses[name]} by {lasting.tags[name]['model']}" for name in ("stage_a", "stage_b")
    )
    tokens = "; ".join(f"{end.told} = {end.tokens:.0f}" for end in (once, lasting, late))
    seen = lasting.line.removeprefix("Written by: ")
    return f"| {fault} | {api} | {once.line.removeprefix('Written by: ')} | {seen}{parked} | {lasting.outcome}; {stages} | {tokens} |"


if __name__ == "__main__":
    sys.exit(asyncio.run(_table()))
