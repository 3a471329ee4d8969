"""Buttons of the local Slack: what the app is told, with the keys that Slack sends."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.workspace.errors import ApiError
from technoshare.workspace.server import open_workspace

KEYS = {
    "": {"type", "user", "api_app_id", "token", "container", "trigger_id", "team", "enterprise", "is_enterprise_install",
         "channel", "message", "state", "response_url", "actions"},
    "user": {"id", "username", "name", "team_id"},
    "container": {"type", "message_ts", "channel_id", "is_ephemeral", "thread_ts"},
    "team": {"id", "domain"},
    "channel": {"id", "name"},
    "actions": {"action_id", "block_id", "text", "value", "type", "action_ts"},
}  # fmt: skip
"""Of a click on a button in a thread; names as in Slack's published samples."""

BUTTON = {"type": "button", "action_id": "retry", "value": "v", "text": {"type": "plain_text", "text": "Retry"}}


async def a_message(workspace, **where):
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    blocks = [{"type": "actions", "block_id": "retry-0", "elements": [BUTTON]}]
    return (await client.chat_postMessage(channel=workspace.channel, text="x", blocks=blocks, **where))["ts"]


async def a_socket(workspace, session):
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    return await session.ws_connect(opened["url"])


async def next_envelope(socket):
    while (frame := await socket.receive_json()).get("type") != "interactive":
        if "envelope_id" in frame:
            await socket.send_json({"envelope_id": frame["envelope_id"]})
    return frame


async def test_a_click_reaches_the_bot_as_an_interactive_envelope_with_slacks_keys():
    async with open_workspace(ack_seconds=0.3) as workspace, aiohttp.ClientSession() as session:
        ts = await a_message(workspace, thread_ts=workspace.say("hello"))
        socket = await a_socket(workspace, session)
        assert not await workspace.press(ts, "retry")  # nobody acks
        payload = (await next_envelope(socket))["payload"]
    assert set(payload) == KEYS[""]
    assert all(set(payload[name]) == KEYS[name] for name in ("user", "container", "team", "channel"))
    (action,) = payload["actions"]
    assert set(action) == KEYS["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("retry", "retry-0", "v")
    assert payload["container"]["message_ts"] == payload["message"]["ts"] == ts


async def test_a_click_is_delivered_once_and_never_waits_for_a_bot():
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        ts = await a_message(workspace)
        async with session.post(f"{workspace.url}control/press", json={"ts": ts, "action_id": "retry"}) as answer:
            assert await answer.json() == {"acked": False}
    assert not [delivery for delivery in workspace.deliveries if "actions" in delivery.event]


async def test_a_button_that_is_not_there_cannot_be_pressed():
    async with open_workspace() as workspace:
        with pytest.raises(ApiError, match="no_such_button"):
            await workspace.press(await a_message(workspace), "other")
