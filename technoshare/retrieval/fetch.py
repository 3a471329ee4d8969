"""The guarded fetcher: the only way to the network for a posted link, for its redirects and for the model.

Every connection is judged by the address that it goes to, in the socket factory, so literals, names, redirects and
names that change their mind all meet the same check. Prior looks (form, resolver) only make clearer refusals.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from technoshare.errors import FetchError, FetchRefused
from technoshare.models import Page
from technoshare.ports import Fetcher
from technoshare.retrieval.guard import PRIVATE, Origin, Policy, exemptions, origin_of

MAX_REDIRECTS = 5
DEFAULT_LIMIT = 5_000_000
"""Bytes after decompression; a larger HTML page takes the parser longer than anybody waits."""
DEADLINE = 20.0
"""Seconds for one fetch, redirects and body included."""
CONNECT = 6.0
"""Seconds for one look-up and for one connection: without a network, three sources in a row have failed in 18 s."""
CONTACT = "https://github.com/technoshare/technoshare"
"""Where the owner of a fetched site finds out who asks; operators put their own."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
"""What is offered. Not br and zstd: half the libraries that undo them cannot stop in the middle of a bomb."""
_NO_TEXT = ("audio/", "font/", "image/", "video/")

Wire = Callable[[int, int, int], socket.socket]

_requested: ContextVar[Origin] = ContextVar("requested origin")


class _Forbidden(PermissionError):
    """The policy said no. An OSError, because aiohttp's parallel connects swallow every other kind."""


@dataclass(frozen=True)
class _Resolver(AbstractResolver):
    """Names to addresses; one forbidden address among the answers forbids the name."""

    inner: AbstractResolver
    policy: Policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(CONNECT):
                answers = await self.inner.resolve(host, port, family)
        except TimeoutError as error:
            raise socket.gaierror(socket.EAI_AGAIN, "the name server does not answer") from error
        for answer in answers:
            _judge(self.policy, answer["host"], answer["port"])
        return answers

    async def close(self) -> None:
        await self.inner.close()


def _judge(policy: Policy, address: str, port: int) -> None:
    if not policy.permits(address, port, _requested.get()):
        raise _Forbidden(errno.EACCES, "forbidden address")


@asynccontextmanager
async def open_fetcher(  # noqa: PLR0913 - the last three exist for tests
    allow_hosts: Iterable[str] = (),
    *,
    deadline: float = DEADLINE,
    contact: str = CONTACT,
    policy: Policy | None = None,
    resolver: AbstractResolver | None = None,
    wire: Wire = socket.socket,
) -> AsyncIterator[Fetcher]:
    """Open the fetcher; `allow_hosts` are `host:port` texts that the private-network and port rules do not bind.

    `deadline` is in seconds per fetch. `wire` makes the sockets that the guard lets pass. Raises `ConfigError` for a
    bad pair.
    """
    policy = replace(policy or Policy(), exempt=exemptions(allow_hosts))

    def guarded_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        _judge(policy, str(address[0]), int(address[1]))
        return wire(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=_Resolver(resolver or aiohttp.ThreadedResolver(), policy),
        use_dns_cache=False,  # the cache would answer without the check of this request's exemption
        socket_factory=guarded_socket,
        limit=20,
        limit_per_host=4,  # a channel that shares one site thirty times is not a reason to press that site
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # a proxy would resolve names for us, past the guard
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
        headers={"User-Agent": f"TechnoShare/0.1 (+{contact})", "Accept-Encoding": "gzip, deflate"},
    ) as session:
        yield GuardedFetcher(session, policy, deadline)


@dataclass(frozen=True)
class GuardedFetcher:
    """The `Fetcher` of the running bot; `open_fetcher` builds it around a guarded session."""

    session: aiohttp.ClientSession
    policy: Policy
    deadline: float

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: int | None = None) -> Page:
        """Return the answer, whatever its status (see `Fetcher`); the error's text is fit for the thread."""
        try:
            async with asyncio.timeout(self.deadline):
                return await self._follow(url, dict(headers or {}), DEFAULT_LIMIT if limit is None else limit)
        except TimeoutError as error:
            raise FetchError(f"{_site(url)} did not answer within {self.deadline:g} s", transient=True) from error

    async def _follow(self, url: str, headers: dict[str, str], limit: int) -> Page:
        target = self.policy.check(url).with_fragment(None)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(target, headers, limit)
            if isinstance(answer, Page):
                return answer
            if origin_of(answer) != origin_of(target) or answer.scheme != target.scheme:
                headers = {}  # what the caller sent was meant for the first site only, a token above all
            target = answer
        raise FetchError(f"{_site(url)} redirects more than {MAX_REDIRECTS} times")

    async def _ask(self, target: URL, headers: Mapping[str, str], limit: int) -> Page | URL:
        """Return the page, or the address that it redirects to."""
        _requested.set(origin_of(target))
        try:
            async with self.session.get(target, headers=headers, allow_redirects=False) as response:
                location = response.headers.get("Location", "").strip()
                if response.status in REDIRECTS and location:
                    response.close()  # nobody reads what stands in a redirect
                    return self.policy.check(_absolute(target, location)).with_fragment(None)
                return await _page(target, response, limit)
        except TimeoutError as error:  # aiohttp's own time-outs are ClientErrors too, so they come first
            raise FetchError(f"{_site(target)} did not answer in time", transient=True) from error
        except aiohttp.ClientError as error:
            raise _translated(error, _site(target)) from error


def _absolute(base: URL, location: str) -> str:
    try:
        return urljoin(str(base), location.replace(" ", "%20"))
    except ValueError as error:
        raise FetchRefused(f"{_site(base)} redirects to what is not a web address") from error


async def _page(target: URL, response: aiohttp.ClientResponse, limit: int) -> Page:
    headers = {name.lower(): _text(value) for name, value in response.headers.items()}
    kind = media_type(headers)
    if headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        response.close()
        raise _undecodable(_site(target))
    body = b"" if kind.startswith(_NO_TEXT) else await _body(response, limit)
    return Page(url=str(target), status=response.status, headers=headers, content_type=kind, body=body)


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):  # decompressed, so the limit holds for a bomb as well
        body += chunk
        if len(body) > limit:
            response.close()
            raise too_large(limit)
    return bytes(body)


def media_type(headers: Mapping[str, str]) -> str:
    """Return the content type without parameters, lower case; empty when there is none. Header names: lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def too_large(limit: int) -> FetchError:
    """Return the error for a body of more than `limit` bytes."""
    return FetchError(f"the page is larger than {limit / 1_000_000:g} MB")


_TROUBLES: tuple[tuple[type[aiohttp.ClientError], str, bool], ...] = (
    (aiohttp.ClientSSLError, "{site} has no valid certificate", False),
    (aiohttp.ClientConnectorError, "{site} could not be reached", True),
    (aiohttp.ClientResponseError, "{site} did not answer in proper HTTP", False),
    (aiohttp.ClientError, "the connection to {site} broke off", True),
)
"""Kind of error, sentence, whether asking later may help; the first kind that fits counts."""


def _translated(error: aiohttp.ClientError, site: str) -> FetchError:
    if isinstance(error, aiohttp.InvalidURL):
        return FetchRefused("this is not a web address")
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _Forbidden):
        return FetchRefused(PRIVATE)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        unasked = error.os_error.errno == socket.EAI_AGAIN  # the name server is away; else there is no such name
        return FetchError(f"the name {site} could not be found", transient=unasked)
    if isinstance(error.__cause__, HttpProcessingError) and "content-encoding" in error.__cause__.message:
        return _undecodable(site)
    sentence, transient = next((text, later) for kind, text, later in _TROUBLES if isinstance(error, kind))
    return FetchError(sentence.format(site=site), transient=transient)


def _undecodable(site: str) -> FetchError:
    return FetchError(f"{site} sent a page that cannot be decoded")


def _site(url: str | URL) -> str:
    """Return the host as it was posted; never an address that only we know."""
    try:
        return URL(url).host or "the site"
    except ValueError:
        return "the site"


def _text(header: str) -> str:
    return header.encode("utf-8", "replace").decode()  # aiohttp hides undecodable bytes in lone surrogates
