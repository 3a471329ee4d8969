"""What all readers of GitHub share: where a link points, the API and its hourly budget, what people wrote as parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Annotated, TypeVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from technoshare.aside import aside
from technoshare.errors import FetchError, Unusable
from technoshare.models import Coverage, Document, Evidence, Kind, Metadata, Page, Section
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.documents import clean
from technoshare.retrieval.markdown import readable
from technoshare.retrieval.snippets import Part, cut_aside
from technoshare.retrieval.urls import github_repository
from technoshare.retrieval.webpage import read_webpage

NAME = "GithubAdapter"
"""One name for all of GitHub's forms: what was read is told by the metadata's kind."""

SPARE = 5
"""Calls of the 60 an hour without a token that are kept for the links themselves."""
PLENTY = 30
"""Calls that must be left for what is only nice to know."""
SAID = 6_000
"""Characters of one comment, review or release note; a longer one is a log or a list of commits."""

_HOSTS = frozenset({"github.com", "www.github.com"})
_API = "https://api.github.com"
_VERSION = {"X-GitHub-Api-Version": "2022-11-28"}
_JSON = {"Accept": "application/vnd.github+json", **_VERSION}
_RAW = {"Accept": "application/vnd.github.raw+json", **_VERSION}
_LIMIT = 3_000_000  # bytes; thirty long comments or the changes of a large commit
_RAW_LIMIT = 1_000_000  # bytes; GitHub itself shows no README beyond 512 kB
_MISSING = frozenset({404, 410, 422})  # 422 is what it says to a commit that nobody made
_HEADING = re.compile(r"^#+\s+", re.MULTILINE)
_COMMIT, _VERSION_TAG = re.compile(r"[0-9a-f]{40}"), re.compile(r"v?\d+(?:\.\d+)+[\w.-]*")
_BOT = re.compile(r"\[bot\]$|[-_](?:ro)?bot$", re.IGNORECASE)

Shape = TypeVar("Shape")
GithubUrl = Annotated[str, Field(pattern=r"^https://(?:gist\.)?github\.com/\S+$")]


class Person(BaseModel):
    """An account; deleted ones come as null."""

    login: str
    type: str = ""

    @property
    def is_bot(self) -> bool:
        """Tell whether a program writes here: by its kind of account, or by the name that most of them have."""
        return self.type == "Bot" or bool(_BOT.search(self.login))


def login(person: Person | None) -> str:
    """Return the account's name, `ghost` for a deleted one, as GitHub shows it."""
    return person.login if person else "ghost"


def path_on(hosts: frozenset[str], url: str) -> str:
    """Return the path of an address on one of these hosts, as written; empty for any other, odd port or userinfo."""
    try:
        parts = urlsplit(url.strip())
        parts.path.encode()
    except ValueError:  # no address, or half a character in it
        return ""
    return parts.path if parts.netloc.lower().removesuffix(":443") in hosts else ""


def place(url: str) -> tuple[str, tuple[str, ...]] | None:
    """Return `owner/name` and the decoded path segments below it; None outside a repository.

    No segment is `..`: below the API's address it would lead a signed request out of the repository.
    """
    owner, name, *below = [*filter(None, path_on(_HOSTS, url).split("/")), "", ""]
    repository = github_repository(f"https://github.com/{owner}/{name}")
    segments = tuple(unquote(segment) for segment in below if segment)
    if repository is None or {".", ".."} & {*repository, *"/".join(segments).split("/")}:
        return None
    return "/".join(repository), segments


def version_of(ref: str) -> str:
    """Return a tag with a version's number or a commit's first digits; empty for a branch, which says nothing."""
    if _COMMIT.fullmatch(ref):
        return ref[:12]
    return ref if _VERSION_TAG.fullmatch(ref) else ""


# ---------------------------------------------------------------- the requests


class Api:
    """GitHub's API as one link uses it; it remembers how many calls the last answer left us."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._left = math.inf

    async def about(self, path: str, shape: TypeAdapter[Shape], *, missing: str) -> Shape | None:
        """Return what the link is about; None where its page must do: the budget is spent, or the answer is odd.

        Raises `Unusable` with the reason `missing` for what does not exist.
        """
        page = await self._get(path, _JSON, _LIMIT)
        if page is not None and page.status in _MISSING:
            raise Unusable(f"{missing} ({page.status})", obstacle="not_found")
        return await _parsed(page, shape)

    async def further(self, path: str, shape: TypeAdapter[Shape], *, least: int = SPARE) -> Shape | None:
        """Return something more; None when it is not there, or when fewer than `least` calls are left."""
        if self._left < least:
            return None
        return await _parsed(await self._get(path, _JSON, _LIMIT), shape)

    async def text(self, path: str) -> Page | None:
        """Return a file as it is, None for any trouble."""
        return _found(await self._get(path, _RAW, _RAW_LIMIT))

    async def _get(self, path: str, headers: dict[str, str], limit: int) -> Page | None:
        page = await _get(f"{_API}{path}", self._fetcher, headers, limit)
        left = page.headers.get("x-ratelimit-remaining", "") if page else ""
        if left.isascii() and left.isdigit():
            self._left = int(left[:9])
        return page


async def raw_file(repository: str, path: str, fetcher: Fetcher) -> Page | None:
    """Return a file, `path` beginning with branch, tag or commit; None for any trouble. It costs no call of the API."""
    url = f"https://raw.githubusercontent.com/{repository}/{quote(path)}"
    return _found(await _get(url, fetcher, {}, _RAW_LIMIT))


async def _get(url: str, fetcher: Fetcher, headers: dict[str, str], limit: int) -> Page | None:
    try:
        return await fetcher.get(url, headers=headers, limit=limit)
    except FetchError:
        return None


def _found(page: Page | None) -> Page | None:
    return page if page is not None and page.status == 200 else None


async def _parsed(page: Page | None, shape: TypeAdapter[Shape]) -> Shape | None:
    """Return None for a refusal and for an answer of another shape."""
    if page is None or page.status != 200:
        return None
    try:
        return await aside(shape.validate_json, page.body)
    except ValidationError:
        return None


async def from_page(url: str, kind: Kind, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Read the link's page instead, which never shows all; errors as in `read_webpage`."""
    try:
        page = await read_webpage(url, fetcher, parser, adapter=NAME)
    except Unusable as why:
        if why.obstacle != "not_found":
            raise
        raise Unusable(f"the {kind} was not found, or it is private (404)", obstacle="not_found") from why
    metadata = page.metadata.model_copy(update={"kind": kind})
    return page.model_copy(update={"coverage": "partial", "metadata": metadata})


# ---------------------------------------------------------------- what was read


async def written(source: str, markdown: str, parser: Parser, *, opening: str = "") -> Part | None:
    """Return a long text with its headings as sections, `opening` naming what stands above the first; None if empty.

    What its author forgot to close or the parser cannot read is not there either.
    """
    text = await aside(readable, markdown)
    if not text:
        return None
    try:
        document = await parser.parse("text", text.encode("utf-8", "replace"), url=source, charset="utf-8")
    except Unusable:
        return None
    named = tuple(each.model_copy(update={"title": each.title or opening}) for each in document.sections)
    return Part(source, document.model_copy(update={"sections": named})) if named else None


async def said(source: str, section: str, markdown: str, *, language: str = "") -> Part:
    """Return a short text as one section, whatever headings it holds: nobody may speak under another's name."""
    text = await aside(_one_text, markdown)
    return Part(source, one_section(section, text, language=language))


def one_section(title: str, text: str, *, language: str = "") -> Document:
    """Return a document of one section."""
    return Document(text=text, sections=(Section(title=title, start=0, end=len(text)),), language=language)


def _one_text(markdown: str) -> str:
    return clean(_HEADING.sub("", readable(markdown[: 2 * SAID])))[:SAID]


async def evidence_of(  # noqa: PLR0913 - they are the fields of an evidence
    url: str,
    final_url: str,
    parts: Iterable[Part | None],
    *,
    title: str,
    author: str,
    published: str,
    coverage: Coverage,
    metadata: Metadata,
) -> Evidence:
    """Return the evidence of a GitHub link; parts that are None were not to be had. `published` is an ISO time."""
    there = [part for part in parts if part and part.document.text.strip()]
    languages = (part.document.language for part in there)
    return Evidence(
        url=url,
        final_url=final_url,
        adapter=NAME,
        domain=urlsplit(final_url).hostname or "github.com",
        title=title,
        authors=(author,) if author else (),
        published=published[:10],
        language=next(filter(None, languages), "en"),
        coverage=coverage,
        snippets=await cut_aside(*there),
        metadata=metadata,
    )
