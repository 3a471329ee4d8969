"""slack_sdk's socket with its rough edges taken off: it dials patiently, quietly, and knows when it is in vain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import time
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from technoshare.errors import Refused
from technoshare.slack.web import NO_ANSWER, REVOKED, code_of, failure_of

log = logging.getLogger("technoshare.slack")

LONGEST_PAUSE = 32.0
"""Seconds between two requests for an address in a long outage."""

TOO_MANY = "too_many_websockets"
"""Why Slack sends an eleventh socket of one app away."""

_QUICK_TRIES = 5  # 1 + 2 + 4 + 8 + 16 s, then the longest pause


class Outages(logging.Filter):
    """Drops the tracebacks of failed dials: `watch` says in one line that there is no socket, and why."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is something else than Slack being away."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, (SlackApiError, *NO_ANSWER))


_socket_log = logging.getLogger("slack_sdk.socket_mode")
_socket_log.setLevel(logging.ERROR)  # at DEBUG the vendor formats every frame
_socket_log.addFilter(Outages())


class Line(SocketModeClient):
    """A socket that is dialled until it stands, and again whenever it falls.

    `refused` is told Slack's code once the app token is no longer accepted; after that nothing is dialled any more.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        *,
        ping_seconds: float,
        pause_seconds: float,
        refused: Callable[[str], None],
    ) -> None:
        super().__init__(app_token, logger=_socket_log, web_client=app.client, ping_interval=ping_seconds)
        self.proxy = app.client.proxy  # slack_sdk reads HTTP_PROXY anew, see `web_client`
        self.trouble = ""
        """What Slack said the last time that there was no socket to be had; empty while there is one."""
        self.socket_mode_request_listeners.append(self._answer)
        self._app = app
        self._first_pause = pause_seconds
        self._refused = refused
        self._asked = 0  # addresses since the last hello
        self._over = asyncio.Event()
        self._greeted = asyncio.Event()

    async def greeted_within(self, seconds: float | None) -> bool:
        """Wait for a new socket, at most so many seconds; return whether there is one since the last call."""
        try:
            async with asyncio.timeout(seconds):
                await self._greeted.wait()
        except TimeoutError:
            return False
        self._greeted.clear()
        return True

    async def issue_new_wss_url(self) -> str:
        """Return a new address, however long it takes; cancelled when the socket is closed for good.

        The first is asked for at once, the next after growing pauses: Slack counts these requests, and sends an
        eleventh socket away as often as it dials.
        """
        while True:
            if self._asked:
                await self._wait(self._pause())
            self._asked += 1
            try:
                return str((await self.web_client.apps_connections_open(app_token=self.app_token))["url"])
            except SlackApiError as error:
                self.trouble = code_of(error)
                await self._heed(error)
            except NO_ANSWER as error:
                self.trouble = type(error).__name__

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Take note of how the socket fares, then treat the frame as slack_sdk does."""
        if message.get("type") == "hello":
            self._asked, self.trouble = 0, ""
            self.last_ping_pong_time = None  # slack_sdk keeps the dead socket's, and takes the new one for dead
            self._greeted.set()
        if message.get("type") != "disconnect":
            await super().run_message_listeners(message, raw_message)
            return
        if message.get("reason") == TOO_MANY:
            if self.trouble != TOO_MANY:
                log.warning("Slack allows ten sockets for one app token, and ten are open: who else runs this bot?")
            self._asked, self.trouble = _QUICK_TRIES + 1, TOO_MANY
        await self.replace()

    async def replace(self) -> None:
        """Give up the socket that stands and open another, unless somebody else does so meanwhile.

        slack_sdk's own way would replace the new socket as well.
        """
        unwanted = self.current_session
        async with self.connect_operation_lock:
            if self.current_session is unwanted and not self.closed:
                self.wss_uri = await self.issue_new_wss_url()
                await self.connect()  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped

    async def close(self) -> None:
        """Close the socket and dial no more."""
        self._over.set()
        await super().close()  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped

    async def _answer(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        started = time()
        response = await run_async_bolt_app(self._app, request)
        await send_async_response(client, request, response, started)

    def _pause(self) -> float:
        return min(LONGEST_PAUSE, 2.0 ** min(self._asked - 1, _QUICK_TRIES)) * self._first_pause

    async def _heed(self, error: SlackApiError) -> None:
        """Wait for as long as Slack asks, for ever when it has no more to do with this token."""
        if self.trouble in REVOKED:
            self._refused(self.trouble)
            await self._wait(None)
        failure = failure_of(error)
        if isinstance(failure, Refused) and failure.after is not None:
            await self._wait(failure.after)

    async def _wait(self, seconds: float | None) -> None:
        """Wait; slack_sdk owns not all of the tasks that come here, so they end themselves when the socket closes."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return
        raise asyncio.CancelledError
