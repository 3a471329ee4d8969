"""`mlflow`: looking after MLflow's own file."""

from __future__ import annotations

import argparse

from technoshare.cli.command import Commands, command, group, with_json
from technoshare.settings import Settings


def add(commands: Commands) -> None:
    """Add the command and its action."""
    actions = group(commands, "mlflow", "look after MLflow's own file")
    tuning = with_json(command(actions, "tune", _tune, "make MLflow's SQLite file quick; a server may run meanwhile"))
    tuning.add_argument("--db", metavar="PATH", help="the file; else that of MLFLOW_TRACKING_URI, else ./mlflow.db")


async def _tune(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.mlops import tuning

    uri = settings.mlflow_tracking_uri
    path = tuning.file_of(arguments.db) if arguments.db else tuning.file_behind(uri) or tuning.file_of(uri)
    if not arguments.json:
        seen = tuning.look(path)
        print(f"{path}: {seen.runs:,} runs, {seen.bytes / 1e6:,.1f} MB …", flush=True)
    tuned = tuning.tune(path)
    before, after = tuned.before, tuned.after
    if arguments.json:
        print(tuned.model_dump_json(indent=2))
    else:
        print(f"  journal     {before.journal} → {after.journal}")
        print(f"  statistics  of {before.statistics} → {after.statistics} indexes")
        print(f"  done in {tuned.seconds:.2f} s")
    return 0
