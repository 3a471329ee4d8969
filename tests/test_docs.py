"""Every command and every snippet of the three MLflow guides is run, in a checkout of its own, beside a real bot."""

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from technoshare.jobs.report import list_jobs
from technoshare.settings import Settings
from technoshare.workspace.server import Workspace, open_workspace
from tests.bot_process import KEPT, comments

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ("MLFLOW_QUICKSTART.md", "MLFLOW_GUIDE.md", "MLFLOW_CHECKLIST.md")

LASTING = {"make mlflow": "answers at", "make bot": "ready: "}
"""Commands that run until they are ended, and what they say once they work. They run from before the first block on."""

LINKS = (
    "https://notes.example.org/til/sqlite-user-version",
    "https://github.com/technoshare-samples/ledgerline",
    "https://blog.example.org/2026/11/incremental-snapshots",
)
PATIENCE = 300.0
"""Seconds for a command: it takes a few, but a machine may be busy."""

MLFLOW, CHANNEL, JOB = "127.0.0.1:5000", "C024BE91L", "JOB"
"""What the guides say where a reader has something of his own."""


class Block(NamedTuple):
    """A fenced block of a guide, which begins at a line."""

    guide: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.guide}:{self.line}"


def blocks_of(guide: str) -> list[Block]:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(guide, text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in found]


BLOCKS = [block for guide in GUIDES for block in blocks_of(guide)]
COMMANDS = [
    line.partition(" #")[0].strip()
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.splitlines()
    if line.strip() and not line.startswith("#")
]


# ---------------------------------------------------------------- a checkout with everything running


@dataclass
class Desk:
    """The checkout, and what a reader has who has come this far."""

    folder: Path
    environment: dict[str, str]
    mlflow: str
    workspace: Workspace
    jobs: list[str] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    """Lines that went well: what stands in two guides is run once."""

    def filled_in(self, text: str) -> str:
        """Return the text with a reader's own address, channel and job; a job that is forgotten is used up."""
        job = self.jobs.pop() if f"forget {JOB}" in text else self.jobs[0]
        text = text.replace(MLFLOW, self.mlflow).replace(CHANNEL, self.workspace.channel)
        return re.sub(rf"\b{JOB}\b", job, text)

    async def run(self, *command: str) -> str:
        """Return what the command says; fails when it fails."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
        told = said.decode("utf-8", "replace")
        assert process.returncode == 0, f"exit {process.returncode} of\n{command[-1]}\n{told}"
        return told


@asynccontextmanager
async def lasting(desk: Desk, command: str, words: str):
    """Run a command until the block ends; begins when it has said `words`."""
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=desk.folder,
        env=desk.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said: list[str] = []

    async def read(until: str | None) -> None:
        async for line in process.stdout:
            said.append(line.decode("utf-8", "replace"))
            if until is not None and until in said[-1]:
                return
        assert until is None, f"{command} ended:\n{''.join(said)}"

    await asyncio.wait_for(read(words), PATIENCE)
    reading = asyncio.create_task(read(None))
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)
        await reading


def checkout(folder: Path) -> None:
    """Lay out what `git clone` and `make setup` leave, without copying it."""
    for name in ("technoshare", "prompts", "evalsets", "bot.py", "Makefile", ".env.example"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".venv" / ".ready").touch()  # newer than what it is made from: make installs nothing


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("checkout"), free_port()
    checkout(folder)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    async with open_workspace() as workspace, AsyncExitStack() as stack:
        environment = kept | workspace.environment | {
            "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": str(folder),
            "PORT": port,
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
            "FETCH_SNAPSHOTS": "evalsets/snapshots",
        }  # fmt: skip
        desk = Desk(folder, environment, f"127.0.0.1:{port}", workspace)
        for command, words in LASTING.items():
            await stack.enter_async_context(lasting(desk, command, words))
        for link in LINKS:
            ts = workspace.say(link)
            await workspace.until(lambda ts=ts: comments(workspace, ts), timeout=60)
        desk.jobs = [job.id for job in list_jobs(f"sqlite:///{folder / 'data' / 'technoshare.db'}")]
        await desk.run("technoshare", "jobs", "list")
        await recorded(desk)
        yield desk


async def recorded(desk: Desk) -> None:
    """Wait until MLflow has every job, as a reader would who looks again and again."""
    count = (
        "import sys; from mlflow import MlflowClient; import time; client = MlflowClient(sys.argv[1])\n"
        "while True:\n"
        "    known = client.get_experiment_by_name('technoshare_commentator')\n"
        "    found = client.search_runs([known.experiment_id], \"tags.kind = 'job'\") if known else []\n"
        "    if sum(run.info.status == 'FINISHED' for run in found) == int(sys.argv[2]):\n"
        "        break\n"
        "    time.sleep(0.3)\n"
    )
    await desk.run("python", "-c", count, f"http://{desk.mlflow}", str(len(desk.jobs)))


# ---------------------------------------------------------------- running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in ("sh", "python")], ids=str)
async def test_what_a_guide_tells_to_type_works(desk, block):
    if block.language == "python":
        assert (await desk.run("python", "-c", desk.filled_in(block.text))).strip(), "a snippet shows something"
        return
    lines = [line.partition(" #")[0].strip() for line in block.text.splitlines()]
    fresh = [line for line in lines if line not in desk.ran | set(LASTING)]
    await desk.run("bash", "-euo", "pipefail", "-c", desk.filled_in("\n".join(fresh)))
    desk.ran |= set(lines)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "env"], ids=str)
def test_what_a_guide_tells_to_set_is_a_setting(block, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(block.text)
    Settings()
    names = {line.partition("=")[0] for line in block.text.splitlines() if line and not line.startswith("#")}
    assert names <= {(known.alias or name).upper() for name, known in Settings.model_fields.items()}


# ---------------------------------------------------------------- nothing is left out


def test_every_block_says_what_it_is_and_those_that_are_not_run_hold_no_command():
    fences = [line for guide in GUIDES for line in (ROOT / "docs" / guide).read_text("utf-8").splitlines()]
    assert sum(line.strip().startswith(("```", "~~~")) for line in fences) == 2 * len(BLOCKS)
    for block in BLOCKS:
        assert block.language in {"sh", "python", "env", "text"}, block
        if block.language in {"env", "text"}:
            assert not re.search(
                r"^(?:\$ )?(?:make|technoshare|python|mlflow|sqlite3|cp) ", block.text, re.MULTILINE
            ), block


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_in_a_sentence_is_run_somewhere(guide):
    text = re.sub(r"^```.*?^```$", "", (ROOT / "docs" / guide).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"`((?:make|technoshare|python|mlflow) [^`]*)`", text)
    missing = [one for one in named if not any(f"{ran} ".startswith(f"{one} ") for ran in COMMANDS)]
    assert not missing


def test_there_is_something_to_run_in_each_guide():
    assert {block.guide for block in BLOCKS if block.language == "sh"} == set(GUIDES)
    assert set(LASTING) <= set(COMMANDS)
