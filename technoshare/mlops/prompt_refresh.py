"""The daemon thread that keeps a bot's prompts fresh. Only there is mlflow imported, which takes 2 s."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from technoshare.llm.prompts import load_prompts
from technoshare.mlops.prompt_book import LivePrompts, Registry
from technoshare.mlops.replay import Away, Pause, limit_mlflow
from technoshare.ports import Clock

logger = logging.getLogger("technoshare.mlops")

FIRST_ANSWER_SECONDS = 10.0
"""Longest time that a bot which knows no `prod` yet waits for MLflow, before it works with the files."""

CLOSE_SECONDS = 1.0
"""How long closing waits for a question that is under way; nothing is lost when it is cut off."""


@dataclass
class Refresh:
    """Looks for `prod` again and again. `connect` opens the registry; `looked` is called after each look."""

    prompts: LivePrompts
    connect: Callable[[], Registry]
    pause: Pause
    looked: Callable[[], None]
    seconds: float

    def __post_init__(self) -> None:
        self._registry: Registry | None = None
        self._away = False

    def run(self) -> None:
        """Look until the pause says that it is time to end."""
        while True:
            self._look()
            self.looked()
            if self.pause(self.seconds):
                return

    def _look(self) -> None:
        try:
            self._registry = self._registry or self.connect()
            self.prompts.look(self._registry)
            self.prompts.save()
        except Away as away:
            self._went_away(str(away))
        except Exception as error:  # whatever a registry may hold: the prompts in use are good
            logger.exception("prompt refresh")
            self._went_away(f"{type(error).__name__}: {error}")
        else:
            self._away = False

    def _went_away(self, why: str) -> None:
        self.prompts.fall_back("MLflow is away")
        if not self._away:
            self._away = True
            logger.warning("MLflow cannot be asked for prompts, those in use stay: %s", why)


@asynccontextmanager
async def open_prompts(
    folder: Path, copy: Path, uri: str | None, clock: Clock, *, seconds: float
) -> AsyncIterator[LivePrompts]:
    """Open the prompts of a bot; without `uri` MLflow is off: nothing is asked, imported or started.

    A promotion is seen after `seconds`. Where no `prod` is known yet, it waits for the first answer.
    Raises `ConfigError` when a file in `folder` is wrong.
    """
    prompts = LivePrompts(load_prompts(folder), copy)
    if uri is None:
        prompts.fall_back("MLflow is off")
        yield prompts
        return
    thread = RefreshThread(prompts, uri, clock, seconds)
    try:
        if not prompts.promoted:
            await thread.first_answer()
        yield prompts
    finally:
        await thread.close()


class RefreshThread:
    """Runs a `Refresh` beside the event loop. A daemon: a process never waits for it longer than `close` does."""

    def __init__(self, prompts: LivePrompts, uri: str, clock: Clock, seconds: float) -> None:
        self._prompts, self._uri, self._clock, self._seconds = prompts, uri, clock, seconds
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._looked, self._ended = asyncio.Event(), asyncio.Event()
        threading.Thread(target=self._main, name="prompt refresh", daemon=True).start()

    async def first_answer(self) -> None:
        """Wait until MLflow has said what is `prod`, or that it is away, or has taken too long."""
        try:
            await asyncio.wait_for(self._looked.wait(), FIRST_ANSWER_SECONDS)
        except TimeoutError:
            self._prompts.fall_back("MLflow has not answered yet")

    async def close(self) -> None:
        """End the thread."""
        self._stop.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)

    def _main(self) -> None:
        limit_mlflow()
        Refresh(self._prompts, self._connect, self._stop.wait, lambda: self._tell(self._looked), self._seconds).run()
        self._tell(self._ended)

    def _connect(self) -> Registry:
        try:
            from technoshare.mlops.prompt_registry import PromptRegistry  # noqa: PLC0415 - imports mlflow
        except ImportError as error:
            raise Away(f"mlflow cannot be imported: {error}") from error
        return PromptRegistry(self._uri, self._clock)

    def _tell(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(event.set)
