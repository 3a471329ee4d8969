"""`spool`: what waits for MLflow and what MLflow has refused, beside the running bot."""

from __future__ import annotations

import argparse
import json
import time

from technoshare.cli.command import Commands, command, with_json
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command and its action."""
    spool = with_json(command(commands, "spool", _show, "show what waits for MLflow, and what it refused and why"))
    actions = spool.add_subparsers(metavar="ACTION")
    retry = command(actions, "retry", _retry, "let what MLflow refused try again")
    retry.add_argument("entry", metavar="NUMBER", type=_number, help="the number that `spool` shows, or `all`")


def _number(text: str) -> int | None:
    """Return the number, None for `all`. Raises `ValueError`, argparse's way to be told."""
    return None if text == "all" else int(text)


async def _show(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import terminal
    from technoshare.mlops.waiting import read_spool

    spool = read_spool(settings.spool)
    now = time.time()
    if arguments.json:
        told = spool.model_dump(mode="json") | {"oldest_seconds": None if spool.oldest is None else now - spool.oldest}
        print(json.dumps(told, indent=2))
    else:
        terminal.show_spool(spool, now)
    return 0


async def _retry(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.app import open_desk
    from technoshare.jobs.control import give_order
    from technoshare.jobs.orders import ShelfOrder

    print(await give_order(settings.jobs_url, ShelfOrder(entry=arguments.entry), open_desk(settings)))
    return 0
