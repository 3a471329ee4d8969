"""What tuning MLflow's file is worth, measured on a server with many runs: `python -m tests.observe.tune`.

The rows are written straight into the tables that MLflow itself has made; the figures come through its search API.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from types import MappingProxyType

import requests

from technoshare.mlops import tuning
from technoshare.mlops.server import ENVIRONMENT, HOST, OPTIONS, Server, running_server, serving

STAGES = ("job", "retrieval", "stage_a", "stage_b", "quality_gates", "slack_post")
METRICS = ("latency_seconds", "total_tokens", "cost_usd", "input_tokens", "output_tokens")
PARAMS = ("model", "adapter_name", "prompt_versions")
CAP = 120.0
"""Seconds after which a request counts as one that does not end."""
ASKED = 200
"""Requests for one latency."""


def main(arguments: Sequence[str] = ()) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.observe.tune", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="six runs each")
    parser.add_argument("--cap", type=float, default=CAP, help="seconds to wait for one page")
    parser.add_argument("--no-latency", dest="latency", action="store_false", help="leave out the default server")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="technoshare-tune-") as name:
        folder = Path(name)
        if chosen.latency:
            _compare(folder)
        _tune(folder / "full", chosen.jobs, chosen.cap)
    return 0


def _tune(folder: Path, jobs: int, cap: float) -> None:
    db = folder / "mlflow.db"
    with plain_server(folder):  # MLflow makes its tables
        pass
    fill(db, jobs)
    said = tuning.look(db)
    print(f"\n{said.runs:,} runs, {said.bytes / 1e6:.0f} MB, journal {said.journal}, {said.statistics} statistics")
    with plain_server(folder) as server:
        _pages("as MLflow leaves it", server, cap)
    with plain_server(folder) as server:
        _page(server, "", "attributes.start_time DESC", cap)  # so that its connections know the old state
        tuned = tuning.tune(db)
        print(f"tuned in {tuned.seconds:.2f} s beside a running server")
        _pages("the same server afterwards", server, cap)
    with running_server(port=0, db=db, artifacts=folder / "mlartifacts") as server:
        _pages("make mlflow", server, cap)


def fill(db: Path, jobs: int) -> None:
    """Write so many finished jobs into experiment 0."""
    chance = random.Random(6)  # noqa: S311 - figures
    with closing(sqlite3.connect(db)) as connection:
        for number in range(jobs):
            parent = ""
            for stage in STAGES:
                parent = _run(connection, chance, number, stage, parent) or parent
        connection.commit()


def _run(connection: sqlite3.Connection, chance: random.Random, number: int, stage: str, parent: str) -> str:
    """Write one run; return its id when it is a parent."""
    run_id, at = uuid.UUID(int=chance.getrandbits(128)).hex, 1_790_000_000_000 + number * 60_000
    connection.execute(
        "insert into runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage,"
        " artifact_uri, experiment_id) values (?, ?, 'UNKNOWN', 'U7', 'FINISHED', ?, ?, 'active', ?, 0)",
        (run_id, f"{stage}_{number}", at, at + 9000, f"mlflow-artifacts:/0/{run_id}/artifacts"),
    )
    kind = {"kind": "job"} if stage == "job" else {"kind": "stage", "stage": stage, "mlflow.parentRunId": parent}
    tags = kind | {"job_id": f"{number:012x}", "mlflow.runName": f"{stage}_{number}", "channel_id": "C024BE91L"}
    metrics = [(name, chance.random() * 100, at, run_id) for name in METRICS]
    connection.executemany("insert into tags values (?, ?, ?)", [(*tag, run_id) for tag in tags.items()])
    connection.executemany("insert into params values (?, ?, ?)", [(name, f"v{number % 7}", run_id) for name in PARAMS])
    connection.executemany("insert into metrics values (?, ?, ?, ?, 0, 0)", metrics)
    connection.executemany("insert into latest_metrics values (?, ?, ?, 0, 0, ?)", metrics)
    return run_id if stage == "job" else ""


# ---------------------------------------------------------------- pages


def _pages(title: str, server: Server, cap: float) -> None:
    print(title)
    for name, filtered, order in (
        ("the newest 100 jobs", "tags.kind = 'job'", "attributes.start_time DESC"),
        ("sorted by a param", "", "params.model ASC"),
        ("sorted by a metric", "", "metrics.latency_seconds DESC"),
    ):
        print(f"  {name:<24} {_page(server, filtered, order, cap)}", flush=True)
    print(f"  {'a run made meanwhile':<24} {_written_meanwhile(server, cap)}", flush=True)


def _page(server: Server, filtered: str, order: str, cap: float) -> str:
    """Return how long the page took and, since others use the machine too, what it cost."""
    asked = {"experiment_ids": ["0"], "filter": filtered, "order_by": [order], "max_results": 100}
    used, started = _cpu(server), time.monotonic()
    try:
        answer = requests.post(f"{server.url}/api/2.0/mlflow/runs/search", json=asked, timeout=cap)
    except requests.Timeout:
        return f"not within {cap:g} s"
    told = f"{time.monotonic() - started:.2f} s, {_cpu(server) - used:.2f} s of CPU"
    rows = len(answer.json().get("runs", ())) if answer.ok else 0
    return told if rows == 100 else f"{told}, HTTP {answer.status_code}, {rows} rows"


def _written_meanwhile(server: Server, cap: float) -> str:
    """Create a run while a page is being sorted; a page that did not end is still being sorted in the server."""
    sorting = threading.Thread(target=_page, args=(server, "", "metrics.total_tokens DESC", cap), daemon=True)
    sorting.start()
    started = time.monotonic()
    answer = requests.post(f"{server.url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}, timeout=cap)
    seconds = time.monotonic() - started
    sorting.join()
    return f"{seconds:.2f} s" + ("" if answer.ok else f", then {answer.json().get('message', '')[:60]!r}")


# ---------------------------------------------------------------- latency


def _compare(folder: Path) -> None:
    """Print what a small request over one kept connection takes on a default server and on ours, and their memory."""
    print(f"one GET of an experiment, median of {ASKED}; memory of all processes of the server")
    anybodys, quiet = ("--uvicorn-opts", "--log-level warning"), {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with plain_server(folder / "default", anybodys, quiet) as server:
        print(f"  mlflow server            {_latency(server.url):5.1f} ms  {_memory(server):6.0f} MB", flush=True)
    ours = folder / "ours"
    with running_server(port=0, db=ours / "mlflow.db", artifacts=ours / "mlartifacts") as server:
        print(f"  make mlflow              {_latency(server.url):5.1f} ms  {_memory(server):6.0f} MB", flush=True)


def _latency(url: str) -> float:
    with requests.Session() as session:
        seconds = []
        for _ in range(ASKED):
            started = time.monotonic()
            session.get(f"{url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=30).raise_for_status()
            seconds.append(time.monotonic() - started)
    return statistics.median(seconds) * 1000


def plain_server(
    folder: Path, options: Sequence[str] = OPTIONS, environment: Mapping[str, str] = MappingProxyType(ENVIRONMENT)
) -> AbstractContextManager[Server]:
    """Start a server on a file that nobody has tuned."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    return serving(port, folder / "mlflow.db", folder / "mlartifacts", options, environment)


def _memory(server: Server) -> float:
    """Return the MB that the server and its children hold."""
    return sum(int(fields[21]) for fields in _processes(server)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu(server: Server) -> float:
    """Return the seconds of processor time that they have used."""
    return sum(int(fields[11]) + int(fields[12]) for fields in _processes(server)) / os.sysconf("SC_CLK_TCK")


def _processes(server: Server) -> Iterator[list[str]]:
    """Yield what /proc says about each process of the server's group, from the third field on."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == server.process.pid:
                yield fields


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
