"""Reading messages back, page by page: conversations.history and conversations.replies."""

from typing import Any

from technoshare.workspace.arguments import flag, limit_of, text_of, time_of
from technoshare.workspace.errors import ApiError
from technoshare.workspace.shapes import Json
from technoshare.workspace.team import Channel, Team


def history(team: Team, arguments: Json) -> Json:
    """Return a page of what stands in the channel itself, newest first."""
    channel = _readable(team, arguments)
    newest_first = [
        ts
        for ts, message in reversed(channel.messages.items())
        if message.get("thread_ts", ts) == ts or message.get("subtype") == "thread_broadcast"
    ]
    return _paged(channel, newest_first, arguments)


def replies(team: Team, arguments: Json) -> Json:
    """Return a page of a thread, its first message first. Raises `ApiError` when there is no such thread."""
    channel, ts = _readable(team, arguments), text_of(arguments, "ts")
    if ts not in channel.messages and not channel.threads.get(ts):
        raise ApiError("thread_not_found")
    thread = channel.messages.get(ts, {}).get("thread_ts", ts)
    root = [thread] if thread in channel.messages else []
    page = _paged(channel, [*root, *channel.threads.get(thread, [])], arguments)
    for message in page["messages"]:
        message.pop("client_msg_id", None)  # Slack leaves it out here
    return page


def _readable(team: Team, arguments: Json) -> Channel:
    channel = team.channel(arguments.get("channel"))
    if not channel.member:
        raise ApiError("not_in_channel")
    return channel


def _paged(channel: Channel, found: list[str], arguments: Json) -> Json:
    """Return one page of messages; `oldest` and `latest` exclude their own ts unless `inclusive`."""
    oldest, latest = time_of(arguments, "oldest", 0.0), time_of(arguments, "latest", float("inf"))
    edges = (oldest, latest) if flag(arguments.get("inclusive")) else ()
    wanted = [ts for ts in found if oldest < float(ts) < latest or float(ts) in edges]
    start = _after_cursor(wanted, arguments.get("cursor"))
    end = start + limit_of(arguments)
    metadata = flag(arguments.get("include_all_metadata"))
    page = [channel.shown(ts, metadata=metadata) for ts in wanted[start:end]]
    more = end < len(wanted)
    answer: Json = {"messages": page, "has_more": more}
    return answer | ({"response_metadata": {"next_cursor": f"next_ts:{wanted[end - 1]}"}} if more else {})


def _after_cursor(wanted: list[str], cursor: Any) -> int:
    if not cursor:
        return 0
    ts = str(cursor).removeprefix("next_ts:")
    if ts not in wanted:
        raise ApiError("invalid_cursor")
    return wanted.index(ts) + 1
