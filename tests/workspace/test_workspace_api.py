"""The local Slack's Web API, through the real client: what it takes, what it refuses, which keys it answers with."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.workspace.blocks import check_message
from technoshare.workspace.errors import ApiError
from technoshare.workspace.server import open_workspace


@pytest.fixture
async def workspace():
    async with open_workspace() as opened:
        yield opened


@pytest.fixture
def client(workspace):
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url, timeout=5, retry_handlers=[])


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def refused(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


# ---------------------------------------------------------------- tokens and scopes


async def test_auth_test_tells_who_the_bot_is_and_which_scopes_it_has(workspace, client):
    answer = await client.auth_test()
    assert (answer["url"], answer["team_id"], answer["user_id"]) == (workspace.url, workspace.team, workspace.bot_user)
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "error"),
    [("xoxb-wrong", "invalid_auth"), ("xapp-local-workspace", "not_allowed_token_type"), ("", "not_authed")],
)
async def test_a_wrong_bot_token_is_refused(workspace, token, error):
    client = AsyncWebClient(token=token, base_url=workspace.api_url)
    assert await refused(client.auth_test()) == error


@pytest.mark.parametrize(
    ("token", "error"), [("xapp-wrong", "invalid_auth"), ("xoxb-local-workspace", "not_allowed_token_type")]
)
async def test_a_wrong_app_token_opens_no_socket(client, token, error):
    assert await refused(client.apps_connections_open(app_token=token)) == error


async def test_a_missing_scope_is_named(workspace, client):
    workspace.scopes = ("channels:history",)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=workspace.channel, text="x")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"
    assert caught.value.response["provided"] == "channels:history"


async def test_a_method_that_nobody_built_is_unknown(client):
    assert await refused(client.api_call("chat.dance")) == "unknown_method"


# ---------------------------------------------------------------- posting


async def test_a_reply_keeps_its_blocks_metadata_and_thread(workspace, client):
    ts = workspace.say("https://example.org/")
    metadata = {"event_type": "comment", "event_payload": {"job_id": "abc"}}
    await client.chat_postMessage(
        channel=workspace.channel,
        thread_ts=ts,
        text="see https://example.org/x.",
        blocks=[section("hi")],
        metadata=metadata,
    )
    (reply,) = workspace.replies(ts)
    assert reply["metadata"] == metadata
    assert reply["thread_ts"] == ts
    assert reply["text"] == "see <https://example.org/x>."
    assert reply["blocks"][0]["text"]["text"] == "hi"
    assert workspace.messages()[0]["reply_count"] == 1


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [section("")]}, "invalid_blocks"),
        ({"blocks": [{"type": "dance"}]}, "invalid_blocks"),
        ({"blocks": ["text"]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "rich_text", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": [{"type": "plain_text", "text": "x"}] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "x" * 6001}] * 2}, "msg_too_long"),
        ({"blocks": [section("x" * 2900)] * 5}, "msg_blocks_too_long"),
    ],
)
async def test_what_slack_would_refuse_is_refused(workspace, client, message, error):
    assert await refused(client.chat_postMessage(channel=workspace.channel, **{"text": "x", **message})) == error
    assert workspace.messages() == []


async def test_a_message_of_nothing_is_refused(client, workspace):
    assert await refused(client.api_call("chat.postMessage", json={"channel": workspace.channel})) == "no_text"


@pytest.mark.parametrize(
    "block",
    [
        section("x" * 3000),
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}},
        {"type": "markdown", "text": "x" * 12_000},
        {"type": "context", "elements": [{"type": "plain_text", "text": "x"}] * 10},
    ],
)
def test_a_block_at_its_limit_is_taken_by_this_workspace_and_by_slacks_own_models(block):
    assert check_message("x", [block]) == [block]
    assert [parsed.to_dict() for parsed in Block.parse_all([block])]


def test_blocks_that_are_no_list_are_refused():
    with pytest.raises(ApiError, match="invalid_blocks_format"):
        check_message("x", {"type": "divider"})


async def test_a_channel_that_is_unknown_closed_or_without_the_bot_takes_no_post(workspace, client):
    closed = workspace.add_channel("old")
    workspace.archive(closed)
    without = workspace.add_channel("private", member=False)
    for channel, error in (("C0NOWHERE00", "channel_not_found"), (without, "not_in_channel"), (closed, "is_archived")):
        assert await refused(client.chat_postMessage(channel=channel, text="x")) == error


async def test_the_bot_can_change_and_delete_its_own_posts_only(workspace, client):
    theirs = workspace.say("mine")
    own = (await client.chat_postMessage(channel=workspace.channel, text="one", blocks=[section("one")]))["ts"]
    await client.chat_update(channel=workspace.channel, ts=own, text="two")
    assert workspace.messages()[1]["text"] == "two"
    assert workspace.messages()[1]["blocks"] == []  # chat.update without blocks takes them away
    assert await refused(client.chat_update(channel=workspace.channel, ts=theirs, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=workspace.channel, ts=theirs)) == "cant_delete_message"
    await client.chat_delete(channel=workspace.channel, ts=own)
    assert [message["ts"] for message in workspace.messages()] == [theirs]


async def test_reactions_are_added_once_and_taken_away(workspace, client):
    ts = workspace.say("x")
    where = {"channel": workspace.channel, "timestamp": ts, "name": "eyes"}
    await client.reactions_add(**where)
    assert await refused(client.reactions_add(**where)) == "already_reacted"
    assert workspace.messages()[0]["reactions"] == [{"name": "eyes", "users": [workspace.bot_user], "count": 1}]
    await client.reactions_remove(**where)
    assert await refused(client.reactions_remove(**where)) == "no_reaction"
    assert workspace.reactions(ts) == []
    assert await refused(client.reactions_add(**where | {"timestamp": "1.0"})) == "message_not_found"


async def test_an_ephemeral_message_is_in_no_history(workspace, client):
    ts = workspace.say("x")
    person = workspace.messages()[0]["user"]
    assert (await client.chat_postEphemeral(channel=workspace.channel, user=person, thread_ts=ts, text="only you"))[
        "message_ts"
    ]
    assert workspace.replies(ts) == []


# ---------------------------------------------------------------- reading


async def test_history_and_replies_come_in_pages_that_miss_nothing(workspace, client):
    said = [workspace.say(str(number)) for number in range(7)]
    answers = [workspace.say(f"reply {number}", thread_ts=said[0]) for number in range(5)]
    history, replies = [], []
    async for page in await client.conversations_history(channel=workspace.channel, limit=3):
        history += [message["ts"] for message in page["messages"]]
    async for page in await client.conversations_replies(channel=workspace.channel, ts=said[0], limit=2):
        replies += [message["ts"] for message in page["messages"]]
    assert history == said[::-1]
    assert replies == [said[0], *answers]


async def test_history_can_be_asked_from_a_time_on(workspace, client):
    first, second, third = (workspace.say(word) for word in "abc")
    later = await client.conversations_history(channel=workspace.channel, oldest=first)
    assert [message["ts"] for message in later["messages"]] == [third, second]
    with_edge = await client.conversations_history(
        channel=workspace.channel, oldest=first, latest=second, inclusive=True
    )
    assert [message["ts"] for message in with_edge["messages"]] == [second, first]


async def test_metadata_is_shown_only_when_asked_for(workspace, client):
    ts = workspace.say("x")
    metadata = {"event_type": "comment", "event_payload": {"token": "t"}}
    await client.chat_postMessage(channel=workspace.channel, thread_ts=ts, text="y", metadata=metadata)
    where = {"channel": workspace.channel, "ts": ts}
    assert "metadata" not in (await client.conversations_replies(**where))["messages"][1]
    assert (await client.conversations_replies(**where, include_all_metadata=True))["messages"][1][
        "metadata"
    ] == metadata


@pytest.mark.parametrize("arguments", [{"limit": "x"}, {"cursor": "x"}, {"oldest": "x"}])
async def test_nonsense_in_a_question_is_refused_and_not_a_crash(workspace, client, arguments):
    assert (await refused(client.conversations_history(channel=workspace.channel, **arguments))).startswith("invalid_")


async def test_a_permalink_is_an_address_of_the_page(workspace, client):
    ts = workspace.say("x")
    link = (await client.chat_getPermalink(channel=workspace.channel, message_ts=ts))["permalink"]
    assert link == f"{workspace.url}archives/{workspace.channel}/p{ts.replace('.', '')}"
    async with aiohttp.ClientSession() as session, session.get(link) as page:
        assert page.status == 200


async def test_a_shared_channel_says_so(workspace, client):
    shared = workspace.add_channel("with-customers", external=True)
    assert (await client.conversations_info(channel=shared))["channel"]["is_ext_shared"] is True
    assert (await client.conversations_info(channel=workspace.channel))["channel"]["is_ext_shared"] is False


# ---------------------------------------------------------------- faults


async def test_a_dropped_answer_leaves_the_message_posted(workspace, client):
    workspace.faults.drop_answer("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=workspace.channel, text="posted all the same")
    assert [message["text"] for message in workspace.messages()] == ["posted all the same"]


async def test_a_rate_limit_says_when_to_come_back_and_posts_nothing(workspace, client):
    workspace.faults.rate_limit("chat.postMessage", 1, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=workspace.channel, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert workspace.messages() == []
    assert (await client.chat_postMessage(channel=workspace.channel, text="x"))["ok"]


async def test_faults_of_a_method_come_in_the_order_in_which_they_were_set(workspace, client):
    workspace.faults.refuse("reactions.add", error="fatal_error")
    workspace.faults.server_error("reactions.add")
    where = {"channel": workspace.channel, "timestamp": workspace.say("x"), "name": "eyes"}
    assert await refused(client.reactions_add(**where)) == "fatal_error"
    with pytest.raises((SlackApiError, SlackRequestError)):
        await client.reactions_add(**where)
    assert (await client.reactions_add(**where))["ok"]


async def test_who_waits_in_vain_is_told_what_was_seen(workspace, client):
    await client.auth_test()
    with pytest.raises(TimeoutError, match=r"0 sockets, 0 deliveries, last calls: auth\.test"):
        await workspace.until(lambda: False, timeout=0.01)


async def test_waiting_ends_with_the_change_that_fulfils_it(workspace, client):
    waiting = asyncio.create_task(workspace.until(workspace.messages))
    await client.auth_test()
    assert not waiting.done()
    workspace.say("x")
    await waiting


# ---------------------------------------------------------------- keys

# Keys that real payloads of each kind have, as facts about Slack; the workspace must not invent others.
CALLBACK = {"token", "enterprise_id", "team_id", "api_app_id", "event", "type", "event_id", "event_time",
            "authorizations", "is_ext_shared_channel", "event_context"}  # fmt: skip
EVENT = {"client_msg_id", "type", "team", "channel", "user", "bot_id", "bot_profile", "text", "blocks", "attachments",
         "metadata", "ts", "parent_user_id", "thread_ts", "event_ts", "channel_type", "edited"}  # fmt: skip
NESTED = {"client_msg_id", "type", "subtype", "user", "team", "bot_id", "bot_profile", "edited", "text", "blocks",
          "attachments", "thread_ts", "parent_user_id", "ts"}  # fmt: skip
CHANGED = {"type", "subtype", "channel", "hidden", "message", "previous_message", "event_ts", "ts", "channel_type"}
DELETED = CHANGED - {"message"} | {"deleted_ts"}
POSTED = {"bot_id", "type", "text", "user", "ts", "team", "bot_profile", "thread_ts", "parent_user_id", "app_id",
          "metadata", "attachments", "blocks"}  # fmt: skip
SHOWN = POSTED | {
    "reply_count",
    "reply_users_count",
    "latest_reply",
    "reply_users",
    "subscribed",
    "reactions",
    "edited",
}
ANSWERS = {
    "auth.test": {"ok", "url", "team", "user", "team_id", "user_id", "bot_id", "is_enterprise_install"},
    "chat.postMessage": {"ok", "channel", "ts", "message"},
    "chat.update": {"ok", "channel", "ts", "text", "message"},
    "chat.delete": {"ok", "channel", "ts"},
    "chat.getPermalink": {"ok", "channel", "permalink"},
    "chat.postEphemeral": {"ok", "message_ts"},
    "reactions.add": {"ok"},
    "conversations.info": {"ok", "channel"},
    "conversations.history": {"ok", "messages", "has_more", "response_metadata"},
    "conversations.replies": {"ok", "messages", "has_more", "response_metadata"},
    "users.info": {"ok", "user"},
    "bots.info": {"ok", "bot"},
    "assistant.threads.setStatus": {"ok"},
}
CHANNEL = {"id", "name", "is_channel", "is_group", "is_im", "created", "is_archived", "is_general", "name_normalized",
           "is_shared", "creator", "is_ext_shared", "is_org_shared", "is_pending_ext_shared", "is_member", "is_private",
           "is_mpim", "context_team_id"}  # fmt: skip
USER = {"id", "team_id", "name", "deleted", "real_name", "tz", "tz_offset", "profile", "is_bot"}
BOT = {"id", "deleted", "name", "updated", "app_id", "user_id", "icons"}


async def test_no_answer_has_a_key_that_slack_does_not_send(workspace, client):
    ts = workspace.say("https://example.org/")
    where = {"channel": workspace.channel}
    person = workspace.messages()[0]["user"]
    metadata = {"event_type": "t", "event_payload": {}}
    posted = await client.chat_postMessage(**where, thread_ts=ts, text="x", blocks=[section("y")], metadata=metadata)
    answers = {
        "auth.test": await client.auth_test(),
        "chat.postMessage": posted,
        "chat.update": await client.chat_update(**where, ts=posted["ts"], text="z"),
        "chat.getPermalink": await client.chat_getPermalink(**where, message_ts=ts),
        "chat.postEphemeral": await client.chat_postEphemeral(**where, user=person, text="z"),
        "reactions.add": await client.reactions_add(**where, timestamp=ts, name="eyes"),
        "conversations.info": await client.conversations_info(**where),
        "conversations.history": await client.conversations_history(**where, limit=1),
        "conversations.replies": await client.conversations_replies(**where, ts=ts, limit=1),
        "users.info": await client.users_info(user=person),
        "bots.info": await client.bots_info(bot=posted["message"]["bot_id"]),
        "assistant.threads.setStatus": await client.assistant_threads_setStatus(
            channel_id=workspace.channel, thread_ts=ts, status="reads"
        ),
        "chat.delete": await client.chat_delete(**where, ts=posted["ts"]),
    }
    assert {name: set(answer.data) - ANSWERS[name] for name, answer in answers.items()} == {
        name: set() for name in ANSWERS
    }
    assert set(posted["message"]) <= POSTED
    assert set(answers["chat.update"]["message"]) <= POSTED - {"ts", "thread_ts", "parent_user_id"} | {"edited"}
    assert set(answers["conversations.history"]["messages"][0]) <= SHOWN | {"client_msg_id"}
    assert set(answers["conversations.replies"]["messages"][0]) <= SHOWN
    assert set(answers["conversations.info"]["channel"]) <= CHANNEL
    assert set(answers["users.info"]["user"]) <= USER
    assert set(answers["bots.info"]["bot"]) <= BOT


async def test_no_event_has_a_key_that_slack_does_not_send(workspace, client):
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        assert set(await socket.receive_json()) == {"type", "num_connections", "debug_info", "connection_info"}
        ts = workspace.say("https://example.org/")
        metadata = {"event_type": "t", "event_payload": {}}
        await client.chat_postMessage(channel=workspace.channel, thread_ts=ts, text="x", metadata=metadata)
        workspace.unfurl(ts, "https://example.org/", title="Example")
        workspace.edit(ts, "other words")
        workspace.delete(ts)
        for kinds in (EVENT, EVENT, CHANGED, CHANGED, DELETED):
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            assert set(envelope) == {
                "envelope_id", "type", "payload", "accepts_response_payload", "retry_attempt", "retry_reason",
            }  # fmt: skip
            event = envelope["payload"]["event"]
            assert set(envelope["payload"]) <= CALLBACK
            assert set(event) <= kinds
            assert set(event.get("message", {})) <= NESTED
            assert set(event.get("previous_message", {})) <= NESTED
