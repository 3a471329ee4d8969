"""How often the live gate cries wolf, and how often it sees a real drop: `python -m tests.evaluation.simulation`.

Every repetition draws a blessed evaluation and a new one, and has the real gate judge them. An example passes an epoch
with a probability of its own, drawn from a Beta distribution with mean 0.9; its spread says how unlike examples are.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from technoshare.mlops.evaluation.gate import judge
from technoshare.mlops.evaluation.results import Epoch, ExampleResult
from technoshare.mlops.evaluation.thresholds import Thresholds, load_thresholds
from tests.evaluation.samples import baseline, results

RATE = 0.9
SEED = 7
THRESHOLDS = Path(__file__).resolve().parent.parent.parent / "evalsets" / "thresholds.yaml"
PASS, FAIL = Epoch(number=1, scores={"decides": 1.0}), Epoch(number=1, scores={"decides": 0.0})


@dataclass(frozen=True)
class Design:
    """How an evaluation is laid out. `spread` is the sum of the Beta distribution's parameters: small is unlike."""

    examples: int
    epochs: int
    spread: float


def regression_alone() -> Thresholds:
    """The committed thresholds of live mode without floors and limits: they would hide what the comparison does."""
    committed = load_thresholds(THRESHOLDS).modes["live"]
    mode = committed.model_copy(update={"floors": {"overall_pass_rate": 0.0}})
    return Thresholds(modes={"live": mode})


def evaluation(chances, epochs, random):
    passed = random.random((len(chances), epochs)) < chances[:, None]
    examples = (
        ExampleResult(
            id=f"e{number}",
            url="https://example.org/",
            deciding=("decides",),
            epochs=tuple(PASS if one else FAIL for one in row),
        )
        for number, row in enumerate(passed)
    )
    return results(*examples, mode="live", model="simulated")


def alarms(design: Design, drop: float, repetitions: int) -> float:
    """Return the share of repetitions in which the gate does not pass an evaluation that is worse by `drop`."""
    random, thresholds, seen = np.random.default_rng(SEED), regression_alone(), 0
    for _ in range(repetitions):
        chances = random.beta(RATE * design.spread, (1 - RATE) * design.spread, design.examples)
        before = evaluation(chances, design.epochs, random)
        now = evaluation(chances * (1 - drop / RATE), design.epochs, random)
        seen += judge(now, thresholds, baseline(before)).verdict == "fail"
    return seen / repetitions


DESIGNS = (
    Design(20, 1, 4.0),
    Design(20, 3, 4.0),
    Design(40, 1, 4.0),
    Design(40, 3, 4.0),
    Design(40, 5, 4.0),
    Design(40, 3, 1.0),
    Design(40, 3, 20.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2_000)
    repetitions = parser.parse_args().repetitions
    started = time.monotonic()
    print("| examples | epochs | spread | false alarms | sees a drop of 10 points | sees a drop of 20 points |")
    print("|---|---|---|---|---|---|")
    for design in DESIGNS:
        found = [alarms(design, drop, repetitions) for drop in (0.0, 0.1, 0.2)]
        cells = (design.examples, design.epochs, f"{design.spread:g}", *(f"{share:.1%}" for share in found))
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
    print(f"\n{repetitions} repetitions each, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
