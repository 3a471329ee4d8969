"""Forms of the local Slack: who may open one, what comes back, with the keys that Slack sends."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.buttons import LONGEST_WORDS, reason_form
from technoshare.workspace import views
from technoshare.workspace.errors import ApiError
from technoshare.workspace.server import open_workspace
from tests.workspace.test_clicks import a_message, a_socket, next_envelope

SUBMISSION = {
    "type",
    "enterprise",
    "team",
    "user",
    "api_app_id",
    "token",
    "trigger_id",
    "view",
    "is_enterprise_install",
}
VIEW = {"id", "team_id", "type", "title", "submit", "close", "blocks", "private_metadata", "callback_id", "external_id",
        "state", "hash", "clear_on_close", "notify_on_close", "root_view_id", "previous_view_id", "app_id", "bot_id"}  # fmt: skip
"""Names as in Slack's published samples of views.open and view_submission."""

FORM = reason_form("kept")
ADA = "U0ADA000001"


class Desk:
    """A workspace with a bot that acks what is clicked and says nothing."""

    def __init__(self, workspace, socket):
        self.workspace, self.socket = workspace, socket
        self.client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url, retry_handlers=[])

    async def clicked(self, **who):
        """Press a button and return the payload that the bot got."""
        ts = await a_message(self.workspace)
        return await self.heard(self.workspace.press(ts, "retry", **who))

    async def heard(self, action):
        """Do something, ack the envelope that it brings, return the payload."""
        task = asyncio.create_task(action)
        frame = await next_envelope(self.socket)
        await self.socket.send_json({"envelope_id": frame["envelope_id"]})
        assert await task
        return frame["payload"]

    async def opened(self, view=FORM, **who):
        trigger = (await self.clicked(**who))["trigger_id"]
        return await self.client.views_open(trigger_id=trigger, view=view)

    async def refused(self, trigger, view=FORM):
        with pytest.raises(SlackApiError) as caught:
            await self.client.views_open(trigger_id=trigger, view=view)
        return caught.value.response["error"]


@pytest.fixture
async def desk():
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        yield Desk(workspace, await a_socket(workspace, session))


async def test_a_form_is_shown_to_whoever_clicked_and_to_nobody_else(desk):
    answer = await desk.opened(user=ADA)
    assert set(answer["view"]) == VIEW
    assert desk.workspace.view(ADA)["private_metadata"] == "kept"
    assert desk.workspace.view() is None


async def test_what_is_sent_reaches_the_bot_with_slacks_keys_and_closes_the_form(desk):
    await desk.opened()
    payload = await desk.heard(desk.workspace.submit({"reasons": ["wrong_facts"], "words": ""}))
    assert set(payload) == SUBMISSION
    assert set(payload["view"]) == VIEW
    values = payload["view"]["state"]["values"]
    assert [option["value"] for option in values["reasons"]["reasons"]["selected_options"]] == ["wrong_facts"]
    assert values["words"]["words"] == {"type": "plain_text_input", "value": None}
    assert desk.workspace.view() is None


async def test_a_trigger_opens_one_form_and_only_within_three_seconds(desk, monkeypatch):
    trigger = (await desk.clicked())["trigger_id"]
    await desk.client.views_open(trigger_id=trigger, view=FORM)
    assert await desk.refused(trigger) == "exchanged_trigger_id"
    assert await desk.refused("made up") == "invalid_trigger_id"
    monkeypatch.setattr(views, "TRIGGER_SECONDS", -1.0)
    assert await desk.refused((await desk.clicked())["trigger_id"]) == "expired_trigger_id"


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "home"},
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"title": {"type": "plain_text", "text": ""}},
        {"private_metadata": "x" * 3_001},
        {"submit": None},
        {"blocks": [FORM["blocks"][0] | {"element": FORM["blocks"][0]["element"] | {"options": []}}]},
        {"blocks": [FORM["blocks"][0] | {"element": {"type": "dance", "action_id": "x"}}]},
    ],
)
async def test_a_form_that_slack_would_refuse_is_refused(desk, changes):
    view = {name: value for name, value in (FORM | changes).items() if value is not None}
    trigger = (await desk.clicked())["trigger_id"]
    assert await desk.refused(trigger, view) == "invalid_arguments"
    assert desk.workspace.view() is None


async def test_nobody_can_send_what_slack_would_not_let_them(desk):
    with pytest.raises(ApiError, match="no_open_form"):
        await desk.workspace.submit({})
    await desk.opened()
    with pytest.raises(ApiError, match="form_incomplete"):
        await desk.workspace.submit({"words": "only words"})
    with pytest.raises(ApiError, match="text_too_long"):
        await desk.workspace.submit({"reasons": ["other"], "words": "x" * (LONGEST_WORDS + 1)})


async def test_a_form_that_the_bot_does_not_acknowledge_stays_open():
    async with open_workspace(ack_seconds=0.2) as workspace, aiohttp.ClientSession() as session:
        desk = Desk(workspace, await a_socket(workspace, session))
        await desk.opened()
        assert not await workspace.submit({"reasons": ["other"], "words": ""})
        assert workspace.view()


def test_our_form_is_one_that_slacks_own_client_takes():
    view = View(**FORM)
    view.validate_json()
    assert view.to_dict()["blocks"]
