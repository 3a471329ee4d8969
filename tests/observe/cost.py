"""What a recorded job costs: requests, processor time here and in the server; beside MLflow's fluent API, same content."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
import requests.adapters
from mlflow.entities import SpanType

from technoshare.mlops.record import JobRecord, RunRecord, TraceRecord
from technoshare.mlops.server import Server, running_server
from technoshare.mlops.upload import Upload
from tests.observe.faulty import open_lab
from tests.observe.figures import table
from tests.observe.files import SPOOL

HEAD = ("per job", "requests", "wall ms", "client CPU ms", "server CPU ms")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Of all jobs together; seconds."""

    requests: int
    wall: float
    client: float
    server: float

    def cells(self, name: str, jobs: int) -> tuple[str, ...]:
        milliseconds = (f"{1000 * seconds / jobs:.0f}" for seconds in (self.wall, self.client, self.server))
        return name, f"{self.requests / jobs:.1f}", *milliseconds


async def made(folder: Path, jobs: int) -> list[JobRecord]:
    """Let a lab make so many jobs without a server, and return the records that wait in its spool."""
    async with open_lab(folder / "lab", "http://127.0.0.1:9", "none", on=True) as lab:
        await lab.jobs(jobs, 8)
    with closing(sqlite3.connect(folder / "lab" / SPOOL)) as spool:
        bodies = spool.execute("select body from entries where kind = 'job' order by number").fetchall()
    return [JobRecord.model_validate_json(body) for (body,) in bodies]


def compare(folder: Path, jobs: int) -> str:
    """Write the same records in both ways to both kinds of server; returns the table."""
    records = asyncio.run(made(folder, jobs + 1))
    rows = []
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts") as server, chdir(folder):
        for kind, uri, process in (("http", server.url, server), ("sqlite", f"sqlite:///{folder}/direct.db", None)):
            rows += [
                _cost(way(uri, f"{name}_{kind}"), records, process).cells(f"{name}, {kind}", jobs)
                for name, way in (("ours", _ours), ("fluent", _fluent))
            ]
    return table(HEAD, rows)


def _cost(write: Callable[[JobRecord], None], records: Sequence[JobRecord], server: Server | None) -> Cost:
    first, *others = records
    write(first)  # pays for connections, tables and imports
    with _counted() as sent:
        wall, client, there = time.perf_counter(), time.process_time(), _cpu(server)
        for record in others:
            write(record)
        return Cost(len(sent), time.perf_counter() - wall, time.process_time() - client, _cpu(server) - there)


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Collect the address of every HTTP request of this process."""
    sent: list[str] = []
    send = requests.adapters.HTTPAdapter.send

    def counting(self, request, *arguments, **more):
        sent.append(request.url)
        return send(self, request, *arguments, **more)

    requests.adapters.HTTPAdapter.send = counting
    try:
        yield sent
    finally:
        requests.adapters.HTTPAdapter.send = send


def _cpu(server: Server | None) -> float:
    """Seconds of processor time that all processes of the server have used."""
    if server is None:
        return 0.0
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == server.process.pid:  # the process group
            used += int(fields[11]) + int(fields[12])
    return used / _TICKS


# ---------------------------------------------------------------- two ways


def _ours(uri: str, experiment: str) -> Callable[[JobRecord], None]:
    upload = Upload(uri, experiment)
    return lambda record: upload.send(record, begun=False)


def _fluent(uri: str, experiment: str) -> Callable[[JobRecord], None]:
    """As MLflow's quickstart has it: a context for each run, a call for each value."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)

    def write(record: JobRecord) -> None:
        parent, *stages = record.runs
        with mlflow.start_run(run_name=parent.name):
            _log(parent)
            for stage in stages:
                with mlflow.start_run(run_name=stage.name, nested=True):
                    _log(stage)
            _trace(record.trace)

    return write


def _log(run: RunRecord) -> None:
    for name, value in run.tags.items():
        mlflow.set_tag(name, value)
    for name, value in run.params.items():
        mlflow.log_param(name, value)
    for name, metric in run.metrics.items():
        mlflow.log_metric(name, metric)
    for name, text in run.artifacts.items():
        mlflow.log_text(text, name)


def _trace(trace: TraceRecord, at: int = 0) -> None:
    """Open the span and, inside it, its children."""
    span = trace.spans[at]
    with mlflow.start_span(span.name, span_type=getattr(SpanType, span.kind)) as opened:
        opened.set_inputs(span.inputs)
        opened.set_attributes(dict(span.attributes))
        for number, child in enumerate(trace.spans):
            if child.parent == span.id:
                _trace(trace, number)
        opened.set_outputs(span.outputs)
