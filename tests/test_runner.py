"""What the runner promises around every stage: checkpoint, deadline, span, trail."""

import asyncio
import itertools
from contextlib import contextmanager
from typing import Any, cast

import pytest

from technoshare.errors import ClaimLost, Transient, Unusable
from technoshare.memory import MemoryClaim
from technoshare.models import Checkpoint, Job, Record, Result, Span, SpanKind, Trail
from technoshare.ports import Services
from technoshare.runner import Stage, StageRunner, stage


class Word(Result):
    """A result with something to record."""

    text: str

    def record(self) -> Record:
        return Record(tags={"word": self.text}, attributes={"length": len(self.text)})


class SpanNotes:
    """One span, as the runner uses it."""

    def __init__(self, name: str, kind: SpanKind) -> None:
        self.span = Span(id="0" * 16, parent=None, name=name, kind=kind, start=1, end=2)

    def set(self, **attributes) -> None:
        self.span = self.span.model_copy(update={"attributes": self.span.attributes | attributes})

    def io(self, *, inputs=None, outputs=None) -> None:
        self.span = self.span.model_copy(update={"inputs": inputs, "outputs": outputs})

    def fail(self, message: str) -> None:
        self.span = self.span.model_copy(update={"status": "error", "attributes": {"message": message}})

    def finished(self) -> tuple[Span, ...]:
        return (self.span,)


class Tracker:
    """Remembers no more than the runner hands over."""

    @contextmanager
    def span(self, name: str, kind: SpanKind):
        yield SpanNotes(name, kind)

    async def record(self, job, times, trails, outcome) -> None:
        """Not the runner's business."""


class LostClaim(MemoryClaim):
    """A claim that somebody else took over."""

    async def save(self, stage: str, checkpoint: Checkpoint) -> None:
        raise AssertionError("a lost claim must not write")


JOB = Job(key="k", team="T", channel="C", ts="1.0", thread_ts="1.0", user="U", url="https://example.org", received=0.0)


@pytest.fixture
def claim() -> MemoryClaim:
    return MemoryClaim(JOB)


@pytest.fixture
def run(claim) -> StageRunner:
    return StageRunner(services(), claim)


def services() -> Services:
    ticks = itertools.count(100)
    nobody = cast("Any", None)
    return Services(
        fetcher=nobody,
        parser=nobody,
        writer=nobody,
        poster=nobody,
        tracker=Tracker(),
        projects=(),
        clock=lambda: float(next(ticks)),
    )


def counted(*outcomes: str | BaseException, timeout: float = 10.0) -> tuple[Stage[[str], Word], list[str]]:
    """Return a stage that gives the outcomes in turn, and the list of its calls' arguments."""
    calls: list[str] = []
    left = list(outcomes)

    @stage("echo", span="echo.run", kind="CHAIN", timeout=timeout)
    async def echo(services: Services, text: str) -> Word:
        calls.append(text)
        outcome = left.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return Word(text=outcome)

    return echo, calls


async def test_a_stage_called_directly_is_a_plain_coroutine():
    echo, calls = counted("hello")
    assert await echo(services(), "x") == Word(text="hello")
    assert calls == ["x"]


async def test_a_stage_declares_its_name_and_the_type_it_returns():
    echo, _ = counted()
    assert (echo.name, echo.span, echo.kind, echo.result) == ("echo", "echo.run", "CHAIN", Word)


async def test_a_finished_stage_is_not_run_twice(run, claim):
    echo, calls = counted("hello", "another")
    assert await run(echo, "x") == Word(text="hello")
    assert await StageRunner(services(), claim)(echo, "x") == Word(text="hello")
    assert calls == ["x"]


async def test_the_checkpoint_holds_the_result_and_its_trail(run, claim):
    echo, _ = counted("hello")
    await run(echo, "x")
    checkpoint = await claim.load("echo")
    span = Span(id="0" * 16, parent=None, name="echo.run", kind="CHAIN", start=1, end=2, attributes={"length": 5})
    assert checkpoint == Checkpoint(
        result={"text": "hello"},
        trail=Trail(started=100, ended=101, record=Word(text="hello").record(), spans=(span,)),
    )


async def test_a_failed_stage_leaves_its_trail_and_is_run_again(run, claim):
    echo, calls = counted(Unusable("no text", obstacle="empty_page"), "hello")
    with pytest.raises(Unusable, match="no text"):
        await run(echo, "x")
    checkpoint = await claim.load("echo")
    assert checkpoint.result is None
    assert (checkpoint.trail.status, checkpoint.trail.error) == ("error", "Unusable: no text")
    assert checkpoint.trail.record.tags == {"obstacle": "empty_page"}
    assert checkpoint.trail.spans[0].status == "error"
    assert await run(echo, "x") == Word(text="hello")
    assert calls == ["x", "x"]


async def test_what_was_spent_for_nothing_is_counted_with_the_turn_that_ends_the_stage(run, claim):
    first, second = Transient("busy"), Transient("busy")
    first.metrics, second.metrics = {"total_tokens": 10.0, "cost_usd": 0.5}, {"total_tokens": 5.0}
    echo, _ = counted(first, second, "hello")
    for spent in (10.0, 15.0):
        with pytest.raises(Transient):
            await run(echo, "x")
        assert (await claim.load("echo")).trail.record.metrics["total_tokens"] == spent
    await run(echo, "x")
    record = (await claim.load("echo")).trail.record
    assert record.metrics == Word(text="hello").record().metrics | {"total_tokens": 15.0, "cost_usd": 0.5}


async def test_a_stage_past_its_deadline_is_tried_again_later(claim):
    @stage("slow", span="slow.run", kind="CHAIN", timeout=0)
    async def slow(services: Services) -> Word:
        await asyncio.Event().wait()
        return Word(text="never")

    with pytest.raises(Transient, match="slow took longer than 0 s") as late:
        await StageRunner(services(), claim)(slow)
    assert isinstance(late.value.__cause__, TimeoutError)
    assert (await claim.load("slow")).trail.status == "error"


async def test_a_result_that_no_longer_fits_counts_as_absent(run, claim):
    echo, calls = counted("hello")
    await claim.save("echo", Checkpoint(result={"word": "of an older version"}, trail=Trail(started=1, ended=2)))
    assert await run(echo, "x") == Word(text="hello")
    assert calls == ["x"]


async def test_a_group_with_a_single_cause_is_that_cause(run):
    echo, _ = counted(ExceptionGroup("outer", [ExceptionGroup("inner", [Unusable("no text")])]))
    with pytest.raises(Unusable, match="no text"):
        await run(echo, "x")


async def test_a_group_with_several_causes_stays_a_group(run):
    echo, _ = counted(ExceptionGroup("both", [Unusable("one"), Unusable("two")]))
    with pytest.raises(ExceptionGroup, match="both"):
        await run(echo, "x")


async def test_a_stage_stopped_from_outside_leaves_nothing(run, claim):
    begun = asyncio.Event()

    @stage("endless", span="endless.run", kind="CHAIN", timeout=10)
    async def endless(services: Services) -> Word:
        begun.set()
        await asyncio.Event().wait()
        return Word(text="never")

    task = asyncio.create_task(run(endless))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await claim.checkpoints() == {}


async def test_a_stage_that_learns_that_its_job_is_lost_writes_nothing():
    echo, _ = counted(ClaimLost("somebody else has it"))
    with pytest.raises(ClaimLost):
        await StageRunner(services(), LostClaim(JOB))(echo, "x")
