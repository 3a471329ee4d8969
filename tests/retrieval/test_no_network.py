"""No network at all: every adapter ends soon, with a reason that a person understands."""

import asyncio
import re

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from technoshare.errors import Transient, Unusable
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.guard import Policy
from technoshare.retrieval.reading import ADAPTERS, PATIENCE, read
from tests.retrieval.answers import InlineParser
from tests.retrieval.conftest import answer

LINKS = (
    "https://arxiv.org/abs/2611.00042",
    "https://github.com/owner/repository",
    "https://github.com/owner/repository/issues/7",
    "https://github.com/owner/repository/releases/tag/v1",
    "https://github.com/owner/repository/blob/main/a.md",
    "https://github.com/owner/repository/tree/main/docs",
    "https://github.com/owner/repository/commit/0123abc",
    "https://gist.github.com/owner/0a1b2c3d4e5f60718293",
    "https://news.ycombinator.com/item?id=46000001",
    "https://huggingface.co/owner/model",
    "https://en.wikipedia.org/wiki/Queue",
    "https://stackoverflow.com/questions/70000001/x",
    "https://www.youtube.com/watch?v=aB3_dE-7gHi",
    "https://example.org/page",
)
"""At least one for every adapter."""
PLAIN = re.compile(r"(the name [\w.]+ could not be found|[\w.]+ did not answer within [\d.]+ s)")
SOON = 10.0
"""Seconds; what is not bounded takes a minute and more."""

every_link = pytest.mark.parametrize("url", LINKS)


async def reason(fetcher, url: str, **options) -> str:
    async with asyncio.timeout(SOON):
        with pytest.raises((Transient, Unusable)) as caught:
            await read(url, fetcher, InlineParser(), **options)
    return str(caught.value)


class To(AbstractResolver):
    """Every name leads to one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [answer(host, "127.0.0.1", self.port)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def silence():
    """A port that takes connections and never says a word."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    yield To(server.sockets[0].getsockname()[1])
    server.close()


@every_link
async def test_without_a_name_server_every_adapter_names_the_site_that_was_not_found(url, names):
    async with open_fetcher(resolver=names()) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, url))


@every_link
async def test_where_nothing_answers_every_adapter_says_so(url, silence):
    async with open_fetcher(resolver=silence, deadline=0.1, policy=Policy(public=lambda address: True)) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, url))


@every_link
async def test_however_many_sources_an_adapter_has_all_of_them_together_have_one_deadline(url, silence):
    assert PATIENCE < 30
    async with open_fetcher(resolver=silence, deadline=60, policy=Policy(public=lambda address: True)) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, url, patience=0.3))


def test_every_adapter_is_tried():
    assert {next(adapter for adapter in ADAPTERS if adapter.matches(url)) for url in LINKS} == set(ADAPTERS)
