"""A web of prepared answers, a parser without a process, and spans that can be looked at."""

from __future__ import annotations

import json
from contextlib import contextmanager

from technoshare.errors import FetchError
from technoshare.models import Evidence, Page, Snippet
from technoshare.retrieval.fetch import too_large
from technoshare.retrieval.parse_child import parse

SENTENCES = (
    "The scheduler keeps every waiting job in one table and wakes a worker as soon as a row is ready.",
    "A worker claims a job by raising its counter, so two workers never hold the same job.",
    "When a process dies, its rows are found at the next start and go back into the queue.",
    "Retries wait twice as long each time, and after eight attempts the job is given up.",
    "The table needs eleven megabytes for one hundred thousand jobs of the usual size.",
    "Only one process may open the file, because its lock is what makes the claims safe.",
    "An operator can cancel a waiting job, and the cancelled row stays as a record of it.",
)
PROSE = " ".join(SENTENCES)
"""About a hundred words: enough for a comment."""


def page(
    body: str | bytes, *, status: int = 200, kind: str = "text/html; charset=utf-8", url: str = "", **headers: str
) -> Page:
    """An answer; `retry_after="7"` becomes the header `retry-after`. Without `url` it gets the one it was asked at."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else body
    return Page(
        url=url,
        status=status,
        headers=named | {"content-type": kind},
        content_type=kind.partition(";")[0],
        body=content,
    )


def article(text: str = PROSE, *, title: str = "How the scheduler works", head: str = "") -> str:
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n"))
    return f'<html lang="en"><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>'


def as_json(status: int = 200, /, **fields: object) -> Page:
    return page(json.dumps(fields), status=status, kind="application/json", x_ratelimit_remaining="50")


HOSTILE = {
    "not JSON": page("<html>oops</html>"),
    "another shape": page("[1, 2]", kind="application/json"),
    "wrong types": page(
        '{"id": {}, "title": 7, "items": "none", "kids": "x", "tags": 3, "author_name": []}', kind="application/json"
    ),
    "a number beyond all calendars": page(
        '{"id": 1, "time": 1e99, "created_at_i": -9, "items": [{"creation_date": 9e99}], "title": []}',
        kind="application/json",
    ),
    "a tower": page("[" * 100_000, kind="application/json"),
    "halves of characters": page(b'{"id": "\xff\xfe", "title": "\\ud800"}', kind="application/json"),
    "empty": page(""),
    "huge": page(b" " * 9_000_000, kind="application/json"),
}
"""What no API should answer, by what is wrong with it."""
BUSY = page("{}", status=429, kind="application/json", retry_after="7")
GONE = page("{}", status=404, kind="application/json")


class Web:
    """A `Fetcher` with one prepared answer per address; any other address does not answer at all."""

    def __init__(self, answers: dict[str, Page | FetchError]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.headers: dict[str, dict[str, str]] = {}

    async def get(self, url, *, headers=None, limit=None):
        self.asked.append(url)
        self.headers[url] = dict(headers or {})
        answer = self.answers.get(url, FetchError("the site did not answer within 20 s", transient=True))
        if isinstance(answer, FetchError):
            raise answer
        if limit is not None and len(answer.body) > limit:
            raise too_large(limit)
        return answer if answer.url else answer.model_copy(update={"url": url})


class InlineParser:
    """The real readers, without their process."""

    async def parse(self, kind, body, *, url, charset=""):
        return parse(kind, body, url, charset)


class OneSpan:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.attributes: dict[str, object] = {}
        self.failure = ""

    def set(self, **attributes):
        self.attributes |= attributes

    def io(self, *, inputs=None, outputs=None):
        self.inputs, self.outputs = inputs, outputs

    def fail(self, message):
        self.failure = message

    def finished(self):
        return ()


class Spans:
    """A `Tracker` that remembers which spans were opened."""

    def __init__(self) -> None:
        self.opened: list[OneSpan] = []

    @contextmanager
    def span(self, name, kind):
        self.opened.append(OneSpan(name, kind))
        yield self.opened[-1]

    async def record(self, job, times, trails, outcome):
        raise AssertionError("nothing here ends a job")


def told(evidence: Evidence) -> dict[str, str]:
    """The metadata as texts."""
    found = evidence.model_dump(mode="json")["metadata"]
    return {name: "yes" if value is True else str(value) for name, value in found.items()}


def snippet(number: int, text: str, *, section: str = "", source: str = "https://example.org/page") -> Snippet:
    return Snippet(id=f"s{number}", text=text, source=source, section=section, start=0, end=len(text))
