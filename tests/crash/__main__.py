"""`make crash`: kill the bot -9 so many times and count what was lost, doubled or done again."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.crash.loop import Plan, crash


def main() -> int:
    """Return 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-look-up", action="store_true", help="must show duplicates, else the loop is blind")
    parsed = parser.parse_args()
    plan = Plan(kills=parsed.kills, seed=parsed.seed, blind=parsed.without_look_up)
    with tempfile.TemporaryDirectory() as folder:
        toll = asyncio.run(crash(plan, Path(folder), lambda line: print(line, flush=True)))
    print(toll.table())
    return 0 if toll.clean else 1


if __name__ == "__main__":
    sys.exit(main())
