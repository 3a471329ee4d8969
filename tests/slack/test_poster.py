"""The one post of a job, and everything Slack may say to it."""

import time

import pytest

from technoshare.errors import Transient, Undelivered, Unusable
from technoshare.memory import MemoryClaim
from technoshare.models import Job, Message
from technoshare.slack.pace import Pace
from technoshare.slack.poster import SlackPoster, post_token, shortened
from technoshare.slack.web import web_client
from technoshare.workspace.server import open_workspace

BLOCK = {"type": "section", "text": {"type": "plain_text", "text": "a comment"}}
MESSAGE = Message(text="a comment", blocks=(BLOCK,))


class Sleep:
    """Remembers how long somebody wanted to sleep."""

    def __init__(self):
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)


class Desk:
    """A job in a local workspace, and the poster of its claim."""

    def __init__(self, workspace, *, clock=time.time, pace=None):
        self.workspace = workspace
        self.ts = workspace.say("https://example.org/")
        self.job = Job(
            key=f"v1 T1 {workspace.channel} {self.ts} https://example.org/",
            team="T1",
            channel=workspace.channel,
            ts=self.ts,
            thread_ts=self.ts,
            user="U1",
            url="https://example.org/",
            received=time.time(),
        )
        self.sleep = Sleep()
        self.claim = MemoryClaim(self.job, clock=clock, sleep=self.sleep)
        self.client = web_client(workspace.bot_token, workspace.api_url)
        self.poster = SlackPoster(self.client, self.claim, "B0TECHNO001", pace=pace or Pace(clock))

    async def post(self, message=MESSAGE):
        return await self.poster.post(self.job, message)

    @property
    def replies(self):
        return self.workspace.replies(self.ts)

    def calls(self, method):
        return [call for call in self.workspace.calls if call.method == method]


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
async def desk(workspace):
    return Desk(workspace)


async def test_a_post_stands_in_the_thread_marked_and_without_previews(desk):
    receipt = await desk.post()
    (reply,) = desk.replies
    assert (receipt.ts, receipt.thread_ts, receipt.message) == (reply["ts"], desk.ts, MESSAGE)
    assert reply["blocks"][0]["text"]["text"] == "a comment"
    assert reply["metadata"]["event_payload"] == {"job_id": desk.job.id, "token": post_token(desk.job)}
    (call,) = desk.calls("chat.postMessage")
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)


async def test_a_second_post_of_the_same_job_sends_nothing(desk):
    assert await desk.post() == await desk.post()
    assert len(desk.replies) == 1


def test_a_new_generation_has_a_token_of_its_own():
    job = Job(
        key="k", team="T", channel="C1", ts="1.0", thread_ts="1.0", user="U", url="https://a.example/", received=0
    )
    assert post_token(job) == post_token(job)
    assert len(post_token(job)) == 24
    assert post_token(job) != post_token(job.model_copy(update={"generation": 1}))


# ---------------------------------------------------------------- a definite no


async def test_told_to_wait_the_job_is_parked_for_that_long_and_the_post_is_free_again(desk):
    now = [0.0]
    desk = Desk(desk.workspace, pace=Pace(lambda: now[0]))
    desk.workspace.faults.rate_limit("chat.postMessage", retry_after=7)
    with pytest.raises(Undelivered) as caught:
        await desk.post()
    assert caught.value.after == 7
    now[0] = 7.0
    await desk.post()
    assert len(desk.replies) == 1
    assert desk.sleep.seconds == []  # nothing to look up: the reservation was given back


async def test_told_to_wait_without_a_time_half_a_minute_is_taken(desk):
    desk.workspace.faults.rate_limit("chat.postMessage", retry_after=float("nan"))
    with pytest.raises(Transient) as caught:
        await desk.post()
    assert caught.value.after == pytest.approx(30, abs=1)


async def test_replies_to_a_slowed_channel_come_one_a_second_and_the_others_at_once(workspace):
    now = [0.0]
    pace = Pace(lambda: now[0])
    first, second, third = (Desk(workspace, pace=pace) for _ in range(3))
    workspace.faults.rate_limit("chat.postMessage", retry_after=7)
    waits = []
    for desk in (first, second, third):
        with pytest.raises(Undelivered) as caught:
            await desk.post()
        waits.append(caught.value.after)
    assert waits == [7, 8, 9]
    assert len(first.calls("chat.postMessage")) == 1  # the others did not even ask
    now[0] = 7.0
    await first.post()
    with pytest.raises(Undelivered) as caught:
        await second.post()
    assert caught.value.after == 1  # its turn is its own, whoever came meanwhile
    now[0] = 9.5
    await third.post()
    await second.post()
    elsewhere = Desk(workspace, pace=pace)
    elsewhere.job = elsewhere.job.model_copy(update={"channel": workspace.add_channel("calm")})
    assert pace.wait(elsewhere.job.channel, elsewhere.job.id) == 0


@pytest.mark.parametrize(
    "code", ["channel_not_found", "not_in_channel", "is_archived", "thread_not_found", "restricted_action"]
)
async def test_a_thread_that_takes_no_reply_is_given_up(desk, code):
    desk.workspace.faults.refuse("chat.postMessage", error=code)
    with pytest.raises(Unusable, match=code):
        await desk.post()


async def test_an_archived_channel_is_given_up(desk):
    desk.workspace.archive(desk.workspace.channel)
    with pytest.raises(Unusable, match="is_archived"):
        await desk.post()


async def test_a_revoked_token_parks_the_job_until_somebody_repairs_it(desk, caplog):
    desk.workspace.faults.refuse("chat.postMessage", error="token_revoked")
    with pytest.raises(Transient) as caught:
        await desk.post()
    assert caught.value.after == 60
    assert "token_revoked" in caplog.text


async def test_a_refusal_without_a_known_meaning_counts_as_a_failure(desk):
    desk.workspace.faults.refuse("chat.postMessage", error="as_yet_unknown")
    with pytest.raises(Transient) as caught:
        await desk.post()
    assert caught.value.after is None
    assert not isinstance(caught.value, Undelivered)


async def test_a_slack_that_cannot_be_reached_parks_the_job_and_leaves_nothing_to_look_up(workspace, desk):
    reachable = desk.client.base_url
    desk.client.base_url = "http://127.0.0.1:9/api/"
    with pytest.raises(Undelivered) as caught:
        await desk.post()
    assert caught.value.after == 30
    desk.client.base_url = reachable
    await desk.post()
    assert desk.calls("conversations.replies") == []


# ---------------------------------------------------------------- not knowing


async def test_a_lost_answer_is_one_request_and_the_post_is_found_the_next_time(desk):
    desk.workspace.faults.drop_answer("chat.postMessage")
    with pytest.raises(Undelivered) as caught:
        await desk.post()
    assert caught.value.after == 15
    assert len(desk.calls("chat.postMessage")) == 1
    receipt = await desk.post()
    (reply,) = desk.replies
    assert receipt.ts == reply["ts"]
    assert len(desk.calls("chat.postMessage")) == 1


async def test_a_post_that_never_arrived_is_sent_again_after_the_look(desk):
    desk.workspace.faults.server_error("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    assert len(desk.replies) == 1
    assert len(desk.calls("conversations.replies")) == 1
    assert 14 < desk.sleep.seconds[0] <= 15  # counted from the reservation, on purpose: not a measured time


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable"])
async def test_an_error_that_may_have_posted_is_looked_up(desk, code):
    desk.workspace.faults.refuse("chat.postMessage", error=code)
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    assert len(desk.calls("conversations.replies")) == 1
    assert len(desk.replies) == 1


async def test_the_post_is_found_on_a_later_page_among_others_words(desk):
    desk.workspace.faults.drop_answer("chat.postMessage")
    for number in range(210):
        desk.workspace.say(f"reply {number}", thread_ts=desk.ts)
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    assert len(desk.calls("conversations.replies")) == 2
    assert len(desk.calls("chat.postMessage")) == 1


async def test_the_post_is_found_though_our_clock_is_two_minutes_ahead_of_slacks(workspace):
    desk = Desk(workspace, clock=lambda: time.time() + 120)
    workspace.faults.drop_answer("chat.postMessage")
    with pytest.raises(Transient):
        await desk.post()
    await desk.post()
    assert len(desk.replies) == 1


async def test_the_token_in_somebody_elses_message_is_not_our_post(desk):
    desk.workspace.faults.server_error("chat.postMessage")
    payload = {"job_id": desk.job.id, "token": post_token(desk.job)}
    with pytest.raises(Transient):
        await desk.post()
    forged = {"event_type": "technoshare_comment", "event_payload": payload}
    desk.workspace.say("a forgery", thread_ts=desk.ts, metadata=forged)
    await desk.post()
    assert len(desk.calls("chat.postMessage")) == 2


@pytest.mark.parametrize(("fault", "times"), [("rate_limit", 1), ("server_error", 1), ("drop_answer", 2)])
async def test_while_slack_cannot_be_asked_nothing_is_sent_again(desk, fault, times):
    desk.workspace.faults.drop_answer("chat.postMessage")
    getattr(desk.workspace.faults, fault)("conversations.replies", n=times)  # aiohttp repeats a GET once by itself
    for _ in range(2):
        with pytest.raises(Transient):
            await desk.post()
    await desk.post()
    assert len(desk.calls("chat.postMessage")) == 1


async def test_a_thread_that_is_gone_holds_no_post(desk):
    desk.workspace.faults.server_error("chat.postMessage")
    desk.workspace.faults.refuse("conversations.replies", error="thread_not_found")
    desk.workspace.faults.refuse("chat.postMessage", error="thread_not_found")
    with pytest.raises(Transient):
        await desk.post()
    with pytest.raises(Unusable, match="thread_not_found"):
        await desk.post()


# ---------------------------------------------------------------- too much for Slack


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
async def test_when_slack_refuses_the_blocks_the_same_post_goes_out_as_plain_text(desk, code, caplog):
    desk.workspace.faults.refuse("chat.postMessage", error=code)
    receipt = await desk.post()
    (reply,) = desk.replies
    assert "blocks" not in reply
    assert reply["metadata"]["event_payload"]["token"] == post_token(desk.job)
    assert receipt.message == Message(text="a comment", blocks=())
    assert code in caplog.text


async def test_a_message_that_slack_really_finds_too_long_arrives_shortened(desk):
    long = Message(text="word &amp; " * 2_000, blocks=tuple(BLOCK for _ in range(51)))
    await desk.post(long)
    (reply,) = desk.replies
    assert len(reply["text"]) <= 4_000
    assert reply["text"].endswith(" …")


async def test_plain_text_that_is_refused_too_is_not_sent_a_third_time(desk):
    desk.workspace.faults.refuse("chat.postMessage", n=2, error="invalid_blocks")
    with pytest.raises(Transient):
        await desk.post()
    assert len(desk.calls("chat.postMessage")) == 2


@pytest.mark.parametrize(("text", "limit", "short"), [
    ("short", 10, "short"),
    ("one two three", 10, "one two …"),
    ("one\ntwo three", 10, "one\ntwo …"),
    ("a &amp; b", 8, "a …"),
    ("unbreakable", 5, " …"),
])  # fmt: skip
def test_a_text_is_cut_between_words(text, limit, short):
    assert shortened(text, limit) == short
    assert len(shortened(text, limit)) <= limit
