"""The command line. `technoshare --help` lists what there is; `--json` where a program may read it.

A new command is a module here with `add(commands)`, and one line in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from technoshare.cli import demo, doctor, evaluation, forget, jobs, mlflow, prompts, reading, replay, spool
from technoshare.cli.command import Run
from technoshare.errors import ConfigError, TechnoShareError
from technoshare.logs import start_logging
from technoshare.settings import load_settings

COMMANDS = (reading, jobs, replay, forget, spool, mlflow, prompts, evaluation, doctor, demo)
"""In the order in which the help lists them."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 it failed, 2 wrong usage or setting, 130 interrupted.

    `eval` has exit codes of its own (see `evaluation`).
    """
    parsed = _parsed(sys.argv[1:] if arguments is None else arguments)
    run: Run = parsed.run
    try:
        settings = load_settings()
        start_logging(settings.log_level if parsed.verbose else "WARNING", settings.log_format, settings.secrets)
        return asyncio.run(run(parsed, settings))
    except ConfigError as error:
        print(f"technoshare: {error}", file=sys.stderr)
        return 2
    except TechnoShareError as error:
        print(f"technoshare: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parsed(arguments: list[str]) -> argparse.Namespace:
    try:
        return _parser().parse_args(arguments)
    except SystemExit as end:
        asked = next((word for word in arguments if not word.startswith("-")), "")
        raise SystemExit(evaluation.USAGE if end.code == 2 and asked == "eval" else end.code) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="technoshare", description="Read links, comment on them, look at what was done."
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the log")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return parser
