"""Events become jobs: over the real Bolt client and a real WebSocket."""

import asyncio
import logging
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from technoshare.slack.listeners import Rules, job_key
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, a_bot, a_running_bot, acked

RULES = Rules(team="T1", bot_user="UBOT", channels=frozenset({"C1"}))


@pytest.fixture
async def engine():
    return Engine()


@pytest.fixture
async def workspace(engine):
    async with a_running_bot(engine) as workspace:
        yield workspace


# ---------------------------------------------------------------- what is stored


async def test_a_posted_link_becomes_a_job_and_gets_its_eyes(workspace, engine):
    ts = workspace.say("read this: https://example.org/a?x=1&y=2")
    await workspace.until(lambda: acked(workspace) and workspace.reactions(ts))
    (job,) = engine.jobs.values()
    assert (job.url, job.channel, job.ts, job.thread_ts) == ("https://example.org/a?x=1&y=2", workspace.channel, ts, ts)
    assert job.text == "read this: https://example.org/a?x=1&y=2"
    assert job.team == workspace.team
    assert job.key == f"v1 {workspace.team} {workspace.channel} {ts} https://example.org/a?x=1&y=2"
    assert workspace.reactions(ts) == ["eyes"]


async def test_the_moment_of_the_first_sign_is_noted_for_each_job_of_the_message(engine):
    async with a_running_bot(engine) as workspace:
        ts = workspace.say("https://example.org/1 https://example.org/2")
        await workspace.until(lambda: workspace.reactions(ts))
    assert set(engine.signs) == {job.id for job in engine.jobs.values()}
    assert len(engine.signs) == 2


async def test_of_twelve_links_three_are_read_and_nine_named(workspace, engine):
    links = [f"https://example.org/{number}" for number in range(12)]
    workspace.say(" ".join(links))
    await workspace.until(lambda: acked(workspace))
    assert engine.urls == links[:3]
    assert [job.unread for job in engine.jobs.values()] == [(), (), tuple(links[3:])]


async def test_a_reply_that_was_also_sent_to_the_channel_is_answered_in_its_thread(workspace, engine):
    root = workspace.say("a question without a link")
    ts = workspace.say("https://example.org/answer", thread_ts=root, subtype="thread_broadcast")
    await workspace.until(lambda: acked(workspace, 2))
    (job,) = engine.jobs.values()
    assert (job.ts, job.thread_ts) == (ts, root)


async def test_a_link_beside_a_shared_file_is_read(workspace, engine):
    workspace.say("https://example.org/f", subtype="file_share", files=[{"id": "F1", "mode": "hosted"}])
    await workspace.until(lambda: acked(workspace))
    assert engine.urls == ["https://example.org/f"]


async def test_one_message_under_two_event_ids_is_one_job(workspace, engine):
    ts = workspace.say("https://example.org/once")
    await workspace.until(lambda: acked(workspace))
    workspace.deliver(workspace.deliveries[0].event, event_id="EvOTHER")
    await workspace.until(lambda: acked(workspace, 2))
    assert len(engine.jobs) == 1
    assert workspace.reactions(ts) == ["eyes"]


def test_the_job_key_never_changes():
    assert job_key("T1", "C1", "1.5", "HTTPS://Example.org/A?b#c") == "v1 T1 C1 1.5 https://example.org/A?b#c"


# ---------------------------------------------------------------- the ack


async def test_the_ack_waits_for_the_commit(workspace, engine):
    engine.open.clear()
    workspace.say("https://example.org/slow")
    await asyncio.wait_for(engine.entered.wait(), 10)
    await workspace.until(lambda: workspace.deliveries)
    assert workspace.deliveries[0].acked_at is None
    engine.open.set()
    await workspace.until(lambda: acked(workspace))
    assert len(engine.jobs) == 1


async def test_an_event_that_could_not_be_stored_is_not_acked_and_stored_when_it_comes_again(engine, caplog):
    engine.failures = [sqlite3.OperationalError("database or disk is full")]
    async with open_workspace(ack_seconds=0.2, retry_seconds=(0.0, 0.05)) as workspace, a_bot(workspace, engine):
        workspace.say("https://example.org/kept")
        await workspace.until(lambda: any(delivery.acked_at for delivery in workspace.deliveries))
    assert [(delivery.retry_attempt, bool(delivery.acked_at)) for delivery in workspace.deliveries] == [
        (0, False),
        (1, True),
    ]
    assert engine.urls == ["https://example.org/kept"]
    (line,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "not acknowledged" in line.getMessage()
    assert "disk is full" in line.getMessage()


async def test_a_slow_reaction_does_not_hold_back_the_ack(workspace, engine):
    workspace.faults.rate_limit("reactions.add", n=1, retry_after=1)
    ts = workspace.say("https://example.org/a")
    await workspace.until(lambda: acked(workspace))
    assert workspace.reactions(ts) == []
    await workspace.until(lambda: workspace.reactions(ts) == ["eyes"])


async def test_a_reaction_that_slack_refuses_harms_nothing(engine, caplog):
    async with a_running_bot(engine) as workspace:
        workspace.faults.refuse("reactions.add", error="not_reactable")
        workspace.say("https://example.org/gone")
        await workspace.until(lambda: [call for call in workspace.calls if call.method == "reactions.add"])
        second = workspace.say("https://example.org/here")
        await workspace.until(lambda: workspace.reactions(second))
    assert len(engine.signs) == 1
    assert "not_reactable" in caplog.text


KINDS = {
    "an edit": {"subtype": "message_changed", "message": {"text": "<https://example.org/>"}, "hidden": True},
    "a deletion": {"subtype": "message_deleted", "deleted_ts": "1.0", "hidden": True},
    "a join": {"subtype": "channel_join", "user": "U1", "text": "<@U1> has joined"},
    "a topic": {"subtype": "channel_topic", "user": "U1", "text": "<https://example.org/>"},
    "an emote": {"subtype": "me_message", "user": "U1", "text": "<https://example.org/>"},
    "a thread's figures": {"subtype": "message_replied", "message": {}, "hidden": True},
    "a foreign bot": {"subtype": "bot_message", "bot_id": "B9", "text": "<https://example.org/>"},
    "an app that posts as a person": {"user": "U1", "bot_id": "B9", "text": "<https://example.org/>"},
    "Slackbot": {"user": "USLACKBOT", "text": "<https://example.org/>"},
    "a reply in a thread": {"user": "U1", "thread_ts": "1.0", "text": "<https://example.org/>"},
    "no link": {"user": "U1", "text": "good morning"},
    "a mail address": {"user": "U1", "text": "<mailto:a@example.org|a@example.org>"},
    "another channel": {"user": "U1", "channel": "C0ELSEWHERE", "text": "<https://example.org/>"},
    "a message without a time": {"user": "U1", "ts": None, "text": "<https://example.org/>"},
    "a reaction": {"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": {"type": "message"}},
    "an invitation": {"type": "member_joined_channel", "user": "U1"},
    "a kind that is yet to be invented": {"type": "message_teleported"},
    "the bot itself": {"user": "U0TECHNO001", "bot_id": "B0TECHNO001", "text": "<https://example.org/>"},
}


async def test_every_other_event_is_acked_and_ignored(workspace, engine):
    for number, kind in enumerate(KINDS.values()):
        event = {"type": "message", "ts": f"{number + 5}.000001", "channel": workspace.channel}
        workspace.deliver(event | kind)
    workspace.deliver({"type": "app_rate_limited", "minute_rate_limited": 1})
    await workspace.until(lambda: acked(workspace, len(KINDS) + 1))
    assert len(workspace.deliveries) == len(KINDS) + 1  # not one came twice
    assert engine.jobs == {}


async def test_an_edit_an_unfurl_and_a_deletion_by_people_are_acked_and_make_no_second_job(workspace, engine):
    ts = workspace.say("https://example.org/first")
    workspace.edit(ts, "https://example.org/second")
    workspace.unfurl(ts, "https://example.org/second", title="Second")
    workspace.delete(ts)
    await workspace.until(lambda: acked(workspace, 4))
    assert engine.urls == ["https://example.org/first"]


async def test_a_channel_that_is_not_on_the_list_is_ignored(workspace, engine):
    other = workspace.add_channel("elsewhere")
    ts = workspace.say("https://example.org/", channel=other)
    await workspace.until(lambda: acked(workspace))
    assert engine.jobs == {}
    assert workspace.reactions(ts, other) == []


async def test_a_channel_shared_with_another_company_is_ignored(engine, caplog):
    async with open_workspace() as workspace:
        external = workspace.add_channel("partners", external=True)
        async with a_bot(workspace, engine, channels=(workspace.channel, external)):
            workspace.say("https://example.org/", channel=external)
            await workspace.until(lambda: acked(workspace))
    assert engine.jobs == {}
    assert "shared with another company" in caplog.text


def test_a_channel_is_denied_when_slack_says_so_with_the_event_or_said_so_at_the_start():
    event = {"type": "message", "channel": "C1", "ts": "1.0", "user": "U1"}
    assert RULES.message({"event": event, "is_ext_shared_channel": False})
    assert RULES.message({"event": event, "is_ext_shared_channel": True}) is None
    told = Rules(team="T1", bot_user="UBOT", channels=frozenset({"C1"}), external=frozenset({"C1"}))
    assert told.message({"event": event, "is_ext_shared_channel": False}) is None


def test_the_bots_own_message_is_ignored_even_where_bolt_does_not_filter_it():
    assert RULES.message({"event": {"channel": "C1", "ts": "1.0", "user": "UBOT"}}) is None


_VALUES = (
    st.none() | st.integers() | st.sampled_from(["C1", "1.0", "U1", "thread_broadcast", "\ud800"]) | st.lists(st.none())
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.none() | st.dictionaries(st.sampled_from(["channel", "ts", "user", "subtype", "thread_ts", "bot_id"]), _VALUES)
)
def test_no_event_however_odd_makes_the_filter_fail(event):
    RULES.message({"event": event})


async def test_a_burst_is_stored_and_acked_completely(workspace, engine):
    for number in range(100):
        workspace.say(f"https://example.org/{number}")
    await workspace.until(lambda: acked(workspace, 100))
    assert len(engine.jobs) == 100
    assert len(workspace.deliveries) == 100
