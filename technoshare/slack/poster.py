"""The one post of a job: reserved, sent once, recorded; looked for before it is ever sent again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Refused, TechnoShareError, Transient, Unusable
from technoshare.models import Job, Message, Receipt
from technoshare.ports import Claim
from technoshare.slack.web import NO_ANSWER, UNREACHABLE, failure_of, silence_of

log = logging.getLogger("technoshare.slack")

EVENT_TYPE = "technoshare_comment"

MAX_PLAIN = 4_000
"""Characters of a post without blocks; beyond it Slack may break a text over several messages."""

_PAGE = 200  # messages per page of a look-up: Slack's recommended most
_CLOCK_SKEW = 300.0  # seconds that our clock may be ahead of Slack's when its messages are looked up by time
_OUTAGE_PAUSE = 30.0  # seconds until Slack is called again after it could not be reached
_OPERATOR_PAUSE = 60.0  # seconds; somebody has to mend a token or a scope first

_TOO_MUCH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
"""Refusals of the form, not of the post."""

_FOR_GOOD = frozenset(
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

_OPERATOR = frozenset(
    {"account_inactive", "invalid_auth", "missing_scope", "not_authed", "token_expired", "token_revoked"}
)
"""Refusals that end when somebody repairs the installation."""


def post_token(job: Job) -> str:
    """Return what marks this generation's post in its metadata: 24 hex digits."""
    return hashlib.sha256(f"{job.key} {job.generation}".encode()).hexdigest()[:24]


def shortened(text: str, limit: int = MAX_PLAIN) -> str:
    """Return `text` cut between words to at most `limit` characters, so that no `&amp;` is broken."""
    if len(text) <= limit:
        return text
    head = text[: limit - 2]
    return f"{head[: max(head.rfind(' '), head.rfind(chr(10)), 0)].rstrip()} …"


class SlackPoster:
    """The `Poster` of one claimed job. `client` must be one that sends every call exactly once."""

    def __init__(self, client: AsyncWebClient, claim: Claim, bot_id: str) -> None:
        self._client = client
        self._claim = claim
        self._bot_id = bot_id

    async def post(self, job: Job, message: Message) -> Receipt:
        """Post into the job's thread, once, whatever was tried before.

        Raises `Transient` (park the job) and `Unusable` (Slack will never take it).
        """
        token = post_token(job)
        try:
            return await self._claim.once(
                token, partial(self._send, job, message, token), partial(self._find, job, message, token)
            )
        except Refused as no:
            raise _consequence(no) from no

    async def _send(self, job: Job, message: Message, token: str) -> Receipt:
        """Send; when Slack refuses the blocks, send the same post once more as plain text."""
        try:
            return await self._call(job, message, token)
        except Refused as no:
            if no.code not in _TOO_MUCH or not message.blocks:
                raise
            log.warning("job %s: Slack refused the blocks (%s), posting plain text", job.id, no.code)
        return await self._call(job, Message(text=shortened(message.text), blocks=()), token)

    async def _call(self, job: Job, message: Message, token: str) -> Receipt:
        try:
            answer = await self._client.chat_postMessage(
                channel=job.channel,
                thread_ts=job.thread_ts,
                text=message.text,
                blocks=list(message.blocks) or None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"job_id": job.id, "token": token}},
                unfurl_links=False,  # an unfurl is an edit, and an edit is an event
                unfurl_media=False,
            )
        except SlackApiError as error:
            raise failure_of(error) from error
        except NO_ANSWER as error:
            raise silence_of(error) from error
        return _receipt(job, message, str(answer["ts"]))

    async def _find(self, job: Job, message: Message, token: str, at: float) -> Receipt | None:
        """Return the receipt of a post that carries the token and was made after unix time `at`.

        Raises `Transient` when Slack cannot be asked: not knowing is not the same as not there.
        """
        async for reply in self._replies(job, oldest=at - _CLOCK_SKEW):
            payload = reply.get("metadata", {}).get("event_payload", {})
            if reply.get("bot_id") == self._bot_id and payload.get("token") == token:
                return _receipt(job, message, str(reply["ts"]))
        return None

    async def _replies(self, job: Job, *, oldest: float) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        while cursor != "":
            try:
                page = await self._client.conversations_replies(
                    channel=job.channel,
                    ts=job.thread_ts,
                    oldest=f"{oldest:.6f}",
                    include_all_metadata=True,
                    limit=_PAGE,
                    cursor=cursor,
                )
            except SlackApiError as error:
                failure = failure_of(error)
                if isinstance(failure, Refused) and failure.code in _FOR_GOOD:
                    return  # there is no such thread: nothing of ours stands in it
                raise _unanswered(failure) from error
            except NO_ANSWER as error:
                raise _unanswered(silence_of(error)) from error
            for reply in page["messages"]:
                yield reply
            cursor = (page["response_metadata"] or {}).get("next_cursor", "")


def _receipt(job: Job, message: Message, ts: str) -> Receipt:
    return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts=ts, message=message)


def _unanswered(failure: TechnoShareError) -> Transient:
    after = failure.after if isinstance(failure, Refused) and failure.after is not None else _OUTAGE_PAUSE
    return Transient(f"Slack could not be asked whether the post arrived ({failure})", after=after)


def _consequence(no: Refused) -> Transient | Unusable:
    """Return what a definite no means for the job."""
    if no.code in _FOR_GOOD:
        return Unusable(f"Slack takes no reply in this thread ({no.code})", obstacle="slack_refused")
    after = no.after
    if no.code == UNREACHABLE:
        after = _OUTAGE_PAUSE
    elif no.code in _OPERATOR:
        log.error("Slack refuses the bot (%s): its token or scopes need repair", no.code)
        after = _OPERATOR_PAUSE
    return Transient(f"Slack did not take the post ({no.code})", after=after)
