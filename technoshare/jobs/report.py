"""What the jobs file says, read beside a running bot: for `technoshare jobs list` and `show`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import ValidationError

from technoshare.errors import ConfigError, TechnoShareError
from technoshare.jobs.engine import MIGRATIONS, file_of
from technoshare.models import (
    FORGOTTEN,
    Comment,
    Complaint,
    Evidence,
    Job,
    JobId,
    JobState,
    Receipt,
    Reviewed,
    Trail,
    Value,
)
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review

_LINE = """
select id, state, url, channel, ts, generation, claims, failures, parks, interruptions, error, received, run_at,
       first_claimed_at as claimed, finished_at as finished,
       coalesce((select outcome from shares where job_id = id and state in ('done', 'dead')), '') as outcome
from jobs
"""


class JobLine(Value):
    """One job; times are unix seconds, `outcome` is empty until it ended, `run_at` is when a waiting job is due."""

    id: JobId
    state: JobState
    url: str
    channel: str
    ts: str
    generation: int
    claims: int
    failures: int
    parks: int
    interruptions: int
    error: str
    received: float
    run_at: float
    claimed: float | None
    finished: float | None
    outcome: str


class StageLine(Value):
    """How a stage of the job's last generation went."""

    stage: str
    status: str
    seconds: float
    error: str = ""


class PostLine(Value):
    """A post of the job; without `posted` it is unknown whether it arrived."""

    reserved: float
    channel: str = ""
    thread_ts: str = ""
    posted: str = ""


class JobReport(JobLine):
    """One job with its stages, in the order of their start, and its posts."""

    stages: tuple[StageLine, ...]
    posts: tuple[PostLine, ...]


class Answered(Value):
    """A job with what it read and wrote; None for what is not kept, or never came about."""

    job: Job
    evidence: Evidence
    reviewed: Reviewed | None
    comment: Comment | None


def list_jobs(url: str, state: JobState | None = None) -> tuple[JobLine, ...]:
    """Return the jobs at `url`, the newest first. Raises `ConfigError` when the file cannot be read."""
    wanted = "where state = :state or :state is null order by number desc"
    with _reading(url) as connection:
        return tuple(JobLine(**row) for row in connection.execute(f"{_LINE} {wanted}", {"state": state}))


def show_job(url: str, job_id: JobId) -> JobReport:
    """Return one job with all that is known about it. Raises `TechnoShareError` when there is no such job."""
    with _reading(url) as connection:
        row = connection.execute(f"{_LINE} where id = ?", (job_id,)).fetchone()
        if row is None:
            raise TechnoShareError(f"there is no job {job_id}")
        stages = "select stage, trail from checkpoints where job_id = ? and generation = ? order by started"
        posts = "select at, receipt from posts where job_id = ? order by at"
        return JobReport(
            **row,
            stages=tuple(_stage(line) for line in connection.execute(stages, (job_id, row["generation"]))),
            posts=tuple(_post(line) for line in connection.execute(posts, (job_id,))),
        )


def answered_job(url: str, job_id: JobId) -> Answered:
    """Return what a job read and wrote. Raises `TechnoShareError` when there is no such job or nothing is kept of it.

    Whole for 30 days; after that the ledger still has evidence and comment, and the verdicts are gone.
    """
    with _reading(url) as connection:
        row = connection.execute("select payload, generation, error from jobs where id = ?", (job_id,)).fetchone()
        if row is None:
            raise TechnoShareError(f"there is no job {job_id}")
        if row["error"] == FORGOTTEN:
            raise TechnoShareError(f"job {job_id} was forgotten: nothing is kept of it")
        job = Job.model_validate_json(row["payload"]).model_copy(update={"generation": row["generation"]})
        kept = "select stage, result from checkpoints where job_id = ? and generation = ? and result != 'null'"
        results = dict(tuple(line) for line in connection.execute(kept, (job_id, row["generation"])))
        share = connection.execute("select evidence, comment from shares where job_id = ?", (job_id,)).fetchone()
    try:
        return _answered(job, results, share)
    except ValidationError as error:
        raise TechnoShareError(f"what is kept of job {job_id} was written by another version") from error


def complaints(url: str) -> tuple[Complaint, ...]:
    """Return the comments that stand voted down, the newest vote last.

    One that was made from nothing, or from what another version read, is left out.
    """
    select = (
        "select job_id, votes.generation, shares.url, evidence, json_group_array(reason) filter (where reason <> '')"
        " as reasons from votes join shares using (job_id) where value = 'down' and evidence is not null"
        " group by job_id order by max(votes.at)"
    )
    with _reading(url) as connection:
        return tuple(filter(None, map(_complaint, connection.execute(select))))


def _complaint(row: sqlite3.Row) -> Complaint | None:
    try:
        evidence = Evidence.model_validate_json(row["evidence"])
    except ValidationError:
        return None
    return Complaint.model_validate({**row, "evidence": evidence, "reasons": json.loads(row["reasons"])})


def _answered(job: Job, results: dict[str, str], share: sqlite3.Row | None) -> Answered:
    evidence = results.get(retrieve.name) or (share["evidence"] if share else None)
    if evidence is None:
        raise TechnoShareError(f"job {job.id} has read nothing: it was a duplicate, was withdrawn, or failed")
    reviewed, comment = results.get(review.name), share["comment"] if share else None
    return Answered(
        job=job,
        evidence=Evidence.model_validate_json(evidence),
        reviewed=Reviewed.model_validate_json(reviewed) if reviewed else None,
        comment=Comment.model_validate_json(comment) if comment else None,
    )


def _stage(row: sqlite3.Row) -> StageLine:
    trail = Trail.model_validate_json(row["trail"])
    return StageLine(stage=row["stage"], status=trail.status, seconds=round(trail.seconds, 3), error=trail.error)


def _post(row: sqlite3.Row) -> PostLine:
    if row["receipt"] is None:
        return PostLine(reserved=row["at"])
    receipt = Receipt.model_validate_json(row["receipt"])
    return PostLine(reserved=row["at"], channel=receipt.channel, thread_ts=receipt.thread_ts, posted=receipt.ts)


@contextmanager
def _reading(url: str) -> Iterator[sqlite3.Connection]:
    """Open the file for reading only; it never waits for the bot and the bot never for it."""
    path = file_of(url)
    if not path.exists():
        raise ConfigError(f"{path} does not exist; has the bot run with this JOBS_URL?")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            _check(path, connection)
            yield connection
    except sqlite3.Error as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def _check(path: Path, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("pragma user_version").fetchone()
    if version != len(MIGRATIONS):
        raise ConfigError(
            f"{path} has schema {version}, this version reads {len(MIGRATIONS)}; "
            f"{'start the bot once to upgrade it' if version < len(MIGRATIONS) else 'upgrade TechnoShare'}"
        )
