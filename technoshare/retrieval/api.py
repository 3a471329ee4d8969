"""A site's JSON: asked for and validated in one breath, so that an adapter sees its own shape or a plain error."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from technoshare.errors import Unusable
from technoshare.ports import Fetcher
from technoshare.retrieval.obstacles import require_success, site

LIMIT = 2_000_000
"""Bytes; a question with ten long answers has about 200 kB."""

Shape = TypeVar("Shape", bound=BaseModel)


async def ask(url: str, shape: type[Shape], fetcher: Fetcher, *, limit: int = LIMIT) -> Shape:
    """Return the answer as a `shape`.

    Raises `FetchError`, what a status other than 2xx means, and `Unusable` for an answer of any other shape.
    """
    page = await fetcher.get(url, limit=limit)
    require_success(page)
    try:
        return shape.model_validate_json(page.body)
    except ValidationError as error:
        raise Unusable(f"{site(url)} answered in a way that cannot be read", obstacle="unreadable") from error
