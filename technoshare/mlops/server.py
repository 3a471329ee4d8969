"""`python -m technoshare.mlops.server`: MLflow's own server, set up so that it is quick and stays usable.

Its defaults cost 2 GB of memory (job execution), 40 ms for each request (four workers) and, once the file has grown,
locked out writers (no WAL).
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from technoshare.errors import ConfigError
from technoshare.mlops.tuning import prepare, tune

HOST = "127.0.0.1"
START_SECONDS = 120.0
"""It takes about 7 s on an idle machine."""
STOP_SECONDS = 10.0
"""Then it is killed."""
TUNE_SECONDS = 86_400.0
"""How often the statistics are made anew, since the file grows; it costs less than a second."""

OPTIONS = ("--workers", "1", "--serve-artifacts", "--uvicorn-opts", "--log-level warning")
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 495 MB instead of 2372
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",  # prices come with our spans; fetching them delays the first trace by seconds
}


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_server(*, port: int, db: Path, artifacts: Path) -> Iterator[Server]:
    """Start the server, wait until it answers, end it with all its children. Port 0 takes a free one.

    Raises `ConfigError` when the port is taken, the files cannot be used or the server ends early.
    """
    port = _checked(port)
    prepare(db)
    with serving(port, db, artifacts) as server:
        yield server


@contextmanager
def serving(
    port: int,
    db: Path,
    artifacts: Path,
    options: Sequence[str] = OPTIONS,
    environment: Mapping[str, str] = MappingProxyType(ENVIRONMENT),
) -> Iterator[Server]:
    """Start a server with these options, whatever the file is like; yields once it answers."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{db.absolute()}"]
    command += ["--artifacts-destination", str(artifacts.absolute()), *options]
    # A session of its own, so that Ctrl-C reaches us alone and the whole group can be ended in order.
    process = subprocess.Popen(command, env=os.environ | environment, start_new_session=True)  # noqa: S603 - our own words
    try:
        _await_answer(port, process)
        yield Server(f"http://{HOST}:{port}", process)
    finally:
        _end(process)


def _checked(port: int) -> int:
    """Return the port if it is free, as the server will want it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port just left is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} cannot be used ({error.strerror}); choose another: make mlflow PORT=5001"
            ) from error
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal_group(process, signal.SIGKILL)  # also a worker that outlived its parent
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None:
            raise ConfigError(f"MLflow ended at its start with exit code {process.returncode}; its output tells why")
        if time.monotonic() > until:
            raise ConfigError(f"MLflow did not answer within {START_SECONDS:g} s")
        time.sleep(0.1)  # nothing else tells when it listens


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# ---------------------------------------------------------------- command line


def main() -> int:
    """Serve until SIGINT or SIGTERM; exit code 2 with one line when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m technoshare.mlops.server", description="Start MLflow's server.")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--db", type=Path, default=Path("mlflow.db"))
    parser.add_argument("--artifacts", type=Path, default=Path("mlartifacts"))
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with running_server(port=arguments.port, db=arguments.db, artifacts=arguments.artifacts) as server:
            print(f"MLflow answers at {server.url} (Ctrl-C ends it)", flush=True)  # noqa: T201 - this is a command
            code = wait(server, arguments.db)
    except ConfigError as error:
        print(f"technoshare: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    except KeyboardInterrupt:
        return 0
    print(f"technoshare: MLflow ended by itself with exit code {code}", file=sys.stderr)  # noqa: T201 - this is a command
    return 1


def wait(server: Server, db: Path) -> int:
    """Return the server's exit code; once a day its file gets fresh statistics."""
    while True:
        try:
            return server.process.wait(TUNE_SECONDS)
        except subprocess.TimeoutExpired:
            try:
                tune(db)
            except ConfigError as error:
                print(f"technoshare: no fresh statistics today: {error}", file=sys.stderr)  # noqa: T201 - this is a command


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
