"""A version of a prompt as the registry keeps it: what was stored, and whether a stage may use it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import JsonValue

from technoshare.errors import ConfigError, TechnoShareError
from technoshare.llm.prompts import checked_prompt, content_hash, content_of
from technoshare.models import Value
from technoshare.ports import Prompt

STAGING, CANDIDATE, PROD = "staging", "candidate", "prod"
"""Aliases: the newest text, the newest text that passed an evaluation, what the bot uses."""

NEVER = "none"
"""Stands for a version where there is none."""


class Refusal(TechnoShareError):
    """What was asked for makes no sense, or is not allowed; the message says why."""


class PromptVersion(Value):
    """What the registry says, unchecked until `prompt` is called."""

    name: str
    version: str
    content: dict[str, JsonValue]
    """template, model_config and response_format."""
    promised_hash: str
    """The identity that its tags name; empty when they name none."""
    created: float = 0.0
    """Unix seconds."""
    aliases: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """The identity of what is stored."""
        return content_hash(self.content)

    def prompt(self) -> Prompt:
        """Return the prompt. Raises `ConfigError` when it was changed by hand or its stage cannot use it."""
        where = f"{self.name} version {self.version}"
        if not self.promised_hash:
            raise ConfigError(f"{where}: has no content_hash, so `technoshare prompts sync` did not make it")
        if self.promised_hash != self.content_hash:
            raise ConfigError(
                f"{where}: was changed by hand: its tag says {self.promised_hash}, its content is {self.content_hash}"
            )
        return checked_prompt(self.name, self.version, self.content, where)

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty when it can."""
        try:
            self.prompt()
        except ConfigError as error:
            return str(error)
        return ""


def with_alias(versions: Iterable[PromptVersion], alias: str) -> PromptVersion | None:
    """Return the version at which the alias stands."""
    return next((one for one in versions if alias in one.aliases), None)


def chosen(versions: Iterable[PromptVersion], name: str, which: str) -> PromptVersion:
    """Return the version of the prompt `name` with this number or alias. Raises `Refusal` when there is none."""
    for version in versions:
        if which == version.version or which in version.aliases:
            return version
    raise Refusal(f"{name} has no {'version ' if which.isdigit() else ''}{which}")


def readable(prompt: Prompt) -> str:
    """Return everything that makes the prompt's identity, as text for people."""
    content = content_of(prompt)
    texts = [f"--- {role}\n{text.rstrip()}" for role, text in prompt.messages]
    rest = [f"--- {name}\n{_json(content[name])}" for name in ("model_config", "response_format")]
    return "\n\n".join(texts + rest) + "\n"


def _json(value: JsonValue) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def iso(seconds: float) -> str:
    """Return a time as tags and records have it: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
