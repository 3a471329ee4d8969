"""The tracker of a running bot: spans in memory, finished jobs into the spool, MLflow behind a thread."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from technoshare.mlops.comparison import Comparison
from technoshare.mlops.privacy import Privacy
from technoshare.mlops.record import JobRecord, record_of
from technoshare.mlops.replay_thread import ReplayThread
from technoshare.mlops.shadow import shadow_record
from technoshare.mlops.spool import Spool, open_spool
from technoshare.mlops.tracing import Recorder, Untracked
from technoshare.models import Job, JobId, Outcome, SpanKind, Trail, Vote
from technoshare.ports import ActiveSpan, Health, JobTimes
from technoshare.settings import forget_mlflow_environment
from technoshare.text import duration

logger = logging.getLogger("technoshare.mlops")

PATIENCE = 5.0
"""Seconds that whoever has a job forgotten waits for MLflow."""


@dataclass(frozen=True)
class SpooledTracker:
    """Keeps finished jobs for the replay: runs, traces or both."""

    spool: Spool
    spans: Recorder | Untracked
    tracking: bool
    tracing: bool
    app_version: str
    projects_hash: str
    privacy: Privacy

    def span(self, name: str, kind: SpanKind) -> AbstractContextManager[ActiveSpan]:
        """Open a span below the current one, in memory only."""
        return self.spans.span(name, kind)

    async def record(self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome) -> None:
        """Keep the job durably. A spool that cannot be written costs the record, never the job."""
        await self._keep(self._told(job, times, trails, outcome), job.channel)

    async def shadow(
        self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome, comparison: Comparison | None
    ) -> None:
        """Keep a shadow run, as `record` does."""
        await self._keep(shadow_record(self._told(job, times, trails, outcome), comparison), job.channel)

    def _told(self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome) -> JobRecord:
        return record_of(job, times, trails, outcome, app_version=self.app_version, projects_hash=self.projects_hash)

    async def _keep(self, record: JobRecord, channel: str) -> None:
        kept = {"runs": record.runs if self.tracking else (), "trace": record.trace if self.tracing else None}
        record = self.privacy.record(record.model_copy(update=kept), channel)
        try:
            await self.spool.put(record)
        except sqlite3.Error as error:
            logger.error("job %s is not recorded for MLflow: %s", record.job_id, error)  # noqa: TRY400 - no traceback says more

    async def vote(self, vote: Vote) -> None:
        """Keep the vote durably. It belongs to the job's trace: with tracing off it is not sent."""
        if not self.tracing:
            return
        try:
            await self.spool.vote(self.privacy.vote(vote))
        except sqlite3.Error as error:
            logger.error("a vote on job %s is not recorded for MLflow: %s", vote.job_id, error)  # noqa: TRY400 - as above

    async def forget(self, job_id: JobId) -> int:
        """Drop what waits of the job and have MLflow forget it; return how many entries waited.

        Raises `sqlite3.Error` when the spool cannot be written.
        """
        return await self.spool.forget(job_id)

    async def forgotten(self, job_id: JobId) -> str:
        """Say how far MLflow is with it, after some seconds at most."""
        try:
            await asyncio.wait_for(self.spool.forgotten(job_id), PATIENCE)
        except TimeoutError:
            return "MLflow forgets it as soon as it can be reached; until then `technoshare spool` shows that it waits"
        return "MLflow has forgotten it: no trace, artifact or tag is left; `mlflow gc` removes its empty runs"

    async def unshelve(self, number: int | None) -> int:
        """Let an entry, or all, try again from the shelf; return how many. Raises `sqlite3.Error`."""
        return await self.spool.unshelve(number)

    async def health(self) -> Health:
        """Say in a few words what waits for MLflow."""
        try:
            counts, age = await self.spool.counts(), await self.spool.oldest()
        except sqlite3.Error as error:
            return Health(f"MLflow: the spool cannot be read: {error}", oldest=math.inf)
        waiting = f"{counts['waiting']} wait, the oldest for {duration(age)}" if counts["waiting"] else "all delivered"
        shelved = f"; {counts['shelved']} on the shelf" if counts["shelved"] else ""
        return Health(f"MLflow: {waiting}{shelved}", age if counts["waiting"] else 0.0)


class SwitchedOff(Untracked):
    """The tracker when MLflow is off: what an earlier bot has left in the spool can be forgotten all the same."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    async def forget(self, job_id: JobId) -> int:
        """Drop what waits of the job. Raises `sqlite3.Error` or `ConfigError` when the spool cannot be written."""
        if not self._spool.exists():
            return 0
        async with open_spool(self._spool) as spool:
            return await spool.forget(job_id)

    async def forgotten(self, job_id: JobId) -> str:
        """Say that nobody tells MLflow."""
        del job_id
        return "MLflow is switched off: what it has of the job stays there until a bot runs with it switched on"

    async def unshelve(self, number: int | None) -> int:
        """Let nothing try: nobody would deliver it."""
        del number
        return 0


@asynccontextmanager
async def open_tracker(  # noqa: PLR0913 - settings, passed as values
    *,
    uri: str,
    experiment: str,
    tracking: bool,
    tracing: bool,
    spool: Path,
    app_version: str,
    projects_hash: str,
    busy: Callable[[], bool],
    privacy: Privacy = Privacy(),  # noqa: B008 - it has no state
) -> AsyncIterator[SpooledTracker | SwitchedOff]:
    """Open spool and replay; leaving takes 3 s at most. With both switches off, nothing is opened or imported.

    `busy` tells, from any thread, whether jobs are running. Raises `ConfigError` when the spool cannot be opened.
    """
    if not (tracking or tracing):
        yield SwitchedOff(spool)
        return
    forget_mlflow_environment()
    async with open_spool(spool) as opened:
        replay = ReplayThread(opened, uri=uri, experiment=experiment, busy=busy, scrub=privacy.scrub)
        try:
            spans = Recorder() if tracing else Untracked()
            yield SpooledTracker(opened, spans, tracking, tracing, app_version, projects_hash, privacy)
        finally:
            await replay.close()
