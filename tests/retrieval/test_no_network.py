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

LINKS = {
    "ArxivAdapter": "https://arxiv.org/abs/2611.00042",
    "GithubAdapter": "https://github.com/owner/repository",
    "HackerNewsAdapter": "https://news.ycombinator.com/item?id=46000001",
    "HuggingFaceAdapter": "https://huggingface.co/owner/model",
    "WikipediaAdapter": "https://en.wikipedia.org/wiki/Queue",
    "StackExchangeAdapter": "https://stackoverflow.com/questions/70000001/x",
    "YoutubeAdapter": "https://www.youtube.com/watch?v=aB3_dE-7gHi",
    "GenericAdapter": "https://example.org/page",
}
PLAIN = re.compile(r"(the name [\w.]+ could not be found|[\w.]+ did not answer within [\d.]+ s)")
SOON = 10.0
"""Seconds; what is not bounded takes a minute and more."""

every_adapter = pytest.mark.parametrize("name", [adapter.NAME for adapter in ADAPTERS])


async def reason(fetcher, name: str, **options) -> str:
    async with asyncio.timeout(SOON):
        with pytest.raises((Transient, Unusable)) as caught:
            await read(LINKS[name], fetcher, InlineParser(), **options)
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


@every_adapter
async def test_without_a_name_server_every_adapter_names_the_site_that_was_not_found(name, names):
    async with open_fetcher(resolver=names()) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, name))


@every_adapter
async def test_where_nothing_answers_every_adapter_says_so(name, silence):
    async with open_fetcher(resolver=silence, deadline=0.1, policy=Policy(public=lambda address: True)) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, name))


@every_adapter
async def test_however_many_sources_an_adapter_has_all_of_them_together_have_one_deadline(name, silence):
    assert PATIENCE < 30
    async with open_fetcher(resolver=silence, deadline=60, policy=Policy(public=lambda address: True)) as fetcher:
        assert PLAIN.fullmatch(await reason(fetcher, name, patience=0.3))


def test_every_adapter_is_tried():
    assert list(LINKS) == [adapter.NAME for adapter in ADAPTERS]
    assert all(name == next(one for one in ADAPTERS if one.matches(url)).NAME for name, url in LINKS.items())
