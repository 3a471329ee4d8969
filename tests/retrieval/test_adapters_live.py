"""Papers and GitHub over real HTTP on loopback: redirects, refusals, silence, broken bodies; and no network at all."""

import asyncio
import json

import pytest
from aiohttp import web

from technoshare.errors import Transient, Unusable
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.reading import read
from tests.retrieval.answers import PROSE, InlineParser, Web, article
from tests.retrieval.test_arxiv import ENTRY, feed, home, paper
from tests.retrieval.test_github import URL as REPOSITORY_URL
from tests.retrieval.test_github_issue import PULLED, SAID, issue

PAPER_URL = "https://arxiv.org/abs/2611.00042"
ISSUE_URL = "https://github.com/fence-lab/fences/issues/7"
SILENCE = 0.5
"""Seconds until the fetcher gives up; nothing here measures it."""


class Detour:
    """Every host of the world behind one loopback server: `https://HOST/PATH` is asked as `/HOST/PATH`."""

    def __init__(self, inner, origin):
        self.inner, self.origin = inner, origin

    async def get(self, url, *, headers=None, limit=None):
        page = await self.inner.get(url.replace("https://", f"{self.origin}/"), headers=headers, limit=limit)
        return page.model_copy(update={"url": page.url.replace(f"{self.origin}/", "https://")})


def sent(fields, status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(text=json.dumps(fields), status=status, content_type="application/json", headers=named)


def shown(page):
    return web.Response(body=page.body, status=page.status, content_type=page.content_type)


async def read_live(open_site, url, answers):
    """Read `url` where the world is `answers`: path → response, a function of the request, or None for silence."""

    over = asyncio.Event()

    async def handler(request):
        found = answers.get(request.path, web.Response(status=404, text="404: Not Found"))
        if found is None:
            await over.wait()
            return web.Response()
        return found(request) if callable(found) else found

    site = await open_site(handler)
    try:
        async with open_fetcher([site.origin], deadline=SILENCE) as fetcher:
            evidence = await read(url, Detour(fetcher, site.url), InlineParser())
    finally:
        over.set()
    return evidence, [request.path for request in site.requests]


async def test_a_paper_is_read_from_api_and_html(open_site):
    answers = {"/export.arxiv.org/api/query": shown(feed()), "/arxiv.org/html/2611.00042": shown(paper())}
    evidence, _ = await read_live(open_site, PAPER_URL, answers)
    assert (evidence.title, evidence.metadata.version, evidence.coverage) == ("Fences for Queues", "v3", "full")


@pytest.mark.parametrize(
    "trouble",
    [
        web.Response(status=429, text="Rate exceeded."),
        web.Response(status=503),
        shown(feed(ENTRY, status=400)),
        web.Response(body=b"\x1f\x8bbroken", headers={"Content-Encoding": "gzip"}),
        web.Response(body=b"x" * 2_000_000, content_type="application/atom+xml"),
        None,
    ],
    ids=["429", "503", "400", "broken gzip", "huge", "silence"],
)
async def test_what_arxivs_api_does_not_tell_the_papers_page_tells(open_site, trouble):
    world = {
        "/export.arxiv.org/api/query": trouble,
        "/arxiv.org/abs/2611.00042": shown(home()),
        "/arxiv.org/html/2611.00042": None,
    }
    evidence, paths = await read_live(open_site, PAPER_URL, world)
    assert (evidence.title, evidence.coverage) == ("Fences for Queues", "abstract")
    assert "/arxiv.org/pdf/2611.00042" in paths  # silence of one source is not the end of the next


async def test_a_renamed_repository_is_followed(open_site):
    def moved(request):
        return web.Response(status=301, headers={"Location": f"http://{request.host}/api.github.com/repositories/77"})

    now = {"full_name": "new-owner/Gates", "html_url": "https://github.com/new-owner/Gates"}
    world = {
        "/api.github.com/repos/Sample-Owner/fences": moved,
        "/api.github.com/repositories/77": sent(now, x_ratelimit_remaining="50"),
        "/raw.githubusercontent.com/new-owner/Gates/HEAD/README.md": web.Response(text=PROSE),
    }
    evidence, _ = await read_live(open_site, REPOSITORY_URL, world)
    assert (evidence.url, evidence.final_url) == (REPOSITORY_URL, "https://github.com/new-owner/Gates")


ISSUE = "/api.github.com/repos/fence-lab/fences/issues/7"


async def test_an_issue_is_read_with_its_comments(open_site):
    world = {ISSUE: sent(issue(body=PROSE), x_ratelimit_remaining="9"), f"{ISSUE}/comments": sent(SAID)}
    evidence, paths = await read_live(open_site, ISSUE_URL, world)
    assert evidence.coverage == "full"
    assert paths == [ISSUE, f"{ISSUE}/comments"]


@pytest.mark.parametrize(
    "refusal",
    [
        sent({"message": "API rate limit exceeded"}, 403, x_ratelimit_remaining="0"),
        sent({"message": "slow down"}, 429, retry_after="60"),
        web.Response(status=500),
        web.Response(text="{", content_type="application/json"),
        web.Response(body=b"x" * 4_000_000, content_type="application/json"),
        None,
    ],
    ids=["403", "429", "500", "half an object", "huge", "silence"],
)
async def test_what_githubs_api_does_not_tell_the_page_tells(open_site, refusal):
    page = web.Response(text=article(), content_type="text/html")
    world = {ISSUE: refusal, "/github.com/fence-lab/fences/issues/7": page}
    evidence, _ = await read_live(open_site, ISSUE_URL, world)
    assert (evidence.adapter, evidence.coverage) == ("GithubAdapter", "partial")


async def test_what_does_not_exist_is_said_to_be_missing(open_site):
    with pytest.raises(Unusable, match="arXiv knows no paper"):
        await read_live(open_site, PAPER_URL, {})
    with pytest.raises(Unusable, match="the issue was not found, or its repository is private"):
        await read_live(open_site, ISSUE_URL, {})


async def test_silence_beside_an_issue_costs_only_what_it_keeps_back(open_site):
    world = {
        ISSUE: sent(PULLED | {"number": 7, "body": PROSE}, x_ratelimit_remaining="50"),
        ISSUE.replace("issues", "pulls") + "/files": None,
        ISSUE.replace("issues", "pulls") + "/reviews": None,
    }
    evidence, _ = await read_live(open_site, ISSUE_URL, world)
    assert (evidence.coverage, evidence.metadata.state) == ("partial", "merged")


@pytest.mark.parametrize(
    "url",
    [
        PAPER_URL,
        f"{PAPER_URL}v2",
        REPOSITORY_URL,
        ISSUE_URL,
        "https://github.com/fence-lab/fences/pull/8",
        "https://github.com/fence-lab/fences/releases/latest",
        "https://github.com/fence-lab/fences/releases/tag/v1",
        "https://github.com/fence-lab/fences/blob/main/a.md",
        "https://github.com/fence-lab/fences/tree/main/docs",
        "https://github.com/fence-lab/fences/commit/0123abc",
        "https://gist.github.com/ada/0a1b2c3d4e5f60718293",
        "https://github.com/fence-lab/fences/discussions/7",
    ],
)
async def test_without_a_network_every_form_asks_few_times_and_says_that_nobody_answered(url):
    nowhere = Web({})
    with pytest.raises(Transient, match="did not answer"):
        await read(url, nowhere, InlineParser())
    assert len(nowhere.asked) <= 4  # two after one another, at most two beside
