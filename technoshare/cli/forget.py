"""`forget`: a job with everything that is kept of it."""

from __future__ import annotations

import argparse

from technoshare.cli.command import Commands, command
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    forget = command(commands, "forget", _forget, "delete what is kept of a job, here and in MLflow; not its post")
    forget.add_argument("job", metavar="JOB", help="the 12 digits that `jobs list` shows")


async def _forget(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.app import open_desk
    from technoshare.jobs.control import give_order
    from technoshare.jobs.orders import JobOrder

    order = JobOrder(order="forget", job=arguments.job)
    told = await give_order(settings.jobs_url, order, open_desk(settings))
    for line in told.splitlines():
        print(f"{arguments.job}: {line}")
    return 0
