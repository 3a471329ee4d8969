"""One life of the bot in the crash loop: `bot.py` run in a process of its own, forked from one that has the imports.

Starting Python three times (bot and two parsers) takes five seconds of processor time, in which no file is open and
nothing can be lost; a loop of 200 kills would be little else. So the imports are there already, and pages are parsed in
a thread: that parser processes die with the bot has tests of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import runpy
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from technoshare import app
from technoshare.retrieval.parse_child import parse
from technoshare.retrieval.snippets import with_sentences
from tests.bot_process import ROOT

_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(
    ["technoshare.app", "technoshare.llm.client", "anyio._backends._asyncio", "genai_prices", "truststore", __name__]
)


class Life:
    """A bot from its start to its violent end; what it said is in `log`."""

    def __init__(self, settings: dict[str, str], log: Path, *, blind: bool = False) -> None:
        self.log = log
        self._process = _WARM.Process(target=_live, args=(settings, str(log), blind), daemon=True)
        self._process.start()

    @property
    def ready(self) -> bool:
        """Whether it has begun to work on jobs."""
        return self.log.exists() and " ready: " in self.log.read_text("utf-8", "replace")

    def kill(self) -> None:
        """SIGKILL, and wait until the kernel has cleared up: the lock on the jobs file is free afterwards."""
        self._process.kill()
        self._process.join()
        if self._process.exitcode != -9:
            raise AssertionError(f"the bot ended by itself ({self._process.exitcode}):\n{self.log.read_text()}")


def _live(settings: dict[str, str], log: str, blind: bool) -> None:  # noqa: FBT001 - a process target takes no keywords
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(ROOT)
    app.open_parser = _open_threads
    if blind:
        _forget_to_look()
    runpy.run_path(str(ROOT / "bot.py"), run_name="__main__")


class _Threads:
    """A `Parser` without processes of its own."""

    async def parse(self, kind, body, *, url, charset=""):
        return await asyncio.to_thread(lambda: with_sentences(parse(kind, body, url, charset)))


@asynccontextmanager
async def _open_threads():
    yield _Threads()


def _forget_to_look() -> None:
    """Leave the look-up out: whatever is asked about an earlier post, the answer is that there is none."""
    from technoshare.jobs.claim import SqliteClaim  # noqa: PLC0415 - only the loop that must fail needs it

    looking = SqliteClaim.once

    async def nothing(at: float) -> None:
        del at

    async def once(self, token, send, find):
        del find
        return await looking(self, token, send, nothing)

    SqliteClaim.once = once  # type: ignore[method-assign]
