"""Before the first event: are both tokens good, is every scope granted, is the bot where it should listen?"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from technoshare.errors import ConfigError
from technoshare.slack.web import NO_ANSWER, REVOKED, code_of

log = logging.getLogger("technoshare.slack")

SCOPES = frozenset(
    {"channels:history", "channels:read", "chat:write", "groups:history", "groups:read", "reactions:write"}
)
"""What the bot token must be allowed to do; the same set stands in manifest.json."""

_MEANINGS = {
    (
        "SLACK_APP_TOKEN",
        "missing_scope",
    ): "it lacks the scope connections:write; make a new one with it (Basic Information)",
    ("SLACK_APP_TOKEN", "not_allowed_token_type"): "Slack wants the app-level token here (xapp-…, Basic Information)",
    ("SLACK_BOT_TOKEN", "not_allowed_token_type"): "Slack wants the bot token here (xoxb-…, OAuth & Permissions)",
}


@dataclass(frozen=True)
class Identity:
    """Who the bot is, as Slack says."""

    team: str
    bot_user: str
    bot_id: str
    name: str
    url: str
    """Address of the workspace, with a slash at its end."""
    external: frozenset[str] = frozenset()
    """Channels of the allow-list that are, or are about to be, shared with another company."""
    socket_url: str = field(default="", repr=False)
    """Where the first socket may be opened, once."""

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message, without asking Slack."""
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}"


async def preflight(
    client: AsyncWebClient, app_token: str, channels: Collection[str], alert_channel: str = ""
) -> Identity:
    """Check both tokens and look at the channels; one that the bot cannot read or write in is only warned about.

    Raises `ConfigError` that names the variable and what is wrong with it.
    """
    known = await _bot(client)
    name = str(known["user"])
    external = [channel for channel in channels if await _is_external(client, channel, name)]
    if alert_channel and alert_channel not in channels:
        await _channel(client, "ALERT_CHANNEL", alert_channel, name)
    return Identity(
        team=str(known["team_id"]),
        bot_user=str(known["user_id"]),
        bot_id=str(known["bot_id"]),
        name=name,
        url=str(known["url"]),
        external=frozenset(external),
        socket_url=await _socket_url(client, app_token),  # last: it is valid for seconds only
    )


async def revoked(client: AsyncWebClient) -> str:
    """Return Slack's code when it no longer accepts the bot token; empty while it does, or cannot be asked."""
    try:
        await client.auth_test()
    except SlackApiError as error:
        code = code_of(error)
        return code if code in REVOKED else ""
    except NO_ANSWER:
        return ""
    return ""


async def _bot(client: AsyncWebClient) -> AsyncSlackResponse:
    try:
        known = await client.auth_test()
    except (SlackApiError, *NO_ANSWER) as error:
        raise _problem(error, client, "SLACK_BOT_TOKEN") from error
    if missing := _missing_scopes(known):
        advice = "add it under OAuth & Permissions and install the app again"
        raise ConfigError(f"SLACK_BOT_TOKEN lacks the scope {', '.join(missing)}: {advice}")
    if not known["bot_id"]:
        raise ConfigError("SLACK_BOT_TOKEN belongs to a person, not to a bot; take the Bot User OAuth Token")
    return known


def _missing_scopes(known: AsyncSlackResponse) -> list[str]:
    granted = known.headers.get("x-oauth-scopes")
    if granted is None:  # some proxies drop the header: the first refused call will tell
        return []
    return sorted(SCOPES - {scope.strip() for scope in granted.split(",")})


async def _is_external(client: AsyncWebClient, channel: str, name: str) -> bool:
    """Look at one channel and tell whether another company can read it."""
    found = await _channel(client, "TECHNOSHARE_CHANNEL_ID", channel, name)
    external = bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared"))
    if external:
        log.warning("#%s (%s) is shared with another company: its links are not read", found.get("name"), channel)
    return external


async def _channel(client: AsyncWebClient, variable: str, channel: str, name: str) -> dict[str, Any]:
    """Return what Slack says about a channel, nothing when it says nothing; warn when the bot is not in it."""
    try:
        answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        log.warning(
            "channel %s: %s; check %s, and in a private channel type /invite @%s",
            channel, code_of(error), variable, name,
        )  # fmt: skip
        return {}
    except NO_ANSWER as error:
        log.warning("channel %s could not be looked up: %s", channel, type(error).__name__)
        return {}
    found: dict[str, Any] = answer["channel"]
    if not found.get("is_member"):
        log.warning("the bot is not in #%s (%s): type /invite @%s there", found.get("name"), channel, name)
    return found


async def _socket_url(client: AsyncWebClient, app_token: str) -> str:
    try:
        return str((await client.apps_connections_open(app_token=app_token))["url"])
    except (SlackApiError, *NO_ANSWER) as error:
        raise _problem(error, client, "SLACK_APP_TOKEN") from error


def _problem(error: Exception, client: AsyncWebClient, variable: str) -> ConfigError:
    if not isinstance(error, SlackApiError):
        return ConfigError(f"SLACK_API_URL: no answer from {client.base_url} ({type(error).__name__})")
    code = code_of(error)
    if code.startswith("http_"):
        return ConfigError(f"SLACK_API_URL: {client.base_url} does not answer as Slack does ({code})")
    return ConfigError(f"{variable}: {_MEANINGS.get((variable, code), f'Slack does not accept it ({code})')}")
