"""The five sites over real HTTP on loopback, through the guarded fetcher: what they say, what they refuse, what is broken."""

from types import ModuleType

import pytest
from aiohttp import web

from technoshare.errors import Transient, Unusable
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.reading import read
from tests.retrieval import test_hackernews, test_huggingface, test_stackexchange, test_wikipedia, test_youtube
from tests.retrieval.answers import InlineParser, Web

every_site = pytest.mark.parametrize(
    "site", [test_hackernews, test_huggingface, test_wikipedia, test_stackexchange, test_youtube]
)


class Detour:
    """Every host of the world behind one loopback server: `https://HOST/PATH` is asked as `/HOST/PATH`."""

    def __init__(self, inner, origin):
        self.inner, self.origin = inner, origin

    async def get(self, url, *, headers=None, limit=None):
        page = await self.inner.get(url.replace("https://", f"{self.origin}/", 1), headers=headers, limit=limit)
        return page.model_copy(update={"url": page.url.replace(f"{self.origin}/", "https://", 1)})


async def read_live(open_site, url, answer):
    """Read `url` where `answer` tells what any address says."""

    async def handler(request):
        return answer("https:/" + request.raw_path)

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        return await read(url, Detour(fetcher, site.url), InlineParser())


def said(answers, url) -> web.Response:
    page = answers.get(url)
    if page is None:
        return web.Response(status=404)
    response = web.Response(body=page.body, status=page.status, headers=page.headers)
    response.enable_compression(web.ContentCoding.gzip)  # Stack Exchange compresses whatever one asks for
    return response


@every_site
async def test_over_http_every_site_says_what_it_says_from_memory(open_site, site: ModuleType):
    live = await read_live(open_site, site.URL, lambda url: said(site.WHOLE, url))
    assert live == await read(site.URL, Web(site.WHOLE), InlineParser())
    assert live.adapter != "GenericAdapter"


@every_site
async def test_what_is_nowhere_is_not_found(open_site, site: ModuleType):
    with pytest.raises(Unusable) as caught:
        await read_live(open_site, site.URL, lambda url: web.Response(status=404, text="Not Found"))
    assert caught.value.obstacle == "not_found"


@every_site
@pytest.mark.parametrize("status", [429, 503])
async def test_a_site_that_has_had_enough_is_asked_again_later(open_site, site: ModuleType, status):
    with pytest.raises(Transient, match=f"cannot answer at the moment .{status}"):
        await read_live(open_site, site.URL, lambda url: web.Response(status=status, headers={"Retry-After": "9"}))


@every_site
@pytest.mark.parametrize(
    "answer",
    [
        {"body": b"\x1f\x8bbroken", "headers": {"Content-Encoding": "gzip"}},
        {"body": b"{" * 9_000_000, "content_type": "application/json"},
        {"body": b"\xff\xfe\0{", "content_type": "application/json"},
        {"body": b"", "content_type": "text/html"},
    ],
    ids=["broken gzip", "huge", "half an object", "empty"],
)
async def test_a_site_that_talks_nonsense_is_a_plain_reason(open_site, site: ModuleType, answer):
    with pytest.raises((Unusable, Transient)) as caught:
        await read_live(open_site, site.URL, lambda url: web.Response(**answer))
    assert 10 < len(str(caught.value)) < 160
