"""What every claim promises to the stages, whichever memory stands behind it."""

import asyncio
import contextlib

import pytest

from technoshare.errors import Ambiguous, Refused, Transient
from technoshare.jobs.engine import open_engine
from technoshare.memory import MemoryClaim
from tests.jobs.sample import NOW, FakeTime, a_checkpoint, a_job, a_receipt


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["memory", "sqlite"])
async def claim(request, time, tmp_path):
    if request.param == "memory":
        yield MemoryClaim(a_job(), clock=time, sleep=time.sleep)
        return
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=time, sleep=time.sleep) as engine:
        await engine.submit(a_job())
        (claim,), _ = await engine._take(1)
        yield claim


class Slack:
    """Counts what it was sent, and answers as it was told to, once each."""

    def __init__(self, *answers: BaseException, shows: bool = False) -> None:
        self.answers = list(answers)
        self.shows = shows
        self.sent = 0
        self.looked: list[float] = []

    async def send(self):
        self.sent += 1
        if self.answers:
            raise self.answers.pop(0)
        return a_receipt(f"{self.sent}.000")

    async def find(self, at: float):
        self.looked.append(at)
        return a_receipt("1.000") if self.shows else None


async def test_a_claim_knows_its_job(claim):
    assert claim.job == a_job()


async def test_a_stage_that_never_ran_has_no_checkpoint(claim):
    assert await claim.load("retrieval") is None
    assert await claim.checkpoints() == {}


async def test_a_checkpoint_comes_back_as_it_was_saved(claim):
    saved = a_checkpoint({"text": "naïve — “quoted”", "numbers": [1, 2.5, None, True]})
    await claim.save("retrieval", saved)
    assert await claim.load("retrieval") == saved


async def test_a_failed_stage_leaves_its_trail_and_a_later_success_replaces_it(claim):
    await claim.save("stage_a", a_checkpoint(None))
    assert (await claim.load("stage_a")).result is None
    await claim.save("stage_a", a_checkpoint({"items": []}))
    assert (await claim.load("stage_a")).result == {"items": []}


async def test_checkpoints_come_in_the_order_in_which_their_stages_began(claim):
    await claim.save("stage_a", a_checkpoint(2, started=NOW + 20))
    await claim.save("retrieval", a_checkpoint(1, started=NOW + 10))
    await claim.save("stage_b", a_checkpoint(3, started=NOW + 30))
    assert list(await claim.checkpoints()) == ["retrieval", "stage_a", "stage_b"]


async def test_the_milestones_say_when_the_job_came_and_was_taken_up(claim):
    times = await claim.times()
    assert (times.received, times.claimed, times.first_sign) == (NOW - 1, NOW, None)


async def test_a_post_is_sent_once_and_its_receipt_is_the_same_ever_after(claim):
    slack = Slack()
    first = await claim.once("token", slack.send, slack.find)
    assert await claim.once("token", slack.send, slack.find) == first == a_receipt("1.000")
    assert (slack.sent, slack.looked) == (1, [])


async def test_another_token_is_another_post(claim):
    slack = Slack()
    await claim.once("first", slack.send, slack.find)
    await claim.once("second", slack.send, slack.find)
    assert slack.sent == 2


async def test_a_definite_no_is_raised_and_the_next_attempt_sends_without_looking(claim):
    slack = Slack(Refused("channel_is_full", after=30))
    with pytest.raises(Refused):
        await claim.once("token", slack.send, slack.find)
    assert await claim.once("token", slack.send, slack.find) == a_receipt("2.000")
    assert (slack.sent, slack.looked) == (2, [])


async def test_an_unknown_outcome_parks_the_job_until_the_post_can_be_looked_up(claim):
    slack = Slack(Ambiguous("the answer was lost"))
    with pytest.raises(Transient) as parked:
        await claim.once("token", slack.send, slack.find)
    assert parked.value.after == 15
    assert slack.looked == []


@pytest.mark.parametrize("failure", [Ambiguous("the answer was lost"), KeyError("a bug"), asyncio.CancelledError()])
async def test_a_post_that_arrived_after_all_is_found_and_not_sent_again(claim, failure):
    slack = Slack(failure, shows=True)
    with contextlib.suppress(Transient, KeyError, asyncio.CancelledError):
        await claim.once("token", slack.send, slack.find)
    assert await claim.once("token", slack.send, slack.find) == a_receipt("1.000")
    assert await claim.once("token", slack.send, slack.find) == a_receipt("1.000")
    assert (slack.sent, slack.looked) == (1, [NOW])


async def test_a_post_that_did_not_arrive_is_sent_again_after_the_look(claim):
    slack = Slack(Ambiguous("the answer was lost"))
    with contextlib.suppress(Transient):
        await claim.once("token", slack.send, slack.find)
    assert await claim.once("token", slack.send, slack.find) == a_receipt("2.000")
    assert (slack.sent, slack.looked) == (2, [NOW])


async def test_the_look_waits_until_fifteen_seconds_after_the_reservation(claim, time):
    slack = Slack(Ambiguous("once"), Ambiguous("twice"))
    with contextlib.suppress(Transient):
        await claim.once("token", slack.send, slack.find)
    time.now += 5
    with contextlib.suppress(Transient):
        await claim.once("token", slack.send, slack.find)
    time.now += 100
    await claim.once("token", slack.send, slack.find)
    assert time.slept == [10, 0]
    assert slack.looked == [NOW, NOW + 15]  # the second look is for what the second attempt may have sent


async def test_a_clock_set_back_does_not_stretch_the_wait(claim, time):
    slack = Slack(Ambiguous("the answer was lost"))
    with contextlib.suppress(Transient):
        await claim.once("token", slack.send, slack.find)
    time.now -= 3600
    await claim.once("token", slack.send, slack.find)
    assert time.slept == [15]
