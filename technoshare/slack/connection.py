"""The way in and the way out: Bolt over Socket Mode for events, a client that never repeats itself for posts."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from technoshare.errors import ConfigError, Transient
from technoshare.once import Once
from technoshare.ports import Alerts, Claim, Clock, JobEngine, Looks, Messages, Votes
from technoshare.slack.actions import Buttons, listen_to_buttons
from technoshare.slack.alarm import Alarm
from technoshare.slack.catchup import FARTHEST, NEAREST, OUTAGE_PAUSE, CatchUp
from technoshare.slack.credentials import Credentials
from technoshare.slack.dialling import Line
from technoshare.slack.feedback import Voting, listen_to_votes
from technoshare.slack.healing import Healer
from technoshare.slack.listeners import Intake, Rules, listen
from technoshare.slack.pace import Pace
from technoshare.slack.poster import Ambiguous, SlackPoster
from technoshare.slack.preflight import Identity, preflight
from technoshare.slack.previews import SlackPreviews
from technoshare.slack.reactions import Signs
from technoshare.slack.web import open_patient_client, vendor_log, web_client

log = logging.getLogger("technoshare.slack")

WATCH_SECONDS = 1.0
"""How often the socket is looked at."""

MISSES = 3
"""So many looks without a socket before its address is thrown away."""

PING_SECONDS = 10.0
"""slack_sdk's own rhythm: aiohttp closes a socket from which nothing came for one and a half of these."""

PAUSE_SECONDS = 1.0
"""Between the first two requests for an address in an outage; it grows from there."""

LOOK_SECONDS = 300.0
"""How often the channels are read back while the socket stands: one that brings nothing looks like a quiet channel."""

LATE = 30.0
"""Seconds in which an event comes over a good socket."""


class Slack:
    """An open connection to one workspace."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that `open_slack` puts together, once
        self,
        identity: Identity,
        line: Line,
        signs: Signs,
        previews: SlackPreviews,
        poster: Callable[[Claim], SlackPoster],
        alarm: Callable[[Alerts, Once], Alarm],
    ) -> None:
        self.identity = identity
        self.previews = previews
        """What Slack itself shows of links."""
        self.signs = signs
        """The reactions on the messages whose links are read."""
        self.poster = poster
        """Returns the poster of one claimed job."""
        self.alarm = alarm
        """Returns what says alerts in their channel."""
        self.connected = asyncio.Event()
        """Set once Slack has said hello over the first socket."""
        self._line = line
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        line.message_listeners.append(self._on_frame)

    @property
    def name(self) -> str:
        """The bot's name in the workspace."""
        return self.identity.name

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message."""
        return self.identity.permalink(channel, ts)

    def start_intake(self, catch_up: CatchUp, *, watch_seconds: float, look_seconds: float) -> None:
        """Begin to connect, for as long as it takes, and read the channels back each time that a socket stands."""
        connecting = self._line.connect()  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped
        watching = watch(self._line, every=watch_seconds)
        looking = look_back(self._line, catch_up, every=look_seconds)
        self._tasks = tuple(asyncio.create_task(work) for work in (connecting, watching, looking))

    async def close_intake(self) -> None:
        """Close the socket; what is not acknowledged by now is delivered again later. Posting goes on."""
        if self._line.closed:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._line.close()

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
    messages: Messages,
    looks: Looks,
    votes: Votes,
    alert_channel: str = "",
    look_back_a_day: bool = False,
    refused: Callable[[ConfigError], None],
    ambiguous: Ambiguous = "lookup",
    clock: Clock = time.time,
    watch_seconds: float = WATCH_SECONDS,
    ping_seconds: float = PING_SECONDS,
    pause_seconds: float = PAUSE_SECONDS,
    look_seconds: float = LOOK_SECONDS,
) -> AsyncIterator[Slack]:
    """Check the tokens, then listen in `channels` and store their links in `engine` while the block runs.

    The socket opens in the background (`Slack.connected`), so that stored jobs can be answered meanwhile.
    With `look_back_a_day` the first look at a channel goes back that far, else ten minutes.
    Raises `ConfigError` in one line that names the variable and what is wrong with it; when a token goes bad later,
    `refused` is called with the like, once, and the caller is to end.
    """
    async with open_patient_client(bot_token, api_url) as web:
        identity = await preflight(web, app_token, channels, alert_channel)
        signs, healer = Signs(web, engine, messages, clock), Healer(web, identity.bot_id)
        credentials = Credentials(web, refused)
        rules = Rules(identity.team, identity.bot_user, frozenset(channels), identity.external)
        app = _app(identity, bot_token, api_url)
        listen(app, intake := Intake(rules, engine, messages, signs, clock))
        once_only, heard = web_client(bot_token, api_url), rules.channels - rules.external
        voting = Voting(once_only, votes, heard)
        listen_to_votes(app, voting)
        listen_to_buttons(app, Buttons(engine, heard))
        line = Line(
            app,
            app_token,
            ping_seconds=ping_seconds,
            pause_seconds=pause_seconds,
            refused=credentials.app_token_refused,
        )
        line.wss_uri = identity.socket_url  # opening another one at once would count against a slow limit
        poster = partial(
            SlackPoster,
            once_only,
            bot_id=identity.bot_id,
            pace=Pace(time.monotonic),
            ambiguous=ambiguous,
            sent_again=healer.look_again,
            doubt=credentials.doubt_bot_token,
        )
        alarm = partial(Alarm, once_only, identity.bot_id, alert_channel)
        slack = Slack(identity, line, signs, SlackPreviews(web), poster, alarm)
        catch_up = CatchUp(
            web,
            intake,
            looks,
            messages,
            channels,
            identity.bot_id,
            credentials.doubt_bot_token,
            clock,
            first=FARTHEST if look_back_a_day else NEAREST,
        )
        slack.start_intake(catch_up, watch_seconds=watch_seconds, look_seconds=look_seconds)
        try:
            yield slack
        finally:
            await slack.close_intake()
            await credentials.close()
            await healer.close()
            await voting.close()
            await signs.close()


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


async def watch(line: Line, *, every: float) -> None:
    """Throw the socket's address away when there has been no socket for three looks, for ever.

    An address opens one socket once, and slack_sdk dials the same one again and again after a failed handshake: without
    this, one failure leaves the bot deaf.
    """
    missed = 0
    while True:
        await asyncio.sleep(every)
        if await line.is_connected():
            if missed >= MISSES:
                log.info("connected again")
            missed = 0
            continue
        missed += 1
        if missed == MISSES:
            log.warning("no socket to Slack (%s); dialling on", line.trouble or "the connection broke")
        if missed % MISSES == 0:
            line.wss_uri = None


async def look_back(line: Line, catch_up: CatchUp, *, every: float) -> None:
    """Read the channels back after each hello and every so many seconds, for ever.

    A message that is found without a new hello should have come over the socket: then the socket brings nothing, though
    it answers pings, and is replaced.
    """
    pause: float | None = None  # until the first socket stands
    while True:
        new_socket = await line.greeted_within(pause)
        try:
            missed = await catch_up()
        except (Transient, sqlite3.Error) as error:
            log.warning("the channels could not be read back: %s", error)
            after = error.after if isinstance(error, Transient) else None
            pause = OUTAGE_PAUSE if after is None else after
            continue
        except Exception:
            log.exception("the channels could not be read back")  # a later look may go better; this loop must not die
            pause = every
            continue
        pause = every
        if missed is not None and not new_socket and missed < catch_up.clock() - LATE:
            log.warning("the socket to Slack stands but brought no event; opening another")
            await line.replace()
