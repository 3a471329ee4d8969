"""`make bench`: figures, not verdicts. The real `bot.py` against the local workspace, with everything on this machine.

burst    200 link messages at once: time to the ack, which follows the commit
submit   200 submits at once, synchronous=FULL: time until durable
backlog  32 interrupted jobs before 5,000 waiting ones: when they finish
lag      how late the event loop is while 8 pages of 170 kB are parsed, and while they are commented
load     30 links at once, 2 s for each model call, MLflow server running: first sign, last comment
mlflow   seconds to a comment with MLflow off, on, stopped, and accepting without ever answering
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import random
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import web

from technoshare import pipeline
from technoshare.app import open_services, single_job
from technoshare.jobs.engine import open_engine
from technoshare.memory import MemoryClaim
from technoshare.models import Page
from technoshare.ports import Services
from technoshare.runner import StageRunner
from technoshare.settings import Settings
from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import ROOT, environment, running_bot
from tests.jobs.sample import a_checkpoint, a_job

WHO = (
    "the nightly job",
    "a second team",
    "the warehouse",
    "every producer",
    "the review",
    "the old pipeline",
    "a reader",
)
DID = ("copies", "measures", "compares", "replaces", "records", "rejects", "explains")
WHAT = ("small increments", "the manifest", "twelve partitions", "its own checkpoints", "stale rows", "a full snapshot")
WHY = (
    "because the share of unchanged bytes is high",
    "after the third incident of the quarter",
    "so that nobody has to start it again by hand",
    "while the transfer bill falls by a third",
    "although the hashing costs a few milliseconds",
    "until the last region has been moved",
)


def page(n: int) -> str:
    """An article of about 10 kB, different for every n."""
    chance = random.Random(n)  # noqa: S311 - the same page for the same n

    def sentence(i: int) -> str:
        subject, verb, thing, reason = (chance.choice(words) for words in (WHO, DID, WHAT, WHY))
        return f"In week {i} of run {n}, {subject} {verb} {thing} {chance.randint(2, 900)} times {reason}."

    parts = [" ".join(sentence(5 * i + k) for k in range(5)) for i in range(17)]
    text = "".join(f"<h2>Part {i}</h2><p>{part}</p>" for i, part in enumerate(parts))
    title = f"Increments, note {n}"
    return f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article></body></html>"


@contextlib.asynccontextmanager
async def open_pages():
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=page(int(request.match_info["n"])), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{n}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def open_mlflow(folder: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "technoshare.mlops.server", "--port", str(port),
        "--db", str(folder / "mlflow.db"), "--artifacts", str(folder / "mlartifacts"),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def open_black_hole():
    """A server that accepts and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def figures(values: list[float]) -> str:
    """Median, 95th and 99th percentile, maximum in milliseconds."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return f"p50 {at(0.5):7.0f}  p95 {at(0.95):7.0f}  p99 {at(0.99):7.0f}  max {ordered[-1] * 1000:7.0f} ms  (n={len(ordered)})"


def first_comment(workspace, ts):
    return next((reply for reply in workspace.replies(ts) if reply.get("bot_id")), None)


async def burst(n: int = 200) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_pages() as port, open_workspace() as workspace:
            settings = environment(workspace, Path(folder), FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}")
            async with running_bot(settings):
                before = len(workspace.deliveries)
                for i in range(n):
                    workspace.say(f"http://127.0.0.1:{port}/{i}")

                def own():
                    return [d for d in workspace.deliveries[before:] if "http" in str(d.event.get("text"))]

                await workspace.until(lambda: len(own()) >= n and all(d.acked_at for d in own()), timeout=60)
                acks = [d.acked_at - d.sent_at for d in own()]
                stored = sqlite3.connect(f"file:{folder}/technoshare.db?mode=ro", uri=True)
                rows = stored.execute("select count(*) from jobs").fetchone()[0]
                stored.close()
                print(
                    f"burst   ack of {n} messages          {figures(acks)}   rows stored when the last ack came: {rows}"
                )


async def submit(n: int = 200, rounds: int = 10) -> None:
    """Seconds until a submit is durable, `n` at once."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_engine(f"sqlite:///{folder}/jobs.db") as engine:

            async def one(number: int) -> None:
                begun = time.perf_counter()
                await engine.submit(a_job(number))
                took.append(time.perf_counter() - begun)

            for batch in range(rounds):
                await asyncio.gather(*(one(batch * n + i) for i in range(n)))
    print(f"submit  {n} at once, {rounds} times, FULL     {figures(took)}")


async def backlog(waiting: int = 5_000, early: int = 32) -> None:
    """Where interrupted jobs finish when a long queue waits behind them."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        async with open_engine(url) as engine:
            await asyncio.gather(*(engine.submit(a_job(i, received=time.time())) for i in range(early)))
            interrupted = {claim.job.id for claim in (await engine._take(early))[0]}  # and the process "dies" here
            await asyncio.gather(*(engine.submit(a_job(early + i, received=time.time())) for i in range(waiting)))
        finished: list[str] = []
        stopping = asyncio.Event()

        async def answer(claim) -> None:
            for stage in ("retrieval", "stage_a", "stage_b"):
                await claim.save(stage, a_checkpoint({"text": "x" * 5_000}))
            finished.append(claim.job.id)
            if len(finished) == waiting + early:
                stopping.set()

        async def give_up(claim, reason) -> None:
            raise AssertionError(reason)

        async with open_engine(url) as engine:
            begun = time.perf_counter()
            await engine.serve(answer, give_up, workers=32, stopping=stopping, drain=5)
            took = time.perf_counter() - begun
    last = max(finished.index(job) for job in interrupted) + 1
    print(
        f"backlog {early} interrupted jobs before {waiting}   the last of them finished as number {last}; "
        f"{len(finished) / took:.0f} jobs/s with three checkpoints each"
    )


async def lag(pages: int = 8, size: int = 170_000) -> None:
    """How late the event loop is while large pages are parsed, and while whole comments are drafted on them."""
    bodies = [large_page(number, size) for number in range(pages)]
    async with open_services(Settings(_env_file=None, llm_model="extractive")) as services:
        async with late() as parsing:
            for _ in range(3):
                await asyncio.gather(
                    *(services.parser.parse("html", body, url="https://a.example/") for body in bodies)
                )
        print(f"lag     {pages} pages of {size // 1000} kB parsed, thrice {figures(parsing)}")
        served = dataclasses.replace(services, fetcher=Served(bodies))
        async with late() as drafting:
            for _ in range(3):
                await asyncio.gather(*(drafted(served, number) for number in range(pages)))
        print(f"lag     {pages} keyless drafts on them, thrice {figures(drafting)}")


@contextlib.asynccontextmanager
async def late(every: float = 0.005):
    """Yield a list that grows by the seconds by which a sleep of `every` seconds ended late."""
    seconds: list[float] = []

    async def sample() -> None:
        while True:
            due = time.perf_counter() + every
            await asyncio.sleep(every)
            seconds.append(max(0.0, time.perf_counter() - due))

    sampling = asyncio.create_task(sample())
    try:
        yield seconds
    finally:
        sampling.cancel()


def large_page(number: int, size: int) -> bytes:
    """An article of so many bytes."""
    parts = (
        page(1000 * number + part).partition("<article>")[2].partition("</article>")[0] for part in itertools.count()
    )
    text = ""
    while len(text) < size:
        text += next(parts)
    return f"<html lang=en><title>Note {number}</title><body><article>{text[:size]}</article></body></html>".encode()


class Served:
    """A fetcher whose pages are there at once."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies

    async def get(self, url, *, headers=None, limit=None) -> Page:
        body = self._bodies[int(url.rpartition("/")[2])]
        return Page(url=url, status=200, headers={}, content_type="text/html", body=body)


async def drafted(services: Services, number: int) -> None:
    job = single_job(f"https://a.example/{number}")
    await pipeline.draft(StageRunner(services, MemoryClaim(job)), job)


async def load(n: int = 30, latency: float = 2.0) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_mlflow(Path(folder)) as mlflow,
            open_pages() as port,
            open_workspace() as workspace,
            open_model_server(Behaviour(latency=latency)) as model,
        ):
            settings = environment(
                workspace, Path(folder), FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}", LLM_API="chat",
                OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-bench-0000",
                MLFLOW_TRACKING_URI=mlflow, MLFLOW_ENABLE_TRACKING="true", MLFLOW_ENABLE_TRACING="true",
            )  # fmt: skip
            async with running_bot(settings) as bot:
                loop = asyncio.get_running_loop()
                posted = {workspace.say(f"http://127.0.0.1:{port}/{i}"): loop.time() for i in range(n)}
                signs: dict[str, float] = {}
                done: dict[str, float] = {}

                def watch() -> bool:
                    for ts in posted:
                        if ts not in signs and workspace.reactions(ts):
                            signs[ts] = loop.time()
                        if ts not in done and first_comment(workspace, ts):
                            done[ts] = loop.time()
                    return len(done) == n

                await workspace.until(watch, timeout=180)
                calls = model.stats()["requests"] / n
                last = max(done.values()) - min(posted.values())
                print(
                    f"load    first sign of {n} links         {figures([signs[ts] - at for ts, at in posted.items()])}"
                )
                print(
                    f"load    comment of {n} links            {figures([done[ts] - at for ts, at in posted.items()])}"
                )
                print(
                    f"load    last comment after {last:.2f} s; model calls per job {calls:.1f} × {latency:g} s "
                    f"= {calls * latency:.1f} s; ratio {last / (calls * latency):.2f}"
                )
                await bot.stop()


async def one_by_one(label: str, n: int, **more: str) -> float:
    """Median seconds from message to comment of n jobs, one after the other."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_pages() as port, open_workspace() as workspace:
            settings = environment(workspace, Path(folder), FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}", **more)
            async with running_bot(settings) as bot:
                loop = asyncio.get_running_loop()
                for i in range(n + 3):
                    posted, ts = loop.time(), workspace.say(f"http://127.0.0.1:{port}/{i}")
                    await workspace.until(lambda ts=ts: first_comment(workspace, ts), timeout=60)
                    took.append(loop.time() - posted)
                raised = sum("Traceback" in line for line in bot.log)
                code = await bot.stop()
    took = took[3:]  # the first ones pay for imports
    print(f"mlflow  {label:32}{figures(took)}   tracebacks {raised}, exit {code}")
    return statistics.median(took)


async def mlflow(n: int = 40) -> None:
    on = {"MLFLOW_ENABLE_TRACKING": "true", "MLFLOW_ENABLE_TRACING": "true"}
    off = await one_by_one("off", n)
    with tempfile.TemporaryDirectory() as folder:
        async with open_mlflow(Path(folder)) as url:
            up = await one_by_one("up", n, MLFLOW_TRACKING_URI=url, **on)
    stopped = await one_by_one("stopped (connection refused)", n, MLFLOW_TRACKING_URI="http://127.0.0.1:9", **on)
    async with open_black_hole() as url:
        silent = await one_by_one("accepts, never answers", n, MLFLOW_TRACKING_URI=url, **on)
    again = await one_by_one("off again", n)
    base = statistics.median([off, again])
    for label, value in (("up", up), ("stopped", stopped), ("never answers", silent)):
        allowed = 0.030 + 0.05 * base
        print(
            f"mlflow  {label:15} {1000 * (value - base):+6.0f} ms against off ({1000 * base:.0f} ms); allowed {1000 * allowed:+.0f} ms"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help="burst submit backlog lag load mlflow (all)")
    every = {"burst": burst, "submit": submit, "backlog": backlog, "lag": lag, "load": load, "mlflow": mlflow}
    for part in parser.parse_args().parts or every:
        await every[part]()


if __name__ == "__main__":
    asyncio.run(main())
