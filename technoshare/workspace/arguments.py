"""Reads the arguments of a Web API call: all of them may be missing, of the wrong type, or texts."""

from typing import Any

from technoshare.workspace.errors import ApiError
from technoshare.workspace.shapes import Json


def text_of(arguments: Json, name: str) -> str:
    """Return a text that must be there. Raises `ApiError`."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError("invalid_arguments", detail=f"{name} is missing")
    return value


def flag(value: Any) -> bool:
    """Tell whether a flag is set, in any of the ways in which clients write it."""
    return value in (True, 1, "1", "true", "True")


def time_of(arguments: Json, name: str, default: float) -> float:
    """Return a ts as a number. Raises `ApiError`."""
    try:
        return float(arguments.get(name, default))
    except (TypeError, ValueError):
        raise ApiError("invalid_arguments", detail=f"{name} is not a time") from None


def limit_of(arguments: Json) -> int:
    """Return how many items a page may have. Raises `ApiError`."""
    try:
        return max(1, min(int(arguments.get("limit") or 100), 999))  # 100 and 999 are Slack's default and most
    except (TypeError, ValueError):
        raise ApiError("invalid_limit") from None
