"""`demo`: the whole thing on this machine."""

from __future__ import annotations

import argparse

from technoshare.cli.command import Commands, command
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    demo = command(commands, "demo", _demo, "local Slack page, MLflow and the bot, with three sample links")
    demo.add_argument("--once", action="store_true", help="end when the samples are answered")
    demo.add_argument("--with-model", action="store_true", help="use OPENAI_* of the environment")


async def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.demo import run_demo

    del settings  # the demo's bot gets its own
    await run_demo(once=arguments.once, with_model=arguments.with_model)
    return 0
