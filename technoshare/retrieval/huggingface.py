"""Models, data sets and spaces on Hugging Face: what the API knows about one, and its card (the README)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, Field
from yarl import URL

from technoshare.aside import aside
from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.api import ask
from technoshare.retrieval.markdown import readable
from technoshare.retrieval.obstacles import require_success
from technoshare.retrieval.posts import titled
from technoshare.retrieval.snippets import LOOKED_AT, Part, cut_aside
from technoshare.retrieval.webpage import LIMITS, read_webpage
from technoshare.text import squeeze

NAME = "HuggingFaceAdapter"

_SITE = "https://huggingface.co"
_HOST = re.compile(r"(?:www\.)?(?:huggingface\.co|hf\.co)")
_NAME = r"[A-Za-z0-9][\w.-]{0,95}"
_PATH = re.compile(
    rf"/(?:(?P<kind>datasets|spaces)/)?(?P<name>{_NAME}/{_NAME}|(?<=/datasets/){_NAME})"
    r"(?:/(?:tree|blob|raw|resolve)/[^/]+(?:/README\.md)?)?/?",
    re.ASCII,
)
"""A few old data sets have no owner in their address."""
_PAGES = """
    api blog chat collections course datasets docs enterprise inference join kernels learn login models new
    organizations papers posts pricing search settings spaces storage support tasks welcome
"""
"""First path parts that are the site's own and nobody's account."""
_NOT_OWNERS = frozenset(_PAGES.split())
_KINDS = {"models": "model", "datasets": "dataset"}
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_TOPICS = 12  # tags; the rest are names of file formats and mirrors of the other fields


@dataclass(frozen=True)
class Repository:
    """Which repository a link means; `kind` is `models`, `datasets` or `spaces`."""

    kind: str
    name: str

    @property
    def path(self) -> str:
        """Its path on the site."""
        return self.name if self.kind == "models" else f"{self.kind}/{self.name}"


class _Card(BaseModel):
    """What the owner wrote on top of the README; most fields are a text or a list of texts."""

    license: str | tuple[str, ...] | None = None
    base_model: str | tuple[str, ...] | None = None
    title: str | None = None
    short_description: str | None = None


class About(BaseModel):
    """The part of the API's answer that is used; it has the same shape for all three kinds."""

    id: str = ""
    author: str | None = None
    description: str | None = None
    gated: bool | str = False
    downloads: int | None = None
    likes: int | None = None
    pipeline_tag: str | None = None
    tags: tuple[str, ...] = ()
    card: _Card | None = Field(None, alias="cardData")
    created: str | None = Field(None, alias="createdAt")
    modified: str | None = Field(None, alias="lastModified")

    def metadata(self, kind: str) -> dict[str, str]:
        """Return what is known, under the names that replies use."""
        card = self.card or _Card()
        told = {
            "kind": _KINDS.get(kind, ""),
            "licence": _listed(card.license) or " ".join(_tagged(self.tags, "license")),
            "downloads": "" if self.downloads is None else str(self.downloads),
            "likes": "" if self.likes is None else str(self.likes),
            "parent": _listed(card.base_model),
            "categories": self.pipeline_tag or " ".join(_tagged(self.tags, "task_categories")),
            "topics": " ".join([tag for tag in self.tags if ":" not in tag][:_TOPICS]),
            "updated": (self.modified or "")[:10],
            "comment": "gated: its owner decides who may download it" if self.gated else "",
        }
        return {name: value for name, value in told.items() if value}

    def summary(self) -> str:
        """Return what the owner says in one paragraph, or nothing."""
        card = self.card or _Card()
        return squeeze(card.short_description or self.description or "")


def matches(url: str) -> bool:
    """Take the home page, the file list and the card of a repository; everything else is read as a page."""
    return _repository(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return what the API knows and the card.

    Where the API does not answer the page is read instead, and the coverage is `partial`. Raises `Unusable` for an
    unknown repository, else as `read_webpage`.
    """
    repository = _repository(url) or Repository("models", "")
    try:
        about = await ask(f"{_SITE}/api/{repository.kind}/{repository.name}", About, fetcher)
    except (FetchError, Transient, Unusable) as trouble:
        if isinstance(trouble, Unusable) and trouble.obstacle in ("not_found", "login_wall"):
            raise Unusable("Hugging Face has no such repository, or it is private", obstacle="not_found") from trouble
        page = await read_webpage(f"{_SITE}/{repository.path}", fetcher, parser, adapter=NAME)
        return page.model_copy(update={"url": url, "coverage": "partial"})
    if re.fullmatch(f"{_NAME}/{_NAME}", about.id):  # its name today; the address may hold an older one
        repository = Repository(repository.kind, about.id)
    return await _evidence(url, repository, about, await _card(repository, fetcher, parser))


async def _evidence(url: str, repository: Repository, about: About, card: Part | None) -> Evidence:
    home = f"{_SITE}/{repository.path}"
    parts = [Part(home, titled("About", summary))] if (summary := about.summary()) else []
    named = about.card.title if about.card and about.card.title else ""
    return Evidence(
        url=url,
        final_url=home,
        adapter=NAME,
        domain="huggingface.co",
        title=": ".join(filter(None, (repository.name, squeeze(named)))),
        authors=(about.author or repository.name.partition("/")[0],),
        published=(about.created or "")[:10],
        language=(card.document.language if card else "") or "en",
        coverage="full" if card else "metadata",
        snippets=await cut_aside(*parts, *([card] if card else [])),
        metadata=about.metadata(repository.kind),
    )


async def _card(repository: Repository, fetcher: Fetcher, parser: Parser) -> Part | None:
    """Return the README without its front matter, which the API has told already; None when there is none to read."""
    try:
        page = await fetcher.get(f"{_SITE}/{repository.path}/raw/main/README.md", limit=LIMITS["text"])
        require_success(page)
        written = _FRONT_MATTER.sub("", page.body.decode("utf-8", "replace").replace("\r\n", "\n"))
        text = await aside(readable, written[:LOOKED_AT])
        document = await parser.parse("text", text.encode(), url=page.url, charset="utf-8")
    except (FetchError, Transient, Unusable):
        return None
    return Part(page.url, document) if document.text.strip() else None


def _repository(url: str) -> Repository | None:
    try:
        parsed = URL(url.strip())
    except ValueError:
        return None
    found = _PATH.fullmatch(parsed.path)
    if found is None or not _HOST.fullmatch(parsed.host or "") or found["name"].partition("/")[0] in _NOT_OWNERS:
        return None
    return Repository(found["kind"] or "models", found["name"])


def _listed(told: str | tuple[str, ...] | None) -> str:
    return " ".join((told,) if isinstance(told, str) else told or ())


def _tagged(tags: tuple[str, ...], name: str) -> list[str]:
    return [value for kind, _, value in (tag.partition(":") for tag in tags) if kind == name]
