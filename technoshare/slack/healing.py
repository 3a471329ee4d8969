"""A duplicate that came to light late: Slack showed a post only after the look-up, and it was sent again."""

from __future__ import annotations

import asyncio
import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Transient
from technoshare.models import Job
from technoshare.slack.errands import PATIENCE, Errands
from technoshare.slack.lookup import own_posts
from technoshare.slack.web import NO_ANSWER, code_of

log = logging.getLogger("technoshare.slack")

LATE = 60.0
"""Seconds after a second sending until the thread is looked at once more."""


class Healer:
    """Looks once more at threads to which a post was sent twice; the tasks are its own: none outlives `close`."""

    def __init__(self, client: AsyncWebClient, bot_id: str, *, late: float = LATE) -> None:
        self._client = client
        self._bot_id = bot_id
        self._late = late
        self._closing = asyncio.Event()
        self._errands = Errands("a duplicate could not be looked for")

    def look_again(self, job: Job, token: str, since: float) -> None:
        """Look later for posts that carry the token, and delete all but the oldest; failures are logged."""
        self._errands.begin(self._heal(job, token, since))

    async def close(self, patience: float = PATIENCE) -> None:
        """Look at once where a look is due later, wait so many seconds, cancel the rest."""
        self._closing.set()
        await self._errands.close(patience)

    async def _heal(self, job: Job, token: str, since: float) -> None:
        await self._later()
        posts = own_posts(self._client, job, bot_id=self._bot_id, token=token, since=since)
        try:
            _, *younger = sorted([ts async for ts in posts], key=float) or [""]
            for ts in younger:
                await self._client.chat_delete(channel=job.channel, ts=ts)
                log.warning("job %s: Slack showed the first post late, the second one (%s) is deleted", job.id, ts)
        except Transient as error:
            log.warning("job %s may stand twice in its thread: %s", job.id, error)
        except SlackApiError as error:
            log.warning("job %s stands twice in its thread: %s", job.id, code_of(error))
        except NO_ANSWER as error:
            log.warning("job %s stands twice in its thread: %s", job.id, type(error).__name__)

    async def _later(self) -> None:
        try:
            async with asyncio.timeout(self._late):
                await self._closing.wait()
        except TimeoutError:
            pass  # it is late now
