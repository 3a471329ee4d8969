"""Events → jobs. A listener only filters and stores; the ack follows the commit, and every event is acked."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, ValidationError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from technoshare.errors import TechnoShareError
from technoshare.models import Job, JobId
from technoshare.ports import Clock, JobEngine, Messages
from technoshare.retrieval.urls import job_link
from technoshare.slack.links import MAX_LINKS, links_of, text_of
from technoshare.slack.reactions import Signs

log = logging.getLogger("technoshare.slack")

HANDLED_SUBTYPES = (None, "file_share", "thread_broadcast")
"""Kinds of message in which a person shares a link; all others are acknowledged and ignored."""

_SLACKBOT = "USLACKBOT"

Json = dict[str, Any]


class Posted(BaseModel):
    """What of a message event decides whether it is read, and where the answer goes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    channel: str
    ts: str = Field(pattern=r"^\d+\.\d+$")
    user: str = ""
    subtype: str | None = None
    thread_ts: str | None = None
    bot_id: str | None = None

    @property
    def by_person(self) -> bool:
        """Whether a person wrote it; apps always leave a bot id."""
        return not self.bot_id and self.user != _SLACKBOT

    @property
    def at_top(self) -> bool:
        """Whether it stands in the channel itself; a reply that was also sent to the channel does."""
        return self.thread_ts in (None, self.ts) or self.subtype == "thread_broadcast"


class _Deleted(BaseModel):
    """A message that is gone; one with replies leaves a tombstone, which Slack words as an edit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    channel: str
    ts: str = Field(validation_alias=AliasChoices("deleted_ts", AliasPath("message", "ts")))
    subtype: Literal["message_deleted", "message_changed"]
    left: Literal["tombstone"] | None = Field(default=None, validation_alias=AliasPath("message", "subtype"))


@dataclass(frozen=True)
class Rules:
    """Whose messages are read."""

    team: str
    bot_user: str
    channels: frozenset[str]
    """The allow-list: everywhere else the bot is silent."""
    external: frozenset[str] = frozenset()
    """Channels known to be shared with another company: never read, since replies name internal projects."""

    def message(self, body: Json) -> Posted | None:
        """Return the message of an event if it is one to read; never raises, whatever `body` holds."""
        try:
            posted = Posted.model_validate(body.get("event"))
        except ValidationError:
            return None
        wanted = posted.subtype in HANDLED_SUBTYPES and posted.at_top and posted.channel in self.channels
        if not wanted or not posted.by_person or posted.user == self.bot_user:
            return None
        if body.get("is_ext_shared_channel") or posted.channel in self.external:
            log.warning("%s is shared with another company: its links are not read", posted.channel)
            return None
        return posted

    def deleted(self, body: Json) -> tuple[str, str] | None:
        """Return channel and ts of the message whose deletion an event tells; never raises, whatever `body` holds."""
        try:
            gone = _Deleted.model_validate(body.get("event"))
        except ValidationError:
            return None
        told = gone.subtype == "message_deleted" or gone.left == "tombstone"
        return (gone.channel, gone.ts) if told and gone.channel in self.channels else None


def job_key(team: str, channel: str, ts: str, link: str) -> str:
    """Return the key under which a link of a message is one job for ever.

    FROZEN (version 1), as `job_link` is: a change would make every redelivered link a new job and a second comment.
    """
    return f"v1 {team} {channel} {ts} {job_link(link)}"


def jobs_of(posted: Posted, event: Json, *, team: str, received: float) -> tuple[Job, ...]:
    """Return a job for each of the first links, in their order; the last one names the links that nobody reads."""
    links = links_of(event)
    read, unread = links[:MAX_LINKS], links[MAX_LINKS:]
    text = text_of(event)
    return tuple(
        Job(
            key=job_key(team, posted.channel, posted.ts, link),
            team=team,
            channel=posted.channel,
            ts=posted.ts,
            thread_ts=posted.thread_ts or posted.ts,
            user=posted.user,
            url=link,
            text=text,
            unread=unread if link == read[-1] else (),
            received=received,
        )
        for link in read
    )


@dataclass(frozen=True)
class Intake:
    """Takes a message in: jobs stored, then 👀. What it raises makes Slack deliver the event again."""

    rules: Rules
    engine: JobEngine
    messages: Messages
    signs: Signs
    clock: Clock

    async def take(self, body: Json, *, answered: Collection[JobId] = ()) -> bool:
        """Store the links of one message event; durable when it returns. A known message changes nothing: False.

        Jobs that are `answered` already are left out.
        """
        received = self.clock()
        if (gone := self.rules.deleted(body)) is not None:
            await self.messages.withdraw(*gone)
            return False
        posted = self.rules.message(body)
        if posted is None:
            return False
        jobs = jobs_of(posted, body["event"], team=self.rules.team, received=received)
        submitted = [await self.engine.submit(job) for job in jobs if job.id not in answered]
        fresh = any(answer.fresh for answer in submitted)
        if fresh:  # else it may have ended, and its sign stands
            log.info("%s %s: %s", posted.channel, posted.ts, ", ".join(answer.job_id for answer in submitted))
            self.signs.give(posted.channel, posted.ts, [answer.job_id for answer in submitted])
        return fresh


def listen(app: AsyncApp, intake: Intake) -> None:
    """Register the listeners; their order is the order in which Bolt asks them."""
    app.middleware(RateNotice())
    app.error(_not_acknowledged)

    async def take(body: Json) -> None:  # Bolt fills in parameters by their names
        await intake.take(body)

    app.event("message")(take)
    # Last: Bolt never acks what no listener matches, and Slack switches off an app that leaves events unacked.
    app.event(re.compile(".*"))(_ignore)


class RateNotice(AsyncMiddleware):
    """Acks the one payload that holds no event, so that no listener can match it."""

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - as above
    ) -> BoltResponse | None:
        """Answer the notice, pass on everything else."""
        if req.body.get("type") != "app_rate_limited":
            return await next()
        log.warning("Slack holds back events: more than 30,000 an hour in this workspace")
        return await req.context.ack()


async def _ignore(body: Json) -> None:
    """Take an event to be acked that means nothing here."""
    log.debug("ignored: %s", body["event"]["type"])


async def _not_acknowledged(error: Exception) -> None:
    """Say in one line why an event was not acked; Slack delivers it again at once, after 1 and after 5 minutes."""
    expected = isinstance(error, TechnoShareError | sqlite3.Error | OSError)
    words = f"{type(error).__name__}: {error}"
    log.error("an event was not stored, so it is not acknowledged: %s", words, exc_info=None if expected else error)
