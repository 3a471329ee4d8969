"""A YAML or JSON file → a checked value. Every mistake in it is one line that names the file and the place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, JsonValue, ValidationError

from technoshare.errors import ConfigError
from technoshare.text import squeeze

Shape = TypeVar("Shape", bound=BaseModel)

_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, RecursionError)
"""What yaml raises: also for a date that is none, a number of 5,000 digits, a list as key, brackets without end."""


class _Loader(yaml.CSafeLoader):
    """YAML's safe part, without the silent choice among keys that occur twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - yaml's
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands twice in one place", problem_mark=key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


def read_bytes(path: Path) -> bytes:
    """Return the file's content. Raises `ConfigError`."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def load_value(path: Path, shape: type[Shape]) -> Shape:
    """Return what the file says, as a `shape`. Raises `ConfigError`."""
    return value_of(read_bytes(path), shape, name=str(path))


def value_of(body: bytes, shape: type[Shape], *, name: str) -> Shape:
    """Return what `body` says, as a `shape`; `name` is the file's. Raises `ConfigError`."""
    raw = plain_value(body, name=name)
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(squeeze(f"{name}: {_where(first['loc'], raw) or 'file'}: {message}")) from error


def plain_value(body: bytes, *, name: str) -> JsonValue:
    """Return what `body` says, unchecked. Raises `ConfigError` for what is neither YAML nor JSON."""
    try:
        return cast("JsonValue", yaml.load(body.decode("utf-8-sig"), _Loader))  # noqa: S506 - a safe loader
    except _UNREADABLE as error:
        raise ConfigError(squeeze(f"{name} is neither YAML nor JSON: {error}")) from error


def _where(loc: Sequence[int | str], raw: JsonValue) -> str:
    """Return the place in words: what has an id is called by it, `examples.note.url` rather than `examples.3.url`."""
    names = []
    for part in loc:
        raw = _at(raw, part)
        name = raw.get("id") if isinstance(raw, dict) and isinstance(part, int) else None
        names.append(name if name and isinstance(name, str) else str(part))
    return ".".join(names)


def _at(raw: JsonValue, part: int | str) -> JsonValue:
    if isinstance(raw, list) and isinstance(part, int) and part < len(raw):
        return raw[part]
    return raw.get(part) if isinstance(raw, dict) and isinstance(part, str) else None
