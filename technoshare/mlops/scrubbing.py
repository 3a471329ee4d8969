"""Secrets out of what MLflow is told: keys and tokens by their shape, our own by value, credentials in addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import quote

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from technoshare.credentials import without_credentials
from technoshare.models import Value
from technoshare.quality.secrets import redacted

V = TypeVar("V", bound=Value)


def scrubbed(value: V, own: Iterable[str] = ()) -> V:
    """Return the value with every secret in any of its texts masked; texts that hold JSON hold JSON afterwards.

    `own` are the values of secret settings.
    """
    forms = {form for secret in own for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))}
    longest_first = tuple(sorted(forms, key=len, reverse=True))
    return type(value).model_validate(_clean(value.model_dump(mode="json"), longest_first))


def _clean(value: JsonValue, own: tuple[str, ...]) -> JsonValue:
    if isinstance(value, str):
        return _text(value, own)
    if isinstance(value, list):
        return [_clean(one, own) for one in value]
    if isinstance(value, dict):
        return {_text(name, own): _clean(one, own) for name, one in value.items()}
    return value


def _text(text: str, own: tuple[str, ...]) -> str:
    if text[:1] in ("{", "[", '"'):
        try:
            told = from_json(text)
        except ValueError:
            return _plain(text, own)
        clean = _clean(told, own)
        return text if clean == told else to_json(clean, indent=2 if "\n" in text else None).decode()
    return _plain(text, own)


def _plain(text: str, own: tuple[str, ...]) -> str:
    return without_credentials(redacted(text, own))
