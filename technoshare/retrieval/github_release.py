"""Releases on GitHub: one by its tag, or the latest."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from technoshare.errors import Unusable
from technoshare.models import Evidence, Metadata
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import Api, GithubUrl, Person, evidence_of, from_page, login, place, written

NAME = github_api.NAME


class _Asset(BaseModel):
    download_count: int = 0


class Release(BaseModel):
    """The part of the API's answer that is used."""

    tag_name: str
    name: str | None = None
    html_url: GithubUrl
    published_at: str | None = None
    body: str | None = None
    prerelease: bool = False
    author: Person | None = None
    assets: tuple[_Asset, ...] = ()


_RELEASE = TypeAdapter(Release)


def matches(url: str) -> bool:
    """Take `/releases/tag/TAG` and `/releases/latest`; the list of all is read as a page."""
    return _address(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the release's notes; the page of a tag without a release, or where the API does not answer.

    Raises `Unusable` where nothing was released, else as `read_webpage`.
    """
    repository, tag = _address(url) or ("", "")
    path = f"tags/{quote(tag, safe='')}" if tag else "latest"
    missing = "the repository has no release, was not found, or is private"
    try:
        release = await Api(fetcher).about(f"/repos/{repository}/releases/{path}", _RELEASE, missing=missing)
    except Unusable:
        if not tag:
            raise
        release = None  # a tag has a page even if nobody made a release of it
    if release is None:
        return await from_page(url, "release", fetcher, parser)
    notes = await written(release.html_url, release.body or "", parser, opening="Release notes")
    return await evidence_of(
        url,
        release.html_url,
        (notes,),
        title=_title(repository, release),
        author=login(release.author),
        published=release.published_at or "",
        coverage="full" if notes else "metadata",
        metadata=Metadata(
            kind="release",
            release=release.tag_name,
            released=(release.published_at or "")[:10],
            downloads=sum(asset.download_count for asset in release.assets) if release.assets else None,
            parent=repository,
        ),
    )


def _title(repository: str, release: Release) -> str:
    name = f": {release.name}" if release.name and release.name != release.tag_name else ""
    return f"{repository} {release.tag_name}{name}{' (pre-release)' if release.prerelease else ''}"


def _address(url: str) -> tuple[str, str] | None:
    """Return repository and tag, an empty one for the latest."""
    repository, below = place(url) or ("", ())
    if below == ("releases", "latest"):
        return repository, ""
    if below[:2] == ("releases", "tag") and len(below) > 2:
        return repository, "/".join(below[2:])
    return None
