"""Clicks on buttons. What a click asks for is stored before it is acked; without an ack Slack tells who clicked."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from slack_bolt.app.async_app import AsyncApp

from technoshare.buttons import RETRY
from technoshare.models import JobId
from technoshare.ports import JobEngine

log = logging.getLogger("technoshare.slack")

Json = dict[str, Any]
Ack = Callable[[], Awaitable[object]]


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str


class _RetryButton(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str = Field(pattern=r"^[0-9a-f]{12}$")
    block_id: str = Field(pattern=rf"^{RETRY}-\d{{1,9}}$")


class RetryClick(BaseModel):
    """A click on Retry: who, where, and on which attempt of which job."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: _Named
    channel: _Named
    actions: tuple[_RetryButton]

    @property
    def job_id(self) -> JobId:
        """The job."""
        return JobId(self.actions[0].value)

    @property
    def generation(self) -> int:
        """The attempt that failed; a button of an older one means nothing any more."""
        return int(self.actions[0].block_id.removeprefix(f"{RETRY}-"))


@dataclass(frozen=True)
class Buttons:
    """What the buttons of our posts do, in the channels of the allow-list."""

    engine: JobEngine
    channels: Collection[str]

    async def retry(self, body: Json, ack: Ack) -> None:
        """Start a new attempt of a job that failed; durable when it returns. A second click changes nothing."""
        try:
            click = RetryClick.model_validate(body)
        except ValidationError:  # not a button of ours
            await ack()
            return
        if click.channel.id in self.channels:
            begun = await self.engine.retry(click.job_id, generation=click.generation)
            log.info("%s clicked Retry for %s%s", click.user.id, click.job_id, "" if begun else ": nothing to do")
        await ack()


def listen_to_buttons(app: AsyncApp, buttons: Buttons) -> None:
    """Register what is done on a click; every other click is acked and means nothing."""
    app.action(RETRY)(buttons.retry)
    app.action(re.compile(".*"))(_ignore)


async def _ignore(ack: Ack) -> None:
    """Take a click on a button of another time."""
    await ack()
