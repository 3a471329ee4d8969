"""One evaluation, from the scorers' trial to the verdict."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from technoshare.mlops.evaluation.baseline import Baselines
from technoshare.mlops.evaluation.dataset import Dataset, Example
from technoshare.mlops.evaluation.gate import judge
from technoshare.mlops.evaluation.results import Mode, Report, Results
from technoshare.mlops.evaluation.runner import Evaluated, Plan, Progress, evaluate
from technoshare.mlops.evaluation.scorers import Scorer, due, scorer_digest
from technoshare.mlops.evaluation.thresholds import ModeThresholds, Thresholds
from technoshare.mlops.evaluation.trial import BadComments, faults
from technoshare.mlops.record import TraceRecord
from technoshare.models import PromptRef
from technoshare.ports import Clock, Services

AT_ONCE = 8
"""Epochs side by side. Most of them wait: for one of two parser processes, or for the model."""


@dataclass(frozen=True)
class Part:
    """How much is run: all examples that fit every filter that is set, and how often, if less than the rules ask."""

    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    split: str = ""
    epochs: int = 0
    """0 where it is as often as asked, or more."""

    def __str__(self) -> str:
        """Return it as it is typed; empty when everything is run."""
        named = [f"--only {name}" for name in self.only] + [f"--tag {tag}" for tag in self.tags]
        named += [f"--split {self.split}"] if self.split else []
        return " ".join(named + ([f"--epochs {self.epochs}"] if self.epochs else []))

    def of(self, dataset: Dataset) -> tuple[Example, ...]:
        """Return the chosen examples; a pending one only where it is asked for by its name."""
        return tuple(example for example in dataset.examples if self._has(example))

    def _has(self, example: Example) -> bool:
        ready = example.status == "ready" or example.id in self.only
        named = not self.only or example.id in self.only
        return ready and named and set(self.tags) <= set(example.tags) and self.split in ("", example.split)


@dataclass(frozen=True)
class Suite:
    """What is evaluated, by whom, and by which rules."""

    dataset: Dataset
    folder: Path
    part: Part
    mode: Mode
    epochs: int
    thresholds: Thresholds
    baselines: Baselines
    bad_comments: BadComments
    scorers: tuple[Scorer, ...]
    prompts: tuple[PromptRef, ...] = ()
    app_version: str = ""
    late_problems: Callable[[], tuple[str, ...]] = tuple
    """What can only be known when all is done, such as questions that were not on the tape."""


@dataclass(frozen=True)
class Ended:
    """An evaluation with its verdict, and the traces that belong to it."""

    report: Report
    traces: tuple[TraceRecord, ...] = ()


async def run(suite: Suite, services: Services, progress: Progress, clock: Clock = time.time) -> Ended:
    """Try the scorers, run the examples, judge. With scorers that cannot be trusted nothing is run."""
    started = clock()
    plan = Plan(
        examples=suite.part.of(suite.dataset),
        folder=suite.folder,
        epochs=suite.epochs,
        scorers=suite.scorers,
        run=secrets.token_hex(8),
        at_once=AT_ONCE,
    )
    problems = faults(suite.scorers, suite.bad_comments)
    if problems:
        evaluated = Evaluated(plan.unrun("not run: the scorers cannot be trusted"), ())
    else:
        evaluated = await evaluate(plan, services, progress)
    results = Results(
        dataset_name=suite.dataset.dataset_name,
        dataset_digest=suite.dataset.digest,
        scorer_digest=scorer_digest(),
        mode=suite.mode,
        model=services.writer.model,
        prompts=suite.prompts,
        part=str(suite.part),
        app_version=suite.app_version,
        started=started,
        seconds=clock() - started,
        epochs=suite.epochs,
        examples=evaluated.examples,
        silent=tuple(one.name for one in suite.scorers if not any(one in due(e, suite.scorers) for e in plan.examples)),
        problems=(*problems, *suite.late_problems()),
    )
    verdict = judge(results, suite.thresholds, suite.baselines.of(results))
    return Ended(Report(verdict=verdict, results=results), evaluated.traces)


def not_begun(reason: str, *, dataset_name: str, mode: Mode, app_version: str, now: float) -> Ended:
    """Return how an evaluation ends that could not even begin: a file or a setting is wrong."""
    results = Results(
        dataset_name=dataset_name,
        dataset_digest="",
        scorer_digest="",
        mode=mode,
        model="",
        app_version=app_version,
        started=now,
        seconds=0.0,
        epochs=1,
        examples=(),
        problems=(f"{reason.rstrip('.')}.",),
    )
    verdict = judge(results, Thresholds(modes={mode: ModeThresholds(floors={})}), None)
    return Ended(Report(verdict=verdict, results=results))
