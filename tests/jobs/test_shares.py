"""Already shared here: the same page, the same channel, within 30 days."""

import asyncio

import pytest

from technoshare.jobs.engine import open_engine
from technoshare.jobs.messages import SqliteMessages
from technoshare.jobs.shares import SqliteShares
from technoshare.models import AlreadyShared, Comment, Job, Outcome, Sentence, Share
from tests.jobs.sample import NOW, FakeTime, a_job

DAY = 86_400.0
PAGE = "https://example.org/page"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def engine(tmp_path, time):
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=time) as engine:
        yield engine


@pytest.fixture
def shares(engine, time) -> SqliteShares:
    return SqliteShares(engine.database, lambda channel, ts: f"https://slack.test/{channel}/{ts}", time)


def sharing(number: int, url: str = PAGE, **changes) -> Job:
    return a_job(number, url=url, user=f"U{number}", received=NOW + number, **changes)


def ended(job: Job, outcome: Outcome = "success", *, final_url: str = "", **changes) -> Share:
    return Share(
        job_id=job.id,
        channel=job.channel,
        ts=job.ts,
        thread_ts=job.thread_ts,
        user=job.user,
        url=job.url,
        final_url=final_url or job.url,
        at=job.received,
        outcome=outcome,
        **changes,
    )


def pointing_to(job: Job, **changes) -> AlreadyShared:
    link = f"https://slack.test/{job.channel}/{job.ts}"
    return AlreadyShared(user=job.user, at=job.received, permalink=link, **changes)


async def test_the_first_to_share_a_page_gets_a_comment_and_the_second_is_sent_there(shares):
    assert await shares.earlier(sharing(1)) is None
    await shares.add(ended(sharing(1)))
    assert await shares.earlier(sharing(2)) == pointing_to(sharing(1))


async def test_of_two_at_the_same_moment_one_gets_a_comment(shares):
    answers = await asyncio.gather(*(shares.earlier(sharing(number)) for number in range(1, 6)))
    assert sorted(answer is None for answer in answers) == [False, False, False, False, True]


async def test_the_answer_names_the_links_that_were_not_read(shares):
    await shares.earlier(sharing(1))
    more = ("https://example.org/more",)
    assert await shares.earlier(sharing(2, unread=more)) == pointing_to(sharing(1), unread=more)


async def test_a_page_is_known_under_every_form_of_its_address(shares):
    await shares.earlier(sharing(1, "https://arxiv.org/abs/2401.01234"))
    await shares.add(ended(sharing(1, "https://arxiv.org/abs/2401.01234")))
    assert await shares.earlier(sharing(2, "https://www.arxiv.org/pdf/2401.01234v2")) is not None


async def test_a_page_is_known_under_the_address_that_its_short_link_led_to(shares):
    short = sharing(1, "https://sho.rt/abc")
    await shares.earlier(short)
    await shares.add(ended(short, final_url=PAGE))
    assert await shares.earlier(sharing(2)) == pointing_to(short)
    assert await shares.earlier(sharing(3, "https://sho.rt/abc")) == pointing_to(short)


async def test_a_short_link_to_a_page_that_was_shared_is_known_once_it_was_followed(shares):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1)))
    short = sharing(2, "https://sho.rt/abc")
    assert await shares.earlier(short) is None
    assert await shares.earlier(short, PAGE) == pointing_to(sharing(1))
    assert await shares.earlier(short) is None  # taken up after a crash, it is followed again
    assert await shares.earlier(short, PAGE) == pointing_to(sharing(1))


async def test_of_two_short_links_to_one_page_at_the_same_moment_one_gets_a_comment(shares):
    pair = [sharing(number, f"https://sho.rt/{number}") for number in (1, 2)]
    assert [await shares.earlier(job) for job in pair] == [None, None]
    answers = await asyncio.gather(*(shares.earlier(job, PAGE) for job in pair))
    assert sorted(answer is None for answer in answers) == [False, True]


async def test_a_page_and_its_short_link_at_the_same_moment_are_one_comment_whoever_is_quicker(shares):
    page, short = sharing(1), sharing(2, "https://sho.rt/abc")
    assert [await shares.earlier(job) for job in (page, short)] == [None, None]
    assert await shares.earlier(short, PAGE) == pointing_to(page)
    assert await shares.earlier(page, PAGE) is None
    assert await shares.earlier(page, PAGE) is None


async def test_a_page_whose_message_was_deleted_is_new_again(shares, engine, time):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1)))
    await SqliteMessages(engine.database, time).withdraw("C1", sharing(1).ts)
    assert await shares.earlier(sharing(2)) is None


async def test_another_page_or_another_channel_is_another_story(shares):
    await shares.earlier(sharing(1))
    assert await shares.earlier(sharing(2, "https://example.org/other")) is None
    assert await shares.earlier(sharing(3, channel="C2")) is None


@pytest.mark.parametrize(("days", "known"), [(29, True), (31, False)])
async def test_after_thirty_days_a_page_is_new_again(shares, time, days, known):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1)))
    time.now += days * DAY
    assert (await shares.earlier(sharing(2, text="later")) is not None) is known


async def test_a_page_that_could_not_be_commented_does_not_count(shares):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1), "failed"))
    assert await shares.earlier(sharing(2)) is None


async def test_a_job_that_died_before_it_could_say_so_does_not_count(shares, engine):
    await engine.submit(sharing(1))
    await shares.earlier(sharing(1))
    assert await shares.earlier(sharing(2)) is not None
    await engine.cancel(sharing(1).id)
    assert await shares.earlier(sharing(3)) is None


async def test_a_duplicate_does_not_prolong_the_thirty_days(shares, time):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1)))
    await shares.earlier(sharing(2))
    await shares.add(ended(sharing(2), "duplicate"))
    time.now += 30 * DAY + 60
    assert await shares.earlier(sharing(3)) is None


async def test_a_job_that_is_resumed_after_a_crash_is_not_its_own_duplicate(shares):
    assert await shares.earlier(sharing(1)) is None
    assert await shares.earlier(sharing(2)) is not None
    assert await shares.earlier(sharing(1)) is None
    await shares.add(ended(sharing(1)))
    assert await shares.earlier(sharing(1)) is None


async def test_a_duplicate_that_is_resumed_after_a_crash_is_still_one(shares):
    await shares.earlier(sharing(1))
    first = await shares.earlier(sharing(2))
    await shares.add(ended(sharing(2), "duplicate"))
    assert await shares.earlier(sharing(2)) == first == pointing_to(sharing(1))


async def test_whoever_asks_for_a_new_generation_wants_a_comment(shares):
    await shares.earlier(sharing(1))
    await shares.earlier(sharing(2))
    assert await shares.earlier(sharing(2, generation=1)) is None
    assert await shares.earlier(sharing(2, generation=1)) is None


async def test_a_failed_job_that_is_retried_counts_again(shares):
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1), "failed"))
    assert await shares.earlier(sharing(1, generation=1)) is None
    assert await shares.earlier(sharing(2)) == pointing_to(sharing(1))


async def test_the_ledger_keeps_what_was_said(shares, engine):
    comment = Comment(tldr=(Sentence(text="Short."),), summary=(), projects=(), model="extractive")
    await shares.earlier(sharing(1))
    await shares.add(ended(sharing(1), "degraded", comment=comment, reply_ts="9.000"))
    (row,) = await engine.database.execute("select outcome, reply_ts, comment, user from shares")
    assert (row["outcome"], row["reply_ts"], row["user"]) == ("degraded", "9.000", "U1")
    assert Comment.model_validate_json(row["comment"]) == comment


async def test_a_share_that_was_never_asked_for_is_kept_too(shares):
    await shares.add(ended(sharing(1)))
    assert await shares.earlier(sharing(2)) == pointing_to(sharing(1))
