"""A real self-hosted server with a model that knows nothing: `python -m tests.selfhosted LLAMA_SERVER`.

LLAMA_SERVER is llama.cpp's own program; docs/SELF_HOSTED.md says how to build it. Every answer has to fit its schema,
and the pipeline has to end gracefully on what the model says, which is gibberish. Not part of CI.
"""

import argparse
import asyncio
import collections
import dataclasses
import logging
import socket
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from technoshare import pipeline
from technoshare.errors import TechnoShareError
from technoshare.llm.answers import CommentAnswer, FactsAnswer, strict_schema
from technoshare.llm.client import open_wire
from technoshare.llm.extractive import Extractive
from technoshare.llm.opening import open_writer
from technoshare.llm.wire import Message, Named, Request
from technoshare.memory import MemoryClaim
from technoshare.mlops.tracing import Untracked
from technoshare.models import Job
from technoshare.ports import Services
from technoshare.runner import StageRunner
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review
from tests.llm.bad_answers import BLOG, Nothing, Thread, open_reading
from tests.llm.samples import PROJECTS, PROMPTS
from tests.selfhosted.random_model import write_random_model

SHAPES = {"facts": FactsAnswer, "comment": CommentAnswer}


@asynccontextmanager
async def llama(program, folder):
    """Yields the server's base URL."""
    model = folder / "random.gguf"
    write_random_model(model)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ("-m", model, "--host", "127.0.0.1", "--port", port, "-c", 65_536, "-np", 1, "-t", 1)
    with (folder / "llama.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(program, *map(str, arguments), stdout=log, stderr=log)
    try:
        await _healthy(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _healthy(url, process):
    async with aiohttp.ClientSession() as session:
        while process.returncode is None:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)  # another process starts; nothing tells when it listens
    raise SystemExit("the server did not start")


async def schema_answers(base_url, times):
    """Count answers over Chat that fit their schema at the first attempt."""
    found = collections.Counter()
    async with open_wire(api="chat", base_url=base_url, api_key=None) as wire:
        for _ in range(times):
            for name, shape in SHAPES.items():
                schema = Named(name, strict_schema(shape))
                turns = (Message("user", "Say something."),)
                answer = await wire.ask(Request("random", turns, 6000, time.monotonic() + 120, schema=schema))
                try:
                    shape.model_validate_json(answer.text)
                    found[f"{name}: valid, finish {answer.finish}"] += 1
                except ValueError as error:
                    found[f"{name}: {_why(error)}, finish {answer.finish}"] += 1
    return found


def _why(error):
    kinds = {problem["type"] for problem in error.errors()} if hasattr(error, "errors") else {"no JSON"}
    return "valid, but with an empty list" if kinds == {"too_short"} else ", ".join(sorted(kinds))


async def gibberish_comments(services, times):
    """Count what the gates make of comments that the model writes on sound facts."""
    job = _job()
    evidence = await retrieve(services, job)
    sound = await Extractive(PROJECTS).facts(evidence)
    facts = sound.model_copy(update={"model": services.writer.model})  # whose comment is then asked for
    found = collections.Counter()
    for _ in range(times):
        try:
            comment = await services.writer.comment(evidence, facts)
            reviewed = await review(services, job, evidence, facts, comment)
        except TechnoShareError as error:
            found[f"{type(error).__name__}: {error}"] += 1
        else:
            found[f"{reviewed.outcome} by {comment.model}, {len(reviewed.failures)} checks failed"] += 1
    return found


async def whole_jobs(services, times):
    """Count how whole jobs end."""
    found = collections.Counter()
    for _ in range(times):
        own, job = dataclasses.replace(services, poster=(thread := Thread())), _job()
        try:
            outcome = await pipeline.answer(StageRunner(own, MemoryClaim(job)), job, Nothing(), Nothing())
            told = next((line for line in thread.posts[0].splitlines() if "Written by" in line), thread.posts[0])
            found[f"{outcome}: {told}"] += 1
        except TechnoShareError as error:
            found[f"{type(error).__name__}: {error}"] += 1
    return found


def _job():
    return Job(key=BLOG, team="T", channel="C1", ts="1.0", thread_ts="1.0", user="U1", url=BLOG, received=time.time())


async def main(program, times, jobs):
    with tempfile.TemporaryDirectory() as folder:
        async with llama(program, Path(folder)) as base_url, open_reading() as (fetcher, parser):
            await _told("schema over Chat", schema_answers(base_url, times))
            writing = open_writer(
                api="auto", base_url=base_url, api_key=None, models=["random"], last=Extractive(PROJECTS),
                prompts=PROMPTS, projects=PROJECTS, tracker=Untracked(),
            )  # fmt: skip
            async with writing as writer:
                services = Services(fetcher, parser, writer, Thread(), Untracked(), PROJECTS, clock=time.time)
                await _told("gates on gibberish", gibberish_comments(services, times))
                await _told("whole jobs", whole_jobs(services, jobs))


async def _told(title, counting):
    started = time.monotonic()
    found = await counting
    print(f"{title} ({(time.monotonic() - started) / found.total():.2f} s each)")
    for name, count in found.most_common():
        print(f"  {count:4} × {name}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.selfhosted", description=__doc__)
    parser.add_argument("program", metavar="LLAMA_SERVER")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2, help="whole jobs; each reads thousands of tokens many times")
    given = parser.parse_args()
    logging.disable()
    sys.exit(asyncio.run(main(given.program, given.times, given.jobs)))
