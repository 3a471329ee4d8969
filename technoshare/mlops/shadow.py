"""Shadow runs: a share of the live jobs, written once more with candidate prompts, compared in MLflow, not posted."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from technoshare import pipeline
from technoshare.errors import TechnoShareError
from technoshare.llm.prompts import YamlPrompts
from technoshare.memory import MemoryClaim
from technoshare.mlops.comparison import Comparison, compared
from technoshare.mlops.record import JobRecord
from technoshare.models import Checkpoint, Evidence, Job, Outcome, Reviewed, Trail
from technoshare.ports import JobTimes, Services
from technoshare.runner import StageRunner
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review

logger = logging.getLogger("technoshare.mlops")

MOST_WAITING = 8
"""Shadow runs that wait for their turn; further jobs have none: a shadow is a sample, and one at a time is enough."""


class ShadowTracker(Protocol):
    """Where shadow runs go."""

    async def shadow(
        self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome, comparison: Comparison | None
    ) -> None:
        """Keep the shadow run durably for MLflow; it never raises and never waits for a server."""


@dataclass
class Shadows:
    """Writes shadows of answered jobs, one at a time, beside the jobs; what is not done at the end is dropped."""

    services: Services
    """With a writer that asks with the candidates."""
    candidates: Callable[[], YamlPrompts | None]
    """The prompts to try; None while no candidate differs from what the bot uses."""
    tracker: ShadowTracker
    share: float
    """Of the answered jobs, 0 to 1."""
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def begin(self, job: Job, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Let the job have a shadow, if it is one of the share, has a comment, and there is a candidate to try."""
        read, written = (_result(checkpoints, stage) for stage in (retrieve.name, review.name))
        if not self._chosen(job) or read is None or written is None or self.candidates() is None:
            return
        if len(self._running) >= MOST_WAITING:
            logger.info("job %s has no shadow: %d wait already", job.id, MOST_WAITING)
            return
        evidence, posted = Evidence.model_validate(read), Reviewed.model_validate(written)
        task = asyncio.create_task(self._run(job, evidence, posted), name=f"shadow {job.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Drop what is not done."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _chosen(self, job: Job) -> bool:
        """Tell whether the job is one of the share; a job that is done twice is chosen twice or never."""
        return int(job.id, 16) / 16.0**12 < self.share

    async def _run(self, job: Job, evidence: Evidence, posted: Reviewed) -> None:
        async with self._turn:
            try:
                await self._write(job, evidence, posted)
            except Exception:  # a shadow must not harm the bot, whatever it stumbles over
                logger.exception("shadow of job %s", job.id)

    async def _write(self, job: Job, evidence: Evidence, posted: Reviewed) -> None:
        prompts = self.candidates()
        if prompts is None:  # promoted or replaced while this one waited
            return
        private = self.services.private
        private = dataclasses.replace(private, prompts=(*private.prompts, *prompts.texts()))
        own = dataclasses.replace(self.services, private=private)
        shadow = job.model_copy(update={"generation": shadow_of(job.generation), "received": own.clock()})
        claim = MemoryClaim(shadow, clock=own.clock)
        outcome: Outcome = "failed"
        comparison = None
        try:
            reviewed = await pipeline.comment_on(StageRunner(own, claim), shadow, evidence)
            outcome, comparison = reviewed.outcome, compared(posted, reviewed)
        except TechnoShareError as error:
            logger.info("the shadow of job %s came to nothing: %s", job.id, error)
        trails = {stage: checkpoint.trail for stage, checkpoint in (await claim.checkpoints()).items()}
        await self.tracker.shadow(shadow, await claim.times(), trails, outcome, comparison)


def shadow_of(generation: int) -> int:
    """Return the generation under which a job's shadow is recorded: it shares the job's id, so `forget` finds both."""
    return -1 - generation


def shadow_record(record: JobRecord, comparison: Comparison | None) -> JobRecord:
    """Return the record of a shadow, with what is different in its comment.

    Its kinds are `shadow` and `shadow_stage`, so that who looks at the kinds `job` and `stage` sees what was posted.
    """
    parent, *stages = record.runs
    apart = (run.model_copy(update={"tags": run.tags | {"kind": "shadow_stage"}}) for run in stages)
    name = f"shadow_{record.job_id}"
    changed = parent.model_copy(
        update={
            "name": name,
            "tags": parent.tags | {"kind": "shadow"},
            "metrics": parent.metrics | (_figures(comparison) if comparison else {}),
            "artifacts": parent.artifacts | (_texts(comparison) if comparison else {}),
        }
    )
    trace = record.trace and record.trace.model_copy(
        update={"name": name, "tags": record.trace.tags | {"kind": "shadow"}}
    )
    return record.model_copy(update={"runs": (changed, *apart), "trace": trace})


def _figures(comparison: Comparison) -> dict[str, float]:
    known = {
        "same_text": float(comparison.same_text),
        "gates_broken": len(comparison.broken),
        "gates_mended": len(comparison.mended),
        "failures_change": comparison.failures,
        "tokens_change": comparison.tokens,
        "cost_usd_change": comparison.cost_usd,
    }
    return {name: float(value) for name, value in known.items() if value is not None}


def _texts(comparison: Comparison) -> dict[str, str]:
    diff = "".join(f"{line}\n" for line in comparison.diff)
    return {"comparison.json": comparison.model_dump_json(indent=2), "diff.txt": diff}


def _result(checkpoints: Mapping[str, Checkpoint], stage: str) -> object:
    checkpoint = checkpoints.get(stage)
    return checkpoint.result if checkpoint else None
