"""`read` and `comment`: a link, without Slack."""

from __future__ import annotations

import argparse

from technoshare.cli.command import Commands, address, command, with_json
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add both commands."""
    for name, run, told in (
        ("read", _read, "show what is read for a link: source, coverage, snippets"),
        ("comment", _comment, "write the comment for a link, without Slack"),
    ):
        with_json(command(commands, name, run, told)).add_argument("url", metavar="URL", type=address)


async def _read(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import terminal
    from technoshare.app import open_services, single_job
    from technoshare.stages.retrieval import retrieve

    async with open_services(settings) as services:
        evidence = await retrieve(services, single_job(arguments.url))
    print(evidence.model_dump_json(indent=2)) if arguments.json else terminal.show_evidence(evidence)
    return 0


async def _comment(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import pipeline, terminal
    from technoshare.app import open_services, single_job
    from technoshare.memory import MemoryClaim
    from technoshare.runner import StageRunner

    job = single_job(arguments.url)
    async with open_services(settings) as services:
        reviewed = await pipeline.draft(StageRunner(services, MemoryClaim(job)), job)
    print(reviewed.model_dump_json(indent=2)) if arguments.json else terminal.show_comment(reviewed)
    return 0
