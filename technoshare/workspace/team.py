"""What the workspace remembers: people, channels, messages, threads, reactions. In memory, gone when it closes."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from technoshare.workspace import shapes
from technoshare.workspace.changes import Changes
from technoshare.workspace.errors import ApiError
from technoshare.workspace.identity import BOT_NAME, BOT_USER, PEOPLE, TEAM
from technoshare.workspace.shapes import Json
from technoshare.workspace.views import Views

SCOPES = (
    "channels:history",
    "groups:history",
    "channels:read",
    "groups:read",
    "chat:write",
    "reactions:read",
    "reactions:write",
    "users:read",
)
"""What the bot token may do unless a test takes some away."""


@dataclass
class Channel:
    """A channel: its messages by ts in the order of posting, replies among them."""

    id: str
    name: str
    member: bool = True
    external: bool = False
    archived: bool = False
    created: int = 0
    messages: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    """Thread's ts → ts of its replies."""
    reactions: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Message's ts → emoji name → who reacted."""
    statuses: dict[str, str] = field(default_factory=dict)
    """Thread's ts → what the assistant says it is doing."""
    ephemeral: dict[str, Json] = field(default_factory=dict)
    """Messages that only one person sees; no history ever holds them."""
    revisions: dict[str, int] = field(default_factory=dict)
    """Message's ts → number of its last change; deleted ones stay."""

    def message(self, ts: str) -> Json:
        """Return the stored message. Raises `ApiError` when there is none."""
        try:
            return self.messages[ts]
        except KeyError:
            raise ApiError("message_not_found") from None

    def shown(self, ts: str, *, metadata: bool = True) -> Json:
        """Return a message as history and replies show it: with its thread's figures and its reactions."""
        message = {key: value for key, value in self.message(ts).items() if metadata or key != "metadata"}
        if replies := self.threads.get(ts):
            message |= self._thread_figures(ts, replies)
        if reactions := self.reactions.get(ts):
            message["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in reactions.items()
            ]
        return message

    def _thread_figures(self, ts: str, replies: list[str]) -> Json:
        users = list(dict.fromkeys(self.messages[reply]["user"] for reply in replies))
        return {
            "thread_ts": ts,
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "latest_reply": replies[-1],
            "reply_users": users,
            "subscribed": False,
        }


class Team:
    """One Slack workspace with one app in it. Every change is noted and, where Slack would, published as an event."""

    def __init__(self, changes: Changes, send: Callable[[Json], None]) -> None:
        self._changes = changes
        self._send = send
        self.scopes: tuple[str, ...] = SCOPES
        self.users = {BOT_USER: BOT_NAME, **PEOPLE}
        self.channels: dict[str, Channel] = {}
        self.views = Views(changes)
        """The forms that are open."""
        self.url = ""
        """Address of the workspace, with a slash at its end; set once the server knows its port."""
        self.started = time.time()
        self._last_micros = 0

    def add_channel(self, name: str, *, member: bool = True, external: bool = False) -> str:
        """Make a channel and return its id; the bot is in it unless `member` is False."""
        channel = Channel(f"C0LOCAL{len(self.channels) + 1:04d}", name, member, external, created=int(self.started))
        self.channels[channel.id] = channel
        self._changes.note()
        return channel.id

    def channel(self, channel_id: Any) -> Channel:
        """Return the channel. Raises `ApiError` when there is none."""
        try:
            return self.channels[str(channel_id)]
        except KeyError:
            raise ApiError("channel_not_found") from None

    def permalink(self, channel: Channel, ts: str) -> str:
        """Return the address under which the page shows a message."""
        return f"{self.url}archives/{channel.id}/p{ts.replace('.', '')}"

    def say(self, text: str, *, user: str, channel: str, thread_ts: str | None = None, **extra: Any) -> str:
        """Post what a person typed and return its ts; `extra` adds to or replaces the message's own fields."""
        fields: Json = {
            "client_msg_id": str(uuid.uuid4()),
            "user": user,
            "team": TEAM,
            "text": shapes.text_form(text),
            "blocks": shapes.rich_text(text),
        }
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        return str(self.post(self.channel(channel), fields | thread | extra)["ts"])

    def post(self, channel: Channel, fields: Json) -> Json:
        """Store a new message, publish it and return it; `fields` is everything but `type` and `ts`."""
        message: Json = {"type": "message", **fields, "ts": self._new_ts()}
        ts, thread = message["ts"], message.get("thread_ts")
        channel.messages[ts] = message
        if thread:
            self._into_thread(channel, message, thread)
        self._touch(channel, ts)
        self._publish(channel, message)
        return message

    def _into_thread(self, channel: Channel, message: Json, thread: str) -> None:
        if root := channel.messages.get(thread):
            message["parent_user_id"] = root["user"]
        channel.threads.setdefault(thread, []).append(message["ts"])
        channel.statuses.pop(thread, None)  # as Slack does: an answer ends the status
        self._touch(channel, thread)

    def whisper(self, channel: Channel, user: str, fields: Json) -> str:
        """Store a message that only `user` sees and return its ts; nothing is published."""
        ts = self._new_ts()
        channel.ephemeral[ts] = {"type": "message", **fields, "ts": ts, "only": user}
        self._touch(channel, ts)
        return ts

    def change(self, channel: Channel, ts: str, fields: Json) -> Json:
        """Change a message and publish `message_changed`; with `edited` among the fields somebody meant it."""
        before = channel.message(ts)
        channel.messages[ts] = after = before | fields
        self._touch(channel, ts)
        event = {"type": "message", "subtype": "message_changed", "hidden": True}
        self._publish(channel, {**event, "message": after, "previous_message": before, "ts": self._new_ts()})
        return after

    def edit(self, channel: Channel, ts: str, user: str, fields: Json) -> Json:
        """Change a message as its author does."""
        return self.change(channel, ts, {**fields, "edited": {"user": user, "ts": self._new_ts()}})

    def delete(self, channel: Channel, ts: str) -> None:
        """Remove a message and publish `message_deleted`."""
        before = channel.message(ts)
        del channel.messages[ts]
        channel.reactions.pop(ts, None)
        thread = before.get("thread_ts", ts)
        channel.threads[thread] = [reply for reply in channel.threads.get(thread, []) if reply != ts]
        self._touch(channel, ts)
        self._touch(channel, thread)
        event = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": ts}
        self._publish(channel, {**event, "previous_message": before, "ts": self._new_ts()})

    def react(self, channel: Channel, ts: str, name: str, user: str) -> None:
        """Add a reaction. Raises `ApiError` when this user has reacted so already."""
        channel.message(ts)
        users = channel.reactions.setdefault(ts, {}).setdefault(name, [])
        if user in users:
            raise ApiError("already_reacted")
        users.append(user)
        self._touch(channel, ts)

    def unreact(self, channel: Channel, ts: str, name: str, user: str) -> None:
        """Take a reaction away. Raises `ApiError` when there is none."""
        users = channel.reactions.get(ts, {}).get(name, [])
        if user not in users:
            raise ApiError("no_reaction")
        users.remove(user)
        if not users:
            del channel.reactions[ts][name]
        self._touch(channel, ts)

    def set_status(self, channel: Channel, thread: str, status: str) -> None:
        """Say in a thread what the assistant is doing; an empty text ends it."""
        channel.message(thread)
        channel.statuses[thread] = status
        self._touch(channel, thread)

    def _touch(self, channel: Channel, ts: str) -> None:
        channel.revisions[ts] = self._changes.note()

    def _publish(self, channel: Channel, event: Json) -> None:
        if not channel.member:
            return
        event = _without(event, "app_id")
        for nested in ("message", "previous_message"):
            if nested in event:
                event[nested] = _without(event[nested], "app_id", "metadata")
        self.deliver({**event, "channel": channel.id, "event_ts": event["ts"], "channel_type": "channel"})

    def deliver(self, event: Json, *, event_id: str | None = None) -> None:
        """Send any inner event to the bot, also one that nothing here caused."""
        if event.get("type") == "app_rate_limited":
            self._send(shapes.rate_limit_notice(event))
            return
        channel = self.channels.get(str(event.get("channel")))
        payload = shapes.callback(
            event,
            event_id=event_id or shapes.event_id(),
            now=time.time(),
            external=channel is not None and channel.external,
        )
        self._send(payload)

    def _new_ts(self) -> str:
        self._last_micros = max(self._last_micros + 1, time.time_ns() // 1000)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"


def _without(message: Json, *names: str) -> Json:
    """Return a copy without keys that Slack's events do not carry."""
    return {key: value for key, value in message.items() if key not in names}
