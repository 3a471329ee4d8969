"""`make demo`: the main job with nothing but Python — local Slack page, MLflow, the bot, three sample links."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from technoshare.errors import ConfigError
from technoshare.workspace.server import Workspace, open_workspace

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = (
    "A paper for the summaries discussion: https://arxiv.org/abs/2611.99901",
    "Could this replace our job table? https://github.com/technoshare-samples/ledgerline",
    "Four hours down to nine minutes, sounds like our nightly copy: https://blog.example.org/2026/11/incremental-snapshots",
)
PATIENCE = 120.0  # seconds for three comments; they take about five


async def run_demo(*, once: bool, with_model: bool) -> None:
    """Run the demo until Ctrl-C, or with `once` until the samples are answered.

    Everything lies in a temporary folder and listens on free ports, so several demos do not disturb one another.
    """
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    with tempfile.TemporaryDirectory(prefix="technoshare-demo-") as folder:
        data, mlflow_port = Path(folder), _free_port()
        mlflow_url = f"http://127.0.0.1:{mlflow_port}"
        server = ("-m", "technoshare.mlops.server", "--port", str(mlflow_port))
        files = ("--db", str(data / "mlflow.db"), "--artifacts", str(data / "mlartifacts"))
        async with open_workspace() as workspace:
            environment = _environment(workspace, data, mlflow_url, with_model=with_model)
            async with (
                _child("MLflow", data / "mlflow.log", *server, *files) as mlflow,
                _child("the bot", data / "bot.log", str(ROOT / "bot.py"), environment=environment) as bot,
            ):
                print("Starting the workspace, MLflow and the bot … (Ctrl-C ends all three)", flush=True)
                show = asyncio.create_task(_show(workspace, mlflow_url, mlflow))
                watch = [asyncio.create_task(_ended(child, data)) for child in (bot, mlflow)]
                stop = asyncio.create_task(stopping.wait())
                try:
                    await _first_of(show, stop, *watch)
                    if not once:
                        await _first_of(stop, *watch)
                finally:
                    for task in (show, stop, *watch):
                        task.cancel()
                    print("\nEnding …", flush=True)


async def _show(workspace: Workspace, mlflow_url: str, mlflow: asyncio.subprocess.Process) -> None:
    started = time.monotonic()
    await workspace.until(lambda: workspace.connected, timeout=PATIENCE)
    print(f"  the bot is connected ({time.monotonic() - started:.1f} s)", flush=True)
    for text in SAMPLES:
        posted, ts = time.monotonic(), workspace.say(text)
        await workspace.until(lambda ts=ts: workspace.replies(ts), timeout=PATIENCE)  # type: ignore[misc]
        print(f"  ✓ answered after {time.monotonic() - posted:.1f} s: {text}", flush=True)
    await _answers(mlflow_url, mlflow)
    print(f"\n  Slack   {workspace.url}   type a message with a link", flush=True)
    print(f"  MLflow  {mlflow_url}/#/experiments/1/runs   runs; “Traces” beside them\n", flush=True)


async def _answers(url: str, mlflow: asyncio.subprocess.Process) -> None:
    host, port = "127.0.0.1", int(url.rpartition(":")[2])
    while mlflow.returncode is None:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.2)  # the server needs some seconds to start; nothing tells when it listens
        else:
            writer.close()
            return


async def _ended(child: asyncio.subprocess.Process, data: Path) -> None:
    await child.wait()
    logs = "\n".join((data / name).read_text("utf-8")[-2000:] for name in ("bot.log", "mlflow.log"))
    raise ConfigError(f"a part of the demo ended early with exit code {child.returncode}:\n{logs}")


async def _first_of(*tasks: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[bool]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


@asynccontextmanager
async def _child(
    name: str, log: Path, *arguments: str, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C reaches this process only; it ends its children in order
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                print(f"{name} did not end, killing it", file=sys.stderr)
                process.kill()
                await process.wait()


def _environment(workspace: Workspace, data: Path, mlflow_url: str, *, with_model: bool) -> dict[str, str]:
    environment = dict(os.environ) | {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
        "TECHNOSHARE_CHANNEL_ID": workspace.channel,
        "JOBS_URL": f"sqlite:///{data / 'technoshare.db'}",
        "MLFLOW_TRACKING_URI": mlflow_url,
        "FETCH_SNAPSHOTS": str(ROOT / "evalsets" / "snapshots"),
    }
    return environment if with_model else environment | {"LLM_MODEL": "extractive"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
