"""Alerts in the operator's channel."""

import asyncio
import logging
import time

import pytest

from technoshare.errors import Transient
from technoshare.memory import MemoryBook
from technoshare.models import Alert
from technoshare.once import Once
from technoshare.slack.alarm import Alarm
from technoshare.slack.web import web_client
from technoshare.workspace.identity import BOT
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, a_bot

ALERT = Alert(token="pass_rate 1.0", line="30 % failed a check")


class Alerts:
    """Says the same until it is known to be said."""

    def __init__(self, book):
        self.book = book

    async def look(self):
        standing = self.book._posts.get(ALERT.token)
        return () if standing and standing.receipt else (ALERT,)


class Desk:
    def __init__(self, workspace, channel):
        self.workspace, self.channel = workspace, channel
        self.slept = asyncio.Event()
        self.book = MemoryBook()
        client = web_client(workspace.bot_token, workspace.api_url)
        self.alarm = Alarm(client, BOT, channel, Alerts(self.book), Once(self.book, time.time, self.sleep))

    async def sleep(self, seconds):
        self.slept.set()
        await asyncio.sleep(0)

    @property
    def said(self):
        return [message["text"] for message in self.workspace.messages(self.channel)]

    async def watch_until(self, condition):
        task = asyncio.create_task(self.alarm.watch())
        try:
            await self.workspace.until(condition)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def desk():
    async with open_workspace() as workspace:
        yield Desk(workspace, workspace.add_channel("operators"))


async def test_an_alert_is_one_message_in_its_channel(desk):
    await desk.alarm.look()
    await desk.alarm.look()
    assert desk.said == [ALERT.line]
    assert desk.workspace.messages() == []


async def test_an_alert_that_slack_refuses_is_told_when_slack_takes_it(desk, caplog):
    desk.workspace.faults.rate_limit("chat.postMessage", n=2)
    desk.workspace.faults.refuse("chat.postMessage", error="not_in_channel")
    with caplog.at_level(logging.WARNING, "technoshare"):
        await desk.watch_until(lambda: desk.said)
    assert desk.said == [ALERT.line]
    assert f"no alert can be posted into ALERT_CHANNEL {desk.channel}: ratelimited" in caplog.text
    assert caplog.text.count("ratelimited") == 1


@pytest.mark.parametrize("fault", ["drop_answer", "server_error"])
async def test_an_alert_whose_answer_was_lost_is_looked_for_before_it_is_told_again(desk, fault):
    getattr(desk.workspace.faults, fault)("chat.postMessage")
    with pytest.raises(Transient):
        await desk.alarm.look()
    await desk.alarm.look()
    assert desk.said == [ALERT.line]
    assert [call.method for call in desk.workspace.calls][1] == "conversations.history"


async def test_an_alarm_that_breaks_goes_on_and_harms_nobody(desk, caplog):
    class Breaking(Alerts):
        async def look(self):
            self.look = super().look
            raise RuntimeError("a bug")

    desk.alarm._alerts = Breaking(desk.book)
    await desk.watch_until(lambda: desk.said)
    assert "a bug" in caplog.text


async def test_an_alert_channel_in_which_the_bot_is_not_is_warned_about_at_the_start(caplog):
    async with open_workspace() as workspace:
        channel = workspace.add_channel("operators", member=False)
        with caplog.at_level(logging.WARNING, "technoshare"):
            async with a_bot(workspace, Engine(), alert_channel=channel):
                assert f"ALERT_CHANNEL #operators ({channel}): the bot is not in it" in caplog.text
            caplog.clear()
            async with a_bot(workspace, Engine(), alert_channel="C0NOWHERE"):
                assert "ALERT_CHANNEL channel C0NOWHERE: channel_not_found; check ALERT_CHANNEL" in caplog.text
