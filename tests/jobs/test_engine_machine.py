"""The SQLite engine against a plain model, in any order of events that hypothesis can think of."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from technoshare.errors import ClaimLost, Transient, Undelivered, Unusable
from technoshare.jobs.claim import SqliteClaim
from technoshare.jobs.engine import SqliteEngine, open_engine
from technoshare.jobs.pruning import KEEP, prune
from technoshare.jobs.worker import Worker
from tests.jobs.sample import FakeTime, a_checkpoint, a_job, a_receipt

STAGES = ("retrieval", "stage_a", "stage_b")


@dataclass
class Modelled:
    """What a job must look like from outside."""

    run_at: float
    state: str = "ready"
    generation: int = 0
    claims: int = 0
    failures: int = 0
    parks: int = 0
    interruptions: int = 0
    finished: float | None = None
    checkpoints: dict[tuple[int, str], int] = field(default_factory=dict)
    told: int = 0

    def end(self, state: str, at: float) -> None:
        self.state, self.finished = state, at

    def again(self, at: float) -> None:
        self.state, self.run_at = "ready", at


class EngineMachine(RuleBasedStateMachine):
    """Every rule does the same to the engine and to the model, and compares what both say."""

    claimed = Bundle("claimed")
    """Claims of any age; only the newest of a running job may still write."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.time = FakeTime()
        self.runner = asyncio.Runner()
        self.jobs: dict[int, Modelled] = {}
        self.sent: dict[int, int] = {}
        self.written = 0
        self.told: list[str] = []
        self.run(self._open())

    def run(self, coroutine):
        return self.runner.run(coroutine)

    async def _open(self) -> None:
        self.stack = AsyncExitStack()
        self.engine: SqliteEngine = await self.stack.enter_async_context(
            open_engine(f"sqlite:///{self.folder}/jobs.db", clock=self.time, sleep=self.time.sleep, random=lambda: 0.5)
        )

    def ours(self, claim: SqliteClaim) -> Modelled | None:
        job = self.jobs[_number(claim)]
        return job if job.state == "running" and job.claims == claim.turn.number else None

    def afresh(self, claim: SqliteClaim) -> SqliteClaim:
        """The same claim, old or new, on the file as it is open now."""
        return SqliteClaim(claim.turn, self.engine.database, clock=self.time, sleep=self.time.sleep)

    # ------------------------------------------------------------ taking in

    @rule(number=st.integers(0, 5), later=st.sampled_from([0, 0, 0, 5, 100]))
    def submit(self, number: int, later: int) -> None:
        submitted = self.run(self.engine.submit(a_job(number), run_at=self.time.now + later))
        assert submitted.job_id == a_job(number).id
        assert submitted.fresh == (number not in self.jobs)
        self.jobs.setdefault(number, Modelled(self.time.now + later))

    @rule(seconds=st.sampled_from([0.5, 3, 20, 700, 90_000]))
    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    # ------------------------------------------------------------ one turn

    @rule(target=claimed, limit=st.integers(1, 3))
    def claim(self, limit: int):
        due = [number for number, job in self.jobs.items() if job.state == "ready" and job.run_at <= self.time.now]
        first = sorted(due, key=lambda number: (self.jobs[number].run_at, list(self.jobs).index(number)))[:limit]
        claims, next_due = self.run(self.engine._take(limit))
        assert sorted(_number(claim) for claim in claims) == sorted(first)
        for claim in claims:
            job = self.jobs[_number(claim)]
            job.state, job.claims = "running", job.claims + 1
            assert (claim.turn.number, claim.job.generation) == (job.claims, job.generation)
        if len(claims) < limit:
            assert next_due == min((job.run_at for job in self.jobs.values() if job.state == "ready"), default=None)
        return multiple(*claims)

    @rule(claim=claimed, stage=st.sampled_from(STAGES))
    def save(self, claim: SqliteClaim, stage: str) -> None:
        self.written += 1
        claim, job = self.afresh(claim), self.ours(claim)
        saving = claim.save(stage, a_checkpoint({"written": self.written}))
        if job is None:
            with pytest.raises(ClaimLost):
                self.run(saving)
            return
        self.run(saving)
        job.checkpoints[job.generation, stage] = self.written

    @rule(claim=claimed)
    def load(self, claim: SqliteClaim) -> None:
        job = self.jobs[_number(claim)]
        kept = {
            stage: result
            for (generation, stage), result in job.checkpoints.items()
            if generation == claim.job.generation
        }
        found = self.run(self.afresh(claim).checkpoints())
        assert {stage: checkpoint.result["written"] for stage, checkpoint in found.items()} == kept

    @rule(claim=claimed)
    def post(self, claim: SqliteClaim) -> None:
        number = _number(claim)

        async def send():
            self.sent[number] = self.sent.get(number, 0) + 1
            return a_receipt(f"{number}.000")

        posting = self.afresh(claim).once(f"token {number}", send, send)
        if self.ours(claim) is None:
            with pytest.raises(ClaimLost):
                self.run(posting)
            return
        assert self.run(posting).ts == f"{number}.000"

    @rule(claim=consumes(claimed))
    def finish(self, claim: SqliteClaim) -> None:
        if (job := self.turn(claim, None)) is not None:
            job.end("done", self.time.now)

    @rule(claim=consumes(claimed))
    def refuse(self, claim: SqliteClaim) -> None:
        if (job := self.turn(claim, Unusable("the channel is gone"))) is not None:
            job.end("dead", self.time.now)

    @rule(claim=consumes(claimed), error=st.sampled_from([Transient("away"), RuntimeError("bad")]))
    def fail(self, claim: SqliteClaim, error: Exception) -> None:
        if (job := self.turn(claim, error)) is None:
            return
        job.failures += 1
        if job.failures == 5:
            job.told += 1
            job.end("dead", self.time.now)
        else:
            job.again(self.time.now + 2**job.failures)

    @rule(claim=consumes(claimed), after=st.sampled_from([0, 30]))
    def park(self, claim: SqliteClaim, after: int) -> None:
        if (job := self.turn(claim, Transient("rate limited", after=after))) is not None:
            job.parks += 1
            job.again(self.time.now + after)

    @rule(claim=consumes(claimed), after=st.sampled_from([None, 1, 700]))
    def wait_for_slack(self, claim: SqliteClaim, after: int | None) -> None:
        if (job := self.turn(claim, Undelivered("Slack is away", after=after))) is not None:
            job.parks += 1
            job.again(self.time.now + max(after or 0, min(600, 2 ** min(job.parks, 10))))

    def turn(self, claim: SqliteClaim, error: Exception | None) -> Modelled | None:
        """Let a worker take the turn, which ends with `error`; return the job when the turn was still its own."""
        job = self.ours(claim)

        async def answer(_) -> None:
            if error is not None:
                raise error

        async def tell(claim: SqliteClaim, _: str) -> None:
            self.told.append(claim.job.id)

        if job is None:  # a stale worker may not even tell the thread: its post is fenced
            tell = answer
        self.run(Worker(answer, tell, self.time, self.time.sleep, lambda: 0.5).work(self.afresh(claim)))
        return job

    # ------------------------------------------------------------ from outside

    @rule()
    def interrupt(self) -> None:
        """Leave every running row behind, as a killed process does, and open the file again."""
        self.run(self.stack.aclose())
        for job in self.jobs.values():
            if job.state == "running":
                patient = job.interruptions < 3
                job.again(job.run_at if patient else self.time.now + min(600, 2**job.interruptions))
                job.interruptions += 1
        self.run(self._open())

    @rule(number=st.integers(0, 5))
    def retry(self, number: int) -> None:
        job = self.jobs.get(number)
        ended = job is not None and job.state in ("done", "dead")
        assert self.run(self.engine.retry(a_job(number).id)) == ended
        if job is not None and ended:
            job.again(self.time.now)
            job.generation += 1
            job.failures = job.parks = job.interruptions = 0
            job.finished = None

    @rule(number=st.integers(0, 5))
    def cancel(self, number: int) -> None:
        job = self.jobs.get(number)
        waits = job is not None and job.state == "ready"
        assert self.run(self.engine.cancel(a_job(number).id)) == waits
        if job is not None and waits:
            job.end("dead", self.time.now)

    @rule()
    def prune(self) -> None:
        self.run(prune(self.engine.database, self.time.now))
        for job in self.jobs.values():
            if job.finished is not None and job.finished < self.time.now - KEEP:
                job.checkpoints.clear()

    # ------------------------------------------------------------ always

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "jobs"):
            return
        columns = "state, generation, claims, failures, parks, interruptions, finished_at, run_at"
        rows = self.run(self.engine.database.execute(f"select {columns} from jobs order by number"))  # noqa: S608 - constants
        assert [tuple(row) for row in rows] == [
            (
                job.state,
                job.generation,
                job.claims,
                job.failures,
                job.parks,
                job.interruptions,
                job.finished,
                job.run_at,
            )
            for job in self.jobs.values()
        ]
        assert len(self.told) == sum(job.told for job in self.jobs.values())
        assert set(self.sent.values()) <= {1}  # one post a token, ever

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.run(self.stack.aclose())
            self.runner.close()
            shutil.rmtree(self.folder)


def _number(claim: SqliteClaim) -> int:
    return int(claim.job.url.rsplit("/")[-1])


class TestEngine(EngineMachine.TestCase):
    settings = settings(
        max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
