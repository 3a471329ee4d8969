"""A post that Slack showed too late was sent twice: only the older one stays."""

import time

import pytest

from technoshare.errors import Transient, Unusable
from technoshare.slack.healing import Healer
from technoshare.slack.pace import Pace
from technoshare.slack.poster import EVENT_TYPE, SlackPoster, post_token
from technoshare.workspace.server import open_workspace
from tests.slack.test_poster import MESSAGE, Desk

BOT_ID = "B0TECHNO001"


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
async def desk(workspace):
    desk = Desk(workspace)
    desk.healer = Healer(desk.client, BOT_ID)
    desk.poster = SlackPoster(
        desk.client, desk.claim, BOT_ID, pace=Pace(time.monotonic), sent_again=desk.healer.look_again
    )
    return desk


async def sent_twice(desk):
    """Have a post sent again after a look that found nothing, and let the first one appear afterwards."""
    desk.workspace.faults.server_error("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    payload = {"job_id": desk.job.id, "token": post_token(desk.job)}
    await desk.client.chat_postMessage(
        channel=desk.job.channel,
        thread_ts=desk.ts,
        text="a comment",
        metadata={"event_type": EVENT_TYPE, "event_payload": payload},
    )
    assert len(desk.replies) == 2


async def test_of_two_posts_with_one_token_the_younger_is_deleted(desk, caplog):
    await sent_twice(desk)
    older = desk.replies[0]["ts"]
    await desk.healer.close()
    assert [reply["ts"] for reply in desk.replies] == [older]
    assert "is deleted" in caplog.text


async def test_the_look_comes_by_itself_when_its_time_has_come(desk):
    desk.healer._late = 0.01
    await sent_twice(desk)
    await desk.workspace.until(lambda: len(desk.replies) == 1)
    await desk.healer.close()


async def test_a_single_post_stays(desk):
    desk.workspace.faults.server_error("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    await desk.healer.close()
    assert len(desk.replies) == 1
    assert desk.calls("chat.delete") == []


async def test_after_a_plain_post_nobody_looks_again(desk):
    await desk.post()
    await desk.healer.close()
    assert desk.calls("conversations.replies") == []


async def test_a_post_of_somebody_else_with_the_token_is_not_touched(desk):
    await sent_twice(desk)
    payload = {"job_id": desk.job.id, "token": post_token(desk.job)}
    desk.workspace.say("a forgery", thread_ts=desk.ts, metadata={"event_type": EVENT_TYPE, "event_payload": payload})
    await desk.healer.close()
    assert [reply["text"] for reply in desk.replies] == ["a comment", "a forgery"]


@pytest.mark.parametrize("fault", ["rate_limit", "server_error"])
@pytest.mark.parametrize("method", ["conversations.replies", "chat.delete"])
async def test_when_slack_does_not_help_the_log_says_that_it_stands_twice(desk, caplog, method, fault):
    await sent_twice(desk)
    getattr(desk.workspace.faults, fault)(method)
    await desk.healer.close()
    assert "twice in its thread" in caplog.text
    assert MESSAGE.text not in caplog.text


# ---------------------------------------------------------------- SLACK_AMBIGUOUS=hold


async def test_held_a_post_that_cannot_be_found_is_left_to_a_person(desk, caplog):
    desk.poster = SlackPoster(desk.client, desk.claim, BOT_ID, pace=Pace(time.monotonic), ambiguous="hold")
    desk.workspace.faults.server_error("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    for _ in range(2):
        with pytest.raises(Unusable, match="unknown whether"):
            await desk.post()
    assert len(desk.calls("chat.postMessage")) == 1
    assert f"technoshare jobs retry {desk.job.id}" in caplog.text


async def test_held_a_post_that_is_found_counts_as_sent(desk):
    desk.poster = SlackPoster(desk.client, desk.claim, BOT_ID, pace=Pace(time.monotonic), ambiguous="hold")
    desk.workspace.faults.drop_answer("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    assert (await desk.post()).ts == desk.replies[0]["ts"]
