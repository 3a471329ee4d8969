"""The prompts that the bot uses: `prod` of the registry, kept on disk, refreshed behind the jobs without a restart.

Where a prompt comes from, in this order: what was last seen as `prod`, in memory or on disk, so that no edit goes live
that nobody promoted, whether MLflow is there or not; the YAML files, only where `prod` never existed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from technoshare.errors import ConfigError
from technoshare.llm.prompts import PROMPTS, YamlPrompts, words_of
from technoshare.mlops.prompt_version import PromptVersion
from technoshare.models import Value
from technoshare.ports import Prompt

logger = logging.getLogger("technoshare.mlops")

REGISTRY, COPY, FILES = "MLflow", "the last good copy", "prompts/"
"""Where a prompt in use comes from."""
CANDIDATE = "MLflow's candidate"
"""Where one comes from that only shadow runs use."""


@dataclass(frozen=True)
class Prod:
    """What the registry says about `prod` of a prompt."""

    version: PromptVersion | None
    withdrawn: bool = False
    """There is none, and on purpose; otherwise a `prod` that is gone is a loss, and no reason to forget it."""
    candidate: PromptVersion | None = None
    """What passed its evaluation and waits for its promotion, if it is another version."""


class Registry(Protocol):
    """Where `prod` is asked for."""

    def prod(self, name: str) -> Prod:
        """Return what the bot is to use. Raises `Away` when nobody can tell now."""


@dataclass(frozen=True)
class _Kept:
    version: PromptVersion
    prompt: Prompt
    place: str


class _Copy(Value):
    prompts: tuple[PromptVersion, ...]


class LivePrompts:
    """The prompts in use. Jobs `get` them at any time; one thread at most may `look` for others."""

    def __init__(self, files: YamlPrompts, copy: Path) -> None:
        self._files, self._copy = files, copy
        self._said: dict[tuple[str, int], str] = {}
        self._candidates: Mapping[str, _Kept] = {}
        self._on_disk = self._saved()
        self._worth_keeping = dict(self._on_disk)
        kept = {name: self._checked(version, COPY) for name, version in self._on_disk.items() if name in PROMPTS}
        self._use({name: one for name, one in kept.items() if one})

    # ------------------------------------------------------------ for jobs

    def get(self, name: str) -> Prompt:
        """Return the prompt that is current now."""
        kept = self._kept.get(name)
        return kept.prompt if kept else self._files.get(name)

    def texts(self) -> tuple[str, ...]:
        """Return the words of all prompts in use and of the files."""
        return self._texts

    def candidates(self) -> YamlPrompts | None:
        """Return what a promotion of all candidates would bring; None while that is what is in use."""
        waiting = {name: one.prompt for name, one in self._candidates.items()}
        if all(prompt.ref.content_hash == self.get(name).ref.content_hash for name, prompt in waiting.items()):
            return None
        return YamlPrompts({name: waiting.get(name) or self.get(name) for name in PROMPTS})

    # ------------------------------------------------------------ where they come from

    @property
    def promoted(self) -> bool:
        """Whether a good `prod` of every prompt is known."""
        return self._kept.keys() >= set(PROMPTS)

    def place(self, name: str) -> str:
        """Return where the prompt in use came from."""
        kept = self._kept.get(name)
        return kept.place if kept else FILES

    def look(self, registry: Registry) -> None:
        """Ask for `prod` of all prompts, then use what is new and good, all at once.

        Raises `Away`, and then nothing has changed.
        """
        answers = {name: registry.prod(name) for name in PROMPTS}
        kept = dict(self._kept)
        for name, answer in answers.items():
            if answer.version is not None:
                if found := self._checked(answer.version, REGISTRY):
                    kept[name] = found
            elif answer.withdrawn:
                kept.pop(name, None)
                self._worth_keeping.pop(name, None)
            elif name in kept:
                self._say(name, "prod is gone from MLflow without a rollback; what was in use stays", logging.WARNING)
        self._use(kept)
        waiting = {name: answer.candidate for name, answer in answers.items() if answer.candidate}
        self._candidates = {name: found for name, one in waiting.items() if (found := self._checked(one, CANDIDATE))}
        for name, answer in answers.items():
            self._fall_back(name, "nothing usable promoted" if answer.version else "nothing promoted")

    def fall_back(self, why: str) -> None:
        """Say of each prompt without a known `prod` that the file is used."""
        for name in PROMPTS:
            self._fall_back(name, why)

    def save(self) -> None:
        """Keep what was promoted for a start without MLflow; the file is always a whole one."""
        self._worth_keeping |= {name: one.version for name, one in self._kept.items()}
        if self._worth_keeping == self._on_disk:
            return
        fresh = self._copy.with_suffix(".new")
        try:
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="utf-8") as file:
                file.write(_Copy(prompts=tuple(self._worth_keeping.values())).model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._copy)
        except OSError as error:
            logger.warning("%s cannot be written (%s): a start without MLflow uses older prompts", fresh, error)
        self._on_disk = dict(self._worth_keeping)

    # ------------------------------------------------------------ parts

    def _use(self, kept: Mapping[str, _Kept]) -> None:
        words = (text for one in kept.values() for text in words_of(one.prompt))
        self._texts = tuple(dict.fromkeys((*self._files.texts(), *words)))  # before the prompt that holds them
        self._kept = kept
        for name, one in kept.items():
            self._say(name, f"version {one.version.version} ({one.version.content_hash}) from {one.place}")

    def _fall_back(self, name: str, why: str) -> None:
        if name not in self._kept:
            self._say(name, f"{self._files.get(name).ref.content_hash} from {FILES} ({why})")

    def _checked(self, version: PromptVersion, place: str) -> _Kept | None:
        try:
            return _Kept(version, version.prompt(), place)
        except ConfigError as error:
            told = f"{place} offers what cannot be used, so what was in use stays: {error}"
            self._say(version.name, told, logging.WARNING)
            return None

    def _saved(self) -> dict[str, PromptVersion]:
        try:
            return {one.name: one for one in _Copy.model_validate_json(self._copy.read_bytes()).prompts}
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            logger.warning("%s cannot be read: it is left aside", self._copy)
            return {}

    def _say(self, name: str, what: str, level: int = logging.INFO) -> None:
        """Log what is new about a prompt, once."""
        if self._said.get((name, level)) != what:
            self._said[name, level] = what
            logger.log(level, "prompt %s: %s", name, what)


@dataclass(frozen=True)
class CandidatePrompts:
    """The candidates as a writer asks for them; without one it is what the bot uses."""

    live: LivePrompts

    def get(self, name: str) -> Prompt:
        """Return the candidate, or the prompt in use."""
        return (self.live.candidates() or self.live).get(name)

    def texts(self) -> tuple[str, ...]:
        """Return the words of all of them, and of the prompts in use."""
        waiting = self.live.candidates()
        return (*self.live.texts(), *(waiting.texts() if waiting else ()))
