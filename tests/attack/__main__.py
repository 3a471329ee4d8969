"""`make attack`: the attack table against the live fetcher, its figures as a table."""

from __future__ import annotations

import asyncio
import sys

from tests.attack.live import open_world
from tests.attack.run import Figures, attack, try_the_socket_alone, try_without_a_guard

_LINE = "{:32} {:>6} {:>7} {:>8} {:>8} {:>7} {:>6}"


async def main() -> int:
    """Return 0 when nothing came inside, nothing bad was read and nothing good was refused."""
    async with open_world() as world:
        lines = await attack(world)
        alone, blind = await try_the_socket_alone(world), await try_without_a_guard(world)
    print(_LINE.format("", "tried", "inside", "outside", "refused", "error", "page"))
    for line in (*lines, alone, blind):
        print(_row(line))
    surprises = [surprise for line in lines for surprise in line.surprises]
    for surprise in surprises:
        print(f"  surprise: {surprise}")
    print(
        "inside: connections to a forbidden address; outside: to a public one; both counted at sockets and servers.\n"
        "By the socket check alone, pages from outside are expected: it judges addresses, not forms.\n"
        f"{alone.tried} forbidden addresses, {sum(line.inside for line in lines)} connections inside, "
        f"{len(surprises)} surprises."
    )
    return 0 if not surprises and not any(line.inside for line in (*lines, alone)) and blind.inside else 1


def _row(line: Figures) -> str:
    return _LINE.format(line.name, line.tried, line.inside, line.outside, line.refused, line.failed, line.read)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
