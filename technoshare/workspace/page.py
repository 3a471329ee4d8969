"""The page where a person chats, its live updates, and the controls for programs in another process."""

import asyncio
import json
import uuid
from dataclasses import asdict
from pathlib import Path

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from technoshare.workspace.changes import Changes
from technoshare.workspace.clicks import click, submission
from technoshare.workspace.faults import Faults
from technoshare.workspace.identity import BOT_USER, PERSON, TEAM_NAME
from technoshare.workspace.shapes import Json
from technoshare.workspace.socket_mode import SocketMode
from technoshare.workspace.team import Channel, Team

FILES = Path(__file__).with_name("page")

UPDATE_SECONDS = 0.05
"""Changes within this time reach the page together: a burst of 200 messages is a few updates, not 200."""

POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""Nothing but the page's own files is ever loaded or run."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Say(_Order):
    """What a person typed."""

    text: str
    user: str | None = None
    channel: str | None = None
    thread_ts: str | None = None


class Press(_Order):
    """A button that a person pressed."""

    ts: str
    action_id: str
    user: str | None = None


class Submit(_Order):
    """What a person made of the open form: values by block, None when it was closed."""

    values: dict[str, list[str] | str] | None
    user: str | None = None


class Deliver(_Order):
    """A raw inner event."""

    event: Json
    event_id: str | None = None


class CallFault(_Order):
    """A fault for the next calls of one method."""

    method: str
    n: int = 1
    retry_after: float = 1.0
    error: str = "internal_error"


class FaultOrders(_Order):
    """Faults to set now; what is left out stays as it is."""

    reject_handshakes: int | None = None
    fail_connections_open: int | None = None
    lose_events: int | None = None
    no_pong: bool | None = None
    rate_limit: CallFault | None = None
    drop_answer: CallFault | None = None
    refuse: CallFault | None = None
    server_error: CallFault | None = None
    disconnect: str | None = None
    cut: bool = False
    deafen: bool = False


class Page:
    """Handlers of everything that is not Slack's own interface."""

    def __init__(self, team: Team, home: Channel, socket_mode: SocketMode, faults: Faults, changes: Changes) -> None:
        self._team = team
        self._home = home
        self._socket_mode = socket_mode
        self._faults = faults
        self._changes = changes
        self._session = uuid.uuid4().hex

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the page and of the controls."""
        return [
            web.get("/", self.index),
            web.get("/archives/{channel}/{message}", self.index),
            web.static("/page", FILES),
            web.get("/control/live", self.live),
            web.get("/control/state", self.state),
            web.post("/control/say", self.say),
            web.post("/control/press", self.press),
            web.post("/control/submit", self.submit),
            web.post("/control/deliver", self.deliver),
            web.post("/control/faults", self.set_faults),
        ]

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """Return the page; a message's permalink is the same page, scrolled there."""
        return web.FileResponse(FILES / "index.html", headers={"Content-Security-Policy": POLICY})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Stream what changed, as server-sent events, until the page is closed."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        seen = -1
        while True:
            count = self._changes.count
            await response.write(f"data: {json.dumps(self._news(seen))}\n\n".encode())
            await asyncio.sleep(UPDATE_SECONDS)
            seen = count
            await self._changes.after(seen)

    def _news(self, seen: int) -> Json:
        changed = [ts for ts, revision in self._home.revisions.items() if revision > seen]
        return {
            "session": self._session,
            "connected": bool(self._socket_mode.connections),
            "channel": {"id": self._home.id, "name": self._home.name},
            "team": {"name": TEAM_NAME, "bot_user": BOT_USER, "you": PERSON},
            "users": self._team.users,
            "messages": {ts: self._visible(ts) for ts in changed},
            "statuses": {ts: status for ts, status in self._home.statuses.items() if status},
            "view": self._team.views.shown.get(PERSON),
        }

    def _visible(self, ts: str) -> Json | None:
        if whispered := self._home.ephemeral.get(ts):
            return {**whispered, "only_you": True} if whispered["only"] == PERSON else None
        return self._home.shown(ts) if ts in self._home.messages else None

    # ------------------------------------------------------------ for programs

    async def state(self, _request: web.Request) -> web.Response:
        """Return everything that a test in another process wants to know. Times are unix seconds."""
        home, socket_mode = self._home, self._socket_mode
        return web.json_response(
            {
                "channel": home.id,
                "messages": [home.shown(ts) for ts in home.messages],
                "reactions": {ts: list(names) for ts, names in home.reactions.items() if names},
                "ephemeral": list(home.ephemeral.values()),
                "statuses": home.statuses,
                "connections": len(socket_mode.connections),
                "deliveries": [asdict(delivery) for delivery in socket_mode.deliveries],
            }
        )

    async def say(self, request: web.Request) -> web.Response:
        """Post what a person typed; answers with its ts."""
        order = Say.model_validate_json(await request.read())
        if not order.text.strip():
            raise web.HTTPBadRequest(text="there is no text")
        ts = self._team.say(
            order.text.strip(),
            user=order.user or PERSON,
            channel=order.channel or self._home.id,
            thread_ts=order.thread_ts,
        )
        return web.json_response({"ts": ts})

    async def press(self, request: web.Request) -> web.Response:
        """Press a button; answers whether the bot acknowledged it."""
        order = Press.model_validate_json(await request.read())
        payload = click(self._team, self._home, order.ts, order.action_id, order.user or PERSON)
        return web.json_response({"acked": await self._socket_mode.ask(payload, kind="interactive")})

    async def submit(self, request: web.Request) -> web.Response:
        """Send or close the open form; answers whether the bot acknowledged it."""
        order = Submit.model_validate_json(await request.read())
        user = order.user or PERSON
        if order.values is None:
            self._team.views.close(user)
            return web.json_response({"acked": True})
        acked = await self._socket_mode.ask(submission(self._team, user, order.values), kind="interactive")
        if acked:
            self._team.views.close(user)
        return web.json_response({"acked": acked})

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver a raw inner event."""
        order = Deliver.model_validate_json(await request.read())
        self._team.deliver(order.event, event_id=order.event_id)
        return web.json_response({})

    async def set_faults(self, request: web.Request) -> web.Response:
        """Set faults; see `Faults` for what each does."""
        order = FaultOrders.model_validate_json(await request.read())
        faults = self._faults
        for name in ("reject_handshakes", "fail_connections_open", "lose_events", "no_pong"):
            if (value := getattr(order, name)) is not None:
                setattr(faults, name, value)
        if (call := order.rate_limit) is not None:
            faults.rate_limit(call.method, call.n, call.retry_after)
        if (call := order.drop_answer) is not None:
            faults.drop_answer(call.method, call.n)
        if (call := order.refuse) is not None:
            faults.refuse(call.method, call.n, call.error)
        if (call := order.server_error) is not None:
            faults.server_error(call.method, call.n)
        if order.deafen:
            faults.deafen()
        if order.cut:
            faults.cut()
        if order.disconnect is not None:
            await faults.disconnect(order.disconnect)
        return web.json_response({})
