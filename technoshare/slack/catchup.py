"""What no socket brought: links that were posted while the bot was away are found in the channels' history."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Refused, Transient
from technoshare.ports import Clock, Looks
from technoshare.slack.listeners import Intake
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
    channels: Collection[str]
    bot_user: str
    doubt: Callable[[], None]
    """Is called when Slack does not accept the bot token."""
    clock: Clock

    async def __call__(self) -> float | None:
        """Take in what was missed in all channels, oldest first; return the time of the oldest, None when nothing was.

        Raises `Transient` when Slack cannot be asked now; what was taken in until then stays.
        """
        found = [await self._channel(channel) for channel in self.channels]
        return min((ts for ts in found if ts is not None), default=None)

    async def _channel(self, channel: str) -> float | None:
        last, now = await self.looks.last(channel), self.clock()
        recent = now - NEAREST
        oldest = recent if last is None else max(now - FARTHEST, min(last, recent))
        try:
            messages = [message async for message in self._history(channel, oldest)]
        except SlackApiError as error:
            self._skip(channel, error)
            return None
        except NO_ANSWER as error:
            raise Transient(f"no history of {channel} ({silence_of(error)})", after=OUTAGE_PAUSE) from error
        missed = None
        for message in reversed(messages):
            if last is None and self.bot_user in message.get("reply_users", ()):
                continue  # a new jobs file (the old one was damaged, say) must not answer again what stands answered
            if await self.intake.take({"event": message | {"channel": channel}}):
                missed = missed or float(message["ts"])
        # Slack's time where there is one, so that the next look misses nothing when our clock is wrong.
        await self.looks.note(channel, max([oldest, *(float(message["ts"]) for message in messages[:1])]))
        return missed

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
