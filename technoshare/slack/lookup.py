"""The bot's own posts in a thread, told apart by the token in their metadata."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Refused, TechnoShareError, Transient
from technoshare.models import Job, JobId
from technoshare.slack.web import NO_ANSWER, failure_of, silence_of

OUTAGE_PAUSE = 30.0
"""Seconds until Slack is called again after it could not be reached."""

_PAGE = 200  # messages per page of a look-up: Slack's recommended most
CLOCK_SKEW = 300.0  # seconds that our clock may be ahead of Slack's when its messages are looked up by time

FOR_GOOD = frozenset(
    {
        "cannot_reply_to_message",
        "channel_not_found",
        "is_archived",
        "message_not_found",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "thread_not_found",
    }
)
"""Refusals that no second try changes."""


async def own_posts(client: AsyncWebClient, job: Job, *, bot_id: str, token: str, since: float) -> AsyncIterator[str]:
    """Yield the ts of each post in the job's thread that carries the token and was made after unix time `since`.

    Raises `Transient` when Slack cannot be asked: not knowing is not the same as not there.
    """
    async for reply in _replies(client, job.channel, job.thread_ts, oldest=since - CLOCK_SKEW):
        if reply.get("bot_id") == bot_id and _marks(reply).get("token") == token:
            yield str(reply["ts"])


async def answered_jobs(client: AsyncWebClient, channel: str, thread_ts: str, *, bot_id: str) -> frozenset[JobId]:
    """Return the jobs whose replies stand in a thread. Raises `Transient` when Slack cannot be asked."""
    replies = [reply async for reply in _replies(client, channel, thread_ts, oldest=0) if reply.get("bot_id") == bot_id]
    return frozenset(JobId(str(_marks(reply)["job_id"])) for reply in replies if "job_id" in _marks(reply))


def _marks(reply: dict[str, Any]) -> dict[str, Any]:
    """Return what we wrote into a post's metadata."""
    payload = reply.get("metadata", {}).get("event_payload", {})
    return payload if isinstance(payload, dict) else {}


async def _replies(
    client: AsyncWebClient, channel: str, thread_ts: str, *, oldest: float
) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = None
    while cursor != "":
        try:
            page = await client.conversations_replies(
                channel=channel,
                ts=thread_ts,
                oldest=f"{oldest:.6f}",
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor,
            )
        except SlackApiError as error:
            failure = failure_of(error)
            if isinstance(failure, Refused) and failure.code in FOR_GOOD:
                return  # there is no such thread: nothing of ours stands in it
            raise _unanswered(failure) from error
        except NO_ANSWER as error:
            raise _unanswered(silence_of(error)) from error
        for reply in page["messages"]:
            yield reply
        cursor = (page["response_metadata"] or {}).get("next_cursor", "")


def _unanswered(failure: TechnoShareError) -> Transient:
    after = failure.after if isinstance(failure, Refused) and failure.after is not None else OUTAGE_PAUSE
    return Transient(f"Slack could not be asked whether the post arrived ({failure})", after=after)
