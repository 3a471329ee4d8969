"""What became of the messages that hold the links."""

import asyncio

import pytest

from technoshare.jobs.engine import open_engine
from technoshare.jobs.messages import SqliteMessages
from technoshare.jobs.shares import SqliteShares
from technoshare.models import Share
from tests.jobs.sample import NOW, FakeTime, a_job


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
async def engine(tmp_path, time):
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=time) as engine:
        yield engine


@pytest.fixture
def messages(engine, time):
    return SqliteMessages(engine.database, time)


async def work(engine, ledger, outcomes):
    """Serve until so many jobs ended, with these outcomes by job id."""
    stopping = asyncio.Event()

    async def answer(claim):
        job = claim.job
        await ledger.earlier(job)
        line = {name: getattr(job, name) for name in ("channel", "ts", "thread_ts", "user", "url")}
        await ledger.add(Share(job_id=job.id, final_url=job.url, at=1.0, outcome=outcomes.pop(job.id), **line))
        if not outcomes:
            stopping.set()

    async def give_up(claim, reason):
        raise AssertionError(reason)

    await engine.serve(answer, give_up, workers=1, stopping=stopping, drain=10)


async def test_a_deletion_is_known_for_ever_whether_it_came_before_or_after_the_link(engine, messages):
    job = a_job(1)
    assert not await messages.withdrawn(job)
    await messages.withdraw(job.channel, job.ts)
    await messages.withdraw(job.channel, job.ts)  # delivered twice
    await engine.submit(job)
    assert await messages.withdrawn(job)
    assert not await messages.withdrawn(job.model_copy(update={"channel": "C0OTHER"}))


async def test_the_ends_of_a_message_are_those_of_its_links(engine, messages, time):
    ledger = SqliteShares(engine.database, lambda channel, ts: ts, time)
    first, second = a_job(1, ts="5.0"), a_job(2, ts="5.0")
    for job in (first, second, a_job(3, ts="6.0")):
        await engine.submit(job)
    assert await messages.ends(first.channel, "5.0") == (None, None)
    await work(engine, ledger, {first.id: "failed", second.id: "success", a_job(3).id: "success"})
    assert await messages.ends(first.channel, "5.0") == ("failed", "success")
    assert await engine.retry(first.id, generation=0)
    assert await messages.ends(first.channel, "5.0") == (None, "success")


async def test_the_messages_that_wait_are_those_with_a_link_that_has_not_ended(engine, messages, time):
    for number in (1, 2, 3):
        await engine.submit(a_job(number))
    await engine.submit(a_job(4, channel="C2"))
    await engine.cancel(a_job(2).id)
    assert await messages.waiting("C1", 0) == {a_job(1).ts, a_job(3).ts}
    assert await messages.waiting("C1", NOW + 2) == {a_job(3).ts}


async def test_a_sign_is_missing_from_the_end_of_a_link_until_it_is_noted_but_for_a_day_only(engine, messages, time):
    await engine.submit(a_job(1))
    await engine.submit(a_job(2))
    assert await messages.unsigned() == ()
    await engine.cancel(a_job(1).id)
    await engine.cancel(a_job(2).id)
    assert await messages.unsigned() == (("C1", a_job(1).ts, False), ("C1", a_job(2).ts, False))
    await messages.note_sign("C1", a_job(1).ts)
    assert await messages.unsigned() == (("C1", a_job(2).ts, False),)
    await engine.retry(a_job(1).id)
    await engine.cancel(a_job(1).id)
    assert await messages.unsigned() == (("C1", a_job(1).ts, True), ("C1", a_job(2).ts, False))
    time.now += 86_401
    assert await messages.unsigned() == ()


async def test_a_job_that_is_dead_without_a_last_word_counts_as_failed(engine, messages):
    await engine.submit(a_job(1))
    await engine.database.execute("update jobs set state = 'dead', error = 'the thread could not be told'")
    assert await messages.ends("C1", a_job(1).ts) == ("failed",)


async def test_a_link_that_was_cancelled_by_hand_ends_without_a_sign(engine, messages):
    job = a_job(1)
    await engine.submit(job)
    await engine.cancel(job.id)
    assert await messages.ends(job.channel, job.ts) == ("withdrawn",)


async def test_two_clicks_on_one_button_are_one_new_attempt(engine, time):
    ledger = SqliteShares(engine.database, lambda channel, ts: ts, time)
    job = a_job(1)
    await engine.submit(job)
    await work(engine, ledger, {job.id: "failed"})
    assert await engine.retry(job.id, generation=0)
    await work(engine, ledger, {job.id: "failed"})  # so quickly that the second click finds it ended again
    assert not await engine.retry(job.id, generation=0)
    assert await engine.retry(job.id, generation=1)
