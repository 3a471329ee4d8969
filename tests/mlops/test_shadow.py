"""Shadow runs: candidates tried on live jobs, beside them and never posted."""

import asyncio
import json

import pytest

from technoshare.errors import Unusable
from technoshare.llm.prompts import YamlPrompts
from technoshare.mlops.record import record_of
from technoshare.mlops.shadow import MOST_WAITING, Shadows, shadow_of, shadow_record
from technoshare.mlops.tracing import Recorder
from technoshare.models import Checkpoint, Comment, Facts, Job, Trail
from technoshare.ports import Services
from technoshare.quality.case import Case
from tests.mlops.sample import START, TIMES, a_job, comment, evidence, facts, reviewed, trails

PROMPTS = YamlPrompts({})


class Writer:
    """A writer with a candidate prompt; `gate` lets it go on."""

    model = "gpt-4o"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def facts(self, evidence_, *, tools) -> Facts:
        self.asked.append(evidence_.url)
        self.begun.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return facts(a_job()).model_copy(update={"items": facts(a_job()).items})

    async def comment(self, evidence_, facts_, *, repair=None) -> Comment:
        return comment()


class Kept:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.shadows: list[tuple] = []
        self.came = asyncio.Event()

    async def shadow(self, job, times, trails_, outcome, comparison) -> None:
        self.shadows.append((job, times, trails_, outcome, comparison))
        self.came.set()


def services(writer: Writer) -> Services:
    recorder = Recorder()
    recorder.record = None
    return Services(
        fetcher=None, parser=None, writer=writer, poster=None, tracker=recorder, projects=(), clock=lambda: START + 60
    )  # fmt: skip


def checkpoints(job: Job) -> dict[str, Checkpoint]:
    trail = Trail(started=START, ended=START + 1)
    results = {"retrieval": evidence(job), "quality_gates": reviewed(job)}
    return {stage: Checkpoint(result=told.model_dump(mode="json"), trail=trail) for stage, told in results.items()}


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture(autouse=True)
def _gates_that_pass(monkeypatch):
    monkeypatch.setattr(
        "technoshare.stages.review.judge", lambda case: reviewed(a_job()).verdicts if isinstance(case, Case) else ()
    )


def shadows(writer: Writer, kept: Kept, *, share=1.0, candidates=lambda: PROMPTS) -> Shadows:
    return Shadows(services(writer), candidates, kept, share)


async def done(kept: Kept) -> tuple:
    async with asyncio.timeout(10):
        await kept.came.wait()
    return kept.shadows[0]


async def test_a_shadow_is_written_from_the_stored_evidence_and_compared_with_what_was_posted(writer, kept):
    job = a_job()
    shadows(writer, kept).begin(job, checkpoints(job))
    shadow, times, told, outcome, comparison = await done(kept)
    assert writer.asked == [job.url]
    assert (shadow.id, shadow.generation, outcome) == (job.id, -1, "success")
    assert set(told) == {"stage_a", "stage_b", "quality_gates"}  # nothing is read again, nothing is posted
    assert comparison.gates == ()
    assert times.received == START + 60


async def test_a_shadow_that_comes_to_nothing_is_told_as_failed(writer, kept):
    writer.error = Unusable("it declined")
    shadows(writer, kept).begin(a_job(), checkpoints(a_job()))
    _, _, told, outcome, comparison = await done(kept)
    assert (outcome, comparison) == ("failed", None)
    assert told["stage_a"].status == "error"


async def test_whatever_breaks_in_a_shadow_harms_nobody(writer, kept, caplog):
    writer.error = RuntimeError("never foreseen")
    both = shadows(writer, kept)
    both.begin(a_job(1), checkpoints(a_job(1)))
    await asyncio.gather(*both._running)
    writer.error = None
    both.begin(a_job(2), checkpoints(a_job(2)))
    assert (await done(kept))[0].id == a_job(2).id
    assert "never foreseen" in caplog.text


async def test_without_a_candidate_or_a_comment_there_is_no_shadow(writer, kept):
    shadows(writer, kept, candidates=lambda: None).begin(a_job(), checkpoints(a_job()))
    shadows(writer, kept).begin(a_job(), {})
    failed = checkpoints(a_job()) | {"quality_gates": Checkpoint(result=None, trail=Trail(started=1, ended=2))}
    shadows(writer, kept).begin(a_job(), failed)
    assert len(asyncio.all_tasks()) == 1


async def test_the_share_is_of_all_jobs_and_always_the_same_ones(writer, kept):
    jobs = [a_job(number) for number in range(2000)]

    def chosen(share: float) -> set[str]:
        picking = shadows(writer, kept, share=share)
        return {job.id for job in jobs if picking._chosen(job)}

    assert chosen(0.0) == set()
    assert len(chosen(1.0)) == 2000
    assert 0.15 < len(chosen(0.2)) / 2000 < 0.25
    assert chosen(0.2) == chosen(0.2) < chosen(0.5)


async def test_shadows_come_one_at_a_time_and_a_crowd_is_not_waited_for(writer, kept):
    writer.gate.clear()
    crowd = shadows(writer, kept)
    for number in range(MOST_WAITING + 3):
        crowd.begin(a_job(number), checkpoints(a_job(number)))
    async with asyncio.timeout(10):
        await writer.begun.wait()
    assert len(crowd._running) == MOST_WAITING
    assert len(writer.asked) == 1
    await crowd.close()
    assert crowd._running == set()
    assert kept.shadows == []


async def test_a_candidate_that_was_promoted_meanwhile_is_not_tried_any_more(writer, kept):
    answers = [PROMPTS, None]
    late = shadows(writer, kept, candidates=lambda: answers.pop(0))
    late.begin(a_job(), checkpoints(a_job()))
    await asyncio.gather(*late._running)
    assert writer.asked == kept.shadows == []


async def test_the_record_of_a_shadow_is_no_job_and_tells_the_difference(writer, kept):
    job = a_job()
    shadows(writer, kept).begin(job, checkpoints(job))
    shadow, times, told, outcome, comparison = await done(kept)
    record = shadow_record(record_of(shadow, times, told, outcome, app_version="1", projects_hash="2"), comparison)
    parent = record.runs[0]
    assert (parent.name, parent.tags["kind"], parent.tags["job_id"]) == (f"shadow_{job.id}", "shadow", job.id)
    assert {run.tags["kind"] for run in record.runs[1:]} == {"shadow_stage"}
    assert parent.metrics["gates_broken"] == 0.0
    assert json.loads(parent.artifacts["comparison.json"])["same_text"] == comparison.same_text
    own = record_of(job, TIMES, trails(job), "success", app_version="1", projects_hash="2")
    assert record.trace.id != own.trace.id
    assert record.trace.tags["kind"] == "shadow"


@pytest.mark.parametrize("generation", [0, 1, 7])
def test_no_shadow_shares_its_generation_with_a_job(generation):
    assert shadow_of(generation) < 0
    assert shadow_of(shadow_of(generation)) == generation
