"""The writer that a job meets: the models in their order, in the end the keyless engine, which says why it wrote."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from technoshare.errors import TechnoShareError, Transient, Unusable
from technoshare.llm.conversation import REFUSAL
from technoshare.llm.extractive import Extractive
from technoshare.llm.wire import Failed
from technoshare.llm.writer import ModelWriter
from technoshare.models import EXTRACTIVE, Comment, Evidence, Facts, Usage
from technoshare.ports import Repair, Tool

R = TypeVar("R", Facts, Comment)
E = TypeVar("E", bound=TechnoShareError)
Write = Callable[[ModelWriter | Extractive], Awaitable[R]]

PATIENCE = 60.0
"""Seconds without a word from a model for which its comment later is worth more than a plain one now."""

PAUSE = 15.0
"""Seconds, give or take a half, for which a job is parked meanwhile."""

LONGEST_PARKING = 600.0
"""Seconds that a server may make a job wait in all, when it asks for more than our patience by itself."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fallback:
    """Asks `models` one after the other, then `last`, if any; what all of them used is counted, whoever wrote."""

    models: tuple[ModelWriter, ...]
    last: Extractive | None
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    _silent_since: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The first choice."""
        return self.models[0].model

    async def facts(self, evidence: Evidence, *, tools: Sequence[Tool]) -> Facts:
        """Facts by the first who can. Errors as in `Writer`."""
        facts, failures = await self._first(self.models, lambda writer: writer.facts(evidence, tools=tools))
        remark = _because(failures, facts.model, facts.model)
        return facts.model_copy(update={"remark": remark, "usage": _spent(failures) + facts.usage})

    async def comment(self, evidence: Evidence, facts: Facts, *, repair: Repair | None = None) -> Comment:
        """A comment by whoever found the facts or the next who can; a repair by its author. Errors as in `Writer`."""
        if repair is not None:
            return await self._repaired(evidence, facts, repair)
        models = self._left(facts.model)
        comment, failures = await self._first(models, lambda writer: writer.comment(evidence, facts))
        remark = _because(failures, comment.model, facts.model) or facts.remark
        return comment.model_copy(update={"remark": remark, "usage": _spent(failures) + comment.usage})

    async def _repaired(self, evidence: Evidence, facts: Facts, repair: Repair) -> Comment:
        author = next((model for model in self.models if model.model == repair.comment.model), self.last)
        try:
            comment = await (author or self.models[0]).comment(evidence, facts, repair=repair)
        except Failed as failed:
            raise _charged(failed.for_job(), [failed]) from failed
        return comment.model_copy(update={"remark": repair.comment.remark})

    def _left(self, found_by: str) -> tuple[ModelWriter, ...]:
        """Return the models that have not failed for this job yet: those from the one that found the facts on."""
        names = [model.model for model in self.models]
        if found_by in names:
            return self.models[names.index(found_by) :]
        return () if found_by == EXTRACTIVE and self.last else self.models

    async def _first(self, models: Sequence[ModelWriter], write: Write[R]) -> tuple[R, list[Failed]]:
        """Return what the first who can has written, and the failures of those before."""
        failures: list[Failed] = []
        for model in models:
            try:
                return await self._asked(model, write), failures
            except Failed as failed:
                _log.warning("%s did not write: %s", model.model, failed)
                failures.append(failed)
            if failures[-1].obstacle == REFUSAL:
                break  # nobody goes from model to model until one of them writes about it
        if late := self._worth_waiting_for(models, failures):
            raise _charged(late, failures)
        if self.last is None:
            raise _charged(failures[-1].for_job(), failures)
        try:
            return await write(self.last), failures
        except Unusable as unusable:
            raise _charged(_both(failures, unusable), failures) from unusable

    async def _asked(self, model: ModelWriter, write: Write[R]) -> R:
        """Ask, and keep in mind since when the model gives no sign of life."""
        asked = self.clock()
        try:
            result = await write(model)
        except Failed as failed:
            if failed.again == "never":
                self._silent_since.pop(model.model, None)
            else:
                self._silent_since.setdefault(model.model, asked)
            raise
        self._silent_since.pop(model.model, None)
        return result

    def _worth_waiting_for(self, models: Sequence[ModelWriter], failures: Sequence[Failed]) -> Transient | None:
        """Return what parks the job when one of the models will probably write soon."""
        for model, failed in zip(models, failures, strict=False):
            if failed.again != "never":
                silent = self.clock() - self._silent_since.get(model.model, self.clock())
                wished = failed.after or 0.0
                pause = max(wished, PAUSE * (0.5 + self.jitter()))
                if silent + pause <= (LONGEST_PARKING if wished > PATIENCE else PATIENCE):
                    return Transient(str(failed), after=pause)
        return None


def _because(failures: Sequence[Failed], author: str, found_by: str) -> str:
    """Return why it is not the first choice that wrote; empty when it is."""
    if not failures:
        return ""
    because = f"because {failures[0]}"
    if author != EXTRACTIVE:
        return because
    return f"no model, {because}" if found_by == EXTRACTIVE else f"from {found_by}'s facts, {because}"


def _spent(failures: Sequence[Failed]) -> Usage:
    return sum((failed.usage for failed in failures), Usage())


def _charged(error: E, failures: Sequence[Failed]) -> E:
    """Return the error with what was used for nothing."""
    error.metrics = _spent(failures).metrics()
    return error


def _both(failures: Sequence[Failed], unusable: Unusable) -> TechnoShareError:
    """Return why neither a model nor the keyless engine wrote; what may pass later goes first."""
    if late := [failed for failed in failures if failed.again != "never"]:
        return late[0].for_job()
    if not failures:
        return unusable
    return Unusable(f"{failures[0]}, and {unusable}", obstacle=failures[0].obstacle)
