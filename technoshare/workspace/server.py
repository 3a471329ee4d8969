"""The local Slack: one small server on loopback with Slack's Web API, Socket Mode and a page to chat in.

It speaks to the real client libraries, so the bot runs against it unchanged (`SLACK_API_URL`).
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from technoshare.workspace.changes import Changes
from technoshare.workspace.clicks import click, submission
from technoshare.workspace.connection import Connection
from technoshare.workspace.errors import ApiError
from technoshare.workspace.faults import Faults
from technoshare.workspace.identity import APP_TOKEN, BOT_TOKEN, BOT_USER, PERSON, TEAM
from technoshare.workspace.page import Page
from technoshare.workspace.shapes import Json, rich_text, text_form
from technoshare.workspace.socket_mode import Delivery, SocketMode
from technoshare.workspace.team import Channel, Team
from technoshare.workspace.views import Values
from technoshare.workspace.web_api import Call, WebApi

CLOSING_SECONDS = 0.2
"""How long open streams may go on when the server closes; they have nothing left to say."""


class Workspace:
    """A running local Slack, as tests and the demo use it."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that `open_workspace` puts together, once
        self,
        team: Team,
        home: Channel,
        socket_mode: SocketMode,
        web_api: WebApi,
        faults: Faults,
        changes: Changes,
    ) -> None:
        self.bot_token = BOT_TOKEN
        self.app_token = APP_TOKEN
        self.team = TEAM
        self.bot_user = BOT_USER
        self.channel = home.id
        self.faults = faults
        self._team = team
        self._socket_mode = socket_mode
        self._web_api = web_api
        self._changes = changes

    @property
    def url(self) -> str:
        """Address of the page, with a slash at its end."""
        return self._team.url

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` must be."""
        return f"{self.url}api/"

    @property
    def environment(self) -> dict[str, str]:
        """What a bot must find in its environment to work here."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "TECHNOSHARE_CHANNEL_ID": self.channel,
        }

    @property
    def calls(self) -> list[Call]:
        """Every request to the Web API so far."""
        return self._web_api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Every envelope sent so far."""
        return self._socket_mode.deliveries

    @property
    def connections(self) -> int:
        """How many sockets are open now."""
        return len(self._socket_mode.connections)

    @property
    def connected(self) -> bool:
        """Whether a bot is there."""
        return self.connections > 0

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the bot token may do."""
        return self._team.scopes

    @scopes.setter
    def scopes(self, scopes: tuple[str, ...]) -> None:
        self._team.scopes = scopes

    # ------------------------------------------------------------ what people do

    def say(
        self,
        text: str,
        *,
        user: str | None = None,
        channel: str | None = None,
        thread_ts: str | None = None,
        **extra: Any,
    ) -> str:
        """Post what a person typed, deliver it as an event, return its ts; `extra` replaces fields of the message."""
        return self._team.say(text, user=user or PERSON, channel=channel or self.channel, thread_ts=thread_ts, **extra)

    def edit(self, ts: str, text: str, *, channel: str | None = None) -> None:
        """Change a message as its author would."""
        home = self._channel(channel)
        user = home.message(ts)["user"]
        self._team.edit(home, ts, user, {"text": text_form(text), "blocks": rich_text(text)})

    def delete(self, ts: str, *, channel: str | None = None) -> None:
        """Delete a message."""
        self._team.delete(self._channel(channel), ts)

    def unfurl(self, ts: str, url: str, *, title: str, text: str = "", channel: str | None = None) -> None:
        """Add a link's preview to a message as Slack does seconds after the post: an edit that nobody made."""
        preview = {"from_url": url, "original_url": url, "title_link": url, "title": title, "text": text, "id": 1}
        self._team.change(self._channel(channel), ts, {"attachments": [preview]})

    async def press(self, ts: str, action_id: str, *, user: str | None = None, channel: str | None = None) -> bool:
        """Press a button of a message, and tell whether the bot acknowledged it; if not, Slack warns the person."""
        payload = click(self._team, self._channel(channel), ts, action_id, user or PERSON)
        return await self._socket_mode.ask(payload, kind="interactive")

    def view(self, user: str | None = None) -> Json | None:
        """Return the form that a person has open."""
        return self._team.views.shown.get(user or PERSON)

    async def submit(self, values: Values, *, user: str | None = None) -> bool:
        """Send the open form with values by block, and tell whether the bot acknowledged it."""
        acked = await self._socket_mode.ask(submission(self._team, user or PERSON, values), kind="interactive")
        if acked:
            self._team.views.close(user or PERSON)
        return acked

    def whispers(self, user: str | None = None, channel: str | None = None) -> list[Json]:
        """Return the messages that only this person sees, oldest first."""
        told = self._channel(channel).ephemeral.values()
        return [message for message in told if message["only"] == (user or PERSON)]

    def deliver(self, event: Json, *, event_id: str | None = None) -> None:
        """Deliver any inner event as it is: odd kinds, or one event again under another id."""
        self._team.deliver(event, event_id=event_id)

    def add_channel(self, name: str, *, member: bool = True, external: bool = False) -> str:
        """Make another channel and return its id; without the bot in it, or shared with another company."""
        return self._team.add_channel(name, member=member, external=external)

    def archive(self, channel: str) -> None:
        """Close a channel for posting."""
        self._channel(channel).archived = True

    # ------------------------------------------------------------ what can be seen

    def messages(self, channel: str | None = None) -> list[Json]:
        """Return the messages of a channel that stand outside threads, oldest first."""
        home = self._channel(channel)
        return [home.shown(ts) for ts, message in home.messages.items() if message.get("thread_ts", ts) == ts]

    def replies(self, ts: str, channel: str | None = None) -> list[Json]:
        """Return the replies in a message's thread, oldest first."""
        home = self._channel(channel)
        return [home.shown(reply) for reply in home.threads.get(ts, [])]

    def reactions(self, ts: str, channel: str | None = None) -> list[str]:
        """Return the names of the emoji on a message."""
        return list(self._channel(channel).reactions.get(ts, {}))

    async def until(self, condition: Callable[[], object], timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the limit of a test's patience, in its own hand
        """Wait until `condition` holds, asking after each change. Raises `TimeoutError` with what was seen."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self._changes.after(self._changes.count)
        except TimeoutError:
            calls = ", ".join(call.method for call in self.calls[-8:]) or "none"
            seen = f"{self.connections} sockets, {len(self.deliveries)} deliveries, last calls: {calls}"
            raise TimeoutError(f"not within {timeout:g} s; {seen}") from None

    def _channel(self, channel: str | None) -> Channel:
        return self._team.channel(channel or self.channel)


@asynccontextmanager
async def open_workspace(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ack_seconds: float = 3.0,
    retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0),
) -> AsyncIterator[Workspace]:
    """Serve a local Slack while the block runs; port 0 takes a free one.

    `ack_seconds` is how long an envelope may stay unacknowledged, `retry_seconds` the pauses before it is sent again;
    the defaults are Slack's. Raises `ValueError` for a host outside loopback and `OSError` for a taken port.
    """
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address; this server is for this machine only")
    changes, connections = Changes(), list[Connection]()
    faults = Faults(connections)
    socket_mode = SocketMode(connections, faults, changes, ack_seconds=ack_seconds, retry_seconds=retry_seconds)
    team = Team(changes, socket_mode.deliver)
    home = team.channel(team.add_channel("links"))
    web_api = WebApi(team, socket_mode, faults, changes)
    page = Page(team, home, socket_mode, faults, changes)
    async with _serving(host, port, [*page.routes(), *_slack_routes(web_api, socket_mode)]) as taken:
        team.url = f"http://{f'[{host}]' if ':' in host else host}:{taken}/"
        try:
            yield Workspace(team, home, socket_mode, web_api, faults, changes)
        finally:
            await socket_mode.close()


def _slack_routes(web_api: WebApi, socket_mode: SocketMode) -> list[web.AbstractRouteDef]:
    return [
        web.post("/api/{method}", web_api.handle),
        web.get("/api/{method}", web_api.handle),
        web.get("/link/", socket_mode.accept),
    ]


@asynccontextmanager
async def _serving(host: str, port: int, routes: list[web.AbstractRouteDef]) -> AsyncIterator[int]:
    """Run an aiohttp server and yield its port."""
    app = web.Application(middlewares=[_local_only, _plain_errors], client_max_size=4 * 2**20)
    app.add_routes(routes)
    # A handler ends when its client has gone: the page's stream would otherwise wait for the next change.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse pages of other sites: a foreign Origin, or a foreign name that was made to point here."""
    if request.url.host not in ("127.0.0.1", "localhost", "::1"):
        raise web.HTTPForbidden(text="this server answers only to its loopback address")
    origin = request.headers.get("Origin")
    if origin not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text="other sites may not talk to this server")
    return await handler(request)


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a wrong body of a control call into a 400 that says what is wrong."""
    try:
        return await handler(request)
    except (ValidationError, ApiError) as error:
        raise web.HTTPBadRequest(text=str(error)) from error
