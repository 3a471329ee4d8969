"""Prompts, from wherever they are kept, and project context from YAML; both are checked before they are used.

Every mistake is a `ConfigError`: one line that names the place and the field.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
PROMPTS = (STAGE_A, STAGE_B)


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


class _Content(BaseModel):
    # `model_config` is the contract's name for a field and pydantic's for its own settings, hence the alias.
    template: tuple[_Message, ...] = Field(min_length=1)
    settings: _ModelSettings = Field(alias="model_config")
    response_format: _ResponseFormat
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PromptFile(_Content):
    name: str
    description: str


# ---------------------------------------------------------------- prompts


class YamlPrompts:
    """Prompts that stay as they are: those of the YAML files, or any others that were checked."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = prompts
        self._texts = tuple(text for prompt in prompts.values() for text in words_of(prompt))

    def get(self, name: str) -> Prompt:
        """Return the prompt. Raises `KeyError` for a name that no stage uses."""
        return self._prompts[name]

    def texts(self) -> tuple[str, ...]:
        """Return the words of all prompts, without what is filled in."""
        return self._texts


def words_of(prompt: Prompt) -> tuple[str, ...]:
    """Return the words of each message, without what is filled in."""
    return tuple(_VARIABLE.sub(" ", text) for _, text in prompt.messages)


def load_prompts(folder: Path) -> YamlPrompts:
    """Read and check the prompts of both stages."""
    return YamlPrompts({name: _load_prompt(folder / f"{name}.yaml") for name in PROMPTS})


def _load_prompt(path: Path) -> Prompt:
    file = _validated(TypeAdapter(_PromptFile), _read(path), path)
    if file.name != path.stem:
        raise ConfigError(f"{path}: name must be {path.stem}")
    return _checked(file, file.name, "yaml", path)


def checked_prompt(name: str, version: str, content: Mapping[str, JsonValue], where: object) -> Prompt:
    """Return the prompt, if its stage can use it; `content` is template, model_config and response_format.

    Raises `ConfigError` that begins with `where`.
    """
    return _checked(_validated(TypeAdapter(_Content), content, where), name, version, where)


def content_of(prompt: Prompt) -> dict[str, JsonValue]:
    """Return what makes the prompt's identity: template, model_config and response_format."""
    return {
        "template": [{"role": role, "content": text} for role, text in prompt.messages],
        "model_config": dict(prompt.model_config),
        "response_format": dict(prompt.response_format),
    }


def _checked(content: _Content, name: str, version: str, where: object) -> Prompt:
    contract = _CONTRACTS[name]
    _check_variables(content, contract, where)
    if not same_shape(content.response_format.json_schema.body, strict_schema(contract.answer)):
        raise ConfigError(f"{where}: response_format: only its descriptions may differ from what the program reads")
    # As the model gets it: `temperature: 0` and `0.0` are one prompt, and so is one that MLflow has stored.
    prompt = Prompt(
        ref=PromptRef(name=name, version=version, content_hash=""),
        messages=tuple((message.role, message.content) for message in content.template),
        model_config=content.settings.model_dump(exclude_none=True),
        response_format=content.response_format.model_dump(by_alias=True),
    )
    return replace(prompt, ref=prompt.ref.model_copy(update={"content_hash": content_hash(content_of(prompt))}))


def _check_variables(content: _Content, contract: _Contract, where: object) -> None:
    used: set[str] = set()
    for number, message in enumerate(content.template):
        names = set(_VARIABLE.findall(message.content))
        if unknown := names - contract.known:
            raise ConfigError(f"{where}: template[{number}].content: unknown variable {{{{{min(unknown)}}}}}")
        if "{{" in _VARIABLE.sub("", message.content):
            raise ConfigError(f"{where}: template[{number}].content: {{{{ without a variable and }}}}")
        used |= names
    if missing := contract.needed - used:
        raise ConfigError(f"{where}: template: {{{{{min(missing)}}}}} is missing")


def content_hash(content: Mapping[str, JsonValue]) -> str:
    """Return the prompt's identity: SHA256[:12] over canonical JSON of template, model_config and response_format."""
    return _sha256({key: content.get(key) for key in ("template", "model_config", "response_format")})


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


def _validated(adapter: TypeAdapter[T], raw: object, where: object) -> T:
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{where}: {field}: {first['msg']}") from error
