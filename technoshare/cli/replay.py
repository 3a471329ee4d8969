"""`replay`: a job's comment written once more from what the bot had read, and what became different."""

from __future__ import annotations

import argparse
import dataclasses

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from technoshare import render
from technoshare.cli.command import Commands, command, with_json
from technoshare.errors import ConfigError
from technoshare.jobs.report import Answered
from technoshare.mlops.comparison import Comparison
from technoshare.mlops.prompt_choice import asked_prompts
from technoshare.models import EXTRACTIVE, JobId, Reviewed, Value
from technoshare.settings import Settings

_OUT = Console(highlight=False)
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_MARKS = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[dim]–[/dim]"}


class Replayed(Value):
    """What `--json` prints; without a comparison nothing is kept of what the job wrote."""

    job: JobId
    model: str
    comment: Reviewed
    comparison: Comparison | None


def add(commands: Commands) -> None:
    """Add the command."""
    told = "write a job's comment once more from the stored evidence and show what is different; nothing is posted"
    replay = with_json(command(commands, "replay", _replay, told))
    replay.add_argument(
        "--prompt",
        metavar="WHICH",
        action="append",
        default=[],
        help="yaml (the files), candidate, staging, prod or a version, of both prompts or as NAME=WHICH of one",
    )
    replay.add_argument("job", metavar="JOB", help="the 12 digits that `jobs list` shows")
    replay.add_argument(
        "--model", metavar="M", help="the model that writes (default: LLM_MODEL; `extractive` needs no key)"
    )


async def _replay(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare import pipeline
    from technoshare.app import open_services
    from technoshare.jobs.report import answered_job
    from technoshare.memory import MemoryClaim
    from technoshare.mlops.comparison import compared
    from technoshare.retrieval.frozen import FrozenFetcher
    from technoshare.runner import StageRunner

    answered = answered_job(settings.jobs_url, arguments.job)
    if arguments.model:
        settings = _with_model(settings, arguments.model)
    prompts = (
        None
        if settings.model == EXTRACTIVE
        else asked_prompts(arguments.prompt, settings.prompts_dir, settings.mlflow_tracking_uri)
    )
    async with open_services(settings, prompts=prompts) as services:
        offline = dataclasses.replace(services, fetcher=FrozenFetcher(()))
        run = StageRunner(offline, MemoryClaim(answered.job))
        reviewed = await pipeline.comment_on(run, answered.job, answered.evidence)
    comparison = compared(answered.reviewed, reviewed) if answered.reviewed else None
    replayed = Replayed(job=answered.job.id, model=reviewed.comment.model, comment=reviewed, comparison=comparison)
    print(replayed.model_dump_json(indent=2)) if arguments.json else _show(replayed, answered)
    return 0


def _with_model(settings: Settings, model: str) -> Settings:
    chosen = settings.model_copy(update={"llm_model": model})
    if chosen.model != model:
        raise ConfigError(f"--model {model} needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
    return chosen


def _show(replayed: Replayed, answered: Answered) -> None:
    """Print both authors, the difference of the texts, then the gates that judge otherwise."""
    comparison = replayed.comparison
    if comparison is None:
        _OUT.print(f"[dim]nothing is kept of what job {replayed.job} wrote; this is what it would write now[/dim]\n")
        _OUT.print(render.comment_text(replayed.comment), markup=False)
        return
    before = answered.reviewed.comment.model if answered.reviewed else ""
    _OUT.print(f"[red]-[/] as posted, by {escape(before)}   [green]+[/] as replayed, by {escape(replayed.model)}\n")
    if comparison.same_text:
        _OUT.print("the same text, word for word")
    for line in comparison.diff:
        _OUT.print(escape(line), style=_COLOURS.get(line[:1], "dim"))
    _show_gates(comparison)


def _show_gates(comparison: Comparison) -> None:
    if comparison.gates:
        table = Table("gate", "before", "now", "what was wrong", box=box.SIMPLE_HEAD)
        for gate in comparison.gates:
            table.add_row(gate.check, _MARKS[gate.before], _MARKS[gate.after], escape(gate.message))
        _OUT.print(table)
    else:
        _OUT.print("\nall gates judge both alike")
    spent = (
        "" if comparison.tokens is None else f"{comparison.tokens:+d} tokens",
        "" if comparison.cost_usd is None else f"{comparison.cost_usd:+.4f} USD",
    )
    if told := ", ".join(filter(None, spent)):
        _OUT.print(f"[dim]{told}[/dim]")
