"""The one post of a job: reserved, sent once, recorded; looked for before it is ever sent again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Literal

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import WITHDRAWN, Refused, Transient, Undelivered, Unusable
from technoshare.models import Job, Message, Receipt
from technoshare.ports import Claim
from technoshare.slack.lookup import FOR_GOOD, OUTAGE_PAUSE, own_posts
from technoshare.slack.pace import Pace
from technoshare.slack.web import NO_ANSWER, REVOKED, UNREACHABLE, failure_of, silence_of

log = logging.getLogger("technoshare.slack")

EVENT_TYPE = "technoshare_comment"

MAX_PLAIN = 4_000
"""Characters of a post without blocks; beyond it Slack may break a text over several messages."""

_OPERATOR_PAUSE = 60.0  # seconds; somebody has to mend a token or a scope first

_TOO_MUCH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
"""Refusals of the form, not of the post."""

_GONE = frozenset({"message_not_found", "thread_not_found"})
"""Refusals that mean: the message was deleted."""

_OPERATOR = REVOKED | {"missing_scope"}
"""Refusals that end when somebody repairs the installation."""

Ambiguous = Literal["lookup", "hold"]
"""What to do with a post of which nobody knows whether it arrived, when no look-up finds it: send it again, or not."""

SentAgain = Callable[[Job, str, float], None]
"""Is told the job, the token and the unix time of the first sending."""


def _nobody(*_: object) -> None:
    """Take what nobody wants to know."""


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

    def __init__(  # noqa: PLR0913 - three collaborators, and what the room decides for all posters
        self,
        client: AsyncWebClient,
        claim: Claim,
        bot_id: str,
        *,
        pace: Pace,
        ambiguous: Ambiguous = "lookup",
        sent_again: SentAgain = _nobody,
        doubt: Callable[[], None] = _nobody,
    ) -> None:
        self._client = client
        self._claim = claim
        self._bot_id = bot_id
        self._pace = pace
        self._ambiguous = ambiguous
        self._sent_again = sent_again
        self._doubt = doubt
        self._looked_in_vain: float | None = None

    async def post(self, job: Job, message: Message) -> Receipt:
        """Post into the job's thread, once, whatever was tried before.

        Raises `Transient`, mostly `Undelivered` (park the job), and `Unusable` (Slack will never take it, or a person
        must look).
        """
        if wait := self._pace.wait(job.channel, job.id):
            raise Undelivered("Slack has slowed the channel down", after=wait)
        token = post_token(job)
        try:
            return await self._claim.once(
                token, partial(self._send, job, message, token), partial(self._find, job, message, token)
            )
        except Refused as no:
            if no.code in REVOKED:
                self._doubt()
            raise self._consequence(job, no) from no
        except Transient as late:  # nobody knows yet whether it arrived
            raise Undelivered(str(late), after=late.after) from late

    async def _send(self, job: Job, message: Message, token: str) -> Receipt:
        """Send; where a sending went before and was not found, have somebody look again later."""
        receipt = await self._send_either(job, message, token)
        if self._looked_in_vain is not None:
            self._sent_again(job, token, self._looked_in_vain)
        return receipt

    async def _send_either(self, job: Job, message: Message, token: str) -> Receipt:
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

        Raises `Transient` when Slack cannot be asked, `Unusable` when the operator wants no second sending.
        """
        async for ts in own_posts(self._client, job, bot_id=self._bot_id, token=token, since=at):
            return _receipt(job, message, ts)
        if self._ambiguous == "hold":
            log.error(
                "job %s is held (SLACK_AMBIGUOUS=hold): its post may have arrived; look into thread %s of %s,"
                " and if nothing stands there: technoshare jobs retry %s",
                job.id, job.thread_ts, job.channel, job.id,
            )  # fmt: skip
            raise Unusable("it is unknown whether the post arrived", obstacle="held")
        self._looked_in_vain = at
        return None

    def _consequence(self, job: Job, no: Refused) -> Transient | Unusable:
        """Return what a definite no means for the job."""
        if no.code in FOR_GOOD:
            obstacle = WITHDRAWN if no.code in _GONE else "slack_refused"
            return Unusable(f"Slack takes no reply in this thread ({no.code})", obstacle=obstacle)
        told = f"Slack did not take the post ({no.code})"
        if no.after is not None:
            self._pace.slow(job.channel, no.after)
            return Undelivered(told, after=self._pace.wait(job.channel, job.id))
        if no.code == UNREACHABLE:
            return Undelivered(told, after=OUTAGE_PAUSE)
        if no.code in _OPERATOR:
            log.error("Slack refuses the bot (%s): its token or scopes need repair", no.code)
            return Undelivered(told, after=_OPERATOR_PAUSE)
        return Transient(told)  # something about this very post: an apology may fare better


def _receipt(job: Job, message: Message, ts: str) -> Receipt:
    return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts=ts, message=message)
