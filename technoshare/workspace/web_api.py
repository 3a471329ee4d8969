"""The Web API over HTTP: `POST` or `GET /api/<method>`; tokens, scopes, encodings and faults."""

import json
import time
from dataclasses import dataclass

from aiohttp import web

from technoshare.workspace.changes import Changes
from technoshare.workspace.errors import ApiError
from technoshare.workspace.faults import Fault, Faults
from technoshare.workspace.identity import APP, APP_TOKEN, BOT_TOKEN
from technoshare.workspace.methods import METHODS
from technoshare.workspace.shapes import Json
from technoshare.workspace.socket_mode import SocketMode
from technoshare.workspace.team import Team

OPEN = "apps.connections.open"
"""The one method that takes the app token."""


@dataclass(frozen=True)
class Call:
    """One request to the Web API; `at` is unix seconds."""

    method: str
    arguments: Json
    at: float


class WebApi:
    """Reads requests, applies tokens, scopes and faults, calls the method."""

    def __init__(self, team: Team, socket_mode: SocketMode, faults: Faults, changes: Changes) -> None:
        self.calls: list[Call] = []
        self._team = team
        self._socket_mode = socket_mode
        self._faults = faults
        self._changes = changes

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        method = request.match_info["method"]
        try:
            arguments = await _arguments(request)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_json"})
        self.calls.append(Call(method, arguments, time.time()))
        self._changes.note()
        fault = self._faults.next_for(method)
        if fault is not None and fault.kind != "drop_answer":
            return _misbehave(fault)
        answer = self._answer(method, arguments, _token(request, arguments))
        if fault is not None and request.transport is not None:
            request.transport.close()
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(self._team.scopes)})

    def _answer(self, method: str, arguments: Json, token: str) -> Json:
        try:
            found = self._open_connection(token) if method == OPEN else self._call(method, arguments, token)
        except ApiError as error:
            return {"ok": False, "error": error.code, **error.details}
        return {"ok": True, **found}

    def _open_connection(self, token: str) -> Json:
        _require(token, APP_TOKEN, BOT_TOKEN)
        if self._faults.take("fail_connections_open"):
            raise ApiError("internal_error")
        base = self._team.url.replace("http://", "ws://")
        return {"url": f"{base}link/?ticket={self._socket_mode.ticket()}&app_id={APP}"}

    def _call(self, method: str, arguments: Json, token: str) -> Json:
        if method not in METHODS:
            raise ApiError("unknown_method")
        _require(token, BOT_TOKEN, APP_TOKEN)
        scope, function = METHODS[method]
        if scope and scope not in self._team.scopes:
            raise ApiError("missing_scope", needed=scope, provided=",".join(self._team.scopes))
        return function(self._team, arguments)


# ---------------------------------------------------------------- requests


async def _arguments(request: web.Request) -> Json:
    """Merge query string and body: Slack's client sends some methods as JSON, some as forms, some as queries."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json() if request.can_read_body else {}
        return arguments | body if isinstance(body, dict) else arguments
    form = await request.post()
    arguments |= {key: value for key, value in form.items() if isinstance(value, str)}
    for name in ("blocks", "metadata", "attachments"):  # in forms these are JSON texts
        if isinstance(arguments.get(name), str):
            arguments[name] = json.loads(arguments[name])
    return arguments


def _token(request: web.Request, arguments: Json) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else str(arguments.pop("token", ""))


def _require(token: str, wanted: str, other: str) -> None:
    if token == other:
        raise ApiError("not_allowed_token_type")
    if token != wanted:
        raise ApiError("invalid_auth" if token else "not_authed")


def _misbehave(fault: Fault) -> web.Response:
    if fault.kind == "server_error":
        return web.Response(status=503, text="upstream is away")
    if fault.kind == "rate_limit":
        answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(answer, status=429, headers={"Retry-After": f"{fault.retry_after:g}"})
    return web.json_response({"ok": False, "error": fault.error})
