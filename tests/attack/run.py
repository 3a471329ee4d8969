"""Run the attacks against the live fetcher and count what came through."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from technoshare.errors import FetchError, FetchRefused
from technoshare.ports import Fetcher
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.guard import Policy
from tests.attack.addresses import ATTACKS, GOOD, GOOD_REDIRECTS, INSIDE, OUTSIDE, REDIRECTS
from tests.attack.bodies import BODIES
from tests.attack.live import Deceiver, OnlyTheSocket, Resolver, World

DEADLINE = 5.0
"""Seconds; far above what a refusal takes."""
SHORT = 0.5
"""Seconds for bodies that never end: the deadline is what ends them."""
REDIRECTED = "http://example.org/start/{}"


@dataclass
class Figures:
    """One line of the table."""

    name: str
    tried: int = 0
    inside: int = 0
    """Connections to a forbidden address."""
    outside: int = 0
    """Connections to a public one, such as the first step of a chain."""
    refused: int = 0
    failed: int = 0
    """Ended with another plain error."""
    read: int = 0
    """Gave a page."""
    surprises: list[str] = field(default_factory=list)
    """What should not have been read, or not have been refused."""


def open_guarded(
    world: World, *, policy: Policy | None = None, resolver: Resolver | None = None, deadline: float = DEADLINE
) -> AbstractAsyncContextManager[Fetcher]:
    """Open the real fetcher in this world; by default nothing about the guard is changed."""
    return open_fetcher(
        policy=policy or Policy(), resolver=resolver or Resolver(world), wire=world.wire, deadline=deadline
    )


async def try_all(name: str, urls: Iterable[str], fetcher: Fetcher, world: World, *, good: bool = False) -> Figures:
    """Ask for every address and count, at the sockets and at the servers, what the guard let pass."""
    figures = Figures(name)
    for url in urls:
        await _try_one(url, fetcher, world, figures, good=good)
    return figures


async def try_chains(
    name: str, chains: Iterable[tuple[str, ...]], fetcher: Fetcher, world: World, *, good: bool = False
) -> Figures:
    """Follow every chain of redirects from a good site."""
    figures = Figures(name)
    for number, chain in enumerate(chains):
        world.redirects, world.turning = list(chain), [INSIDE]
        await _try_one(REDIRECTED.format(number), fetcher, world, figures, good=good)
        world.redirects.clear()
    return figures


async def try_rebinding(world: World) -> Figures:
    """Let a name change its mind: between two fetches, between two redirects, between look-up and connection."""
    figures = Figures("rebinding")
    url = "http://turning.example.org/"
    async with open_guarded(world) as fetcher:
        world.turning = [OUTSIDE, INSIDE]
        await fetcher.get(url)
        await _try_one(url, fetcher, world, figures)
        world.turning, world.redirects = [OUTSIDE, INSIDE], [url]
        await _try_one(url, fetcher, world, figures)
    world.turning = [INSIDE]
    async with open_guarded(world, resolver=Deceiver(world)) as fetcher:
        await _try_one(url, fetcher, world, figures)
    return figures


async def try_bodies(world: World) -> Figures:
    """Let the good site answer with every hostile body."""
    figures = Figures("hostile bodies")
    async with open_guarded(world, deadline=SHORT) as fetcher:
        for world.body in BODIES.values():
            await _try_one("http://example.org/", fetcher, world, figures)
    world.body = None
    return figures


async def try_the_socket_alone(world: World) -> Figures:
    """Run the whole table with the looks at form and look-up switched off: only the socket factory is left."""
    urls = [url for group in ATTACKS.values() for url in group]
    async with open_guarded(world, policy=OnlyTheSocket(), resolver=Deceiver(world)) as fetcher:
        return await try_all("all, by the socket check alone", urls, fetcher, world)


async def try_without_a_guard(world: World) -> Figures:
    """Run the whole table with every address permitted: shows that the servers inside can be reached at all."""
    urls = [url for group in ATTACKS.values() for url in group]
    async with open_guarded(world, policy=OnlyTheSocket(public=lambda _: True)) as fetcher:
        return await try_all("all, without any check", urls, fetcher, world)


async def _try_one(url: str, fetcher: Fetcher, world: World, figures: Figures, *, good: bool = False) -> None:
    inside, outside = world.inside, world.served["outside"]
    figures.tried += 1
    try:
        await fetcher.get(url)
    except FetchRefused as why:
        figures.refused += 1
        if good:
            figures.surprises.append(f"{url}: {why}")
    except FetchError:
        figures.failed += 1
    else:
        figures.read += 1
        if not good:
            figures.surprises.append(url)
    figures.inside += world.inside - inside
    figures.outside += world.served["outside"] - outside


async def attack(world: World) -> list[Figures]:
    """Return the whole table."""
    lines = []
    async with open_guarded(world) as fetcher:
        for name, urls in ATTACKS.items():
            lines.append(await try_all(name, urls, fetcher, world))
        lines.append(await try_chains("redirects", REDIRECTS.values(), fetcher, world))
        good = await try_all("good addresses", GOOD, fetcher, world, good=True)
        followed = await try_chains("good redirects", GOOD_REDIRECTS.values(), fetcher, world, good=True)
    return [*lines, await try_rebinding(world), await try_bodies(world), good, followed]
