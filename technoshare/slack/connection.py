"""The way in and the way out: Bolt over Socket Mode for events, a client that never repeats itself for posts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.ports import Claim, Clock, JobEngine
from technoshare.slack.listeners import Intake, Rules, listen
from technoshare.slack.poster import SlackPoster
from technoshare.slack.preflight import Identity, preflight
from technoshare.slack.reactions import FirstSign
from technoshare.slack.web import open_patient_client, vendor_log, web_client

log = logging.getLogger("technoshare.slack")

WATCH_SECONDS = 1.0
"""How often the socket is looked at."""

MISSES = 3
"""So many looks without a socket before its address is thrown away."""

PING_SECONDS = 10.0
"""slack_sdk's own rhythm: it pings, and takes four pings without an answer for a dead socket."""


class Slack:
    """An open connection to one workspace."""

    def __init__(self, identity: Identity, posting: AsyncWebClient, handler: AsyncSocketModeHandler) -> None:
        self.identity = identity
        self.connected = asyncio.Event()
        """Set once Slack has said hello over the first socket."""
        self._posting = posting
        self._handler = handler
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        handler.client.message_listeners.append(self._on_frame)

    @property
    def name(self) -> str:
        """The bot's name in the workspace."""
        return self.identity.name

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message."""
        return self.identity.permalink(channel, ts)

    def poster(self, claim: Claim) -> SlackPoster:
        """Return the poster of one claimed job."""
        return SlackPoster(self._posting, claim, self.identity.bot_id)

    def start_intake(self, watch_seconds: float) -> None:
        """Begin to connect, for as long as it takes."""
        watching = watch(self._handler.client, every=watch_seconds)
        connecting = self._handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it untyped
        self._tasks = (asyncio.create_task(watching), asyncio.create_task(connecting))

    async def close_intake(self) -> None:
        """Close the socket; what is not acknowledged by now is delivered again later. Posting goes on."""
        if self._handler.client.closed:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._handler.close_async()  # type: ignore[no-untyped-call] # as above

    async def _on_frame(self, _client: object, frame: dict[str, Any], _raw: str | None = None) -> None:
        if frame.get("type") != "hello" or self.connected.is_set():
            return
        self.connected.set()
        if (others := frame.get("num_connections", 1) - 1) > 0:
            log.warning("%d other connections use this app token: each event reaches only one of them", others)


@asynccontextmanager
async def open_slack(  # noqa: PLR0913 - one name each for what the composition root decides
    *,
    bot_token: str,
    app_token: str,
    api_url: str,
    channels: Collection[str],
    engine: JobEngine,
    clock: Clock = time.time,
    watch_seconds: float = WATCH_SECONDS,
    ping_seconds: float = PING_SECONDS,
) -> AsyncIterator[Slack]:
    """Check the tokens, then listen in `channels` and store their links in `engine` while the block runs.

    The socket opens in the background (`Slack.connected`), so that stored jobs can be answered meanwhile.
    Raises `ConfigError` in one line that names the variable and what is wrong with it.
    """
    async with open_patient_client(bot_token, api_url) as web:
        identity = await preflight(web, app_token, channels)
        sign = FirstSign(web, engine, clock)
        rules = Rules(identity.team, identity.bot_user, frozenset(channels), identity.external)
        app = _app(identity, bot_token, api_url)
        listen(app, Intake(rules, engine, sign, clock))
        slack = Slack(identity, web_client(bot_token, api_url), _handler(app, app_token, identity, ping_seconds))
        slack.start_intake(watch_seconds)
        try:
            yield slack
        finally:
            await slack.close_intake()
            await sign.close()


def _app(identity: Identity, bot_token: str, api_url: str) -> AsyncApp:
    """Return a Bolt app that acks after its listeners and knows already who it is.

    With `authorize` given, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET in the environment cannot switch it to its OAuth
    store, and no event waits for an auth.test. Its own client carries no token: it only opens sockets.
    """
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team,
        bot_token=bot_token,
        bot_id=identity.bot_id,
        bot_user_id=identity.bot_user,
    )

    async def authorize() -> AuthorizeResult:
        return known

    return AsyncApp(
        client=web_client(None, api_url),
        authorize=authorize,
        process_before_response=True,
        logger=vendor_log,
    )


def _handler(app: AsyncApp, app_token: str, identity: Identity, ping_seconds: float) -> AsyncSocketModeHandler:
    handler = AsyncSocketModeHandler(app, app_token, ping_interval=ping_seconds)
    handler.client.proxy = app.client.proxy  # it reads HTTP_PROXY anew, see `web_client`
    handler.client.wss_uri = identity.socket_url  # opening another one at once would count against a slow limit
    return handler


async def watch(client: SocketModeClient, *, every: float) -> None:
    """Throw the socket's address away when there has been no socket for three looks, for ever.

    An address opens one socket once, and slack_sdk dials the same one again and again after a failed handshake: without
    this, one failure leaves the bot deaf.
    """
    missed = 0
    while True:
        await asyncio.sleep(every)
        if await client.is_connected():
            if missed >= MISSES:
                log.info("connected again")
            missed = 0
            continue
        missed += 1
        if missed == MISSES:
            log.warning("no socket to Slack; dialling on, each time with a new address")
        if missed % MISSES == 0:
            client.wss_uri = None
