"""`jobs`: what became of the links, beside the running bot."""

from __future__ import annotations

import argparse
import json
from typing import get_args

from technoshare.cli.command import Commands, command, group, with_json
from technoshare.models import JobState
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command and its actions."""
    actions = group(commands, "jobs", "look at the jobs beside the running bot; retry or cancel one")
    listing = with_json(command(actions, "list", _list_jobs, "list the jobs, the newest first"))
    listing.add_argument("--state", choices=get_args(JobState), help="only those")
    for name, run, told in (
        ("show", _show_job, "show one job: its budget, its stages, its post"),
        ("retry", _order, "let a job that ended start anew"),
        ("cancel", _order, "end a job that waits, without a reply"),
    ):
        added = command(actions, name, run, told)
        added.add_argument("job", metavar="JOB", help="the 12 digits that `jobs list` shows")
        added.set_defaults(order=name)
    with_json(actions.choices["show"])


async def _list_jobs(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import terminal
    from technoshare.jobs.report import list_jobs

    jobs = list_jobs(settings.jobs_url, arguments.state)
    if arguments.json:
        print(json.dumps([job.model_dump(mode="json") for job in jobs], indent=2))
    else:
        terminal.show_jobs(jobs)
    return 0


async def _show_job(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import terminal
    from technoshare.jobs.report import show_job

    job = show_job(settings.jobs_url, arguments.job)
    print(job.model_dump_json(indent=2)) if arguments.json else terminal.show_job(job)
    return 0


async def _order(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.jobs.control import give_order
    from technoshare.jobs.orders import JobOrder

    order = JobOrder(order=arguments.order, job=arguments.job)
    print(f"{arguments.job}: {await give_order(settings.jobs_url, order)}")
    return 0
