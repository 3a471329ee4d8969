"""What every fetcher promises, whether the network or a file answers."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiohttp import web

from technoshare.errors import FetchError, FetchRefused
from technoshare.ports import Fetcher
from technoshare.retrieval.cache import CachingFetcher
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.frozen import Exchange, FrozenFetcher, Snapshot
from technoshare.retrieval.guard import Policy
from technoshare.retrieval.pages import open_pages

ANSWERS = {
    "/page?a=1&b=2": (200, {"Content-Type": "Text/HTML; Charset=UTF-8", "X-Mine": "yes"}, "<p>A page.</p>"),
    "/gone": (404, {"Content-Type": "text/html"}, "not here"),
    "/broken": (503, {"Content-Type": "text/plain", "Retry-After": "30"}, "later"),
    "/old": (301, {"Location": "/new#top"}, ""),
    "/new": (200, {"Content-Type": "text/plain"}, "moved here"),
    "/circle": (302, {"Location": "/circle"}, ""),
    "/nowhere": (302, {}, "a redirect without a target"),
    "/large": (200, {"Content-Type": "text/plain"}, "x" * 1001),
}


@asynccontextmanager
async def live() -> AsyncIterator[tuple[Fetcher, str]]:
    async def answer(request: web.Request) -> web.Response:
        status, headers, body = ANSWERS[request.path_qs]
        return web.Response(status=status, headers=headers, body=body.encode())

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    origin = f"127.0.0.1:{listener.getsockname()[1]}"
    async with open_fetcher([origin]) as fetcher:
        yield fetcher, f"http://{origin}"
    await runner.cleanup()


@asynccontextmanager
async def cached() -> AsyncIterator[tuple[Fetcher, str]]:
    """Everything that may be kept is kept already, so the answers come from the file."""
    with TemporaryDirectory() as folder:
        policy = Policy(ports=frozenset(range(65_536)), public=lambda _: True)
        file = Path(folder, "cache.db")
        async with live() as (network, base), open_pages(file) as pages:
            fetcher = CachingFetcher(network, pages, policy, time.time)
            for path in ANSWERS:
                with suppress(FetchError):
                    await fetcher.get(base + path)
            yield fetcher, base


@asynccontextmanager
async def frozen() -> AsyncIterator[tuple[Fetcher, str]]:
    base = "http://127.0.0.1:8765"
    exchanges = tuple(
        Exchange(url=base + path, status=status, headers=headers, body=body)
        for path, (status, headers, body) in ANSWERS.items()
    )
    snapshot = Snapshot(
        schema="technoshare.snapshot/1",
        url=base,
        captured_at=datetime.now(UTC),
        source="the contract",
        licence="MIT",
        exchanges=exchanges,
    )
    yield FrozenFetcher([snapshot]), base


@pytest.fixture(params=[live, cached, frozen])
async def web_of(request):
    async with request.param() as opened:
        yield opened


async def test_a_page_comes_with_its_headers_in_lower_case(web_of):
    fetcher, base = web_of
    page = await fetcher.get(f"{base}/page?a=1&b=2")
    assert (page.url, page.status, page.body) == (f"{base}/page?a=1&b=2", 200, b"<p>A page.</p>")
    assert page.content_type == "text/html"
    assert page.headers["x-mine"] == "yes"


@pytest.mark.parametrize(("path", "status"), [("/gone", 404), ("/broken", 503)])
async def test_an_answer_that_says_no_is_still_a_page(web_of, path, status):
    fetcher, base = web_of
    assert (await fetcher.get(base + path)).status == status


async def test_a_redirect_ends_at_the_final_address(web_of):
    fetcher, base = web_of
    page = await fetcher.get(f"{base}/old")
    assert (page.url, page.body) == (f"{base}/new", b"moved here")


async def test_a_fragment_makes_no_difference(web_of):
    fetcher, base = web_of
    assert (await fetcher.get(f"{base}/new#part")).url == f"{base}/new"


async def test_a_circle_of_redirects_ends(web_of):
    fetcher, base = web_of
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        await fetcher.get(f"{base}/circle")


async def test_a_redirect_without_a_target_is_a_page(web_of):
    fetcher, base = web_of
    assert (await fetcher.get(f"{base}/nowhere")).status == 302


async def test_a_body_over_the_limit_is_an_error_and_not_half_a_page(web_of):
    fetcher, base = web_of
    assert len((await fetcher.get(f"{base}/large", limit=1001)).body) == 1001
    with pytest.raises(FetchError, match=r"the page is larger than 0.001 MB"):
        await fetcher.get(f"{base}/large", limit=1000)


@pytest.mark.parametrize(
    "url", ["http://0x7f.1/", "http://user@example.org/", "http://example.org:22/", "ftp://a.org/"]
)
async def test_a_forbidden_form_is_refused(web_of, url):
    fetcher, _ = web_of
    with pytest.raises(FetchRefused):
        await fetcher.get(url)
