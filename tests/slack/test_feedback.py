"""Clicks on 👍 and 👎, over the real Bolt client and a real WebSocket: what is stored, said, asked, and to whom."""

import asyncio
import json
import logging
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from technoshare import render
from technoshare.buttons import LONGEST_WORDS, REASONS, reason_of, reasons_in
from technoshare.slack.feedback import NO_FORM, NO_LONGER, TAKEN_BACK, THANKS, Voting
from technoshare.workspace.server import open_workspace
from tests.samples import reviewed
from tests.slack.sample import Engine, Votes, a_bot, a_running_bot, acked

ROOT = Path(__file__).resolve().parents[2]
JOB = "0123456789ab"
ADA = "U0ADA000001"


@pytest.fixture
def votes():
    return Votes()


@pytest.fixture
async def workspace(votes):
    async with a_running_bot(Engine(), votes=votes) as workspace:
        yield workspace


async def a_comment(workspace, *, channel=None, generation=0, blocks=None):
    """Post a comment into the thread of a link; return its ts."""
    channel = channel or workspace.channel
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    reply = render.message(reviewed(job_id=JOB, generation=generation))
    posted = await client.chat_postMessage(
        channel=channel,
        thread_ts=workspace.say("https://example.org/", channel=channel),
        text=reply.text,
        blocks=blocks or list(reply.blocks),
    )
    return posted["ts"]


def said(workspace, user=None):
    return [message["text"] for message in workspace.whispers(user)]


async def asked_why(workspace, votes):
    """Vote a comment down and wait for the form."""
    ts = await a_comment(workspace)
    assert await workspace.press(ts, "vote-down")
    await workspace.until(workspace.view)
    return ts


async def test_a_thumb_up_is_counted_and_thanked_for_in_the_thread_to_nobody_but_the_clicker(workspace, votes):
    ts = await a_comment(workspace, generation=3)
    assert await workspace.press(ts, "vote-up", user=ADA)
    await workspace.until(lambda: said(workspace, ADA))
    assert said(workspace, ADA) == [THANKS]
    assert said(workspace) == []
    (click,) = votes.clicks
    assert (click.job_id, click.generation, click.user, click.value) == (JOB, 3, ADA, "up")
    assert (click.channel, click.ts) == (workspace.channel, ts)
    (whisper,) = workspace.whispers(ADA)
    assert whisper["thread_ts"] == workspace.messages()[0]["ts"]
    assert [reply["ts"] for reply in workspace.replies(whisper["thread_ts"])] == [ts]


async def test_a_second_click_is_told_that_the_vote_is_taken_back(workspace):
    ts = await a_comment(workspace)
    await workspace.press(ts, "vote-up")
    await workspace.press(ts, "vote-up")
    await workspace.until(lambda: len(said(workspace)) == 2)
    assert said(workspace)[-1] == TAKEN_BACK


async def test_a_thumb_down_opens_a_form_and_what_is_sent_becomes_the_reason(workspace, votes):
    await asked_why(workspace, votes)
    assert said(workspace) == []
    values = {"reasons": ["missed_point", "wrong_facts"], "words": "It is 14 %,\nnot 41 %"}
    assert await workspace.submit(values)
    await workspace.until(lambda: said(workspace))
    (vote,) = votes.explained
    assert vote.reason == "wrong_facts, missed_point: It is 14 %, not 41 %"
    assert (vote.job_id, vote.value, vote.at) == (JOB, "down", votes.clicks[0].at)
    assert said(workspace) == ["Thanks, noted: wrong facts; missed the point."]
    assert workspace.view() is None


async def test_a_reason_in_somebodys_words_is_kept_without_mentions_and_keys_and_never_repeated(workspace, votes):
    await asked_why(workspace, votes)
    words = "<!channel> ask <@U0ADA000001>, the key is xoxb-123456789012-abcdefghij"
    await workspace.submit({"reasons": ["other"], "words": words})
    await workspace.until(lambda: said(workspace))
    (vote,) = votes.explained
    assert "<!" not in vote.reason
    assert "<@" not in vote.reason
    assert "xoxb-" not in vote.reason
    assert said(workspace) == ["Thanks, noted: other."]


@pytest.mark.parametrize("error", ["expired_trigger_id", "ratelimited"])
async def test_a_form_that_slack_does_not_open_leaves_the_vote_standing_and_says_so(workspace, votes, error):
    workspace.faults.refuse("views.open", error=error)
    ts = await a_comment(workspace)
    assert await workspace.press(ts, "vote-down")
    await workspace.until(lambda: said(workspace))
    assert said(workspace) == [NO_FORM]
    assert [click.value for click in votes.clicks] == ["down"]
    await workspace.until(lambda: votes.handed_on == 1)


async def test_a_reason_for_a_vote_that_was_changed_meanwhile_is_not_kept_and_says_so(workspace, votes):
    await asked_why(workspace, votes)
    votes.stands = False
    await workspace.submit({"reasons": ["other"], "words": ""})
    await workspace.until(lambda: said(workspace))
    assert said(workspace) == [NO_LONGER]


async def test_a_vote_that_could_not_be_stored_is_not_acked_so_that_slack_says_so(votes):
    votes.failures = [sqlite3.OperationalError("database or disk is full")]
    async with open_workspace(ack_seconds=0.2) as workspace, a_bot(workspace, Engine(), votes=votes) as bot:
        await bot.connected.wait()
        assert not await workspace.press(await a_comment(workspace), "vote-up")
        assert said(workspace) == []


async def test_a_vote_is_acked_while_it_waits_to_be_handed_on(workspace, votes):
    votes.may_hand_on.clear()
    assert await workspace.press(await a_comment(workspace), "vote-up")
    workspace.say("https://example.org/another")
    await workspace.until(lambda: acked(workspace, 2))
    assert votes.handed_on == 0
    votes.may_hand_on.set()
    await workspace.until(lambda: said(workspace))
    assert votes.handed_on == 1


async def test_a_click_that_changes_nothing_is_acked_and_answered_by_nothing(workspace, votes):
    votes.stands = False
    assert await workspace.press(await a_comment(workspace), "vote-down")
    assert workspace.view() is None
    assert votes.handed_on == 0


async def test_a_vote_in_a_channel_that_is_not_on_the_list_counts_for_nothing(workspace, votes):
    elsewhere = workspace.add_channel("elsewhere")
    ts = await a_comment(workspace, channel=elsewhere)
    assert await workspace.press(ts, "vote-up", channel=elsewhere)
    assert votes.clicks == []


@pytest.mark.parametrize(
    ("changes", "block_id"),
    [({"value": "no job"}, "vote-0"), ({"value": JOB.upper()}, "vote-0"), ({}, "vote-x"), ({}, "retry-0")],
)
async def test_a_button_that_is_not_ours_is_acked_and_counts_for_nothing(workspace, votes, changes, block_id):
    button = {"type": "button", "action_id": "vote-up", "value": JOB, "text": {"type": "plain_text", "text": "Up"}}
    blocks = [{"type": "actions", "block_id": block_id, "elements": [button | changes]}]
    assert await workspace.press(await a_comment(workspace, blocks=blocks), "vote-up")
    assert votes.clicks == []


async def test_an_answer_that_slack_does_not_take_costs_nothing_but_a_line_in_the_log(workspace, votes, caplog):
    workspace.faults.refuse("chat.postEphemeral", error="user_not_in_channel")
    with caplog.at_level(logging.WARNING, "technoshare"):
        assert await workspace.press(await a_comment(workspace), "vote-up")
        await workspace.until(lambda: any(call.method == "chat.postEphemeral" for call in workspace.calls))
        await workspace.press(await a_comment(workspace), "vote-down")
        await workspace.until(workspace.view)
    assert "a vote's answer did not reach its author: user_not_in_channel" in caplog.text
    assert len(votes.clicks) == 2


def test_the_manifest_lets_slack_tell_the_app_what_is_clicked_and_needs_no_scope_for_it():
    manifest = json.loads((ROOT / "manifest.json").read_text())
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert "reactions:read" not in manifest["oauth_config"]["scopes"]["bot"]


# ---------------------------------------------------------------- hostile payloads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES = ("user", "channel", "container", "actions", "trigger_id", "view")


async def never(*_, **__):
    raise AssertionError("nothing may be stored")


class Nobody:
    cast = explain = hand_on = never


@given(body=st.dictionaries(st.sampled_from(NAMES), JSON))
async def test_a_payload_of_any_shape_is_acked_and_nothing_else(body):
    acks = []

    async def ack():
        acks.append(1)

    voting = Voting(AsyncWebClient(), Nobody(), {"C1"})
    await voting.vote(body, ack)
    await voting.explain(body, ack)
    assert len(acks) == 2


async def test_a_form_that_carries_what_we_never_wrote_is_acked_and_nothing_else():
    acked = asyncio.Event()

    async def ack():
        acked.set()

    body = {"user": {"id": "U1"}, "view": {"private_metadata": '{"vote": {"job_id": 7}}', "state": {"values": {}}}}
    await Voting(AsyncWebClient(), Nobody(), {"C1"}).explain(body, ack)
    assert acked.is_set()


@given(chosen=st.lists(st.sampled_from([*REASONS, "made up"])), words=st.text(max_size=LONGEST_WORDS))
def test_the_known_words_of_a_reason_can_be_read_from_it_again(chosen, words):
    known = tuple(word for word in REASONS if word in chosen)
    assert reasons_in(reason_of(chosen, words)) == (known or (("other",) if words else ()))
