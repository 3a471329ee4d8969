"""What was read for a link."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from technoshare.models.record import Record, Result, Value
from technoshare.text import count_words

Coverage = Literal["full", "partial", "abstract", "metadata", "none"]
LONGEST_METADATA = 500
"""Characters of one value; more is text, and text belongs into snippets."""
FULL_LENGTH_WORDS = 400
"""From this many words of evidence on a Summary has 10 to 15 sentences (DESIGN, section 8)."""


class Page(Value):
    """One HTTP answer, whatever its status. `url` is the final address, `body` is decompressed and capped."""

    url: str
    status: int
    headers: dict[str, str]
    """Lower-case names."""
    content_type: str
    """Without parameters, lower case; empty when the server named none."""
    body: bytes


class Snippet(Value):
    """A piece of evidence; `start` and `end` are character offsets in the extracted text of `source`."""

    id: str
    """`s1`, `s2`, … in reading order."""
    text: str
    source: str
    section: str = ""
    page: int | None = None
    start: int
    end: int


class Section(Value):
    """A stretch of a document's text under one heading, or one page of a PDF."""

    title: str = ""
    page: int | None = None
    start: int
    end: int


class Document(Value):
    """What the parser process makes of one body: main text and what the page says about itself."""

    text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    """Where each sentence starts and ends, as far as the parser process has looked already."""
    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    language: str = ""
    obstacle: str = ""
    """What stands between a reader and the text, as far as the body itself shows it."""
    metadata: dict[str, str] = Field(default={})


Kind = Literal[
    "repository", "issue", "pull request", "release", "file", "folder", "gist", "commit",
    "model", "dataset", "paper", "story", "question", "video", "article",
]  # fmt: skip
Day = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]
"""An ISO date, whole or not: `2026`, `2026-11`, `2026-11-23`."""
Count = Annotated[int, Field(ge=0, le=10**12)]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


class Metadata(Value):
    """What code, not the model, knows about a page; empty, None and False mean that nobody told.

    Adapters may write it as a dictionary of strings (`"yes"` for what is true). Names that are not known here, and
    values that are not what they should be, are left out: a page can say anything.
    """

    model_config = ConfigDict(extra="ignore")

    kind: Kind | None = None
    state: Literal["open", "closed", "merged"] | None = None
    withdrawn: bool = False
    archived: bool = False
    accepted: bool = False
    version: str = ""
    """The one that was read."""
    newest: str = ""
    """The newest version, where an older one was read."""
    updated: Day = ""
    release: str = ""
    released: Day = ""
    last_push: Day = ""
    licence: str = ""
    code: Address = ""
    """Where the code of a paper or model lies, by the page's own words."""
    homepage: str = ""
    language: str = ""
    """The programming language."""
    stars: Count | None = None
    likes: Count | None = None
    downloads: Count | None = None
    score: Annotated[int, Field(ge=-(10**12), le=10**12)] | None = None
    comments: Count | None = None
    answers: Count | None = None
    pages: Count | None = None
    duration: str = ""
    site: str = ""
    parent: str = ""
    """What this is a part or a copy of."""
    labels: str = ""
    topics: str = ""
    categories: str = ""
    journal: str = ""
    doi: str = ""
    comment: str = ""

    def known(self) -> Iterator[tuple[str, str]]:
        """Yield name and text of what is known, the most telling first, as replies, prompts and `read` show it."""
        for name, value in self.model_dump().items():
            yield name, "yes" if value is True else f"{value:,}" if isinstance(value, int) else value

    @field_validator("*", mode="wrap")
    @classmethod
    def _lenient(cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return validate(" ".join(value.split())[:LONGEST_METADATA] if isinstance(value, str) else value)
        except ValidationError:
            return cls.model_fields[str(info.field_name)].default

    @model_serializer(mode="wrap")
    def _told(self, dump: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        return {name: value for name, value in dump(self).items() if value not in ("", None) and value is not False}


class Evidence(Result):
    """What was read for a link, and how much of it."""

    url: str
    """As posted."""
    final_url: str
    """After redirects."""
    adapter: str
    """`ArxivAdapter`, `GithubAdapter`, `GenericAdapter`, …"""
    domain: str
    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    """ISO date as far as known: `2026`, `2026-11`, `2026-11-23`."""
    language: str = "en"
    coverage: Coverage
    obstacle: str = ""
    """Why it is not more: `login_wall`, `pay_wall`, `bot_wall`, `empty_page`, `not_found`, … or empty."""
    snippets: tuple[Snippet, ...]
    metadata: Metadata = Metadata()

    @property
    def words(self) -> int:
        """Number of words in all snippets, also of texts that write no spaces."""
        return sum(count_words(snippet.text) for snippet in self.snippets)

    @property
    def summary_bounds(self) -> tuple[int, int]:
        """Fewest and most Summary sentences that this much evidence allows."""
        return summary_bounds(self.words)

    def record(self) -> Record:
        """Tags, metric and artifact of the retrieval run."""
        tags = {"adapter_name": self.adapter, "domain": self.domain, "coverage": self.coverage}
        return Record(
            tags=tags | ({"obstacle": self.obstacle} if self.obstacle else {}),
            metrics={"snippet_count": len(self.snippets)},
            attributes={
                "url": self.url,
                "adapter": self.adapter,
                "domain": self.domain,
                "coverage": self.coverage,
                "snippet_count": len(self.snippets),
            },
            artifacts={"evidence.json": self.model_dump_json(indent=2)},
        )


def summary_bounds(words: int) -> tuple[int, int]:
    """Return the allowed number of Summary sentences for a source of so many words."""
    least = 10 if words >= FULL_LENGTH_WORDS else max(3, math.ceil(10 * words / FULL_LENGTH_WORDS))
    return least, 15
