"""The operator's channel: one line when a rate has become bad. Never in a job's way."""

from __future__ import annotations

import logging
import sqlite3
from functools import partial

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import TechnoShareError, Transient
from technoshare.models import Alert, Message, Receipt
from technoshare.once import Once
from technoshare.ports import Alerts
from technoshare.slack.lookup import CLOCK_SKEW
from technoshare.slack.web import NO_ANSWER, failure_of, silence_of

log = logging.getLogger("technoshare.slack")

EVENT_TYPE = "technoshare_alert"

PERIOD = 60.0
"""Seconds between two looks."""


class Alarm:
    """Says each alert once in `channel`; `client` must be one that sends every call exactly once."""

    def __init__(self, client: AsyncWebClient, bot_id: str, channel: str, alerts: Alerts, once: Once) -> None:
        self._client = client
        self._bot_id = bot_id
        self._channel = channel
        self._alerts = alerts
        self._once = once
        self._trouble = ""

    async def watch(self) -> None:
        """Look now and every minute, until cancelled; whatever goes wrong is tried again at the next look."""
        while True:
            try:
                await self.look()
                self._trouble = ""
            except (TechnoShareError, sqlite3.Error) as error:
                self._complain(str(error))
            except Exception:
                log.exception("no alert can be posted")  # a later look may go better; this loop must not die
            await self._once.sleep(PERIOD)

    async def look(self) -> None:
        """Say what is to be said. Raises `Refused` and `Transient` when Slack does not take it now."""
        for alert in await self._alerts.look():
            await self._once(alert.token, partial(self._send, alert), partial(self._find, alert))
            log.warning("alert: %s", alert.line)

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:  # not every minute anew
            log.warning("no alert can be posted into ALERT_CHANNEL %s: %s", self._channel, trouble)
        self._trouble = trouble

    async def _send(self, alert: Alert) -> Receipt:
        try:
            answer = await self._client.chat_postMessage(
                channel=self._channel,
                text=alert.line,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"token": alert.token}},
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as error:
            raise failure_of(error) from error
        except NO_ANSWER as error:
            raise silence_of(error) from error
        return self._receipt(alert, str(answer["ts"]))

    async def _find(self, alert: Alert, at: float) -> Receipt | None:
        """Return the receipt of a post made after unix time `at`. Raises `Transient` when Slack cannot be asked."""
        oldest = f"{at - CLOCK_SKEW:.6f}"
        try:
            page = await self._client.conversations_history(
                channel=self._channel, oldest=oldest, include_all_metadata=True, limit=200
            )
        except (SlackApiError, *NO_ANSWER) as error:
            raise Transient(f"it is unknown whether an alert arrived ({type(error).__name__})") from error
        for post in page["messages"]:
            marks = post.get("metadata", {}).get("event_payload", {})
            if post.get("bot_id") == self._bot_id and marks.get("token") == alert.token:
                return self._receipt(alert, str(post["ts"]))
        return None

    def _receipt(self, alert: Alert, ts: str) -> Receipt:
        return Receipt(channel=self._channel, thread_ts=ts, ts=ts, message=Message(text=alert.line, blocks=()))
