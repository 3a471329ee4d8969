"""Stage 4: what may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from technoshare import render
from technoshare.aside import aside
from technoshare.errors import Transient, Unusable
from technoshare.models import (
    EXTRACTIVE,
    Comment,
    Evidence,
    Facts,
    Job,
    Reviewed,
    Round,
    SectionName,
    Source,
    Usage,
    Verdict,
)
from technoshare.ports import Repair, Services
from technoshare.quality.case import Case, Ground, parts
from technoshare.quality.checks import ALL_PASSED, fixed, judge
from technoshare.quality.sanitize import plain
from technoshare.quality.secrets import redacted
from technoshare.quality.settle import settle
from technoshare.runner import stage

FULL_MINIMUM = 10
"""Fewest Summary sentences for a source of normal length."""
MOST_REPAIRS = 2
REPAIR_SECONDS = 120.0
"""For both repairs together: a reader has waited long enough by then, and the best attempt is at hand."""
REPAIR_TOKENS = 40_000
"""Of both repairs together; one usually takes 6,000."""
WARNING = "This page contains text addressed to AI tools; it was ignored."

_SECTIONS: tuple[SectionName, ...] = ("tldr", "summary", "projects", "priority")


@stage("quality_gates", span="quality_gates.validate", kind="CHAIN", timeout=180)
async def review(services: Services, job: Job, evidence: Evidence, facts: Facts, comment: Comment) -> Reviewed:
    """Fix what code can fix, have the writer repair what it cannot, take out what must not stand, and say so.

    The verdicts are about exactly the text that will be posted. Raises `Unusable` when nothing is left to post.
    """
    ground = Ground(evidence, facts, services.projects, services.language, services.private)
    desk = _Desk(job, ground)
    repairs = _Repairs([await aside(desk.judged, comment)])
    if comment.model != EXTRACTIVE:  # it would choose the same sentences again
        await _repair(services, desk, repairs)
    best = repairs.best
    settled = settle(best.comment, ground, best.verdicts)
    if not (settled.comment.tldr and settled.comment.summary):
        raise Unusable("no sentence that could be posted came out of it", obstacle="empty_comment")
    final = await aside(desk.judged, settled.comment, settled.note)
    if any(verdict.severity == "block" for verdict in final.failures):
        raise Unusable("what came out of it must not be posted", obstacle="held_back")
    return final.model_copy(update=repairs.history())


# ---------------------------------------------------------------- judging


@dataclass(frozen=True)
class _Desk:
    """Where the comments of one job are fixed, rendered and judged: in a thread, since a long page takes its time."""

    job: Job
    ground: Ground

    def judged(self, comment: Comment, note: str = "") -> Reviewed:
        """Return the comment as it would be posted, with the verdicts on exactly that message."""
        clean = fixed(comment, self.ground)
        verdicts = ALL_PASSED
        for _ in range(3):  # the footer tells the verdicts, so look again until the message says what was found in it
            reviewed = self._reviewed(clean, verdicts, note)
            found = judge(Case(clean, render.message(reviewed), self.ground))
            if found == verdicts:
                break
            verdicts = found
        return self._reviewed(clean, verdicts, note)

    def _reviewed(self, comment: Comment, verdicts: tuple[Verdict, ...], note: str) -> Reviewed:
        failed = any(not verdict.passed and verdict.severity in ("repair", "block") for verdict in verdicts)
        return Reviewed(
            comment=comment,
            source=_source(self.ground),
            verdicts=verdicts,
            notes=tuple(filter(None, (note, *_notes(self.ground, verdicts)))),
            unread=self.job.unread,
            job_id=self.job.id,
            generation=self.job.generation,
            outcome="degraded" if failed else "success",
        )


def _notes(ground: Ground, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """Yield what a reader should know about this comment, in the order of weight."""
    if ground.speaks_to_machines:
        yield WARNING
    for verdict in verdicts:
        if not verdict.passed and verdict.severity != "warn":
            yield f"Automatic check: {verdict.message}"
    least, _ = ground.evidence.summary_bounds
    if least < FULL_MINIMUM:
        yield f"Short source: {least} sentences are enough."


def _source(ground: Ground) -> Source:
    evidence, own = ground.evidence, ground.private.secrets
    return Source(
        url=evidence.url,
        title=redacted(plain(evidence.title), own),
        domain=evidence.domain,
        adapter=evidence.adapter,
        coverage=evidence.coverage,
        obstacle=evidence.obstacle,
        words=evidence.words,
        published=evidence.published,
        authors=tuple(redacted(plain(author), own) for author in evidence.authors),
        metadata=evidence.metadata,
    )


# ---------------------------------------------------------------- repairing


class _Repairs:
    """Every attempt at the comment, in order; the first is the comment as written."""

    def __init__(self, attempts: list[Reviewed]) -> None:
        self.attempts = attempts
        self.usage = Usage()

    @property
    def best(self) -> Reviewed:
        """The attempt with the least to complain about; of equals the earlier one."""
        return min(self.attempts, key=_weight)

    def history(self) -> dict[str, object]:
        """Return what the result tells about the way to it."""
        rounds = (Round(number=number, failures=one.failures) for number, one in enumerate(self.attempts))
        return {
            "rounds": tuple(round_ for round_ in rounds if round_.failures),
            "repairs": len(self.attempts) - 1,
            "usage": self.usage,
        }


def _weight(reviewed: Reviewed) -> tuple[int, int, int, int]:
    """Return how many checks failed, the gravest first, then how many texts are to blame."""
    failures = reviewed.failures
    block, repair, warn = (sum(v.severity == severity for v in failures) for severity in ("block", "repair", "warn"))
    return block, repair, warn, sum(len(verdict.offending) for verdict in failures)


async def _repair(services: Services, desk: _Desk, repairs: _Repairs) -> None:
    """Ask the writer for the failing sections again, at most twice; without an answer what is there must do."""
    try:
        async with asyncio.timeout(REPAIR_SECONDS):
            for number in range(1, MOST_REPAIRS + 1):
                order = _order(repairs.best, number)
                if not order.failures or (repairs.usage.total_tokens or 0) > REPAIR_TOKENS:
                    return
                written = await services.writer.comment(desk.ground.evidence, desk.ground.facts, repair=order)
                repairs.usage += written.usage
                if written.model != order.comment.model:  # another writer stepped in: it does not know this comment
                    return
                repairs.attempts.append(await aside(desk.judged, _merged(order, written)))
    except TimeoutError:
        return
    except (Transient, Unusable) as failed:
        repairs.usage += Usage.of(failed.metrics)


def _order(reviewed: Reviewed, number: int) -> Repair:
    failures = tuple(v for v in reviewed.failures if v.severity in ("repair", "block"))
    wanted = {section for verdict in failures for section in _sections(verdict, reviewed.comment)}
    return Repair(reviewed.comment, failures, tuple(s for s in _SECTIONS if s in wanted), number)


def _sections(verdict: Verdict, comment: Comment) -> set[SectionName]:
    """Return where the verdict's offending texts stand; all sections when it blames no text."""
    if verdict.section != "comment":
        return {verdict.section}
    return {part.section for part in parts(comment) if part.text in verdict.offending} or set(_SECTIONS)


def _merged(order: Repair, written: Comment) -> Comment:
    """Return the comment with the sections that were ordered, as far as they came; the others stand as they were."""
    fresh: dict[str, object] = {
        section: getattr(written, section) for section in order.sections if getattr(written, section)
    }
    return order.comment.model_copy(update=fresh)
