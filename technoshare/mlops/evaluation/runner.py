"""Runs examples through `pipeline.draft`, without Slack, and scores what comes out with the gates' own checks."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from technoshare import pipeline
from technoshare.errors import TechnoShareError, Unusable
from technoshare.memory import MemoryClaim
from technoshare.mlops.evaluation.dataset import Dataset, Example, snapshot_of
from technoshare.models import Job, Value, Verdict
from technoshare.ports import Services
from technoshare.quality import checks
from technoshare.retrieval.frozen import FrozenFetcher
from technoshare.runner import StageRunner

BASE_CHECKS = tuple(check.name for check in checks.BASE_CHECKS)
"""The deciding scorers of an example that expects a comment."""


class Score(Value):
    """How one example went: scorer name → 1.0 or 0.0; `error` is set when it could not be run at all."""

    id: str
    scores: dict[str, float]
    others: dict[str, float] = Field(default={})
    """Checks beyond the base five; they are told, and do not decide."""
    messages: tuple[str, ...] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        """All deciding scorers at 1.0, and nothing went wrong."""
        return not self.error and all(score == 1.0 for score in self.scores.values())

    @property
    def pass_rate(self) -> float:
        """Share of deciding scorers at 1.0."""
        return sum(score == 1.0 for score in self.scores.values()) / len(self.scores)


class Results(Value):
    """Scores of all examples; the denominator is the dataset, so whatever is missing counts as failed."""

    dataset_name: str
    dataset_digest: str
    model: str
    num_examples: int
    scores: tuple[Score, ...]

    @property
    def passed_examples(self) -> int:
        """Number of examples that passed."""
        return sum(score.passed for score in self.scores)

    @property
    def errors(self) -> int:
        """Number of examples that could not be run."""
        return sum(bool(score.error) for score in self.scores)

    @property
    def overall_pass_rate(self) -> float:
        """Passed examples of all examples."""
        return self.passed_examples / self.num_examples

    @property
    def exit_code(self) -> int:
        """The verdict: 0 pass, 1 below the gate, 2 could not evaluate."""
        if self.errors:
            return 2
        return 0 if self.passed_examples == self.num_examples else 1


async def evaluate(dataset: Dataset, folder: Path, services: Services, progress: Callable[[Score], None]) -> Results:
    """Run all examples, a few at a time, and return their scores in the dataset's order."""
    slots = asyncio.Semaphore(4)  # more than the cores: an example waits for its parser process most of the time

    async def one(example: Example) -> Score:
        async with slots:
            score = await _score(example, folder, services)
        progress(score)
        return score

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(one(example)) for example in dataset.examples]
    return Results(
        dataset_name=dataset.dataset_name,
        dataset_digest=dataset.digest,
        model=services.writer.model,
        num_examples=len(dataset.examples),
        scores=tuple(task.result() for task in running),
    )


async def _score(example: Example, folder: Path, services: Services) -> Score:
    wanted = BASE_CHECKS if example.expect.outcome == "comment" else ("expected_failure",)
    try:
        fetcher = FrozenFetcher([snapshot_of(example, folder)])
        own = dataclasses.replace(services, fetcher=fetcher)
        job = _job(example, services)
        reviewed = await pipeline.draft(StageRunner(own, MemoryClaim(job)), job)
    except Unusable as why:
        return _score_of_failure(example, wanted, why)
    except TechnoShareError as error:
        return Score(id=example.id, scores=dict.fromkeys(wanted, 0.0), error=f"{type(error).__name__}: {error}")
    if example.expect.outcome == "failed":
        return Score(id=example.id, scores={"expected_failure": 0.0}, messages=("a comment came out",))
    by_name: dict[str, Verdict] = {verdict.check: verdict for verdict in reviewed.verdicts}
    return Score(
        id=example.id,
        scores={name: by_name[name].score if name in by_name else 0.0 for name in wanted},
        others={name: verdict.score for name, verdict in by_name.items() if name not in wanted},
        messages=tuple(f"{v.check}: {v.message}" for v in reviewed.failures),
    )


def _score_of_failure(example: Example, wanted: tuple[str, ...], why: Unusable) -> Score:
    if example.expect.outcome == "comment":
        return Score(id=example.id, scores=dict.fromkeys(wanted, 0.0), messages=(f"no comment: {why}",))
    right = example.expect.obstacle in ("", why.obstacle)
    told = () if right else (f"failed with {why.obstacle}, expected {example.expect.obstacle}: {why}",)
    return Score(id=example.id, scores={"expected_failure": float(right)}, messages=told)


def _job(example: Example, services: Services) -> Job:
    return Job(
        key=f"eval {example.id}",
        team="eval",
        channel="eval",
        ts="0",
        thread_ts="0",
        user="eval",
        url=example.url,
        text=example.slack_text or example.url,
        received=services.clock(),
    )
