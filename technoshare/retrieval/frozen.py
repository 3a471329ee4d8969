"""Frozen HTTP exchanges: what sites answered once, kept in a file, so that a demo or an evaluation needs no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urldefrag, urljoin, urlsplit

import yaml
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


def yaml_of(snapshot: Snapshot) -> str:
    """Return a snapshot as a file holds it: bodies of text line by line, so that people can review a change."""
    told = snapshot.model_dump(mode="json", by_alias=True, exclude_none=True)
    return yaml.dump(told, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Readable(yaml.SafeDumper):
    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Readable.add_representer(str, _Readable.represent_str)


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


# ---------------------------------------------------------------- freezing

_KEPT = frozenset({"cf-mitigated", "content-type", "location", "retry-after", "x-ratelimit-remaining"})
"""The headers that readers look at. Every other may carry a cookie, a session or the address of who asked."""
_KEY_NAME = re.compile(
    r"(?:.*[-_])?(?:apikey|auth|authorization|credentials?|jwt|keys?|pass(?:word|wd)?|secrets?|session(?:id)?|sid|sig"
    r"|signature|tokens?)|[jp]\w*sessid|jsessionid|x-(?:amz|goog)-.*",
    re.IGNORECASE,
)


def without_keys(url: str) -> str:
    """Return the address without the parts of its query that are named like keys: they open doors, or tell visitors."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not _KEY_NAME.fullmatch(pair.partition("=")[0])]
    return parts._replace(query="&".join(kept)).geturl()


class RecordingFetcher:
    """A `Fetcher` that remembers what the inner one answered, and hands out no more than it remembers.

    Cookies and other headers go, so does what is named like a key in an address, and what `redacted` takes out of a
    text. An error is not kept: who reads the frozen pages meets one at the same place.
    """

    def __init__(self, inner: Fetcher, redacted: Callable[[str], str] = str) -> None:
        self._inner = inner
        self._redacted = redacted
        self._exchanges: dict[str, Exchange] = {}

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer (see `Fetcher`). However many redirects led there, one is kept."""
        page = await self._inner.get(url, headers=headers, limit=limit)
        asked, final = _key(url), _key(without_keys(page.url))
        self._exchanges[final] = exchange = self._exchange(final, page)
        if asked != final:
            self._exchanges[asked] = Exchange(url=asked, status=302, headers={"location": final}, body="")
        return exchange.page()

    def snapshot(self, url: str, *, captured_at: datetime, source: str, licence: str) -> Snapshot | None:
        """Return everything that was answered so far, as reading `url` needs it; None when nothing was."""
        if not self._exchanges:
            return None
        return Snapshot(
            schema="technoshare.snapshot/1",
            url=url,
            captured_at=captured_at,
            source=source,
            licence=licence,
            exchanges=tuple(self._exchanges.values()),
        )

    def _exchange(self, url: str, page: Page) -> Exchange:
        headers = {name: value for name, value in page.headers.items() if name in _KEPT}
        try:
            body: dict[str, Any] = {"body": self._redacted(page.body.decode())}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(page.body)}
        return Exchange(url=url, status=page.status, headers=headers, **body)


def _key(url: str) -> str:
    return urldefrag(url).url


def _capped(page: Page, limit: int) -> Page:
    if len(page.body) > limit:
        raise too_large(limit)
    return page
