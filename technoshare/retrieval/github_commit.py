"""Commits on GitHub: the message and what was changed."""

from __future__ import annotations

import re
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from technoshare.models import Evidence, Metadata
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import Api, GithubUrl, evidence_of, from_page, place, said
from technoshare.retrieval.github_changes import File, changes

NAME = github_api.NAME

_FILES_SHOWN_BY_API = 300
_FORM = re.compile(r"(?:commit|pull/\d+/(?:commits|changes))/(?P<commit>[^/]+?)(?:\.patch|\.diff)?")


class _Author(BaseModel):
    name: str = ""
    date: str = ""


class _Content(BaseModel):
    message: str
    author: _Author | None = None


class Commit(BaseModel):
    """The part of the API's answer that is used."""

    sha: str
    html_url: GithubUrl
    commit: _Content
    files: tuple[File, ...] = ()


_COMMIT = TypeAdapter(Commit)


def matches(url: str) -> bool:
    """Take a commit, also where a pull request shows it, and its patch."""
    return _address(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return message, list of changed files and the beginning of the changes; else the page.

    Raises `Unusable` for an unknown commit, else as `read_webpage`.
    """
    repository, name = _address(url) or ("", "")
    path = f"/repos/{repository}/commits/{quote(name, safe='')}"
    missing = "the commit was not found, or its repository is private"
    commit = await Api(fetcher).about(path, _COMMIT, missing=missing)
    if commit is None:
        return await from_page(url, "commit", fetcher, parser)
    message, author = commit.commit.message, commit.commit.author or _Author()
    return await evidence_of(
        url,
        commit.html_url,
        (await said(commit.html_url, "Message", message), *changes(commit.html_url, commit.files)),
        title=f"{repository}@{commit.sha[:7]}: {message.partition(chr(10))[0]}",
        author=author.name,
        published=author.date,
        coverage="full" if len(commit.files) < _FILES_SHOWN_BY_API else "partial",
        metadata=Metadata(kind="commit", version=commit.sha[:12], parent=repository),
    )


def _address(url: str) -> tuple[str, str] | None:
    repository, below = place(url) or ("", ())
    found = _FORM.fullmatch("/".join(below))
    return (repository, found["commit"]) if found else None
