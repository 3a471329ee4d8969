"""A click on Retry, over the real Bolt client and a real WebSocket; and messages that people delete."""

import sqlite3

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from technoshare import render
from technoshare.models import Apology
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, Messages, a_bot, a_running_bot, acked

JOB = "0123456789ab"


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def messages():
    return Messages()


@pytest.fixture
async def workspace(engine, messages):
    async with a_running_bot(engine, messages=messages) as workspace:
        yield workspace


async def a_failure(workspace, *, generation=0, channel=None, blocks=None):
    """Post what the bot says when a link could not be read; return its ts."""
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    reply = render.message(Apology(url="https://example.org/", reason="it is gone", job_id=JOB, generation=generation))
    posted = await client.chat_postMessage(
        channel=channel or workspace.channel, text=reply.text, blocks=blocks or list(reply.blocks)
    )
    return posted["ts"]


async def test_a_click_on_retry_starts_the_attempt_after_the_one_that_failed(workspace, engine):
    ts = await a_failure(workspace, generation=2)
    assert await workspace.press(ts, "retry")
    assert engine.retries == [(JOB, 2)]


async def test_a_click_that_could_not_be_stored_is_not_acked_so_that_slack_says_so(engine):
    engine.failures = [sqlite3.OperationalError("database or disk is full")]
    async with open_workspace(ack_seconds=0.2) as workspace, a_bot(workspace, engine) as bot:
        await bot.connected.wait()
        assert not await workspace.press(await a_failure(workspace), "retry")
    assert engine.retries == []


async def test_a_click_in_a_channel_that_is_not_on_the_list_does_nothing(workspace, engine):
    elsewhere = workspace.add_channel("elsewhere")
    ts = await a_failure(workspace, channel=elsewhere)
    assert await workspace.press(ts, "retry", channel=elsewhere)
    assert engine.retries == []


@pytest.mark.parametrize(
    ("changes", "block_id"),
    [({"value": "no job"}, "retry-0"), ({}, "retry-x"), ({}, "elsewhere"), ({"action_id": "vote"}, "retry-0")],
)
async def test_a_button_that_is_not_ours_is_acked_and_does_nothing(workspace, engine, changes, block_id):
    button = {"type": "button", "action_id": "retry", "value": JOB, "text": {"type": "plain_text", "text": "Retry"}}
    blocks = [{"type": "actions", "block_id": block_id, "elements": [button | changes]}]
    ts = await a_failure(workspace, blocks=blocks)
    assert await workspace.press(ts, (button | changes)["action_id"])
    assert engine.retries == []


# ---------------------------------------------------------------- deleted messages


async def test_a_deleted_message_is_noted_before_the_event_is_acked(workspace, messages):
    ts = workspace.say("https://example.org/")
    workspace.delete(ts)
    await workspace.until(lambda: acked(workspace, 2))
    assert messages.gone == [(workspace.channel, ts)]


async def test_a_deleted_message_with_replies_leaves_a_tombstone_and_counts_too(workspace, messages):
    tombstone = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": "12.5", "hidden": True}
    workspace.deliver(
        {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": workspace.channel,
            "ts": "13.0",
            "message": tombstone,
        }
    )
    await workspace.until(lambda: acked(workspace))
    assert messages.gone == [(workspace.channel, "12.5")]


async def test_an_edit_is_no_deletion_and_other_channels_do_not_matter(workspace, messages):
    workspace.edit(workspace.say("https://example.org/"), "without a link")
    elsewhere = workspace.add_channel("elsewhere")
    workspace.delete(workspace.say("https://example.org/", channel=elsewhere), channel=elsewhere)
    await workspace.until(lambda: acked(workspace, 4))
    assert messages.gone == []
