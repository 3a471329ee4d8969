"""A person presses a button of a message, or sends a form: what Slack tells the app then."""

import secrets
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from technoshare.workspace.errors import ApiError
from technoshare.workspace.identity import APP, DOMAIN, TEAM
from technoshare.workspace.shapes import Json
from technoshare.workspace.team import Channel, Team
from technoshare.workspace.views import Values


def click(team: Team, channel: Channel, ts: str, action_id: str, user: str) -> Json:
    """Return the `block_actions` payload. Raises `ApiError` when the message has no such button."""
    message = channel.message(ts)
    block_id, button = next(
        ((block["block_id"], button) for block, button in _buttons(message) if button.get("action_id") == action_id),
        ("", None),
    )
    if button is None or user not in team.users:
        raise ApiError("no_such_button")
    now = time.time()
    thread = {"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}
    pressed = {key: button[key] for key in ("action_id", "type", "text", "value", "style") if key in button}
    return {
        "type": "block_actions",
        "user": _person(team, user),
        "api_app_id": APP,
        "token": "local",
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel.id,
            "is_ephemeral": False,
            **thread,
        },
        "trigger_id": team.views.trigger(user),
        "team": {"id": TEAM, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message,
        "state": {"values": {}},
        "response_url": f"http://{urlsplit(team.url).netloc}/actions/{secrets.token_hex(12)}",
        "actions": [{**pressed, "block_id": block_id, "action_ts": f"{now:.6f}"}],
    }


def submission(team: Team, user: str, values: Values) -> Json:
    """Return the `view_submission` payload for the form that `user` has open.

    Raises `ApiError` when there is none, and when an input holds what Slack would not let anybody send.
    """
    view = team.views.filled(user, values)
    return {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": _person(team, user),
        "api_app_id": APP,
        "token": "local",
        "trigger_id": team.views.trigger(user),
        "view": view,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _person(team: Team, user: str) -> Json:
    """Return who did something, as payloads of people's actions name them."""
    name = team.users[user].lower()
    return {"id": user, "username": name, "name": name, "team_id": TEAM}


def _buttons(message: Json) -> Iterator[tuple[Json, Json]]:
    """Every button of a message with the block that holds it."""
    for block in message.get("blocks", ()):
        held = [*block.get("elements", ()), block.get("accessory")] if block["type"] in ("actions", "section") else ()
        for element in held:
            if isinstance(element, dict) and element.get("type") == "button":
                yield block, element
