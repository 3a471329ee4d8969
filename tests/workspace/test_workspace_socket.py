"""The local Slack against the real Bolt client over a real WebSocket."""

import asyncio
import re
from contextlib import asynccontextmanager

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.workspace.server import open_workspace


class Bot:
    """A bot of a few lines: it notes what it hears and acknowledges it unless told otherwise."""

    def __init__(self, workspace):
        self.heard = []
        self.silent = 0
        self.client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url, timeout=5)
        self.app = AsyncApp(client=self.client, process_before_response=True)
        self.app.event(re.compile(".*"))(self.hear)
        self.app.middleware(self.notice)
        self.handler = AsyncSocketModeHandler(self.app, workspace.app_token, ping_interval=1)

    async def notice(self, body, ack, next):  # noqa: A002 - Bolt passes it by this name
        if body["type"] != "app_rate_limited":
            return await next()
        self.heard.append(body)
        return await ack()

    async def hear(self, event):
        self.heard.append(event)
        if self.silent:
            self.silent -= 1
            raise RuntimeError("not stored")


@asynccontextmanager
async def connected(workspace, count=1):
    bots = [Bot(workspace) for _ in range(count)]
    try:
        for bot in bots:
            await bot.handler.connect_async()
        await workspace.until(lambda: workspace.connections == count)
        yield bots if count > 1 else bots[0]
    finally:
        for bot in bots:
            await bot.handler.close_async()


async def all_acked(workspace):
    await workspace.until(lambda: workspace.deliveries and all(d.acked_at for d in workspace.deliveries))


async def test_a_message_reaches_the_bot_and_its_reaction_and_reply_reach_the_thread():
    async with open_workspace() as workspace, connected(workspace) as bot:
        ts = workspace.say("look: https://example.org/a?x=1&y=2")
        await all_acked(workspace)
        await bot.client.reactions_add(channel=workspace.channel, name="eyes", timestamp=ts)
        await bot.client.chat_postMessage(channel=workspace.channel, thread_ts=ts, text="read it")
        event = bot.heard[0]
        assert event["text"] == "look: <https://example.org/a?x=1&amp;y=2>"
        assert event["blocks"][0]["elements"][0]["elements"] == [
            {"type": "text", "text": "look: "},
            {"type": "link", "url": "https://example.org/a?x=1&y=2"},
        ]
        assert (event["channel"], event["ts"], event["team"]) == (workspace.channel, ts, workspace.team)
        assert workspace.reactions(ts) == ["eyes"]
        assert [reply["text"] for reply in workspace.replies(ts)] == ["read it"]


async def test_an_event_that_is_not_acknowledged_comes_again_with_its_attempt_and_the_same_event_id():
    async with open_workspace(ack_seconds=0.1, retry_seconds=(0.0, 0.05, 0.05)) as workspace:
        async with connected(workspace) as bot:
            bot.silent = 2
            workspace.say("https://example.org/")
            await workspace.until(lambda: any(d.acked_at for d in workspace.deliveries))
        assert [d.retry_attempt for d in workspace.deliveries] == [0, 1, 2]
        assert [bool(d.acked_at) for d in workspace.deliveries] == [False, False, True]
        assert len({d.event_id for d in workspace.deliveries}) == 1
        assert len({d.envelope_id for d in workspace.deliveries}) == 3


async def test_after_the_last_retry_an_event_is_given_up():
    async with open_workspace(ack_seconds=0.05, retry_seconds=(0.0,)) as workspace, connected(workspace) as bot:
        bot.silent = 99
        workspace.say("one")
        await workspace.until(lambda: len(workspace.deliveries) == 2)
        bot.silent = 0
        workspace.say("two")
        await workspace.until(lambda: workspace.deliveries[-1].acked_at)
        assert [d.event["text"] for d in workspace.deliveries] == ["one", "one", "two"]


async def test_messages_posted_while_no_bot_is_connected_arrive_when_one_comes():
    async with open_workspace() as workspace:
        for number in range(3):
            workspace.say(f"number {number}")
        async with connected(workspace) as bot:
            await workspace.until(lambda: len(workspace.deliveries) == 3)
            await all_acked(workspace)
            assert [event["text"] for event in bot.heard] == ["number 0", "number 1", "number 2"]


async def test_two_connected_bots_share_the_events_and_each_event_goes_to_one_of_them():
    async with open_workspace() as workspace, connected(workspace, 2) as (first, second):
        for number in range(6):
            workspace.say(str(number))
        await workspace.until(lambda: len(workspace.deliveries) == 6)
        await all_acked(workspace)
        assert len(first.heard) == len(second.heard) == 3
        assert {event["text"] for event in first.heard + second.heard} == set("012345")


async def test_one_event_can_be_delivered_again_under_another_event_id():
    async with open_workspace() as workspace, connected(workspace) as bot:
        workspace.say("https://example.org/")
        await all_acked(workspace)
        workspace.deliver(workspace.deliveries[0].event, event_id="Ev2")
        await workspace.until(lambda: len(workspace.deliveries) == 2)
        await all_acked(workspace)
        assert bot.heard[0] == bot.heard[1]
        assert workspace.deliveries[0].event_id != workspace.deliveries[1].event_id == "Ev2"


async def test_the_bots_own_posts_come_back_as_events_that_carry_its_bot_id():
    async with open_workspace() as workspace, connected(workspace) as bot:
        await bot.client.chat_postMessage(channel=workspace.channel, text="mine")
        await all_acked(workspace)
        assert workspace.deliveries[0].event["bot_id"]
        assert workspace.deliveries[0].event["user"] == workspace.bot_user
        assert bot.heard == []  # Bolt itself ignores and acknowledges the app's own posts


async def test_edits_deletions_previews_and_rate_limit_notices_are_delivered():
    async with open_workspace() as workspace, connected(workspace) as bot:
        ts = workspace.say("https://example.org/")
        workspace.unfurl(ts, "https://example.org/", title="Example")
        workspace.edit(ts, "https://example.org/b")
        workspace.delete(ts)
        workspace.deliver({"type": "app_rate_limited", "minute_rate_limited": 1})
        await workspace.until(lambda: len(workspace.deliveries) == 5)
        await all_acked(workspace)
        _, preview, edit, deletion, notice = sorted(bot.heard, key=lambda event: event.get("event_ts", "9"))
        assert "edited" not in preview["message"]
        assert preview["message"]["attachments"][0]["from_url"] == "https://example.org/"
        assert edit["message"]["edited"]
        assert edit["previous_message"]["text"] == "<https://example.org/>"
        assert deletion["deleted_ts"] == ts
        assert notice["type"] == "app_rate_limited"
        assert "event" not in notice


async def test_a_channel_without_the_bot_sends_it_nothing():
    async with open_workspace() as workspace, connected(workspace) as bot:
        workspace.say("secret", channel=workspace.add_channel("elsewhere", member=False))
        workspace.say("open")
        await all_acked(workspace)
        assert [event["text"] for event in bot.heard] == ["open"]


# ---------------------------------------------------------------- faults


async def test_a_disconnect_notice_makes_the_client_come_back_with_a_new_ticket():
    async with open_workspace() as workspace, connected(workspace) as bot:
        await workspace.faults.disconnect("refresh_requested")
        await workspace.until(lambda: sum(c.method == "apps.connections.open" for c in workspace.calls) == 2)
        workspace.say("still there?")
        await all_acked(workspace)
        assert bot.heard[0]["text"] == "still there?"
        assert workspace.deliveries[0].connection == 2


async def test_a_cut_socket_is_noticed_and_its_events_go_to_the_next_one():
    async with open_workspace() as workspace, connected(workspace) as bot:
        workspace.faults.cut()
        workspace.say("after the cut")
        await all_acked(workspace)
        assert bot.heard[0]["text"] == "after the cut"


async def test_a_deaf_socket_looks_alive_and_hears_nothing():
    async with open_workspace(ack_seconds=0.05, retry_seconds=(0.0,)) as workspace, connected(workspace) as bot:
        workspace.faults.deafen()
        workspace.say("hello?")
        await workspace.until(lambda: len(workspace.deliveries) == 2)
        assert await bot.handler.client.is_connected()
        assert bot.heard == []


async def test_without_pongs_the_client_gives_its_socket_up():
    async with open_workspace() as workspace, connected(workspace):
        workspace.faults.no_pong = True
        await workspace.until(lambda: sum(c.method == "apps.connections.open" for c in workspace.calls) == 2)


async def test_a_rejected_handshake_spends_its_ticket():
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        workspace.faults.reject_handshakes = 1
        client = AsyncWebClient(base_url=workspace.api_url)
        url = (await client.apps_connections_open(app_token=workspace.app_token))["url"]
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
        fresh = (await client.apps_connections_open(app_token=workspace.app_token))["url"]
        async with session.ws_connect(fresh) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(fresh)


async def test_opening_a_connection_can_fail_for_a_while():
    async with open_workspace() as workspace:
        workspace.faults.fail_connections_open = 1
        client = AsyncWebClient(base_url=workspace.api_url)
        with pytest.raises(SlackApiError, match="internal_error"):
            await client.apps_connections_open(app_token=workspace.app_token)
        assert (await client.apps_connections_open(app_token=workspace.app_token))["ok"]


async def test_the_eleventh_socket_is_told_that_there_are_too_many():
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=workspace.api_url)
        sockets = []
        for _ in range(11):
            opened = await client.apps_connections_open(app_token=workspace.app_token)
            sockets.append(await session.ws_connect(opened["url"]))
        hello = [await socket.receive_json() for socket in sockets]
        assert [frame.get("num_connections") for frame in hello[:10]] == list(range(1, 11))
        assert (hello[10]["type"], hello[10]["reason"]) == ("disconnect", "too_many_websockets")
        await asyncio.gather(*(socket.close() for socket in sockets))


async def test_a_lost_event_is_in_the_history_and_nowhere_else():
    async with open_workspace() as workspace, connected(workspace) as bot:
        workspace.faults.lose_events = 1
        lost = workspace.say("lost")
        workspace.say("kept")
        await all_acked(workspace)
        assert [event["text"] for event in bot.heard] == ["kept"]
        assert workspace.messages()[0]["ts"] == lost


async def test_a_frame_that_is_no_acknowledgement_does_no_harm():
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=workspace.api_url)
        opened = await client.apps_connections_open(app_token=workspace.app_token)
        async with session.ws_connect(opened["url"]) as socket:
            await socket.receive_json()
            for frame in ("nonsense", "[]", '{"envelope_id": 7}', '{"envelope_id": "unknown"}'):
                await socket.send_str(frame)
            workspace.say("hello")
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            await all_acked(workspace)
