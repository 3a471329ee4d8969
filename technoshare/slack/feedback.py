"""👍 and 👎: a vote is stored before its click is acked; the thanks and the form that asks why follow behind.

Votes are private: whoever clicks sees an answer that nobody else sees, and no count is ever shown.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field, ValidationError
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.buttons import (
    CHOICE,
    DOWN,
    LONGEST_WORDS,
    REASONS,
    UP,
    VOTE,
    WHY,
    WORDS,
    reason_form,
    reason_of,
    reasons_in,
)
from technoshare.models import Click, JobId, Value, Vote
from technoshare.ports import Votes
from technoshare.quality.sanitize import plain
from technoshare.quality.secrets import redacted
from technoshare.slack.errands import Errands
from technoshare.slack.web import NO_ANSWER, code_of

log = logging.getLogger("technoshare.slack")

THANKS = "Thanks for the 👍. Only you see this; press it again to take it back."
TAKEN_BACK = "Your vote is taken back."
NO_FORM = "Your 👎 counts. The form that asks why did not open; press 👎 twice to be asked again."
NO_LONGER = "Your 👎 no longer stands, so its reason is not kept."

Json = dict[str, Any]
Ack = Callable[[], Awaitable[object]]


class _Pressed(BaseModel):
    """What of a click's payload counts; whatever does not fit is no click on a button of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: str = Field(validation_alias=AliasPath("user", "id"))
    channel: str = Field(validation_alias=AliasPath("channel", "id"))
    ts: str = Field(validation_alias=AliasPath("container", "message_ts"))
    thread_ts: str | None = Field(default=None, validation_alias=AliasPath("container", "thread_ts"))
    trigger: str = Field(validation_alias="trigger_id")
    action: Literal["vote-up", "vote-down"] = Field(validation_alias=AliasPath("actions", 0, "action_id"))
    job_id: str = Field(pattern=r"^[0-9a-f]{12}$", validation_alias=AliasPath("actions", 0, "value"))
    block_id: str = Field(pattern=rf"^{VOTE}-\d{{1,9}}$", validation_alias=AliasPath("actions", 0, "block_id"))
    at: float = Field(validation_alias=AliasPath("actions", 0, "action_ts"), allow_inf_nan=False)

    def click(self) -> Click:
        """Return it as a click on a vote."""
        return Click(
            job_id=JobId(self.job_id),
            generation=int(self.block_id.removeprefix(f"{VOTE}-")),
            channel=self.channel,
            ts=self.ts,
            user=self.user,
            value="up" if self.action == UP else "down",
            at=self.at,
        )


class _Asked(Value):
    """What the form carries with it: which vote it is about, and where it was asked for."""

    vote: Vote
    thread_ts: str | None


class _Option(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str


class _Filled(BaseModel):
    """A form that was sent."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: str = Field(validation_alias=AliasPath("user", "id"))
    private: str = Field(validation_alias=AliasPath("view", "private_metadata"))
    chosen: tuple[_Option, ...] = Field(
        default=(), validation_alias=AliasPath("view", "state", "values", CHOICE, CHOICE, "selected_options")
    )
    words: str | None = Field(
        default=None, validation_alias=AliasPath("view", "state", "values", WORDS, WORDS, "value")
    )

    def reason(self) -> str:
        """Return it in the words that are kept: bounded, one line, without mentions and keys."""
        return reason_of((option.value for option in self.chosen), redacted(plain(self.words or ""))[:LONGEST_WORDS])


class Voting:
    """What the two buttons and the form do, in the channels of the allow-list."""

    def __init__(self, client: AsyncWebClient, votes: Votes, channels: Collection[str]) -> None:
        self._client = client
        self._votes = votes
        self._channels = channels
        self._errands = Errands("a vote was not handed on")
        self.close = self._errands.close

    async def vote(self, body: Json, ack: Ack) -> None:
        """Count a click, then ack; what is to be said about it follows."""
        try:
            pressed = _Pressed.model_validate(body)
        except ValidationError:  # not a button of ours
            await ack()
            return
        vote = await self._votes.cast(pressed.click()) if pressed.channel in self._channels else None
        if vote is not None:
            log.info("a vote on %s", vote.job_id)
            self._errands.begin(self._answer(pressed, vote))
        await ack()

    async def explain(self, body: Json, ack: Ack) -> None:
        """Keep the reason that somebody gave, then ack, which closes the form."""
        try:
            filled = _Filled.model_validate(body)
            asked = _Asked.model_validate_json(filled.private)
        except ValidationError:
            await ack()
            return
        vote = asked.vote.model_copy(update={"user": filled.user, "reason": filled.reason()})
        kept = vote.channel in self._channels and await self._votes.explain(vote)
        labels = "; ".join(REASONS[word].lower() for word in reasons_in(vote.reason))
        said = f"Thanks, noted: {labels}." if labels else "Thanks, noted."
        self._errands.begin(self._settle(asked, vote, said if kept else NO_LONGER))
        await ack()

    async def _answer(self, pressed: _Pressed, vote: Vote) -> None:
        asked = _Asked(vote=vote, thread_ts=pressed.thread_ts)
        if vote.value != "down":
            await self._settle(asked, vote, THANKS if vote.value == "up" else TAKEN_BACK)
        elif await self._ask_why(pressed.trigger, asked):  # at once: Slack takes it for 3 s after the click
            await self._votes.hand_on()
        else:
            await self._settle(asked, vote, NO_FORM)

    async def _settle(self, asked: _Asked, vote: Vote, said: str) -> None:
        """Hand the vote on; then say it to whoever voted, and to nobody else."""
        await self._votes.hand_on()
        call = self._client.chat_postEphemeral(
            channel=vote.channel, user=vote.user, text=said, thread_ts=asked.thread_ts
        )
        await _went(call, "a vote's answer did not reach its author")

    async def _ask_why(self, trigger: str, asked: _Asked) -> bool:
        call = self._client.views_open(trigger_id=trigger, view=reason_form(asked.model_dump_json()))
        return await _went(call, "Slack did not open the form for a 👎")


async def _went(call: Awaitable[object], trouble: str) -> bool:
    """Make one call and tell whether it went well; a failure is a line in the log."""
    try:
        await call
    except SlackApiError as error:
        log.warning("%s: %s", trouble, code_of(error))
        return False
    except NO_ANSWER as error:
        log.warning("%s: %s", trouble, type(error).__name__)
        return False
    return True


def listen_to_votes(app: AsyncApp, voting: Voting) -> None:
    """Register what is done on votes and reasons; every other form is acked and means nothing."""
    app.action(re.compile(f"^({UP}|{DOWN})$"))(voting.vote)
    app.view(WHY)(voting.explain)
    app.view(re.compile(".*"))(_ignore)


async def _ignore(ack: Ack) -> None:
    """Take a form of another time."""
    await ack()
