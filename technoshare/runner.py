"""`@stage` declares a stage; `StageRunner` executes it: checkpoint, deadline, span, trail.

A stage's body knows nothing of this, so calling a stage directly runs a plain coroutine.
"""

from __future__ import annotations

import asyncio
import logging
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from pydantic import ValidationError

from technoshare.errors import ClaimLost, TechnoShareError, Transient, Unusable
from technoshare.models import USAGE_METRICS, Checkpoint, Record, Result, SpanKind, Trail
from technoshare.ports import ActiveSpan, Claim, Services

log = logging.getLogger("technoshare.stages")

P = ParamSpec("P")
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Stage(Generic[P, R]):
    """A declared stage: its run's name, its span, its wall-clock deadline in seconds, the type it returns."""

    name: str
    span: str
    kind: SpanKind
    timeout: float
    result: type[R]
    body: Callable[Concatenate[Services, P], Awaitable[R]]

    async def __call__(self, services: Services, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the body with no machinery around it."""
        return await self.body(services, *args, **kwargs)


def stage(
    name: str, *, span: str, kind: SpanKind, timeout: float
) -> Callable[[Callable[Concatenate[Services, P], Awaitable[R]]], Stage[P, R]]:
    """Declare the decorated coroutine function as a stage; its return annotation is the checkpoint's type."""

    def declare(body: Callable[Concatenate[Services, P], Awaitable[R]]) -> Stage[P, R]:
        result: type[R] = typing.get_type_hints(body)["return"]
        return Stage(name, span, kind, timeout, result, body)

    return declare


class StageRunner:
    """Runs one claimed job's stages. A stage that finished before, in any process, is not run again."""

    def __init__(self, services: Services, claim: Claim) -> None:
        self._services = services
        self._claim = claim

    async def __call__(self, stage: Stage[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the stage's result, from its checkpoint or by running it.

        Raises what the body raises; a passed deadline is `Transient`. A failure leaves its trail behind too.
        """
        before = await self._claim.load(stage.name)
        if (kept := _result_in(before, stage)) is not None:
            return kept
        job = self._claim.job
        log.debug("begins: %s %d %s", job.id, job.generation, stage.name)  # the crash loop counts these
        started = self._services.clock()
        result: R | None = None
        with self._services.tracker.span(stage.span, stage.kind) as span:
            try:
                async with asyncio.timeout(stage.timeout):
                    result = await stage(self._services, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it was, its trail is kept and it is raised again below
                failure = _cause(error, stage)
                span.fail(_told(failure))
            else:
                record = result.record()
                span.set(**record.attributes)
        if result is None:
            await self._keep_failure(stage, started, span, failure, before)
            raise failure
        trail = self._trail(started, span, record=_with_what_was_spent(record, before))
        await self._claim.save(stage.name, Checkpoint(result=result.model_dump(mode="json"), trail=trail))
        return result

    async def _keep_failure(
        self, stage: Stage[P, R], started: float, span: ActiveSpan, failure: Exception, before: Checkpoint | None
    ) -> None:
        if isinstance(failure, ClaimLost):
            return
        spent = failure.metrics if isinstance(failure, TechnoShareError) else {}
        obstacle = {"obstacle": failure.obstacle} if isinstance(failure, Unusable) and failure.obstacle else {}
        record = _with_what_was_spent(Record(tags=obstacle, metrics=dict(spent)), before)
        trail = self._trail(started, span, status="error", error=_told(failure), record=record)
        await self._claim.save(stage.name, Checkpoint(result=None, trail=trail))

    def _trail(self, started: float, span: ActiveSpan, **outcome: Any) -> Trail:
        return Trail(started=started, ended=self._services.clock(), spans=span.finished(), **outcome)


def _result_in(checkpoint: Checkpoint | None, stage: Stage[P, R]) -> R | None:
    if checkpoint is None or checkpoint.result is None:
        return None
    try:
        return stage.result.model_validate(checkpoint.result)
    except ValidationError:  # written by an older version: counts as absent
        return None


def _with_what_was_spent(record: Record, before: Checkpoint | None) -> Record:
    """Return the record with what earlier turns of the stage, which came to nothing, have used."""
    if before is None:
        return record
    spent = {name: value for name, value in before.trail.record.metrics.items() if name in USAGE_METRICS}
    summed = {name: value + record.metrics.get(name, 0.0) for name, value in spent.items()}
    return record.model_copy(update={"metrics": record.metrics | summed})


def _cause(error: Exception, stage: Stage[P, R]) -> Exception:
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        late = Transient(f"{stage.name} took longer than {stage.timeout:g} s")
        late.__cause__ = error
        return late
    return error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
