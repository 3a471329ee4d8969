import asyncio
import errno
import gzip
import socket
from collections.abc import Iterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from technoshare.errors import ConfigError, FetchError, FetchRefused, Transient, Unusable
from technoshare.retrieval import fetch
from technoshare.retrieval.fetch import MAX_REDIRECTS, open_fetcher
from technoshare.retrieval.guard import Policy
from technoshare.retrieval.reading import read
from tests.retrieval.answers import InlineParser

PUBLIC = "93.184.215.14"


def on_port(port: int) -> Policy:
    """The real policy, except that the test server's port counts as a web port."""
    return Policy(ports=frozenset({80, 443, port}))


async def refused(url: str, policy: Policy, names=None, allow_hosts=()) -> str:
    async with open_fetcher(allow_hosts, policy=policy, resolver=names) as fetcher:
        with pytest.raises(FetchRefused) as why:
            await fetcher.get(url)
    return str(why.value)


def to(target: str, status: int = 302):
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": target})

    return redirect


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "①②⑦.0.0.1", "127。0。0。1", "[::ffff:7f00:1]"]
)
async def test_a_literal_private_address_is_refused_and_never_connected(open_site, host):
    site = await open_site()
    assert "private network" in await refused(f"http://{host}:{site.port}/", on_port(site.port))
    assert site.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://user:secret@example.org/",
        "http://user@example.org/",
        "http://example.org@127.0.0.1/",
        "http://example.org:22/",
        "http://example.org\\@127.0.0.1/",
        "http://exa mple.org/",
        "http://example.org/\r\nHost: other",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://wiki/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "mailto:someone@example.org",
        "http://",
        "http://example..org/",
        "http://" + "a" * 64 + ".org/",
        "http://example.org/" + "a" * 2048,
    ],
)
async def test_a_hostile_form_is_refused_before_any_name_is_looked_up(names, url):
    resolver = names()
    await refused(url, Policy(), resolver)
    assert resolver.asked == []


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "[fd00:ec2::254]"])
async def test_a_metadata_address_is_refused(address):
    assert "private network" in await refused(f"http://{address}/latest/meta-data/", Policy())


async def test_a_name_that_leads_to_a_private_address_is_refused(open_site, names):
    site = await open_site()
    resolver = names(wiki_example_org=[["127.0.0.1"]])
    said = await refused(f"http://wiki.example.org:{site.port}/", on_port(site.port), resolver)
    assert "private network" in said
    assert "127.0.0.1" not in said  # what the network looks like inside is nobody's business
    assert site.requests == []


async def test_one_private_answer_among_public_ones_forbids_the_name(open_site, names):
    site = await open_site()
    resolver = names(mixed_example_org=[[PUBLIC, "127.0.0.1"]])
    await refused(f"http://mixed.example.org:{site.port}/", on_port(site.port), resolver)
    assert site.requests == []


async def test_a_name_that_turns_private_at_the_second_look_up_is_refused(open_site, names):
    site = await open_site()
    resolver = names(turning_example_org=[[PUBLIC], ["127.0.0.1"]])
    url = f"http://turning.example.org:{site.port}/"
    async with open_fetcher(policy=on_port(site.port), resolver=resolver) as fetcher:
        with pytest.raises(FetchError, match="could not be reached"):  # the test suite itself stays on loopback
            await fetcher.get(url)
        with pytest.raises(FetchRefused):
            await fetcher.get(url)
    assert site.requests == []


class TwoFaced(dict):
    """A look-up's answer that shows a public address once, and a private one to whoever looks again."""

    looks: Iterator[str]

    def __getitem__(self, key: str) -> object:
        return next(self.looks) if key == "host" else super().__getitem__(key)


async def test_the_connected_address_decides_even_when_the_look_up_was_deceived(open_site, names):
    site = await open_site()
    resolver = names()

    async def deceive(host, port=0, family=socket.AF_INET):
        found = TwoFaced(hostname=host, port=port, family=socket.AF_INET, proto=0, flags=0)
        found.looks = iter([PUBLIC, "127.0.0.1", "127.0.0.1"])
        return [found]

    resolver.resolve = deceive
    await refused(f"http://turning.example.org:{site.port}/", on_port(site.port), resolver)
    assert site.requests == []


async def test_a_redirect_to_a_private_address_is_refused(open_site):
    inside = await open_site()
    outside = await open_site(to(inside.url))
    policy = on_port(inside.port)
    assert "private network" in await refused(outside.url, policy, allow_hosts=[outside.origin])
    assert len(outside.requests) == 1
    assert inside.requests == []


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://0x7f.1/", "http://example.org:22/", "gopher://x.org/"]
)
async def test_a_redirect_is_checked_like_a_posted_link(open_site, target):
    site = await open_site(to(target))
    await refused(site.url, Policy(), allow_hosts=[site.origin])


async def test_an_exemption_opens_exactly_its_own_host_and_port(open_site, names):
    site, other = await open_site(), await open_site()
    async with open_fetcher([site.origin]) as fetcher:
        assert (await fetcher.get(f"{site.url}/page")).body == b"hello from /page"
    for url in (other.url, f"http://localhost:{site.port}/", f"http://[::ffff:127.0.0.1]:{site.port}/"):
        await refused(url, Policy(), allow_hosts=[site.origin])
    resolver = names(evil_example_org=[["127.0.0.1"]])
    evil = f"http://evil.example.org:{site.port}/"
    await refused(evil, on_port(site.port), resolver, allow_hosts=[site.origin])
    assert len(site.requests) == 1
    assert other.requests == []


async def test_an_exempt_name_may_lead_inside(open_site, names):
    site = await open_site()
    pair = f"wiki.corp:{site.port}"
    async with open_fetcher([pair], resolver=names(wiki_corp=[["127.0.0.1"]])) as fetcher:
        assert (await fetcher.get(f"http://{pair}/")).status == 200


async def test_a_pair_that_is_not_host_and_port_is_a_clear_error():
    with pytest.raises(ConfigError, match="FETCH_ALLOW_HOSTS: 'intranet' must be host:port"):
        async with open_fetcher(["intranet"]):
            pass


async def test_a_gzip_bomb_stops_at_the_limit(open_site):
    bomb = gzip.compress(bytes(50_000_000), compresslevel=1)

    async def handler(request):
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        with pytest.raises(FetchError, match="the page is larger than 5 MB"):
            await fetcher.get(site.url)


async def test_a_five_gigabyte_page_stops_at_the_limit(open_site):
    sent = 0

    async def handler(request):
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": "5000000000"})
        await response.prepare(request)
        while sent < 5_000_000_000:
            await response.write(bytes(100_000))
            sent += 100_000
        return response

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        with pytest.raises(FetchError, match="larger than 5 MB"):
            await fetcher.get(site.url)
    assert sent < 100_000_000  # what fits into the buffers on the way, not the page


async def test_a_body_that_trickles_for_ever_ends_at_the_deadline(open_site):
    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.01)  # the attack itself: never silent long enough for a read time-out

    site = await open_site(handler)
    async with open_fetcher([site.origin], deadline=0.3) as fetcher:
        with pytest.raises(FetchError, match=r"127.0.0.1 did not answer within 0.3 s") as late:
            await fetcher.get(site.url, limit=10**12)
    assert late.value.transient


async def test_redirects_are_followed_up_to_five_and_no_further(open_site):
    async def handler(request):
        left = int(request.path.strip("/"))
        return web.Response(status=301, headers={"Location": f"/{left - 1}"}) if left else await done(request)

    async def done(request):
        return web.Response(text="arrived")

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        page = await fetcher.get(f"{site.url}/{MAX_REDIRECTS}#part")
        assert (page.url, page.body) == (f"{site.url}/0", b"arrived")
        with pytest.raises(FetchError, match="redirects more than 5 times"):
            await fetcher.get(f"{site.url}/{MAX_REDIRECTS + 1}")


async def test_a_token_is_not_carried_to_another_site(open_site):
    target = await open_site()
    first = await open_site(to(target.url))
    async with open_fetcher([first.origin, target.origin]) as fetcher:
        await fetcher.get(first.url, headers={"Authorization": "Bearer secret", "Cookie": "a=b", "X-Mine": "1"})
    assert first.requests[0].headers["Authorization"] == "Bearer secret"
    assert not {"Authorization", "Cookie", "X-Mine"} & set(target.requests[0].headers)


async def test_headers_stay_on_the_same_site_over_a_redirect(open_site):
    async def handler(request):
        return await (to("/new")(request) if request.path == "/old" else done(request))

    async def done(request):
        return web.Response(text=request.headers["Accept"])

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        page = await fetcher.get(f"{site.url}/old", headers={"Accept": "application/vnd.github.raw+json"})
    assert page.body == b"application/vnd.github.raw+json"


async def test_cookies_are_forgotten(open_site):
    async def handler(request):
        return web.Response(headers={"Set-Cookie": "who=you; Path=/"})

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        await fetcher.get(site.url)
        await fetcher.get(site.url)
    assert "Cookie" not in site.requests[1].headers


async def test_a_proxy_from_the_environment_is_ignored(open_site, monkeypatch):
    site, proxy = await open_site(), await open_site()
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    async with open_fetcher([site.origin]) as fetcher:
        await fetcher.get(site.url)
    assert proxy.requests == []


async def test_the_site_learns_who_asks_and_where_to_complain(open_site):
    site = await open_site()
    async with open_fetcher([site.origin], contact="https://example.org/bot") as fetcher:
        await fetcher.get(site.url)
    assert site.requests[0].headers["User-Agent"] == "TechnoShare/0.1 (+https://example.org/bot)"
    assert site.requests[0].headers["Accept-Encoding"] == "gzip, deflate"


async def test_a_signed_link_is_sent_as_it_was_posted(open_site):
    site = await open_site()
    async with open_fetcher([site.origin]) as fetcher:
        await fetcher.get(f"{site.url}/a%2Fb%7E?sig=x%2By%3D%2C&b=1+2")
    assert site.requests[0].raw_path == "/a%2Fb%7E?sig=x%2By%3D%2C&b=1+2"


async def test_a_closed_port_is_worth_another_try(open_site):
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"127.0.0.1:{server.getsockname()[1]}"
    async with open_fetcher([origin]) as fetcher:
        with pytest.raises(FetchError, match="could not be reached") as error:
            await fetcher.get(f"http://{origin}/")
    assert error.value.transient
    assert not isinstance(error.value, FetchRefused)


async def test_an_unknown_name_is_not_worth_another_try(names):
    async with open_fetcher(resolver=names()) as fetcher:
        with pytest.raises(FetchError, match=r"the name gone.example.org could not be found") as error:
            await fetcher.get("https://gone.example.org/")
    assert not error.value.transient


async def test_a_connection_that_breaks_off_is_worth_another_try(open_site):
    async def handler(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.abort()
        return response

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        with pytest.raises(FetchError, match="broke off") as error:
            await fetcher.get(site.url)
    assert error.value.transient


async def test_a_body_that_is_not_what_it_says_cannot_be_decoded(open_site):
    async def handler(request):
        return web.Response(body=b"this is not gzip", headers={"Content-Encoding": "gzip"})

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        with pytest.raises(FetchError, match="cannot be decoded"):
            await fetcher.get(site.url)


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "Audio/MPEG; x=y", "font/woff2"])
async def test_what_is_no_text_is_named_and_not_downloaded(open_site, kind):
    async def handler(request):
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        while True:
            await response.write(bytes(100_000))

    site = await open_site(handler)
    async with open_fetcher([site.origin]) as fetcher:
        page = await fetcher.get(site.url)
    assert (page.status, page.content_type, page.body) == (200, kind.partition(";")[0].lower(), b"")


class Offline(AbstractResolver):
    """A machine without a network: each look-up fails in its own way, or never ends."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    async def resolve(self, host, port=0, family=socket.AF_INET):
        if self.code is None:
            await asyncio.Event().wait()
        raise socket.gaierror(self.code, "says the system, in words that nobody else needs")

    async def close(self):
        pass


@pytest.mark.parametrize(
    ("code", "later"),
    [(socket.EAI_AGAIN, True), (None, True), (socket.EAI_NONAME, False), (socket.EAI_NODATA, False)],
)
async def test_without_a_name_server_the_reason_is_plain(monkeypatch, code, later):
    monkeypatch.setattr(fetch, "CONNECT", 0.05)
    async with open_fetcher(resolver=Offline(code)) as fetcher:
        with pytest.raises(FetchError, match=r"^the name example\.org could not be found$") as error:
            await fetcher.get("https://example.org/")
    assert error.value.transient == later


class Unplugged(socket.socket):
    """A socket of a machine whose network is gone."""

    def connect(self, address):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")


async def test_without_a_way_out_the_reason_is_plain(names):
    async with open_fetcher(resolver=names(example_org=[[PUBLIC, PUBLIC]]), wire=Unplugged) as fetcher:
        with pytest.raises(FetchError, match=r"^example\.org could not be reached$") as error:
            await fetcher.get("http://example.org/")
    assert error.value.transient


async def test_a_firewall_that_swallows_everything_is_given_up_in_time(monkeypatch, names):
    monkeypatch.setattr(fetch, "CONNECT", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):

        class Swallowed(socket.socket):
            def connect(self, address):
                super().connect(full.getsockname())  # nobody accepts, so the system leaves this one unanswered

        async with open_fetcher(resolver=names(example_org=[[PUBLIC]]), wire=Swallowed) as fetcher:
            with pytest.raises(FetchError, match=r"^example\.org did not answer in time$") as error:
                await fetcher.get("http://example.org/")
    assert error.value.transient


async def test_without_a_network_every_adapter_says_so_in_plain_words():
    links = """
        https://arxiv.org/abs/2501.10120 https://github.com/pallets/flask https://github.com/pallets/flask/issues/5
        https://gist.github.com/a/0123456789abcdef0123 https://news.ycombinator.com/item?id=8863
        https://huggingface.co/openai-community/gpt2 https://huggingface.co/papers/2501.10120
        https://en.wikipedia.org/wiki/Alan_Turing https://stackoverflow.com/q/11227809
        https://www.youtube.com/watch?v=dQw4w9WgXcQ https://example.org/report.pdf https://example.org/
    """
    async with open_fetcher(resolver=Offline(socket.EAI_AGAIN)) as fetcher:
        for link in links.split():
            with pytest.raises(
                (Unusable, Transient), match=r"^(the name [a-z.]+ could not be found|[a-z.]+ could not)"
            ):
                await read(link, fetcher, InlineParser())
