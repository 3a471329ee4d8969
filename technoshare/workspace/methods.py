"""The Web API methods that TechnoShare calls, as functions of the team and a call's arguments.

Each returns its answer without `ok`, or raises `ApiError` with Slack's own code.
"""

from collections.abc import Callable
from typing import Any

from technoshare.workspace.arguments import text_of
from technoshare.workspace.blocks import check_message
from technoshare.workspace.errors import ApiError
from technoshare.workspace.history import history, replies
from technoshare.workspace.identity import APP, BOT, BOT_NAME, BOT_USER, PERSON, TEAM, TEAM_NAME
from technoshare.workspace.shapes import Json, block_id, linked
from technoshare.workspace.team import Channel, Team

Method = Callable[[Team, Json], Json]


def _auth_test(team: Team, _arguments: Json) -> Json:
    return {
        "url": team.url,
        "team": TEAM_NAME,
        "user": BOT_NAME.lower(),
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def _permalink(team: Team, arguments: Json) -> Json:
    channel = team.channel(arguments.get("channel"))
    ts = text_of(arguments, "message_ts")
    channel.message(ts)
    return {"channel": channel.id, "permalink": team.permalink(channel, ts)}


def _content(arguments: Json) -> Json:
    """What a message says: text form, blocks with ids, attachments and metadata."""
    text, attachments = arguments.get("text"), arguments.get("attachments")
    content: Json = {"text": linked(str(text or ""))}
    if blocks := check_message(text, arguments.get("blocks"), attachments=bool(attachments)):
        content["blocks"] = [{"block_id": block_id(), **block} for block in blocks]
    if attachments:
        content["attachments"] = attachments
    if metadata := arguments.get("metadata"):
        content["metadata"] = _metadata(metadata)
    return content


def _metadata(metadata: Any) -> Json:
    well_formed = isinstance(metadata, dict) and metadata.get("event_type")
    if not well_formed or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    return dict(metadata)


def _by_bot(team: Team) -> Json:
    profile = {
        "id": BOT,
        "deleted": False,
        "name": BOT_NAME,
        "updated": int(team.started),
        "app_id": APP,
        "icons": {},
        "team_id": TEAM,
    }
    return {"user": BOT_USER, "team": TEAM, "bot_id": BOT, "app_id": APP, "bot_profile": profile}


def _post_message(team: Team, arguments: Json) -> Json:
    channel = _writable(team, arguments)
    fields = _by_bot(team) | _content(arguments)
    if thread := arguments.get("thread_ts"):
        fields["thread_ts"] = str(thread)
    message = team.post(channel, fields)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _update(team: Team, arguments: Json) -> Json:
    channel, ts = _writable(team, arguments), text_of(arguments, "ts")
    _require_own(channel, ts, "cant_update_message")
    message = team.edit(channel, ts, BOT_USER, {"blocks": []} | _content(arguments))
    told = {key: value for key, value in message.items() if key not in ("ts", "thread_ts", "parent_user_id")}
    return {"channel": channel.id, "ts": ts, "text": message["text"], "message": told}


def _delete(team: Team, arguments: Json) -> Json:
    channel, ts = _writable(team, arguments), text_of(arguments, "ts")
    _require_own(channel, ts, "cant_delete_message")
    team.delete(channel, ts)
    return {"channel": channel.id, "ts": ts}


def _require_own(channel: Channel, ts: str, code: str) -> None:
    if channel.message(ts).get("bot_id") != BOT:
        raise ApiError(code)


def _post_ephemeral(team: Team, arguments: Json) -> Json:
    channel = _writable(team, arguments)
    if arguments.get("user") not in team.users:
        raise ApiError("user_not_in_channel")
    thread = {"thread_ts": arguments["thread_ts"]} if arguments.get("thread_ts") else {}
    return {"message_ts": team.whisper(channel, str(arguments["user"]), _by_bot(team) | _content(arguments) | thread)}


def _react(team: Team, arguments: Json) -> Json:
    channel = _writable(team, arguments)
    team.react(channel, text_of(arguments, "timestamp"), text_of(arguments, "name"), BOT_USER)
    return {}


def _unreact(team: Team, arguments: Json) -> Json:
    channel = _writable(team, arguments)
    team.unreact(channel, text_of(arguments, "timestamp"), text_of(arguments, "name"), BOT_USER)
    return {}


def _set_status(team: Team, arguments: Json) -> Json:
    channel = team.channel(arguments.get("channel_id"))
    team.set_status(channel, text_of(arguments, "thread_ts"), str(arguments.get("status", "")))
    return {}


def _open_view(team: Team, arguments: Json) -> Json:
    return {"view": team.views.open(arguments.get("trigger_id"), arguments.get("view"))}


def _channel_info(team: Team, arguments: Json) -> Json:
    channel = team.channel(arguments.get("channel"))
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_archived": channel.archived,
            "is_general": False,
            "is_shared": channel.external,
            "is_ext_shared": channel.external,
            "is_pending_ext_shared": False,
            "is_org_shared": False,
            "is_member": channel.member,
            "created": channel.created,
            "creator": PERSON,
            "context_team_id": TEAM,
        }
    }


def _user_info(team: Team, arguments: Json) -> Json:
    user = str(arguments.get("user"))
    if user not in team.users:
        raise ApiError("user_not_found")
    name = team.users[user]
    profile = {"real_name": name, "display_name": name, "team": TEAM}
    return {
        "user": {
            "id": user,
            "team_id": TEAM,
            "name": name.lower(),
            "real_name": name,
            "deleted": False,
            "is_bot": user == BOT_USER,
            "tz": "Etc/UTC",
            "tz_offset": 0,
            "profile": profile,
        }
    }


def _bot_info(team: Team, arguments: Json) -> Json:
    if arguments.get("bot", BOT) != BOT:
        raise ApiError("bot_not_found")
    bot = {"id": BOT, "deleted": False, "name": BOT_NAME, "app_id": APP, "user_id": BOT_USER}
    return {"bot": {**bot, "updated": int(team.started), "icons": {}}}


def _writable(team: Team, arguments: Json) -> Channel:
    channel = team.channel(arguments.get("channel"))
    if not channel.member:
        raise ApiError("not_in_channel")
    if channel.archived:
        raise ApiError("is_archived")
    return channel


METHODS: dict[str, tuple[str, Method]] = {
    "auth.test": ("", _auth_test),
    "assistant.threads.setStatus": ("chat:write", _set_status),
    "bots.info": ("users:read", _bot_info),
    "chat.delete": ("chat:write", _delete),
    "chat.getPermalink": ("", _permalink),
    "chat.postEphemeral": ("chat:write", _post_ephemeral),
    "chat.postMessage": ("chat:write", _post_message),
    "chat.update": ("chat:write", _update),
    "conversations.history": ("channels:history", history),
    "conversations.info": ("channels:read", _channel_info),
    "conversations.replies": ("channels:history", replies),
    "reactions.add": ("reactions:write", _react),
    "reactions.remove": ("reactions:write", _unreact),
    "users.info": ("users:read", _user_info),
    "views.open": ("", _open_view),
}
"""Method → the scope that it needs (or none) and what it does."""
