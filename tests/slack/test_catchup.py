"""Links that no event brought are found in the channel's history, and only once."""

import asyncio
import hashlib
import sqlite3
import time

import pytest

from technoshare.slack.listeners import job_key
from technoshare.slack.web import web_client
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, Looks, Messages, a_bot, acked

HISTORY = "conversations.history"


@pytest.fixture
async def engine():
    return Engine()


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


def looked(workspace, times=1):
    return [call.method for call in workspace.calls].count(HISTORY) >= times


async def after_a_look(workspace, engine, **changes):
    """Run a bot until it has read its channels back once."""
    looks = changes.pop("looks", Looks())
    async with a_bot(workspace, engine, looks=looks, **changes) as slack:
        await asyncio.wait_for(slack.connected.wait(), 10)
        async with asyncio.timeout(10):
            while workspace.channel not in looks.times:  # noqa: ASYNC110 - a bot tells nobody when it has looked
                await asyncio.sleep(0.01)  # the note is written behind every sign that the workspace gives
    return looks


def say_unheard(workspace, text, **more):
    """Say what no event will ever tell."""
    workspace.faults.lose_events = 1
    return workspace.say(text, **more)


async def test_a_link_posted_while_no_bot_was_there_and_never_delivered_is_taken_in(workspace, engine):
    ts = say_unheard(workspace, "look: https://example.org/missed?a=1&b=2")
    await after_a_look(workspace, engine)
    (job,) = engine.jobs.values()
    assert (job.url, job.ts, job.channel) == ("https://example.org/missed?a=1&b=2", ts, workspace.channel)
    assert job.key == f"v1 {workspace.team} {workspace.channel} {ts} https://example.org/missed?a=1&b=2"
    assert workspace.reactions(ts) == ["eyes"]
    assert workspace.deliveries == []


async def test_a_link_that_came_both_ways_is_one_job(workspace, engine):
    workspace.say("https://example.org/both")
    async with a_bot(workspace, engine):
        await workspace.until(lambda: acked(workspace) and looked(workspace))
    assert len(engine.jobs) == 1


async def test_after_each_new_socket_the_channel_is_read_back(workspace, engine):
    async with a_bot(workspace, engine):
        await workspace.until(lambda: looked(workspace))
        say_unheard(workspace, "https://example.org/in-the-gap")
        await workspace.faults.disconnect()
        await workspace.until(lambda: looked(workspace, 2))
        await workspace.until(lambda: workspace.reactions(workspace.messages()[0]["ts"]))
    assert engine.urls == ["https://example.org/in-the-gap"]


async def test_all_pages_are_read_and_the_oldest_link_is_first(workspace, engine):
    for number in range(430):
        say_unheard(workspace, f"https://example.org/{number}")
    await after_a_look(workspace, engine)
    assert engine.urls == [f"https://example.org/{number}" for number in range(430)]


async def test_what_an_event_would_not_have_started_is_not_taken_from_history_either(workspace, engine):
    root = say_unheard(workspace, "good morning")
    say_unheard(workspace, "https://example.org/in-a-thread", thread_ts=root)
    say_unheard(workspace, "https://example.org/from-an-app", bot_id="B9")
    say_unheard(workspace, "https://example.org/joined", subtype="channel_join")
    await after_a_look(workspace, engine)
    assert engine.jobs == {}


async def test_a_channel_shared_with_another_company_is_not_taken_from_history(workspace, engine):
    partners = workspace.add_channel("partners", external=True)
    say_unheard(workspace, "https://example.org/", channel=partners)
    await after_a_look(workspace, engine, channels=(partners, workspace.channel))
    assert engine.jobs == {}


async def test_told_to_wait_the_look_is_made_later(workspace, engine, caplog):
    workspace.faults.rate_limit(HISTORY, n=3, retry_after=0)
    say_unheard(workspace, "https://example.org/")
    await after_a_look(workspace, engine)
    assert engine.urls == ["https://example.org/"]
    assert "could not be read back" in caplog.text


async def test_a_link_that_could_not_be_stored_is_taken_in_by_a_later_look(workspace, engine, caplog, monkeypatch):
    monkeypatch.setattr("technoshare.slack.connection.OUTAGE_PAUSE", 0.01)
    engine.failures = [sqlite3.OperationalError("database or disk is full")]
    say_unheard(workspace, "https://example.org/")
    await after_a_look(workspace, engine)
    assert engine.urls == ["https://example.org/"]
    assert "disk is full" in caplog.text


async def test_a_channel_that_cannot_be_read_does_not_keep_the_others_from_it(workspace, engine, caplog):
    strange = workspace.add_channel("strange", member=False)
    say_unheard(workspace, "https://example.org/")
    await after_a_look(workspace, engine, channels=(strange, workspace.channel))
    assert engine.urls == ["https://example.org/"]
    assert f"{strange} cannot be read back (not_in_channel)" in caplog.text


# ---------------------------------------------------------------- how far back


async def test_the_look_goes_back_to_the_last_one_even_where_no_link_was_ever_posted(workspace, engine):
    looks = await after_a_look(workspace, engine)
    say_unheard(workspace, "https://example.org/an-hour-ago")
    in_an_hour = lambda: time.time() + 3_600  # noqa: E731 - a clock
    await after_a_look(workspace, engine, looks=Remembering(looks), clock=in_an_hour)
    assert engine.urls == ["https://example.org/an-hour-ago"]


class Remembering(Looks):
    """Notes of an earlier bot; what this one notes is kept apart, so that it can be waited for."""

    def __init__(self, before):
        super().__init__()
        self.before = before

    async def last(self, channel):
        return await self.before.last(channel)


async def test_without_an_earlier_look_only_ten_minutes_count(workspace, engine):
    say_unheard(workspace, "https://example.org/before-the-bot-was-installed")
    await after_a_look(workspace, engine, clock=lambda: time.time() + 3_600)
    assert engine.jobs == {}


async def test_what_is_older_than_a_day_stays_unanswered(workspace, engine):
    looks = Looks()
    await looks.note(workspace.channel, 1.0)
    say_unheard(workspace, "https://example.org/yesterday")
    await after_a_look(workspace, engine, looks=Remembering(looks), clock=lambda: time.time() + 86_401)
    assert engine.jobs == {}


async def test_after_damage_the_first_look_goes_back_a_day(workspace, engine):
    say_unheard(workspace, "https://example.org/an-hour-ago")
    in_an_hour = lambda: time.time() + 3_600  # noqa: E731 - a clock
    await after_a_look(workspace, engine, clock=in_an_hour, look_back_a_day=True)
    assert engine.urls == ["https://example.org/an-hour-ago"]


async def test_with_a_new_jobs_file_only_the_links_are_answered_that_do_not_stand_answered(workspace, engine):
    ts = say_unheard(workspace, "https://example.org/answered and https://example.org/interrupted")
    answered = job_key(workspace.team, workspace.channel, ts, "https://example.org/answered")
    client = web_client(workspace.bot_token, workspace.api_url)
    marks = {"job_id": hashlib.sha256(answered.encode()).hexdigest()[:12], "token": "t"}
    await client.chat_postMessage(
        channel=workspace.channel, thread_ts=ts, text="a comment",
        metadata={"event_type": "technoshare_comment", "event_payload": marks},
    )  # fmt: skip
    say_unheard(workspace, "https://example.org/not-yet")
    await after_a_look(workspace, engine)
    assert engine.urls == ["https://example.org/interrupted", "https://example.org/not-yet"]


async def test_a_message_that_was_deleted_while_nobody_listened_is_withdrawn(workspace, engine):
    gone, tombstone, standing = (say_unheard(workspace, f"https://example.org/{n}") for n in range(3))
    workspace.faults.lose_events = 2
    workspace.delete(gone)
    workspace._team.change(workspace._channel(None), tombstone, {"subtype": "tombstone", "user": "USLACKBOT"})
    messages = Messages()
    messages.unanswered = {gone, tombstone, standing}
    await after_a_look(workspace, engine, messages=messages)
    assert sorted(messages.gone) == sorted([(workspace.channel, gone), (workspace.channel, tombstone)])
