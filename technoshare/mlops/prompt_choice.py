"""Which prompts an evaluation, a replay or a shadow run writes with: of the files, or versions of the registry."""

from __future__ import annotations

from typing import Protocol

from technoshare.llm.prompts import PROMPTS, YamlPrompts
from technoshare.mlops.prompt_version import PROD, PromptVersion, Refusal
from technoshare.ports import Prompt

YAML = "yaml"
"""Asks for the files where a version or an alias could stand."""


class Versions(Protocol):
    """The registry, as far as a choice needs it."""

    def versions(self, name: str) -> tuple[PromptVersion, ...]:
        """Return all versions of a prompt with their aliases."""


def chosen_prompts(registry: Versions, files: YamlPrompts, which: str) -> YamlPrompts:
    """Return both prompts: of each the version `which` (alias or number), else what the bot uses: `prod`, or the file.

    With `NAME@WHICH`, where NAME may be cut short, the choice is about one prompt. Raises `Refusal` when no prompt has
    such a version and `ConfigError` when it cannot be used.
    """
    about, _, wanted = which.rpartition("@")
    stored = {name: registry.versions(name) for name in PROMPTS}
    found = {
        name: version
        for name, versions in stored.items()
        if name.startswith(about) and (version := _version(versions, wanted))
    }
    if not found:
        raise Refusal(f"no prompt has a version {which}; `technoshare prompts list` shows what there is")
    return YamlPrompts(
        {name: _prompt(found.get(name) or _version(stored[name], PROD), files, name) for name in PROMPTS}
    )


def _version(versions: tuple[PromptVersion, ...], which: str) -> PromptVersion | None:
    return next((one for one in versions if which == one.version or which in one.aliases), None)


def _prompt(version: PromptVersion | None, files: YamlPrompts, name: str) -> Prompt:
    return version.prompt() if version else files.get(name)
