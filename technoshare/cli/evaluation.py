"""`eval`: the evaluation set through the pipeline."""

from __future__ import annotations

import argparse
from pathlib import Path

from technoshare.cli import adding, freezing
from technoshare.cli.command import Commands, command
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    evaluation = command(commands, "eval", _evaluate, "run the evaluation set and score it")
    actions = evaluation.add_subparsers(metavar="ACTION")
    for one in (evaluation, command(actions, "run", _evaluate, "run the evaluation set and score it")):
        one.add_argument("--dataset", type=Path, default=Path("evalsets/technoshare_eval.yaml"))
        one.add_argument("--output", type=Path, default=Path("eval_results.json"), help="where the results go")
    freezing.add(actions)
    adding.add(actions)


async def _evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import terminal
    from technoshare.app import open_services
    from technoshare.mlops.evaluation.dataset import load_dataset
    from technoshare.mlops.evaluation.runner import evaluate

    dataset = load_dataset(arguments.dataset)
    # A key in the environment must not turn a deterministic gate into a paid one; live evaluation is issue 6/6.
    keyless = settings.model_copy(update={"llm_model": "extractive"})
    async with open_services(keyless) as services:
        with terminal.progress(len(dataset.examples)) as advance:
            results = await evaluate(dataset, arguments.dataset.parent, services, advance)
    arguments.output.write_text(results.model_dump_json(indent=2), "utf-8")
    terminal.show_results(results, arguments.output)
    return results.exit_code
