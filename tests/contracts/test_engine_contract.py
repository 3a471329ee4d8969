"""What every job engine promises, whichever database stands behind it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from technoshare.errors import ClaimLost, Transient, Undelivered, Unusable
from technoshare.jobs.engine import open_engine
from technoshare.ports import Claim, JobEngine
from tests.jobs.sample import NOW, FakeTime, a_checkpoint, a_job, a_receipt

Open = Callable[[], AbstractAsyncContextManager[JobEngine]]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["sqlite"])
def opened(request, tmp_path, time) -> Open:
    """Open an engine over the same jobs each time; its clock moves only when it sleeps, its jitter is none."""

    def engine():
        return open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=time, sleep=time.sleep, random=lambda: 0.5)

    return engine


@pytest.fixture
async def engine(opened):
    async with opened() as engine:
        yield engine


class Told:
    """Keeps what the threads were told."""

    def __init__(self, *failures: Exception) -> None:
        self.reasons: list[tuple[str, str]] = []
        self.failures = list(failures)

    async def __call__(self, claim: Claim, reason: str) -> None:
        self.reasons.append((claim.job.id, reason))
        if self.failures:
            raise self.failures.pop(0)


@asynccontextmanager
async def serving(engine, answer, told=None, *, workers=4, drain=5.0):
    """Serve while the block runs; the block gets the event that stops it."""
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(
            engine.serve(answer, told if told is not None else Told(), workers=workers, stopping=stopping, drain=drain)
        )
        yield stopping
        stopping.set()


async def all_ended(engine) -> dict[str, int]:
    """Wait until no job waits or runs; each look is a round trip to the database."""
    while True:
        counts = await engine.counts()
        if not counts["ready"] and not counts["running"]:
            return counts


async def run_all(engine, answer, told=None, **options) -> dict[str, int]:
    async with serving(engine, answer, told, **options):
        return await all_ended(engine)


class Answering:
    """Answers each job and notes its id and the time; raises the given errors first, one a turn."""

    def __init__(self, time: FakeTime, *errors: BaseException) -> None:
        self.turns: list[tuple[str, float]] = []
        self._time = time
        self._errors = list(errors)

    async def __call__(self, claim: Claim) -> None:
        self.turns.append((claim.job.id, self._time()))
        if self._errors:
            raise self._errors.pop(0)

    @property
    def jobs(self) -> list[str]:
        return [job_id for job_id, _ in self.turns]

    @property
    def times(self) -> list[float]:
        return [at - NOW for _, at in self.turns]


# ---------------------------------------------------------------- taking jobs in


async def test_a_submitted_job_is_there_after_a_restart(opened, time):
    async with opened() as engine:
        submitted = await engine.submit(a_job())
        assert submitted.fresh
    answer = Answering(time)
    async with opened() as engine:
        assert (await run_all(engine, answer))["done"] == 1
    assert answer.jobs == [submitted.job_id]


async def test_the_same_link_again_changes_nothing(engine, time):
    await engine.submit(a_job())
    again = await engine.submit(a_job(text="redelivered"))
    assert (again.job_id, again.fresh) == (a_job().id, False)
    answer = Answering(time)
    await run_all(engine, answer)
    assert not (await engine.submit(a_job())).fresh
    await run_all(engine, answer)
    assert answer.jobs == [a_job().id]


async def test_an_answer_gets_the_job_as_it_was_submitted(engine):
    job = a_job(text="see <this> & that", unread=("https://example.org/more",))
    seen = []

    async def answer(claim):
        seen.append(claim.job)

    await engine.submit(job)
    await run_all(engine, answer)
    assert seen == [job]


async def test_a_job_that_comes_while_workers_are_idle_is_begun_at_once(engine):
    begun = asyncio.Event()

    async def answer(_):
        begun.set()

    async with serving(engine, answer):
        await engine.submit(a_job())
        await begun.wait()


async def test_urgent_jobs_come_first_then_those_that_waited_longest(engine, time):
    await engine.submit(a_job(1), run_at=NOW - 10)
    await engine.submit(a_job(2), run_at=NOW - 20)
    await engine.submit(a_job(3), priority=1)
    await engine.submit(a_job(4), run_at=NOW - 10)
    answer = Answering(time)
    await run_all(engine, answer, workers=1)
    assert answer.jobs == [a_job(number).id for number in (3, 2, 1, 4)]


async def test_a_job_for_later_waits_for_its_time(engine, time):
    await engine.submit(a_job(), run_at=NOW + 3600)
    answer = Answering(time)
    await run_all(engine, answer)
    assert answer.times == [3600]


async def test_no_more_jobs_run_at_once_than_there_are_workers(engine):
    running, most = 0, 0

    async def answer(claim):
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(int(claim.job.url.rsplit("/")[-1]) % 4):  # so that they do not all end together
            await engine.counts()
        running -= 1

    for number in range(20):
        await engine.submit(a_job(number))
    await run_all(engine, answer, workers=3)
    assert most == 3


# ---------------------------------------------------------------- failing


async def test_a_failing_job_never_stops_the_others(engine):
    async def answer(claim):
        await asyncio.sleep(0)
        if int(claim.job.url.rsplit("/")[-1]) % 2:
            raise RuntimeError("bad")

    for number in range(20):
        await engine.submit(a_job(number))
    assert await run_all(engine, answer) == {"ready": 0, "running": 0, "done": 10, "dead": 10}


async def test_a_failing_job_backs_off_and_its_thread_is_told_before_it_is_dead(engine, time):
    states = []

    async def told(claim, reason):
        states.append((await engine.counts(), reason))

    answer = Answering(time, *[RuntimeError("secret detail")] * 5)
    await engine.submit(a_job())
    counts = await run_all(engine, answer, told)
    assert answer.times == [0, 2, 6, 14, 30]
    assert counts["dead"] == 1
    ((then, reason),) = states
    assert then["running"] == 1
    assert reason == "an unexpected error (RuntimeError)"


async def test_a_job_that_works_again_after_failures_is_done(engine, time):
    told = Told()
    answer = Answering(time, Transient("the model is away"), RuntimeError("bad"))
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["done"] == 1
    assert (answer.times, told.reasons) == ([0, 2, 6], [])


async def test_a_server_that_says_later_is_asked_at_that_time_at_no_cost(engine, time):
    told = Told()
    answer = Answering(time, *[Transient("rate limited", after=100)] * 15)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["done"] == 1
    assert answer.times == [100 * turn for turn in range(16)]
    assert told.reasons == []


async def test_a_server_that_says_later_for_ever_ends_in_an_honest_failure(engine, time):
    told = Told()
    answer = Answering(time, *[Transient("rate limited", after=100)] * 1000)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert len(answer.turns) == 25
    assert told.reasons == [(a_job().id, "rate limited")]


async def test_an_unusable_job_is_not_tried_again_and_not_told_twice(engine, time):
    told = Told()
    answer = Answering(time, Unusable("the channel is gone"))
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert (len(answer.turns), told.reasons) == (1, [])


async def test_a_cancellation_that_nobody_ordered_is_a_failure_like_any_other(engine, time):
    answer = Answering(time, asyncio.CancelledError())
    await engine.submit(a_job())
    assert (await run_all(engine, answer))["done"] == 1
    assert answer.times == [0, 2]


async def test_a_thread_that_cannot_be_told_now_is_told_later_without_another_answer(engine, time):
    told = Told(Transient("Slack is away"), Transient("still away", after=3600))
    answer = Answering(time, *[RuntimeError("bad")] * 5)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert len(answer.turns) == 5
    assert told.reasons == [(a_job().id, "an unexpected error (RuntimeError)")] * 3


async def test_a_thread_that_can_never_be_told_does_not_keep_the_job_for_ever(engine, time):
    told = Told(*[Transient("Slack is away", after=50)] * 1000)
    answer = Answering(time, *[RuntimeError("bad")] * 5)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert 50 < len(told.reasons) < 200
    assert time.now - NOW > 86_400  # Slack may be away for a day


async def test_a_reply_that_is_ready_waits_for_slack_as_long_as_a_day_and_is_then_posted(engine, time):
    told = Told()
    answer = Answering(time, *[Undelivered("Slack is away", after=30)] * 140)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["done"] == 1
    assert answer.times[:4] == [0, 30, 60, 90]
    assert answer.times[-1] > 75_000
    assert told.reasons == []


async def test_a_reply_that_slack_never_takes_does_not_keep_the_job_for_ever(engine, time):
    told = Told()
    answer = Answering(time, *[Undelivered("Slack is away")] * 1000)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert answer.times[-1] > 80_000
    assert told.reasons == []


async def test_a_refused_last_word_ends_the_job(engine, time):
    told = Told(Unusable("the channel is gone"))
    answer = Answering(time, *[RuntimeError("bad")] * 5)
    await engine.submit(a_job())
    assert (await run_all(engine, answer, told))["dead"] == 1
    assert len(told.reasons) == 1


async def test_the_log_reads_like_a_ledger(engine, time, caplog):
    caplog.set_level(logging.INFO, "technoshare.jobs")
    await engine.submit(a_job())
    await run_all(engine, Answering(time, Transient("the model is away"), Unusable("no text")))
    lines = [record.getMessage() for record in caplog.records if record.name == "technoshare.jobs"]
    job = a_job().id
    assert lines == [
        f"→ {job} https://example.org/1",
        f"↻ 0.0s {job} in 2 s: the model is away",
        f"→ {job} https://example.org/1",
        f"! 0.0s {job}: no text",
    ]


# ---------------------------------------------------------------- stopping


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_stopping_lets_a_running_job_finish(engine):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_):
        begun.set()
        await go_on.wait()

    await engine.submit(a_job(1))
    async with serving(engine, answer, workers=1) as stopping:
        await begun.wait()
        await engine.submit(a_job(2))
        stopping.set()
        await engine.counts()
        go_on.set()
    assert await engine.counts() == {"ready": 1, "running": 0, "done": 1, "dead": 0}


async def test_what_does_not_finish_in_time_is_handed_back_at_no_cost_in_its_place(opened, time):
    async with opened() as engine:
        for number in (1, 2, 3):
            await engine.submit(a_job(number), run_at=NOW - 10 + number)
        taken: list[str] = []
        for _ in range(30):  # more often than any budget
            begun = asyncio.Event()

            async def answer(claim, begun=begun):
                taken.append(claim.job.id)
                begun.set()
                await wait_for_ever()

            async with serving(engine, answer, workers=1, drain=0):
                await begun.wait()
        assert (await engine.counts())["ready"] == 3
        assert taken == [a_job(1).id] * 30
        told, last = Told(), Answering(time)
        await run_all(engine, last, told, workers=1)
    assert (last.jobs, told.reasons) == ([a_job(number).id for number in (1, 2, 3)], [])


async def test_a_second_signal_hands_everything_back_at_once(engine):
    begun = asyncio.Event()

    async def answer(_):
        begun.set()
        await wait_for_ever()

    await engine.submit(a_job())
    serve = asyncio.create_task(engine.serve(answer, Told(), workers=1, stopping=asyncio.Event(), drain=3600))
    await begun.wait()
    serve.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serve
    assert (await engine.counts())["ready"] == 1


# ---------------------------------------------------------------- the fence


async def test_a_claim_that_ended_cannot_write_any_more(engine):
    kept = []

    async def answer(claim):
        kept.append(claim)

    async def nothing(*_):
        raise AssertionError("nothing may be sent")

    await engine.submit(a_job())
    await run_all(engine, answer)
    with pytest.raises(ClaimLost):
        await kept[0].save("retrieval", a_checkpoint())
    with pytest.raises(ClaimLost):
        await kept[0].once("token", nothing, nothing)


async def test_a_turn_whose_job_was_taken_away_ends_quietly(engine):
    async def answer(_):
        raise ClaimLost("somebody else has it")

    await engine.submit(a_job())
    begun = asyncio.Event()

    async def noting(claim):
        begun.set()
        await answer(claim)

    async with serving(engine, noting):
        await begun.wait()
    assert await engine.counts() == {"ready": 0, "running": 1, "done": 0, "dead": 0}


# ---------------------------------------------------------------- generations


async def test_a_stage_that_finished_is_found_again_by_the_next_turn(engine):
    found = []

    async def answer(claim):
        found.append(await claim.load("retrieval"))
        if found == [None]:
            await claim.save("retrieval", a_checkpoint({"read": True}))
            raise Transient("later")

    await engine.submit(a_job())
    await run_all(engine, answer)
    assert found == [None, a_checkpoint({"read": True})]


async def test_a_retry_is_a_new_generation_that_starts_from_nothing(engine, time):
    seen = []

    async def answer(claim):
        seen.append((claim.job.generation, await claim.checkpoints(), await claim.times()))
        await claim.save("retrieval", a_checkpoint({"read": True}))
        raise Unusable("no text")

    await engine.submit(a_job())
    await engine.signed(a_job().id, NOW + 0.2)
    await run_all(engine, answer)
    time.now = NOW + 1000
    await engine.retry(a_job().id)
    await run_all(engine, answer)
    (first, second) = seen
    assert (first[0], second[0]) == (0, 1)
    assert second[1] == {}
    assert (first[2].received, first[2].first_sign) == (NOW - 1, NOW + 0.2)
    assert (second[2].received, second[2].claimed, second[2].first_sign) == (NOW + 1000, NOW + 1000, None)


async def test_a_retry_has_its_whole_budget_again(engine, time):
    told = Told()
    answer = Answering(time, *[RuntimeError("bad")] * 9)
    await engine.submit(a_job())
    await run_all(engine, answer, told)
    await engine.retry(a_job().id)
    assert (await run_all(engine, answer, told))["done"] == 1
    assert (len(answer.turns), len(told.reasons)) == (10, 1)


async def test_only_a_job_that_ended_is_retried(engine, time):
    await engine.submit(a_job())
    await engine.retry(a_job().id)
    seen = []

    async def answer(claim):
        seen.append(claim.job.generation)
        await engine.retry(a_job().id)

    await run_all(engine, answer)
    assert seen == [0]


async def test_a_cancelled_job_is_never_answered(engine, time):
    await engine.submit(a_job(1))
    await engine.submit(a_job(2))
    await engine.cancel(a_job(1).id)
    answer = Answering(time)
    assert await run_all(engine, answer) == {"ready": 0, "running": 0, "done": 1, "dead": 1}
    assert answer.jobs == [a_job(2).id]


async def test_the_first_sign_of_life_is_the_one_that_counts(engine):
    signs = []

    async def answer(claim):
        signs.append((await claim.times()).first_sign)

    await engine.submit(a_job())
    await engine.signed(a_job().id, NOW + 1)
    await engine.signed(a_job().id, NOW + 2)
    await run_all(engine, answer)
    assert signs == [NOW + 1]


async def test_a_post_is_remembered_by_the_next_turn(engine):
    receipts = []

    async def send():
        return a_receipt(f"{len(receipts) + 1}.000")

    async def find(_):
        raise AssertionError("the receipt is known")

    async def answer(claim):
        receipts.append(await claim.once("token", send, find))
        if len(receipts) == 1:
            raise Transient("died before it was done", after=1)

    await engine.submit(a_job())
    await run_all(engine, answer)
    assert receipts == [a_receipt("1.000")] * 2
