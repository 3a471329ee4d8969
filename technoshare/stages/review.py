"""Stage 4: what may leave."""

from collections.abc import Iterator

from technoshare import render
from technoshare.errors import Unusable
from technoshare.models import Comment, Evidence, Facts, Job, Reviewed, Source, Verdict
from technoshare.ports import Services
from technoshare.quality.checks import ALL_PASSED, Case, judge
from technoshare.quality.sanitize import clean
from technoshare.runner import stage

FULL_MINIMUM = 10
"""Fewest Summary sentences for a source of normal length."""


@stage("quality_gates", span="quality_gates.validate", kind="CHAIN", timeout=60)
async def review(services: Services, job: Job, evidence: Evidence, facts: Facts, comment: Comment) -> Reviewed:  # noqa: ARG001 - every stage takes the services
    """Fix what code can fix, then judge exactly the text that will be posted. A failed check degrades, openly.

    Raises `Unusable` when nothing is left to post.
    """
    fixed = clean(comment, evidence, facts.found)
    if not (fixed.tldr and fixed.summary):
        raise Unusable("no sentence that could be posted came out of it", obstacle="empty_comment")
    verdicts = ALL_PASSED
    for _ in range(3):  # the footer tells the verdicts, so look again until the message says what was found in it
        message = render.message(_reviewed(job, evidence, fixed, verdicts))
        found = judge(Case.of(fixed, message, evidence, facts))
        if found == verdicts:
            break
        verdicts = found
    return _reviewed(job, evidence, fixed, verdicts)


def _reviewed(job: Job, evidence: Evidence, comment: Comment, verdicts: tuple[Verdict, ...]) -> Reviewed:
    failed = any(not verdict.passed and verdict.severity in ("repair", "block") for verdict in verdicts)
    return Reviewed(
        comment=comment,
        source=_source(evidence),
        verdicts=verdicts,
        notes=tuple(_notes(evidence, verdicts)),
        unread=job.unread,
        outcome="degraded" if failed else "success",
    )


def _notes(evidence: Evidence, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """Yield what a reader should know about this comment, in the order of weight."""
    for verdict in verdicts:
        if not verdict.passed:
            yield f"Automatic check: {verdict.message}"
    least, _ = evidence.summary_bounds
    if least < FULL_MINIMUM:
        yield f"Short source: {least} sentences are enough."


def _source(evidence: Evidence) -> Source:
    return Source(
        url=evidence.url,
        title=evidence.title,
        domain=evidence.domain,
        adapter=evidence.adapter,
        coverage=evidence.coverage,
        obstacle=evidence.obstacle,
        words=evidence.words,
        published=evidence.published,
        authors=evidence.authors,
        metadata=evidence.metadata,
    )
