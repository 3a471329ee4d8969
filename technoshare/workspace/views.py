"""Forms (Slack: modals) that an app opens for one person: who may open one, what it may hold, what comes back."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from technoshare.workspace.changes import Changes
from technoshare.workspace.errors import ApiError
from technoshare.workspace.identity import APP, BOT, TEAM
from technoshare.workspace.shapes import Json, block_id

TRIGGER_SECONDS = 3.0
"""How long after a person's action a form may be opened, as documented."""

LONGEST_TITLE = 24
"""Characters, also of the two buttons."""
LONGEST_PRIVATE = 3_000
MOST_OPTIONS = 10
LONGEST_OPTION = 75

Values = dict[str, list[str] | str]
"""What a person chose or typed, by block."""


@dataclass
class _Trigger:
    user: str
    until: float
    """On the monotonic clock."""
    used: bool = False


class Views:
    """At most one form a person; a later one takes its place."""

    def __init__(self, changes: Changes) -> None:
        self.shown: dict[str, Json] = {}
        """User → the form on the screen."""
        self._changes = changes
        self._triggers: dict[str, _Trigger] = {}

    def trigger(self, user: str) -> str:
        """Return the id with which the app may answer what `user` did with a form, once and soon."""
        trigger = f"{int(time.time() * 1000)}.{secrets.token_hex(8)}"
        self._triggers[trigger] = _Trigger(user, time.monotonic() + TRIGGER_SECONDS)
        return trigger

    def open(self, trigger: Any, view: Any) -> Json:
        """Show a form to whom the trigger belongs and return it as Slack does. Raises `ApiError`."""
        if (known := self._triggers.get(str(trigger))) is None:
            raise ApiError("invalid_trigger_id")
        if known.used:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() > known.until:
            raise ApiError("expired_trigger_id")
        if problem := _problem(view):
            raise ApiError("invalid_arguments", detail=problem)
        user, known.used = known.user, True
        self.shown[user] = opened = _opened(view)
        self._changes.note()
        return opened

    def filled(self, user: str, values: Values) -> Json:
        """Return the form with its state. Raises `ApiError` for what Slack would not let anybody send."""
        view = self.shown.get(user)
        if view is None:
            raise ApiError("no_open_form")
        inputs = [block for block in view["blocks"] if block["type"] == "input"]
        state = {
            block["block_id"]: {block["element"]["action_id"]: _answer(block, values.get(block["block_id"]))}
            for block in inputs
        }
        return {**view, "state": {"values": state}}

    def close(self, user: str) -> None:
        """Take the form from the screen."""
        self.shown.pop(user, None)
        self._changes.note()


def _opened(view: Json) -> Json:
    return {
        "id": f"V{secrets.token_hex(5).upper()}",
        "team_id": TEAM,
        "type": "modal",
        "title": view["title"],
        "submit": view.get("submit"),
        "close": view.get("close"),
        "blocks": [{"block_id": block_id(), **block} for block in view["blocks"]],
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "external_id": "",
        "state": {"values": {}},
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
        "clear_on_close": False,
        "notify_on_close": False,
        "root_view_id": None,
        "previous_view_id": None,
        "app_id": APP,
        "bot_id": BOT,
    }


def _answer(block: Json, given: list[str] | str | None) -> Json:
    """Return the state of one input."""
    element, name = block["element"], block["block_id"]
    if not given and not block.get("optional"):
        raise ApiError("form_incomplete", detail=name)
    if element["type"] == "checkboxes":
        chosen = [option for option in element["options"] if option["value"] in (given or ())]
        return {"type": "checkboxes", "selected_options": chosen}
    if len(given or "") > element.get("max_length", 3_000):
        raise ApiError("text_too_long", detail=name)
    return {"type": element["type"], "value": given or None}


def _problem(view: Any) -> str:
    """Return what is wrong with a form, as far as TechnoShare's kinds of input go; empty when nothing is."""
    if not isinstance(view, dict) or view.get("type") != "modal" or not isinstance(view.get("blocks"), list):
        return "this is no modal with blocks"
    return next(_problems(view), "")


def _problems(view: Json) -> Iterator[str]:
    for part in ("title", "submit", "close"):
        if not 0 < len(view.get(part, {}).get("text", "" if part == "title" else "-")) <= LONGEST_TITLE:
            yield f"{part} must have 1 to {LONGEST_TITLE} characters"
    if len(view.get("private_metadata", "")) > LONGEST_PRIVATE:
        yield "private_metadata is too long"
    inputs = [block for block in view["blocks"] if block.get("type") == "input"]
    if inputs and "submit" not in view:
        yield "a form with inputs needs submit"
    for block in inputs:
        element = block.get("element", {})
        if element.get("type") not in ("checkboxes", "plain_text_input") or not element.get("action_id"):
            yield "there is no such input here"
        options = element.get("options", [])
        if element.get("type") == "checkboxes" and not 1 <= len(options) <= MOST_OPTIONS:
            yield f"checkboxes take 1 to {MOST_OPTIONS} options"
        if any(len(option["text"]["text"]) > LONGEST_OPTION for option in options):
            yield f"an option has at most {LONGEST_OPTION} characters"
