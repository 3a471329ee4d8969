"""`eval add`: comments that people voted down become examples to review."""

from __future__ import annotations

import argparse
from pathlib import Path

from technoshare.cli.command import Commands, command
from technoshare.models import Complaint
from technoshare.settings import Settings


def add(actions: Commands) -> None:
    """Add the action."""
    adding = command(actions, "add", _add, "keep comments that were voted down as pending examples, for review")
    adding.add_argument("--from-feedback", action="store_true", required=True, help="from the 👎 in the jobs file")
    adding.add_argument("--dataset", type=Path, default=Path("evalsets/feedback.yaml"), metavar="PATH")


async def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    from datetime import UTC, datetime

    from technoshare.jobs.report import complaints
    from technoshare.mlops.evaluation import adding

    voted_down = complaints(settings.jobs_url)
    added = adding.add(arguments.dataset, voted_down, datetime.now(UTC).date())
    for complaint in added:
        _show(adding.id_of(complaint), complaint)
    if not added:
        print(f"nothing new; comments that stand voted down: {len(voted_down)}")
        return 0
    print(
        f"\n{len(added)} pending in {arguments.dataset}; no evaluation runs them before a person has reviewed them:\n"
        "  read the evidence beside it, and look whether its licence permits to keep a copy (write it there)\n"
        "  write what a good comment does: expected_theme, expect (facts_any, forbid, …)\n"
        "  remove `status: pending`; one that is not wanted stays pending, else it comes again"
    )
    return 0


def _show(name: str, complaint: Complaint) -> None:
    print(f"{name}  {complaint.url}")
    for reason in complaint.reasons:
        print(f"    👎 {reason}")
