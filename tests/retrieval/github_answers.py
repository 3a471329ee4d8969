"""What GitHub may answer instead of an answer, for all of its forms."""

import json

import pytest

from technoshare.errors import FetchError
from tests.retrieval.answers import PROSE, InlineParser, Web, page

API = "https://api.github.com"
RAW = "https://raw.githubusercontent.com"
HOME = "https://github.com/fence-lab/fences"

TIMEOUT = FetchError("the site did not answer within 20 s", transient=True)
MISSING = page('{"message": "Not Found"}', status=404, kind="application/json")
SPENT = page('{"message": "API rate limit exceeded"}', status=403, kind="application/json", x_ratelimit_remaining="0")

REFUSALS = pytest.mark.parametrize(
    "refusal",
    [SPENT, SPENT.model_copy(update={"status": 429}), page("upstream", status=502), TIMEOUT],
    ids=["403 spent", "429", "502", "time-out"],
)
ODD = pytest.mark.parametrize(
    "odd",
    [
        page("<html>down for maintenance</html>"),
        page("[]", kind="application/json"),
        page("null", kind="application/json"),
        page('{"html_url": 7}', kind="application/json"),
        page("[" * 200_000, kind="application/json"),
        page(b"\xff\xfe\x00", kind="application/json"),
        FetchError("the page is larger than 3 MB"),
    ],
    ids=["HTML", "a list", "null", "wrong types", "a deep nest", "no text", "too large"],
)
"""What no reader may trip over: the page is read instead."""


def answer(fields: object, *, left: int = 50):
    """A JSON answer, after which so many calls are left."""
    return page(json.dumps(fields), kind="application/json", x_ratelimit_remaining=str(left))


def readme(text: str = PROSE):
    return page(text, kind="text/plain; charset=utf-8")


async def read_with(adapter, answers, url):
    """Read `url` with this adapter alone, which must take it; return the evidence and the web."""
    assert adapter.matches(url)
    web = Web(answers)
    return await adapter.read(url, web, InlineParser()), web


def texts(evidence) -> dict[str, str]:
    """Section → text."""
    sections: dict[str, str] = {}
    for one in evidence.snippets:
        sections[one.section] = f"{sections.get(one.section, '')}\n{one.text}".strip()
    return sections
