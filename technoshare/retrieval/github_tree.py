"""Folders on GitHub: the README in it and the names of what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from technoshare.models import Evidence, Metadata, Page
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.documents import clean
from technoshare.retrieval.github_api import (
    Api,
    evidence_of,
    from_page,
    one_section,
    place,
    raw_file,
    version_of,
    written,
)
from technoshare.retrieval.snippets import Part

NAME = github_api.NAME

_NAMED = 200  # entries; a longer list says no more about the folder


class Entry(BaseModel):
    """A file or folder."""

    name: str
    type: str = "file"


_ENTRIES = TypeAdapter(tuple[Entry, ...])


def matches(url: str) -> bool:
    """Take a folder, also the top one of a branch, tag or commit."""
    return _address(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the folder's README and list; the page where neither is to be had, errors as in `read_webpage`.

    A branch with slashes cannot be told from the path without more calls: then the list is missing.
    """
    repository, below = _address(url) or ("", ())
    home = f"https://github.com/{repository}/tree/{quote('/'.join(below))}"
    async with asyncio.TaskGroup() as both:
        usual = both.create_task(raw_file(repository, "/".join((*below, "README.md")), fetcher))
        held = both.create_task(_entries(repository, below, fetcher))
    entries = held.result()
    page = usual.result() or await _other_readme(repository, below, entries, fetcher)
    readme = await written(page.url, page.body.decode("utf-8", "replace"), parser) if page else None
    if readme is None and not entries:
        return await from_page(url, "folder", fetcher, parser)
    path = "/".join(below[1:])
    return await evidence_of(
        url,
        home,
        (readme, Part(home, one_section("Files", _names(entries), language="en"))),
        title=": ".join(filter(None, (f"{repository}/{path}".rstrip("/"), readme.document.title if readme else ""))),
        author=repository.partition("/")[0],
        published="",
        coverage="full" if readme else "metadata",
        metadata=Metadata(kind="folder", version=version_of(below[0]), parent=repository),
    )


async def _entries(repository: str, below: Sequence[str], fetcher: Fetcher) -> Sequence[Entry]:
    path = f"/repos/{repository}/contents/{quote('/'.join(below[1:]))}?ref={quote(below[0], safe='')}"
    return await Api(fetcher).further(path, _ENTRIES) or ()


async def _other_readme(
    repository: str, below: Sequence[str], entries: Sequence[Entry], fetcher: Fetcher
) -> Page | None:
    names = (each.name for each in entries if each.type == "file" and each.name.lower().startswith("readme"))
    name = next(names, None)
    return await raw_file(repository, "/".join((*below, name)), fetcher) if name else None


def _names(entries: Sequence[Entry]) -> str:
    names = [f"{each.name}/" if each.type == "dir" else each.name for each in entries]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return clean("\n".join(names[:_NAMED] + more))


def _address(url: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the repository and the segments of branch, tag or commit and of the path."""
    repository, below = place(url) or ("", ())
    if len(below) < 2 or below[0] != "tree":
        return None
    below = below[1:]
    below = below[2:] if below[:2] in (("refs", "heads"), ("refs", "tags")) else below
    return (repository, below) if below else None
