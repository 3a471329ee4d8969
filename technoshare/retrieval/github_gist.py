"""Gists: their files, each for itself."""

from __future__ import annotations

import re

from pydantic import BaseModel, TypeAdapter

from technoshare.errors import Unusable
from technoshare.models import Document, Evidence, Metadata
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import Api, GithubUrl, Person, evidence_of, from_page, login, path_on
from technoshare.retrieval.github_text import file_document
from technoshare.retrieval.snippets import Part

NAME = github_api.NAME

_HOSTS = frozenset({"gist.github.com", "gist.githubusercontent.com"})
_ID = r"[0-9a-f]{20,40}|\d{1,10}"
_PATH = re.compile(rf"/(?:[A-Za-z0-9-]{{1,39}}/)?(?P<id>{_ID})(?:/raw)?(?:/(?P<revision>[0-9a-f]{{40}}))?(?:/[^/]*)*")
_FILES_READ = 20


class _File(BaseModel):
    filename: str
    content: str = ""
    truncated: bool = False
    language: str | None = None


class Gist(BaseModel):
    """The part of the API's answer that is used."""

    html_url: GithubUrl
    description: str | None = None
    owner: Person | None = None
    files: dict[str, _File | None]
    created_at: str = ""
    updated_at: str = ""
    comments: int = 0


_GIST = TypeAdapter(Gist)


def matches(url: str) -> bool:
    """Take a gist's page, a revision of it and its raw files."""
    return _path(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the gist's files that are text; its page where the API does not answer.

    Raises `Unusable` for an unknown gist and for one without any text, else as `read_webpage`.
    """
    path = _path(url) or ""
    gist = await Api(fetcher).about(f"/gists/{path}", _GIST, missing="the gist was not found, or it is secret")
    if gist is None:
        return await from_page(url, "gist", fetcher, parser)
    files = [file for file in gist.files.values() if file]
    documents = [await _document(file, parser) for file in files[:_FILES_READ]]
    read_ones = [document for document in documents if document]
    if not read_ones:
        raise Unusable("the gist holds no text", obstacle="not_text")
    cut = len(read_ones) < len(files) or any(file.truncated for file in files)
    first = files[0].filename
    return await evidence_of(
        url,
        gist.html_url,
        [Part(gist.html_url, document) for document in read_ones],
        title=gist.description or read_ones[0].title or first,
        author=login(gist.owner),
        published=gist.created_at,
        coverage="partial" if cut or any(document.obstacle for document in read_ones) else "full",
        metadata=Metadata(
            kind="gist",
            language=files[0].language or "",
            updated=gist.updated_at[:10],
            comments=gist.comments,
        ),
    )


async def _document(file: _File, parser: Parser) -> Document | None:
    """Return the file with its name as the section that has no other; None for what cannot be read."""
    try:
        document = await file_document(file.filename, file.content.encode("utf-8", "replace"), parser)
    except Unusable:
        return None
    named = tuple(each.model_copy(update={"title": each.title or file.filename}) for each in document.sections)
    return document.model_copy(update={"sections": named})


def _path(url: str) -> str | None:
    """Return the gist's id and, after a slash, the revision if the link names one."""
    found = _PATH.fullmatch(path_on(_HOSTS, url))
    return "/".join(filter(None, (found["id"], found["revision"]))) if found else None
