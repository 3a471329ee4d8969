"""Which prompts an evaluation asks with, and what becomes of those that pass."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from technoshare.errors import ConfigError
from technoshare.llm.prompts import PROMPTS, YamlPrompts, load_prompts
from technoshare.mlops.evaluation.recording import answers
from technoshare.mlops.evaluation.results import Report
from technoshare.mlops.prompt_version import Refusal
from technoshare.mlops.replay import Away, limit_mlflow
from technoshare.settings import forget_mlflow_environment

FILES = "yaml"
"""Stands for the file where a version or an alias could stand."""


def asked_prompts(asked: Sequence[str], folder: Path, uri: str) -> YamlPrompts:
    """Return the prompts that `asked` names, each `WHICH` for all or `NAME=WHICH` for one; the files without a word.

    Raises `ConfigError`, also when MLflow cannot be asked or does not know the version.
    """
    files, which = load_prompts(folder), _which(asked)
    if set(which.values()) == {FILES}:
        return files
    _prepare_mlflow()
    from technoshare.mlops.prompt_registry import PromptRegistry  # noqa: PLC0415 - it imports mlflow

    try:
        registry = PromptRegistry(uri, time.time)
        return YamlPrompts(
            {
                name: files.get(name) if wanted == FILES else registry.find(name, wanted).prompt()
                for name, wanted in which.items()
            }
        )
    except Refusal as refusal:
        raise ConfigError(f"--prompt: {refusal}") from refusal
    except Away as away:
        raise ConfigError(f"--prompt: MLflow at {uri} cannot be asked: {away}") from away


def _which(asked: Sequence[str]) -> Mapping[str, str]:
    which = dict.fromkeys(PROMPTS, FILES)
    for one in asked:
        name, _, wanted = one.rpartition("=")
        if name and name not in PROMPTS:
            raise ConfigError(f"--prompt: there is no prompt {name}; there are {' and '.join(PROMPTS)}")
        which |= dict.fromkeys([name] if name else PROMPTS, wanted)
    return which


def make_candidates(report: Report, uri: str) -> str:
    """Point `candidate` at what passed a whole live evaluation; return what was done. Troubles are told, not raised."""
    results = report.results
    if results.mode != "live" or results.part or report.verdict.verdict != "pass" or not answers(uri):
        return ""
    _prepare_mlflow()
    from technoshare.mlops.prompt_registry import PromptRegistry  # noqa: PLC0415 - it imports mlflow

    try:
        found = PromptRegistry(uri, time.time).passed(results.prompts)
    except Away as away:
        return f"No prompt became candidate: {away}"
    return " ".join(f"{ref.name} version {ref.version} is candidate." for ref in found)


def _prepare_mlflow() -> None:
    forget_mlflow_environment()
    limit_mlflow()
