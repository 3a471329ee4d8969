"""Which prompts an evaluation, a replay or a shadow run asks with: those of the files, or versions of the registry."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from technoshare.errors import ConfigError
from technoshare.llm.prompts import PROMPTS, YamlPrompts, load_prompts
from technoshare.mlops.prompt_version import PROD, PromptVersion, Refusal, chosen
from technoshare.mlops.replay import Away, limit_mlflow
from technoshare.settings import forget_mlflow_environment

YAML = "yaml"
"""Stands for the file where a version or an alias could stand."""

Stored = Mapping[str, tuple[PromptVersion, ...]]
"""All versions of each prompt."""


def asked_prompts(asked: Sequence[str], folder: Path, uri: str) -> YamlPrompts:
    """Return the prompts that `asked` names, each `WHICH` for both or `NAME=WHICH` for one; the files without a word.

    Where `WHICH` stands alone, a prompt that has no such version is what the bot uses: `prod`, or the file.
    Raises `ConfigError`, also when MLflow cannot be asked or no prompt has the version.
    """
    files = load_prompts(folder)
    if all(one == YAML for one in asked):
        return files
    stored = _stored(uri)
    found = {name: files.get(name) for name in PROMPTS}
    try:
        for one in asked:
            name, _, which = one.rpartition("=")
            versions = _of_one(stored, name, which) if name else _of_both(stored, which)
            found |= {name: files.get(name) if one is None else one.prompt() for name, one in versions.items()}
    except Refusal as refusal:
        raise ConfigError(f"--prompt: {refusal}") from refusal
    return YamlPrompts(found)


def _stored(uri: str) -> Stored:
    forget_mlflow_environment()
    limit_mlflow()
    from technoshare.mlops.prompt_registry import PromptRegistry  # noqa: PLC0415 - it imports mlflow

    try:
        registry = PromptRegistry(uri, time.time)
        return {name: registry.versions(name) for name in PROMPTS}
    except Away as away:
        raise ConfigError(f"--prompt: MLflow at {uri} cannot be asked: {away}") from away


def _of_one(stored: Stored, name: str, which: str) -> dict[str, PromptVersion | None]:
    """Return the version of one prompt, None for its file."""
    if name not in PROMPTS:
        raise Refusal(f"there is no prompt {name}; there are {' and '.join(PROMPTS)}")
    return {name: None if which == YAML else chosen(stored[name], name, which)}


def _of_both(stored: Stored, which: str) -> dict[str, PromptVersion | None]:
    if which == YAML:
        return dict.fromkeys(PROMPTS)
    found = {name: _version(versions, which) for name, versions in stored.items()}
    if not any(found.values()):
        raise Refusal(f"no prompt has {'a version' if which.isdigit() else 'the alias'} {which}")
    return {name: found[name] or _version(stored[name], PROD) for name in PROMPTS}


def _version(versions: tuple[PromptVersion, ...], which: str) -> PromptVersion | None:
    return next((one for one in versions if which == one.version or which in one.aliases), None)
