"""Files on GitHub: from the raw host, which costs no call of the API, whatever form the link has."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from technoshare.errors import FetchError, Unusable
from technoshare.models import Evidence, Metadata, Page
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import evidence_of, from_page, path_on, place, version_of
from technoshare.retrieval.github_text import file_document
from technoshare.retrieval.snippets import Part
from technoshare.retrieval.webpage import PDF_LIMIT

NAME = github_api.NAME

_LARGEST = 3_000_000  # bytes of anything but a PDF: notebooks carry their pictures with them
_FORMS = frozenset({"blob", "raw", "blame"})
_RAW_HOST = "raw.githubusercontent.com"


def matches(url: str) -> bool:
    """Take a file's page, its raw text and its blame."""
    return _address(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the file's text; its page where the raw host does not give it.

    A branch with slashes needs no telling apart from the path here. Raises `Unusable` for what does not exist or is
    no text, else as `read_webpage`.
    """
    repository, below = _address(url) or ("", ())
    address = quote("/".join(below))
    home = f"https://github.com/{repository}/blob/{address}"
    page = await _raw(f"https://{_RAW_HOST}/{repository}/{address}", fetcher)
    if page is None:
        shown = await from_page(home, "file", fetcher, parser)
        return shown.model_copy(update={"url": url})
    path = "/".join(below[1:])
    document = await file_document(path, page.body, parser)
    return await evidence_of(
        url,
        home,
        (Part(home, document),),
        title=f"{document.title or path} · {repository}",
        author=repository.partition("/")[0],
        published="",
        coverage="partial" if document.obstacle else "full",
        metadata=Metadata(kind="file", version=version_of(below[0]), parent=repository),
    )


async def _raw(url: str, fetcher: Fetcher) -> Page | None:
    """Return the file, None where its page may know more. Raises `Unusable` for a file that is too large."""
    try:
        page = await fetcher.get(url, limit=PDF_LIMIT)
    except FetchError as error:
        if error.transient:
            return None
        raise
    if page.status != 200:
        return None
    if len(page.body) > _LARGEST and not page.body.startswith(b"%PDF-"):
        raise Unusable(f"the file is larger than {_LARGEST // 1_000_000} MB", obstacle="too_large")
    return page


def _address(url: str) -> tuple[str, Sequence[str]] | None:
    """Return the repository and the segments of branch, tag or commit and of the path."""
    found = _raw_place(url) or _file_place(url)
    if found is None:
        return None
    repository, below = found
    below = below[2:] if below[:2] in (("refs", "heads"), ("refs", "tags")) else below
    return (repository, below) if len(below) > 1 else None


def _file_place(url: str) -> tuple[str, tuple[str, ...]] | None:
    repository, below = place(url) or ("", ())
    return (repository, below[1:]) if below and below[0] in _FORMS else None


def _raw_place(url: str) -> tuple[str, tuple[str, ...]] | None:
    path = path_on(frozenset({_RAW_HOST}), url)
    return place(f"https://github.com{path}") if path else None
