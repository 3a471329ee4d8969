"""What the gates found, and what is posted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from technoshare.models.comment import Comment, Usage
from technoshare.models.evidence import Coverage, Metadata
from technoshare.models.job import Job
from technoshare.models.record import Assessment, JobId, Record, Result, Value

Severity = Literal["block", "repair", "fix", "warn"]
SectionName = Literal["comment", "tldr", "summary", "projects", "priority"]
"""What a verdict is about; `comment` is all of it."""


class Verdict(Value):
    """How one check judged a comment: 1.0 or 0.0, or a rate; `message` is what a person would write about a failure."""

    check: str
    section: SectionName
    severity: Severity
    score: float
    passed: bool
    message: str = ""
    offending: tuple[str, ...] = ()
    """The texts that are wrong, as they stood in the comment."""
    expected: str = ""
    """What would have been right: the rule in one sentence."""


class Round(Value):
    """What the gates found before the text as posted: number 0 is the comment as written, 1 and 2 are repairs."""

    number: int
    failures: tuple[Verdict, ...]


class Source(Value):
    """What a reply says about where it comes from."""

    url: str
    title: str
    domain: str
    adapter: str
    coverage: Coverage
    obstacle: str = ""
    words: int
    published: str = ""
    authors: tuple[str, ...] = ()
    metadata: Metadata = Metadata()


class Reviewed(Result):
    """A comment as it may leave, with the verdicts on exactly this text and the notes that readers see."""

    kind: Literal["comment"] = "comment"
    comment: Comment
    source: Source
    verdicts: tuple[Verdict, ...]
    rounds: tuple[Round, ...] = ()
    """The comment as written, then each repair; only those in which a gate failed."""
    repairs: int = 0
    """How often the writer was asked again."""
    usage: Usage = Usage()
    """Of the repairs alone."""
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    job_id: JobId | None = None
    """None leaves the buttons for votes out."""
    generation: int = 0
    outcome: Literal["success", "degraded"]

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """Verdicts that did not pass."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    def record(self) -> Record:
        """Contract of the quality_gates run: the figures describe the text as posted, failures.txt every round."""
        total, failed = len(self.verdicts), len(self.failures)
        rate = (total - failed) / total if total else 0.0
        told = "".join((*map(_told, self.rounds), _told(Round(number=-1, failures=self.failures)) if failed else ""))
        return Record(
            metrics={
                "gate_total": total,
                "gate_failures": failed,
                "gate_pass_rate": rate,
                "gate_passed": float(failed == 0),
                "repair_rounds": self.repairs,
            }
            | {f"check_{verdict.check}": verdict.score for verdict in self.verdicts}
            | self.usage.metrics(),
            attributes={"gate_failures": failed, "gate_total": total, "gate_pass_rate": rate},
            artifacts={"failures.txt": told} if told else {},
            assessments=tuple(map(_assessment, self.verdicts)),
        )


def _assessment(verdict: Verdict) -> Assessment:
    """Return a verdict as the trace shows it: always yes or no, since MLflow sums a name's values."""
    return Assessment(name=verdict.check, value=verdict.passed, rationale=verdict.message)


_ROUNDS = {-1: "as posted", 0: "as written"}


def _told(round_: Round) -> str:
    """Return a round as failures.txt shows it: gate, section, severity, what is wrong, where, what is expected."""
    lines = [f"== {_ROUNDS.get(round_.number, f'after repair {round_.number}')}"]
    for verdict in round_.failures:
        lines.append(f"{verdict.check} ({verdict.section}, {verdict.severity}): {verdict.message}")
        lines += [f"    offending: {text}" for text in verdict.offending]
        lines += [f"    expected: {verdict.expected}"] if verdict.expected else []
    return "\n".join(lines) + "\n"


class AlreadyShared(Value):
    """The same page was shared in this channel before: one line instead of a second comment."""

    kind: Literal["already_shared"] = "already_shared"
    user: str
    at: float
    permalink: str
    unread: tuple[str, ...] = ()
    outcome: Literal["duplicate"] = "duplicate"


class Apology(Value):
    """A short honest failure: what could not be done, why, and which job a click on Retry takes up again."""

    kind: Literal["apology"] = "apology"
    url: str
    reason: str
    obstacle: str = ""
    preview: str = ""
    """What Slack's own preview says, where nothing could be read."""
    unread: tuple[str, ...] = ()
    job_id: JobId | None = None
    """None leaves the button out."""
    generation: int = 0
    """The job's own: a button works as long as the job is still of this one."""
    outcome: Literal["failed"] = "failed"

    @classmethod
    def of(cls, job: Job, reason: str, obstacle: str, preview: str = "") -> Apology:
        """Return the apology for a job that the pipeline could not answer."""
        return cls(
            url=job.url,
            reason=reason,
            obstacle=obstacle,
            preview=preview,
            unread=job.unread,
            job_id=job.id,
            generation=job.generation,
        )


Reply = Annotated[Reviewed | AlreadyShared | Apology, Field(discriminator="kind")]
"""What the post stage turns into one Slack message."""


class Message(Value):
    """What Slack is sent: the plain-text form and the blocks."""

    text: str
    blocks: tuple[dict[str, JsonValue], ...]


class Receipt(Result):
    """Proof of the one post."""

    channel: str
    thread_ts: str
    ts: str
    message: Message

    def record(self) -> Record:
        """Contract of the slack_post run."""
        return Record(artifacts={"slack_payload.json": self.model_dump_json(indent=2)})
