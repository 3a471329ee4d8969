"""What no socket brought: links that were posted or deleted while the bot was away, found in the channels' history."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Refused, Transient
from technoshare.models import JobId
from technoshare.ports import Clock, Looks, Messages
from technoshare.slack.listeners import Intake
from technoshare.slack.lookup import answered_jobs
from technoshare.slack.web import NO_ANSWER, REVOKED, code_of, failure_of, silence_of

log = logging.getLogger("technoshare.slack")

FARTHEST = 86_400.0
"""Seconds: older links are not answered any more, a comment on yesterday's talk is noise."""

NEAREST = 600.0
"""Seconds that are always looked back: Slack delivers again for six minutes, and clocks differ."""

OUTAGE_PAUSE = 30.0
"""Seconds until a history that could not be had is asked for again."""

_PAGE = 200  # messages, Slack's recommended most

Json = dict[str, Any]


@dataclass(frozen=True)
class CatchUp:
    """Reads channels back and hands every message to the same intake as events: a known one changes nothing."""

    client: AsyncWebClient
    intake: Intake
    looks: Looks
    messages: Messages
    channels: Collection[str]
    bot_id: str
    doubt: Callable[[], None]
    """Is called when Slack does not accept the bot token."""
    clock: Clock
    first: float = NEAREST
    """Seconds that the first look at a channel goes back."""

    async def __call__(self) -> float | None:
        """Take in what was missed in all channels, oldest first; return the time of the oldest, None when nothing was.

        Raises `Transient` when Slack cannot be asked now; what was taken in until then stays.
        """
        found = [await self._channel(channel) for channel in self.channels]
        return min((ts for ts in found if ts is not None), default=None)

    async def _channel(self, channel: str) -> float | None:
        last, now = await self.looks.last(channel), self.clock()
        oldest = now - self.first if last is None else max(now - FARTHEST, min(last, now - NEAREST))
        try:
            return await self._read(channel, oldest, first=last is None)
        except SlackApiError as error:
            self._skip(channel, error)
            return None
        except NO_ANSWER as error:
            raise Transient(f"no history of {channel} ({silence_of(error)})", after=OUTAGE_PAUSE) from error

    async def _read(self, channel: str, oldest: float, *, first: bool) -> float | None:
        waiting = await self.messages.waiting(channel, oldest)  # before asking: what comes meanwhile is no deletion
        messages = [message async for message in self._history(channel, oldest)]
        standing = {message["ts"] for message in messages if message.get("subtype") != "tombstone"}
        for ts in waiting - standing:
            await self._withdraw(channel, ts)
        missed = None
        for message in reversed(messages):
            # A new jobs file (the old one was damaged, say) must not answer again what stands answered.
            answered = await self._answered(channel, message) if first else frozenset()
            if await self.intake.take({"event": message | {"channel": channel}}, answered=answered):
                missed = missed or float(message["ts"])
        # Slack's time where there is one, so that the next look misses nothing when our clock is wrong.
        await self.looks.note(channel, max([oldest, *(float(message["ts"]) for message in messages[:1])]))
        return missed

    async def _withdraw(self, channel: str, ts: str) -> None:
        """Note that a message is gone, unless it stands after all: a list of many pages may skip one."""
        page = await self.client.conversations_history(channel=channel, oldest=ts, latest=ts, inclusive=True, limit=1)
        if not [found for found in page["messages"] if found["ts"] == ts and found.get("subtype") != "tombstone"]:
            log.info("%s %s was deleted while nobody listened", channel, ts)
            await self.messages.withdraw(channel, ts)

    async def _answered(self, channel: str, message: Json) -> frozenset[JobId]:
        if not message.get("reply_count") and not message.get("thread_ts"):
            return frozenset()
        thread = str(message.get("thread_ts", message["ts"]))
        return await answered_jobs(self.client, channel, thread, bot_id=self.bot_id)

    async def _history(self, channel: str, oldest: float) -> AsyncIterator[Json]:
        """Yield the channel's messages since unix time `oldest`, newest first."""
        cursor: str | None = None
        while cursor != "":
            page = await self.client.conversations_history(
                channel=channel, oldest=f"{oldest:.6f}", inclusive=True, limit=_PAGE, cursor=cursor
            )
            for message in page["messages"]:
                yield message
            cursor = (page["response_metadata"] or {}).get("next_cursor", "")

    def _skip(self, channel: str, error: SlackApiError) -> None:
        """Say that a channel cannot be read. Raises `Transient` when it may be possible later."""
        failure, code = failure_of(error), code_of(error)
        if code in REVOKED:
            self.doubt()
        elif not isinstance(failure, Refused) or failure.after is not None:
            after = failure.after if isinstance(failure, Refused) else OUTAGE_PAUSE
            raise Transient(f"no history of {channel} ({code})", after=after) from error
        log.warning("%s cannot be read back (%s): links posted while the bot was away stay unseen", channel, code)
