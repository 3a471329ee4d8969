"""Repositories on GitHub: what the API knows about one, its README and its latest release."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, TypeAdapter

from technoshare.errors import Unusable
from technoshare.models import Evidence, Metadata
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import (
    Api,
    GithubUrl,
    evidence_of,
    from_page,
    one_section,
    place,
    raw_file,
    said,
    written,
)
from technoshare.retrieval.snippets import Part

NAME = github_api.NAME


class _Licence(BaseModel):
    spdx_id: str | None = None
    name: str = ""

    def __str__(self) -> str:
        known = self.spdx_id if self.spdx_id != "NOASSERTION" else ""
        return known or self.name


class _Parent(BaseModel):
    full_name: str


class Repository(BaseModel):
    """The part of the API's answer that is used."""

    full_name: str
    html_url: GithubUrl
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: _Licence | None = None
    stargazers_count: int = 0
    size: int | None = None
    """Kilobytes; 0 in an empty one, and for a while in a new one."""
    archived: bool = False
    created_at: str = ""
    pushed_at: str | None = None
    topics: tuple[str, ...] = ()
    parent: _Parent | None = None
    """What this is a fork of."""


class Release(BaseModel):
    """The part of the latest release that is used."""

    tag_name: str
    html_url: GithubUrl
    published_at: str | None = None
    body: str | None = None


_REPOSITORY, _RELEASE = TypeAdapter(Repository), TypeAdapter(Release)


def matches(url: str) -> bool:
    """Take the home page of a repository."""
    found = place(url)
    return found is not None and not found[1]


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the repository's description, README and latest release notes.

    Where the API does not answer (60 calls an hour without a token) the repository's page is read instead, and the
    coverage is `partial`. Raises `Unusable` for an unknown or empty repository, else as `read_webpage`.
    """
    name, _ = place(url) or ("", ())
    api = Api(fetcher)
    missing = "the repository was not found, or it is private"
    repository = await api.about(f"/repos/{name}", _REPOSITORY, missing=missing)
    if repository is None:
        return await from_page(url, "repository", fetcher, parser)
    async with asyncio.TaskGroup() as both:
        readme = both.create_task(_readme(repository.full_name, api, fetcher, parser))
        release = both.create_task(_release(repository.full_name, api))
    if readme.result() is None and repository.size == 0:
        raise Unusable("the repository is empty", obstacle="empty_page")
    return await _evidence(url, repository, readme.result(), release.result())


async def _readme(name: str, api: Api, fetcher: Fetcher, parser: Parser) -> Part | None:
    """Return the README; its usual file first, because that one costs no call of the API."""
    page = await raw_file(name, "HEAD/README.md", fetcher) or await api.text(f"/repos/{name}/readme")
    return await written(page.url, page.body.decode("utf-8", "replace"), parser) if page else None


async def _release(name: str, api: Api) -> Release | None:
    return await api.further(f"/repos/{name}/releases/latest", _RELEASE)


async def _evidence(url: str, repository: Repository, readme: Part | None, release: Release | None) -> Evidence:
    about = Part(repository.html_url, one_section("About", repository.description or ""))
    notes = await said(release.html_url, f"Release {release.tag_name}", release.body or "") if release else None
    return await evidence_of(
        url,
        repository.html_url,
        (about, readme, notes),
        title=": ".join(filter(None, (repository.full_name, repository.description))),
        author=repository.full_name.partition("/")[0],
        published=repository.created_at,
        coverage="full" if readme else "metadata",
        metadata=_metadata(repository, release),
    )


def _metadata(repository: Repository, release: Release | None) -> Metadata:
    return Metadata(
        kind="repository",
        stars=repository.stargazers_count,
        language=repository.language or "",
        licence=str(repository.license or ""),
        archived=repository.archived,
        last_push=(repository.pushed_at or "")[:10],
        homepage=repository.homepage or "",
        topics=" ".join(repository.topics),
        parent=repository.parent.full_name if repository.parent else "",
        release=release.tag_name if release else "",
        released=(release.published_at or "")[:10] if release else "",
    )
