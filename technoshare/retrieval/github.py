"""Repositories on GitHub: what the API knows about one, its README and its latest release."""

from __future__ import annotations

import asyncio
import re

from pydantic import BaseModel, ValidationError

from technoshare.aside import aside
from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Document, Evidence, Page, Section
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.markdown import readable
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.urls import github_repository
from technoshare.retrieval.webpage import read_webpage

NAME = "GithubAdapter"

_API = "https://api.github.com/repos/{}"
_JSON = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_RAW = {"Accept": "application/vnd.github.raw+json", "X-GitHub-Api-Version": "2022-11-28"}
_LIMIT = 1_000_000  # bytes; GitHub itself shows no README beyond 512 kB
_RELEASE_NOTES = 4_000  # characters; a longer change log is a list of commits
_HEADING = re.compile(r"^#+\s+", re.MULTILINE)
_SPARE_CALLS = 5  # of the 60 an hour without a token: kept for repositories, a release is the first thing to do without


class _Licence(BaseModel):
    spdx_id: str | None = None
    name: str = ""


class Repository(BaseModel):
    """The part of the API's answer that is used."""

    full_name: str
    html_url: str
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: _Licence | None = None
    stargazers_count: int = 0
    archived: bool = False
    pushed_at: str | None = None
    topics: tuple[str, ...] = ()

    def metadata(self) -> dict[str, str]:
        """Return what is known, under the names that replies use."""
        licence = self.license or _Licence()
        told = {
            "stars": str(self.stargazers_count),
            "language": self.language or "",
            "licence": (licence.spdx_id if licence.spdx_id != "NOASSERTION" else "") or licence.name,
            "archived": "yes" if self.archived else "",
            "last_push": (self.pushed_at or "")[:10],
            "homepage": self.homepage or "",
            "topics": " ".join(self.topics),
        }
        return {name: value for name, value in told.items() if value}


class Release(BaseModel):
    """The part of the latest release that is used."""

    tag_name: str
    html_url: str
    published_at: str | None = None
    body: str | None = None

    def metadata(self) -> dict[str, str]:
        """Return version and day."""
        return {"release": self.tag_name, "released": (self.published_at or "")[:10]}


def matches(url: str) -> bool:
    """Take the home page of a repository; its issues, files and so on are read as pages."""
    return github_repository(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the repository's description, README and latest release notes.

    Where the API does not answer (60 calls an hour without a token) the repository's page is read instead, and the
    coverage is `partial`. Raises `Unusable` for an unknown repository, else as `read_webpage`.
    """
    name = "/".join(github_repository(url) or ())
    answer = await _ask(_API.format(name), fetcher)
    if answer is not None and answer.status == 404:
        raise Unusable("the repository was not found, or it is private (404)", obstacle="not_found")
    repository = _repository(answer)
    if answer is None or repository is None:
        page = await read_webpage(url, fetcher, parser, adapter=NAME)
        return page.model_copy(update={"coverage": "partial"})
    async with asyncio.TaskGroup() as both:
        readme = both.create_task(_readme(repository.full_name, fetcher, parser))
        release = both.create_task(_release(repository.full_name, fetcher, answer))
    return await _evidence(url, repository, readme.result(), release.result())


async def _evidence(url: str, repository: Repository, readme: Part | None, release: Release | None) -> Evidence:
    about = _section("About", repository.description or "")
    parts = [Part(repository.html_url, about), *([readme] if readme else [])]
    if release and release.body:
        notes = _section(
            f"Release {release.tag_name}",
            _HEADING.sub("", readable(release.body[: 2 * _RELEASE_NOTES]))[:_RELEASE_NOTES],
        )
        parts.append(Part(release.html_url, notes))
    return Evidence(
        url=url,
        final_url=repository.html_url,
        adapter=NAME,
        domain="github.com",
        title=_title(repository),
        authors=(repository.full_name.partition("/")[0],),
        published=(repository.pushed_at or "")[:10],
        language=(readme.document.language if readme else "") or "en",
        coverage="full" if readme else "metadata",
        snippets=await cut_aside(*parts),
        metadata=repository.metadata() | (release.metadata() if release else {}),
    )


def _title(repository: Repository) -> str:
    return ": ".join(filter(None, (repository.full_name, repository.description)))


def _section(title: str, text: str) -> Document:
    return Document(text=text, sections=(Section(title=title, start=0, end=len(text)),))


# ---------------------------------------------------------------- the requests


async def _ask(url: str, fetcher: Fetcher, headers: dict[str, str] = _JSON) -> Page | None:
    try:
        return await fetcher.get(url, headers=headers, limit=_LIMIT)
    except FetchError:
        return None


def _repository(answer: Page | None) -> Repository | None:
    """Return None for a refusal (403 and 429 when the budget is spent) and for an answer of another shape."""
    if answer is None or answer.status != 200:
        return None
    try:
        return Repository.model_validate_json(answer.body)
    except ValidationError:
        return None


async def _readme(name: str, fetcher: Fetcher, parser: Parser) -> Part | None:
    """Return the README; its usual file first, because that one costs no call of the API."""
    usual = await _ask(f"https://raw.githubusercontent.com/{name}/HEAD/README.md", fetcher, {})
    page = usual if usual and usual.status == 200 else await _ask(f"{_API.format(name)}/readme", fetcher, _RAW)
    if page is None or page.status != 200:
        return None
    text = await aside(readable, page.body.decode("utf-8", "replace"))
    try:
        document = await parser.parse("text", text.encode(), url=page.url, charset="utf-8")
    except (Unusable, Transient):
        return None
    return Part(page.url, document) if document.text.strip() else None


async def _release(name: str, fetcher: Fetcher, answer: Page) -> Release | None:
    """Return the latest release; None when there is none or when `answer` says that few calls are left."""
    left = answer.headers.get("x-ratelimit-remaining", "")
    if left.isdigit() and int(left) < _SPARE_CALLS:
        return None
    page = await _ask(f"{_API.format(name)}/releases/latest", fetcher)
    if page is None or page.status != 200:
        return None
    try:
        return Release.model_validate_json(page.body)
    except ValidationError:
        return None
