"""`eval`: the evaluation set through the pipeline, as a gate.

Exit codes: 0 pass, 1 below the gate, 2 could not evaluate, 3 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from typing import Any, get_args

from technoshare.cli import adding, freezing
from technoshare.cli.command import Commands, command
from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.modes import Wanted
from technoshare.settings import Settings

EVALSETS = Path("evalsets")
RESULTS = Path("eval_results.json")
NO_VERDICT = 2
USAGE = 3
"""Exit code of wrong usage: 2, which is usual, says here that there is no verdict."""


def add(commands: Commands) -> None:
    """Add the command and its actions; without an action it runs the evaluation."""
    evaluation = command(commands, "eval", _run, "run the evaluation set and judge it, or move its baseline")
    _files(evaluation, given_once=True)
    _choices(evaluation, given_once=True)
    actions = evaluation.add_subparsers(metavar="ACTION")
    run = command(actions, "run", _run, "run the set and judge it (also without an action)")
    _files(run)
    _choices(run)
    _files(
        command(actions, "bless", _bless, "make the last passed evaluation the baseline that others are compared with")
    )
    freezing.add(actions)
    adding.add(actions)


def _files(parser: argparse.ArgumentParser, *, given_once: bool = False) -> None:
    """Add where files are. An action may repeat an option of the command, whose default then stands."""
    for name, default, told in (
        ("--dataset", EVALSETS / "technoshare_eval.yaml", "the examples"),
        ("--thresholds", EVALSETS / "thresholds.yaml", "what must be reached"),
        ("--baseline", EVALSETS / "baseline.json", "the blessed results"),
        ("--bad-comments", EVALSETS / "bad_comments.yaml", "what every scorer must find fault with"),
        ("--output", RESULTS, "the results; other reports go beside them"),
    ):
        standing = default if given_once else argparse.SUPPRESS
        parser.add_argument(name, type=Path, default=standing, help=f"{told} ({default})")


def _choices(parser: argparse.ArgumentParser, *, given_once: bool = False) -> None:
    def option(name: str, default: Any, told: str, **more: Any) -> None:
        parser.add_argument(name, default=default if given_once else argparse.SUPPRESS, help=told, **more)

    option("--mode", "auto", "who writes; auto is live where a model can be asked", choices=get_args(Wanted))
    option("--replay", None, "a tape, or a folder of tapes, of recorded answers", type=Path, metavar="TAPE")
    option("--record", None, "keep the model's answers of a live run", type=Path, metavar="TAPE")
    which = "yaml (the files), staging, candidate, prod or a version, of both prompts or as NAME=WHICH of one"
    option("--prompt", [], which, action="append", metavar="WHICH")
    option("--epochs", None, "runs of each example (default: of the thresholds)", type=_positive)
    option("--only", [], "only this example", action="append", metavar="ID")
    option("--tag", [], "only examples with this tag", action="append")
    option("--split", "", "only this split, such as dev or test")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.cli.evaluating import Misused, evaluate

    try:
        return await evaluate(arguments, settings)
    except Misused as error:
        print(f"technoshare: {error}", file=sys.stderr)
        return USAGE
    except ConfigError:
        raise
    except Exception:  # noqa: BLE001 - a bug is no verdict; Python's own exit code for it, 1, would be one
        traceback.print_exc()
        return NO_VERDICT


async def _bless(arguments: argparse.Namespace, settings: Settings) -> int:
    del settings
    from technoshare.cli.evaluating import bless_last

    print(bless_last(arguments))
    return 0
