"""`eval freeze`: a page as an example that needs no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from technoshare.cli.command import Commands, address, command
from technoshare.settings import Settings


def add(actions: Commands) -> None:
    """Add the action."""
    freeze = command(
        actions, "freeze", _freeze, "keep a page, with every answer on the way, as an example of a dataset"
    )
    freeze.add_argument("url", metavar="URL", type=address)
    freeze.add_argument("--licence", required=True, metavar="TEXT", help="what permits to keep a copy: CC-BY-4.0, …")
    freeze.add_argument("--source", default="", metavar="TEXT", help="where the page comes from (default: URL)")
    freeze.add_argument("--id", default="", metavar="ID", help="of the example (default: made of host and path)")
    freeze.add_argument("--dataset", type=Path, default=Path("evalsets/technoshare_eval.yaml"), metavar="PATH")


async def _freeze(arguments: argparse.Namespace, settings: Settings) -> int:
    from technoshare.app import open_services
    from technoshare.mlops.evaluation.freezing import capture, placed, require_licence

    licence = require_licence(arguments.licence)
    place = placed(arguments.dataset, arguments.url, arguments.id)
    # Only what everybody may read is frozen, and from its site: no token, no older snapshot; and nobody writes a word.
    public = settings.model_copy(update={"github_token": None, "fetch_snapshots": None, "llm_model": "extractive"})
    async with open_services(public) as services:
        captured = await capture(arguments.url, services, licence=licence, source=arguments.source)
    place.keep(captured)
    print(f"{place.file}: {captured.told()}\n{place.dataset}: example {place.id}")
    if captured.warning:
        print(f"Look at it before you keep it: {captured.warning}")
    return 0
