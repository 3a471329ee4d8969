"""Prompts and project context from YAML, checked when the program starts.

Every mistake is a `ConfigError`: one line that names the file and the field.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from technoshare.errors import ConfigError
from technoshare.llm.answers import CommentAnswer, FactsAnswer, same_shape, strict_schema
from technoshare.models import Project, PromptRef
from technoshare.ports import Prompt

T = TypeVar("T")

STAGE_A = "stage_a_extract_facts"
STAGE_B = "stage_b_compose_reply"


@dataclass(frozen=True)
class _Contract:
    """What the code fills in and what it reads back."""

    answer: type[BaseModel]
    needed: frozenset[str]
    """Variables without which the prompt would say nothing about the link."""
    known: frozenset[str]


_ALWAYS = frozenset({"nonce", "source", "projects", "language"})
_CONTRACTS = {
    STAGE_A: _Contract(FactsAnswer, frozenset({"nonce", "evidence"}), _ALWAYS | {"evidence"}),
    STAGE_B: _Contract(CommentAnswer, frozenset({"nonce", "facts"}), _ALWAYS | {"facts", "least", "most"}),
}

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


# ---------------------------------------------------------------- the files


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Message(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class _ModelSettings(_Strict):
    max_output_tokens: int = Field(ge=100)
    temperature: float | None = Field(default=None, ge=0, le=2)


class _JsonSchema(_Strict):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    strict: Literal[True]
    body: dict[str, JsonValue] = Field(alias="schema")


class _ResponseFormat(_Strict):
    type: Literal["json_schema"]
    json_schema: _JsonSchema


class _PromptFile(BaseModel):
    # `model_config` is the contract's name for a field and pydantic's for its own settings, hence the alias.
    name: str
    description: str
    template: tuple[_Message, ...] = Field(min_length=1)
    settings: _ModelSettings = Field(alias="model_config")
    response_format: _ResponseFormat
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- prompts


class YamlPrompts:
    """The prompts of the YAML files."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = prompts

    def get(self, name: str) -> Prompt:
        """Return the prompt. Raises `KeyError` for a name that no stage uses."""
        return self._prompts[name]

    def texts(self) -> tuple[str, ...]:
        """Return the words of all prompts, without what is filled in."""
        return tuple(_VARIABLE.sub(" ", text) for prompt in self._prompts.values() for _, text in prompt.messages)


def load_prompts(folder: Path) -> YamlPrompts:
    """Read and check the prompts of both stages."""
    return YamlPrompts({name: _load_prompt(folder / f"{name}.yaml", contract) for name, contract in _CONTRACTS.items()})


def _load_prompt(path: Path, contract: _Contract) -> Prompt:
    raw = _read(path)
    file = _validated(TypeAdapter(_PromptFile), raw, path)
    if file.name != path.stem:
        raise ConfigError(f"{path}: name must be {path.stem}")
    _check_variables(file, contract, path)
    if not same_shape(file.response_format.json_schema.body, strict_schema(contract.answer)):
        raise ConfigError(f"{path}: response_format: only its descriptions may differ from what the program reads")
    return Prompt(
        ref=PromptRef(name=file.name, version="yaml", content_hash=content_hash(raw)),
        messages=tuple((message.role, message.content) for message in file.template),
        model_config=raw["model_config"],
        response_format=raw["response_format"],
    )


def _check_variables(file: _PromptFile, contract: _Contract, path: Path) -> None:
    used: set[str] = set()
    for number, message in enumerate(file.template):
        names = set(_VARIABLE.findall(message.content))
        if unknown := names - contract.known:
            raise ConfigError(f"{path}: template[{number}].content: unknown variable {{{{{min(unknown)}}}}}")
        if "{{" in _VARIABLE.sub("", message.content):
            raise ConfigError(f"{path}: template[{number}].content: {{{{ without a variable and }}}}")
        used |= names
    if missing := contract.needed - used:
        raise ConfigError(f"{path}: template: {{{{{min(missing)}}}}} is missing")


def content_hash(prompt: Mapping[str, Any]) -> str:
    """Return the prompt's identity: SHA256[:12] over canonical JSON of template, model_config and response_format."""
    return _sha256({key: prompt[key] for key in ("template", "model_config", "response_format")})


def _sha256(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


# ---------------------------------------------------------------- projects


class _ProjectsFile(_Strict):
    projects: tuple[Project, ...] = Field(min_length=1)


def load_projects(path: Path) -> tuple[Project, ...]:
    """Read the team's projects: a list of `name, theme, description, keywords` below the key `projects`."""
    projects = _validated(TypeAdapter(_ProjectsFile), _read(path), path).projects
    for number, project in enumerate(projects):
        for field in ("name", "theme", "description"):
            if not getattr(project, field).strip():
                raise ConfigError(f"{path}: projects[{number}].{field}: is empty")
        if project.theme.casefold() == "none":
            raise ConfigError(f"{path}: projects[{number}].theme: `none` means that no project fits")
    return projects


def projects_hash(projects: tuple[Project, ...]) -> str:
    """Return 12 hex digits that change whenever a project does."""
    return _sha256([project.model_dump(mode="json") for project in projects])


# ---------------------------------------------------------------- reading


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}: is not valid YAML{where}") from error


def _validated(adapter: TypeAdapter[T], raw: object, path: Path) -> T:
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{path}: {field}: {first['msg']}") from error
