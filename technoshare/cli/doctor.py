"""`doctor`: is everything there that a bot needs?"""

from __future__ import annotations

import argparse
import json

from technoshare.cli.command import Commands, command, with_json
from technoshare.settings import Settings

_MARKS = {"good": "[green]✓[/green]", "bad": "[red]✗[/red]", "none": "[dim]–[/dim]"}


def add(commands: Commands) -> None:
    """Add the command."""
    told = "check settings, Slack, model, files and MLflow; exit 1 when something is wrong"
    with_json(command(commands, "doctor", _examine, told))


async def _examine(arguments: argparse.Namespace, settings: Settings) -> int:
    from rich.console import Console
    from rich.markup import escape

    from technoshare.doctor import examine

    findings = await examine(settings)
    if arguments.json:
        print(json.dumps([finding.model_dump() for finding in findings], indent=2, ensure_ascii=False))
    else:
        out = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            out.print(f"{_MARKS[finding.state]} {finding.check:<15} {escape(finding.told)}")
            if finding.advice:
                out.print(f"  {'':<15} [dim]→ {escape(finding.advice)}[/dim]")
    return int(any(finding.state == "bad" for finding in findings))
