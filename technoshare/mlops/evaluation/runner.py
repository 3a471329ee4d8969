"""Runs examples through `pipeline.draft`, without Slack, and has what comes out scored. No example ends the run."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from technoshare import pipeline, render
from technoshare.aside import aside
from technoshare.errors import Unusable
from technoshare.llm.tape import NOT_ON_TAPE
from technoshare.memory import MemoryClaim
from technoshare.mlops.evaluation.dataset import Example, evidence_of, snapshot_of
from technoshare.mlops.evaluation.results import Epoch, ExampleResult, Finding
from technoshare.mlops.evaluation.scorers import (
    EXPECTED_FAILURE,
    Answered,
    Score,
    Scorer,
    deciding,
    due,
    expected_failure,
)
from technoshare.mlops.record import TraceRecord, record_of
from technoshare.mlops.tracing import Recorder
from technoshare.models import Checkpoint, Evidence, Facts, Job, Outcome, Reviewed, Trail, Usage
from technoshare.ports import Fetcher, JobTimes, Services
from technoshare.quality.case import Ground
from technoshare.retrieval.frozen import FrozenFetcher
from technoshare.runner import StageRunner
from technoshare.stages.extraction import extract
from technoshare.stages.retrieval import retrieve

NOT_THE_ANSWERS_FAULT = frozenset(
    {"model_key", "model_unknown", "model_quota", "model_refused", "model_budget", "model_stream", NOT_ON_TAPE}
)
"""Obstacles that say nothing about how good answers are: the example could not be evaluated."""
ENOUGH_ERRORS = 5
"""So many in a row, and nobody is asked any more: the server is away, and a hung one costs minutes for each."""

Progress = Callable[[Epoch], None]
"""Called after each epoch."""


@dataclass(frozen=True)
class Plan:
    """What to run. `folder` is the dataset's, `run` tells this evaluation's traces from others'."""

    examples: tuple[Example, ...]
    folder: Path
    epochs: int
    scorers: tuple[Scorer, ...]
    run: str
    at_once: int

    def unrun(self, reason: str) -> tuple[ExampleResult, ...]:
        """Return the results of running nothing: every epoch is an error."""
        epochs = tuple(Epoch(number=number, scores={}, error=reason) for number in range(1, self.epochs + 1))
        return tuple(self.result(example, epochs) for example in self.examples)

    def result(self, example: Example, epochs: tuple[Epoch, ...]) -> ExampleResult:
        """Return an example's result."""
        names = deciding(example, self.scorers)
        return ExampleResult(
            id=example.id,
            url=example.url,
            tags=example.tags,
            split=example.split,
            deciding=names,
            rates=tuple(scorer.name for scorer in due(example, self.scorers) if scorer.name not in names),
            epochs=epochs,
        )


@dataclass(frozen=True)
class Evaluated:
    """The results in the dataset's order, and a trace of every epoch that got anywhere."""

    examples: tuple[ExampleResult, ...]
    traces: tuple[TraceRecord, ...]


class Observer(Recorder):
    """The tracker of an evaluation: spans stay in the claims, and nothing is sent anywhere."""

    async def record(self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome) -> None:
        """Keep nothing: whoever runs the evaluation has it all."""


async def evaluate(plan: Plan, services: Services, progress: Progress) -> Evaluated:
    """Run every example so many times as the plan has epochs, `at_once` side by side."""
    slots, patience = asyncio.Semaphore(plan.at_once), _Patience()

    async def one(example: Example, number: int) -> tuple[Epoch, TraceRecord | None]:
        async with slots:
            if patience.lost:
                epoch, trace = Epoch(number=number, scores={}, error=f"not run: {patience.reason}"), None
            else:
                epoch, trace = await _Attempt(plan, example, number, services).run()
        patience.note(epoch)
        progress(epoch)
        return epoch, trace

    async with asyncio.TaskGroup() as group:
        tasks = {
            example.id: [group.create_task(one(example, number)) for number in range(1, plan.epochs + 1)]
            for example in plan.examples
        }
    done = {example.id: [task.result() for task in tasks[example.id]] for example in plan.examples}
    return Evaluated(
        examples=tuple(plan.result(one, tuple(epoch for epoch, _ in done[one.id])) for one in plan.examples),
        traces=tuple(trace for ended in done.values() for _, trace in ended if trace is not None),
    )


class _Patience:
    """Runs out when one epoch after the other cannot be evaluated."""

    def __init__(self) -> None:
        self._errors = 0
        self.reason = ""

    @property
    def lost(self) -> bool:
        return self._errors >= ENOUGH_ERRORS

    def note(self, epoch: Epoch) -> None:
        if self.lost:
            return
        self._errors = self._errors + 1 if epoch.error else 0
        self.reason = f"{ENOUGH_ERRORS} errors in a row, the last one: {epoch.error}"


# ---------------------------------------------------------------- one epoch


class _Attempt:
    """One run of one example."""

    def __init__(self, plan: Plan, example: Example, number: int, services: Services) -> None:
        self._plan, self._example, self._number = plan, example, number
        self._services = services
        self._job = _job(plan.run, example, number, services.clock())
        self._claim = MemoryClaim(self._job, clock=services.clock)

    async def run(self) -> tuple[Epoch, TraceRecord | None]:
        """Return the epoch and its trace; whatever goes wrong is the epoch's error."""
        started = time.monotonic()
        try:
            outcome, epoch = await self._ended()
        except Exception as error:  # noqa: BLE001 - a bug in a stage or a scorer is this example's error, and told
            outcome, epoch = "failed", self._epoch(error=f"{type(error).__name__}: {error}")
        trails = {stage: checkpoint.trail for stage, checkpoint in (await self._claim.checkpoints()).items()}
        trace = await self._trace(trails, outcome, epoch) if trails else None
        told = {"seconds": time.monotonic() - started, "usage": _usage(trails), "trace_id": trace.id if trace else ""}
        return epoch.model_copy(update=told), trace

    async def _ended(self) -> tuple[Outcome, Epoch]:
        try:
            reviewed = await self._drafted()
        except Unusable as why:
            return "failed", self._failed(why)
        return reviewed.outcome, await self._scored(reviewed)

    async def _drafted(self) -> Reviewed:
        own = dataclasses.replace(self._services, fetcher=self._fetcher())
        if self._example.evidence:
            await self._claim.save(retrieve.name, _read(evidence_of(self._example, self._plan.folder), own.clock()))
        return await pipeline.draft(StageRunner(own, self._claim), self._job)

    def _fetcher(self) -> Fetcher:
        """Return where pages come from: what was frozen, and nothing else; the network only where nothing was."""
        if self._example.snapshot:
            return FrozenFetcher([snapshot_of(self._example, self._plan.folder)])
        return FrozenFetcher([]) if self._example.evidence else self._services.fetcher

    def _failed(self, why: Unusable) -> Epoch:
        if why.obstacle in NOT_THE_ANSWERS_FAULT:
            return self._epoch(error=str(why))
        if self._example.expect.outcome == "failed":
            return self._epoch({EXPECTED_FAILURE: expected_failure(self._example.expect, why)})
        none = Score(0.0, f"There is no comment: {why}.")
        return self._epoch({scorer.name: none for scorer in due(self._example, self._plan.scorers)})

    async def _scored(self, reviewed: Reviewed) -> Epoch:
        if self._example.expect.outcome == "failed":
            scores = {EXPECTED_FAILURE: expected_failure(self._example.expect, None)}
        else:
            scores = await aside(self._scores, reviewed, await self._claim.checkpoints())
        return self._epoch(scores, comment=render.comment_text(reviewed))

    def _scores(self, reviewed: Reviewed, checkpoints: Mapping[str, Checkpoint]) -> dict[str, Score]:
        """Score the message as it would be posted; the gates' own verdicts on it are not taken on trust."""
        services = self._services
        evidence = Evidence.model_validate(checkpoints[retrieve.name].result)
        facts = Facts.model_validate(checkpoints[extract.name].result)
        ground = Ground(evidence, facts, services.projects, services.language, services.private)
        answered = Answered(reviewed.comment, render.message(reviewed), ground, self._example)
        return {scorer.name: _look(scorer, answered) for scorer in due(self._example, self._plan.scorers)}

    def _epoch(self, scores: Mapping[str, Score] | None = None, *, comment: str = "", error: str = "") -> Epoch:
        scores = scores or {}
        return Epoch(
            number=self._number,
            scores={name: score.value for name, score in scores.items()},
            findings=tuple(
                Finding(scorer=name, message=score.message, offending=score.offending)
                for name, score in scores.items()
                if score.value < 1.0
            ),
            comment=comment,
            error=error,
        )

    async def _trace(self, trails: Mapping[str, Trail], outcome: Outcome, epoch: Epoch) -> TraceRecord | None:
        times = await self._claim.times()
        trace = record_of(self._job, times, trails, outcome, app_version="", projects_hash="").trace
        if trace is None:
            return None
        told = {"outcome": outcome, "reply": epoch.comment} | ({"error": epoch.error} if epoch.error else {})
        root, *spans = trace.spans
        return trace.model_copy(
            update={
                "name": self._example.id,
                "spans": (root.model_copy(update={"name": self._example.id, "outputs": told}), *spans),
                "response": (epoch.comment or epoch.error or outcome)[:1_000],
                "tags": trace.tags | {"example": self._example.id, "epoch": str(self._number)},
            }
        )


class BrokenScorer(Exception):
    """A scorer gave no score; the message names it."""


def _look(scorer: Scorer, answered: Answered) -> Score:
    try:
        score = scorer.look(answered)
    except Exception as error:
        raise BrokenScorer(f"{scorer.name}: {type(error).__name__}: {error}") from error
    if not 0.0 <= score.value <= 1.0:
        raise BrokenScorer(f"{scorer.name}: {score.value} is no score")
    return score


def _read(evidence: Evidence, now: float) -> Checkpoint:
    """Return the checkpoint of a retrieval that is not run: somebody has kept what it found."""
    return Checkpoint(
        result=evidence.model_dump(mode="json"), trail=Trail(started=now, ended=now, record=evidence.record())
    )


def _usage(trails: Mapping[str, Trail]) -> Usage:
    return sum((Usage.of(trail.record.metrics) for trail in trails.values()), Usage())


def _job(run: str, example: Example, number: int, now: float) -> Job:
    return Job(
        key=f"eval {run} {example.id} {number}",
        team="eval",
        channel="eval",
        ts="0",
        thread_ts="0",
        user="eval",
        url=example.url,
        text=example.slack_text or example.url,
        received=now,
    )
