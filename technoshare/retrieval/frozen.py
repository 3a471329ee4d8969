"""Frozen HTTP exchanges: what sites answered once, kept in a file, so that a demo or an evaluation needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urldefrag, urljoin

from pydantic import AwareDatetime, Base64Bytes, Field, model_validator

from technoshare.datafile import load_value
from technoshare.errors import FetchError
from technoshare.models import Page, Value
from technoshare.ports import Fetcher
from technoshare.retrieval.fetch import DEFAULT_LIMIT, MAX_REDIRECTS, REDIRECTS, media_type, too_large
from technoshare.retrieval.guard import Policy

SUFFIXES = (".yaml", ".yml", ".json")
"""JSON is YAML too; people write the one, programs the other."""


class Exchange(Value):
    """One recorded answer. Exactly one of `body` (text, stored as UTF-8) and `body_base64` stands in the file."""

    url: str
    status: int = Field(ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    body_base64: Base64Bytes | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if (self.body is None) == (self.body_base64 is None):
            raise ValueError("an exchange has either body or body_base64")
        return self

    def page(self) -> Page:
        """Return the answer as a fetcher gives it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = self.body_base64 if self.body is None else self.body.encode()
        return Page(
            url=_key(self.url),
            status=self.status,
            headers=headers,
            content_type=media_type(headers),
            body=content or b"",
        )


class Snapshot(Value):
    """Everything that reading one link asks for, with where it comes from and under which licence it may be kept."""

    schema_: Literal["technoshare.snapshot/1"] = Field(alias="schema")
    url: str
    captured_at: AwareDatetime
    source: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    exchanges: tuple[Exchange, ...] = Field(min_length=1)


def load_snapshot(path: Path) -> Snapshot:
    """Read one snapshot file (YAML or JSON). Raises `ConfigError` that names the file and what is wrong in it."""
    return load_value(path, Snapshot)


def load_snapshots(path: Path) -> tuple[Snapshot, ...]:
    """Read a snapshot file, or every one in a folder, in the order of their names. Raises `ConfigError`."""
    if path.is_dir():
        return tuple(load_snapshot(file) for file in sorted(path.iterdir()) if file.suffix in SUFFIXES)
    return (load_snapshot(path),)


class FrozenFetcher:
    """A `Fetcher` that answers from snapshots; what they do not hold goes to `otherwise`, or is an error."""

    def __init__(self, snapshots: Iterable[Snapshot], otherwise: Fetcher | None = None) -> None:
        self._pages = {_key(exchange.url): exchange.page() for snapshot in snapshots for exchange in snapshot.exchanges}
        self._otherwise = otherwise

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the recorded answer of exactly this address, after its recorded redirects (see `Fetcher`)."""
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            page = self._pages.get(_key(asked))
            if page is None:
                return await self._live(asked, headers if asked == url else None, limit)
            location = page.headers.get("location", "")
            if page.status not in REDIRECTS or not location:
                return _capped(page, DEFAULT_LIMIT if limit is None else limit)
            asked = urljoin(page.url, location)
        raise FetchError(f"{url} redirects more than {MAX_REDIRECTS} times")

    async def _live(self, url: str, headers: Mapping[str, str] | None, limit: int | None) -> Page:
        if self._otherwise is not None:
            return await self._otherwise.get(url, headers=headers, limit=limit)
        Policy().check(url)  # a forbidden form is refused here as it is on the network
        raise FetchError(f"{url} is not in the snapshot")


def _key(url: str) -> str:
    return urldefrag(url).url


def _capped(page: Page, limit: int) -> Page:
    if len(page.body) > limit:
        raise too_large(limit)
    return page
