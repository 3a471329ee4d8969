"""`make observe`: does observation hold? Real bots, a real MLflow server, real Chromium; needs some minutes.

jobs     64 jobs at once through one bot, then 12 each through two bots on one server: complete, unmixed
faults   MLflow up, refused, silent, answering 500, dying, restarted, back after 200 jobs with the bot killed five times
         in its replay: time per job and event-loop lag against no tracking, exit of an idle bot, what was lost
kill     only the last of these
cost     requests and processor time of a job, beside MLflow's fluent API
ui       MLflow's own pages over a morning's jobs; --shots FOLDER keeps screenshots
"""

from __future__ import annotations

import os

from technoshare.mlops.replay import ENVIRONMENT

# Before mlflow is imported. Who reads back has patience; the bots are started without any of this.
os.environ |= ENVIRONMENT | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from technoshare.mlops.server import running_server
from tests.observe import cost, faulty, samples, ui
from tests.observe.crowd import Crowd, observe


def jobs(folder: Path, parsed: argparse.Namespace) -> bool:
    """Return whether everything arrived where it belongs."""
    crowds = (Crowd(links=parsed.jobs), Crowd(bots=2, links=12))
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts") as server:
        clean = True
        for crowd in crowds:
            place = folder / f"bots-{crowd.bots}"
            place.mkdir()
            count = asyncio.run(observe(crowd, place, server.url, f"crowd_{crowd.bots}"))
            say(f"{crowd.bots} bots: {count}")
            for fault in count.faults[:20]:
                say(f"  {fault}")
            clean = clean and not count.faults
    return clean


def faults(folder: Path, parsed: argparse.Namespace, *only: str) -> bool:
    """Return whether nothing was lost, doubled or misplaced; whether it was quick enough, the table tells."""
    size = faulty.Size(rounds=parsed.rounds, backlog=parsed.records, kills=parsed.kills)
    rows = asyncio.run(faulty.measure(folder, size, say, only or parsed.only))
    say(faulty.shown(rows))
    return not any(row.faults for row in rows)


def kill(folder: Path, parsed: argparse.Namespace) -> bool:
    return faults(folder, parsed, "back")


def costs(folder: Path, parsed: argparse.Namespace) -> bool:
    say(cost.compare(folder, parsed.jobs))
    return True


def pages(folder: Path, parsed: argparse.Namespace) -> bool:
    """Return whether the pages needed nothing from outside and did not break."""

    async def look(url: str) -> ui.Visit:
        await samples.record(folder, url, "technoshare_commentator")
        async with ui.open_browser() as browser:
            return await ui.visit(browser, url, "technoshare_commentator", parsed.shots)

    if parsed.shots:
        parsed.shots.mkdir(parents=True, exist_ok=True)
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts") as server:
        visit = asyncio.run(look(server.url))
    say(f"asked of other servers: {visit.outside or 'nothing'}; errors: {visit.broken or 'none'}")
    return not visit.outside and not visit.broken


def say(line: str) -> None:
    print(line, flush=True)


PARTS = {"jobs": jobs, "faults": faults, "kill": kill, "cost": costs, "ui": pages}


def main() -> int:
    """Return 0 when nothing was lost, doubled or misplaced."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.observe", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which of them (all but kill)")
    parser.add_argument("--jobs", type=int, default=64)
    parser.add_argument("--records", type=int, default=200, help="jobs for which the server was away")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5, help="of off and on, in each case of `faults`")
    parser.add_argument("--only", nargs="*", default=(), help="cases of `faults`: control up refused silent 500 …")
    parser.add_argument("--shots", type=Path)
    parsed = parser.parse_args()
    clean = True
    for name in parsed.parts or [part for part in PARTS if part != "kill"]:
        with tempfile.TemporaryDirectory() as folder:
            clean = PARTS[name](Path(folder), parsed) and clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
