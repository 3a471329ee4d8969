"""Parsing in processes of its own: a page that hangs or crashes its parser costs that page, and nothing else.

Not a `ProcessPoolExecutor`: after kill -9 of the bot its workers live on, Ctrl-C breaks the pool in mid-drain, and a
hung parse blocks all others.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

from technoshare.errors import Unusable
from technoshare.models import Document
from technoshare.ports import DocumentKind, Parser

PACKAGE = Path(__file__).parents[2]
CHILD = "technoshare.retrieval.parse_child"
START = 60.0
"""Seconds for a child to import its libraries (2 s when the machine is idle)."""
LENGTH = 4
"""Bytes of a frame's length."""


class _Died(Exception):
    """The child ended in the middle of a page."""


@asynccontextmanager
async def open_parser(*, processes: int = 2, deadline: float = 20.0, child: str = CHILD) -> AsyncIterator[Parser]:
    """Start `processes` parser processes without waiting for them; `deadline` is in seconds per page.

    They end with the block. `child` is the module they run.
    """
    pool = ParserPool([_Child(child, deadline) for _ in range(processes)])
    try:
        await pool.start()
        yield pool
    finally:
        await pool.close()


class ParserPool:
    """The `Parser` of the running bot. Pages wait in order of arrival for one of the processes."""

    def __init__(self, children: list[_Child]) -> None:
        self._children = children
        self._idle: asyncio.Queue[_Child] = asyncio.Queue()

    async def start(self) -> None:
        """Start every child; they import their libraries while the bot goes on."""
        for child in self._children:
            await child.start()
            self._idle.put_nowait(child)

    async def parse(self, kind: DocumentKind, body: bytes, *, url: str, charset: str = "") -> Document:
        """Return what the body says. Raises `Unusable` (see `Parser`)."""
        child = await self._idle.get()
        try:
            answer = json.loads(await child.ask({"kind": kind, "url": url, "charset": charset}, body))
        except TimeoutError as error:
            raise Unusable("the page took too long to read", obstacle="too_slow") from error
        except _Died as error:
            raise Unusable("the page could not be read: it crashed its parser") from error
        finally:
            self._idle.put_nowait(child)
        if "document" not in answer:
            raise Unusable(answer["reason"], obstacle=answer["obstacle"])
        return Document.model_validate(answer["document"])

    async def close(self) -> None:
        """Kill the children and wait until they are gone; they hold nothing that could be lost."""
        for child in self._children:
            await child.close()


class _Child:
    """One process slot. Whatever happens to its process, the next `ask` has a working one."""

    def __init__(self, module: str, deadline: float) -> None:
        self._module = module
        self._deadline = deadline
        self._process: Process | None = None
        self._alive = False
        self._ready = False

    async def start(self) -> None:
        """Start a process; the last one, if any, has been killed."""
        await self.close()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the working directory is not a place to import from
            "-m",
            self._module,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the bot
            env={"PYTHONPATH": str(PACKAGE), "PATH": os.defpath, "LANG": "C.UTF-8"},  # no secret ever meets a page
        )
        self._alive = True

    async def ask(self, header: dict[str, str], body: bytes) -> bytes:
        """Return the answer frame. Raises `TimeoutError` at the deadline and `_Died`; the process is gone then."""
        request = json.dumps(header | {"deadline": self._deadline}).encode()
        try:
            return await self._exchange(request, body)
        except _Died:  # perhaps it ended while nobody asked, which says nothing about this page
            return await self._exchange(request, body)

    async def _exchange(self, request: bytes, body: bytes) -> bytes:
        try:
            requests, answers = await self._working()
            async with asyncio.timeout(self._deadline):
                for frame in (request, body):
                    requests.write(len(frame).to_bytes(LENGTH, "big"))
                    requests.write(frame)
                await requests.drain()
                return await _frame(answers)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self._kill()
            raise _Died from error
        except BaseException:  # a deadline, or a cancelled job: its late answer must not be taken for the next one's
            self._kill()
            raise

    async def close(self) -> None:
        """Kill the process and wait until it is gone."""
        self._kill()
        if self._process is not None:
            await self._process.wait()
            self._process = None

    async def _working(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        """Return the pipes of a process that has finished its imports."""
        if not self._alive:
            await self.start()
        requests, answers = _pipes(self._process)
        if not self._ready:
            async with asyncio.timeout(START):
                await _frame(answers)
            self._ready = True
        return requests, answers

    def _kill(self) -> None:
        self._alive = self._ready = False
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):  # it ended this very moment
                self._process.kill()


def _pipes(process: Process | None) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Return input and output of a process that was started with both."""
    started = cast("Process", process)
    return cast("asyncio.StreamWriter", started.stdin), cast("asyncio.StreamReader", started.stdout)


async def _frame(answers: asyncio.StreamReader) -> bytes:
    head = await answers.readexactly(LENGTH)
    return await answers.readexactly(int.from_bytes(head, "big"))
