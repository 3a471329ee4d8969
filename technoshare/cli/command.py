"""How a command is declared."""

from __future__ import annotations

import argparse
import getpass
import re
import subprocess
from collections.abc import Callable, Coroutine
from typing import Any

from technoshare.settings import Settings

Run = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, int]]
"""Carries a command out and returns its exit code."""

Commands = Any
"""What `add_subparsers` returns; argparse has no public name for it."""


def command(commands: Commands, name: str, run: Run, told: str) -> argparse.ArgumentParser:
    """Add a command, or an action of one, that `run` carries out."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=told, description=told)
    added.set_defaults(run=run)
    return added


def group(commands: Commands, name: str, told: str) -> Commands:
    """Add a command that has actions of its own; return where they are added."""
    return commands.add_parser(name, help=told, description=told).add_subparsers(required=True, metavar="ACTION")


def with_json(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let a program read the output."""
    added.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return added


def address(text: str) -> str:
    """Return a web address. Raises argparse's error for everything else."""
    if re.match(r"https?://.", text, re.IGNORECASE):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} does not begin with http:// or https://")


def who() -> str:
    """Return who gives the order: git's user, or the system's."""
    try:
        told = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False, timeout=5)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return getpass.getuser()
    return told.stdout.strip() or getpass.getuser()
