"""Whether Slack still accepts the bot's tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import ConfigError
from technoshare.slack.preflight import revoked


class Credentials:
    """Calls `refused`, once, when Slack no longer accepts one of the tokens."""

    def __init__(self, client: AsyncWebClient, refused: Callable[[ConfigError], None]) -> None:
        self._client = client
        self._refused = refused
        self._told = False
        self._asking: asyncio.Task[None] | None = None

    def app_token_refused(self, code: str) -> None:
        """Take Slack's word for it: the request was about nothing but the token."""
        self._tell("SLACK_APP_TOKEN", code)

    def doubt_bot_token(self) -> None:
        """Ask Slack about the token itself, in the background: one refused call may have had other reasons."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        if code := await revoked(self._client):
            self._tell("SLACK_BOT_TOKEN", code)

    def _tell(self, variable: str, code: str) -> None:
        if not self._told:
            self._told = True
            self._refused(
                ConfigError(f"{variable}: Slack no longer accepts it ({code}); stored links wait for a new one")
            )
