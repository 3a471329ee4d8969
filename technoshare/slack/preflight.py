"""Before the first event: are both tokens good, is every scope granted, is the bot where it should listen?"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Look:
    """A channel as Slack shows it to the bot; `trouble` says why its links are not read, empty when they are."""

    name: str
    trouble: str
    external: bool = False
    """Whether another company can read it, or is about to."""


async def preflight(
    client: AsyncWebClient, app_token: str, channels: Iterable[str], alert_channel: str = ""
) -> Identity:
    """Check both tokens and look at the channels; one that the bot cannot read or write in is only warned about.

    Raises `ConfigError` that names the variable and what is wrong with it.
    """
    known = await known_bot(client)
    name = str(known["user"])
    looks = {channel: await look_at(client, channel, name) for channel in channels}
    for look in looks.values():
        if look.trouble:
            log.warning("%s: %s", look.name, look.trouble)
    if alert_channel and (look := await look_at(client, alert_channel, name, "ALERT_CHANNEL")).trouble:
        log.warning("ALERT_CHANNEL %s: %s", look.name, look.trouble)
    return Identity(
        team=str(known["team_id"]),
        bot_user=str(known["user_id"]),
        bot_id=str(known["bot_id"]),
        name=name,
        url=str(known["url"]),
        external=frozenset(channel for channel, look in looks.items() if look.external),
        socket_url=await open_socket_url(client, app_token),  # last: it is valid for seconds only
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


async def known_bot(client: AsyncWebClient) -> AsyncSlackResponse:
    """Return what Slack says about the bot token. Raises `ConfigError` when it is not good enough."""
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


async def look_at(client: AsyncWebClient, channel: str, bot: str, variable: str = "TECHNOSHARE_CHANNEL_ID") -> Look:
    """Look at one channel, which `variable` names, as the bot of that name sees it."""
    try:
        answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        advice = f"check {variable}, and in a private channel type /invite @{bot}"
        return Look(f"channel {channel}", f"{code_of(error)}; {advice}")
    except NO_ANSWER as error:
        return Look(f"channel {channel}", f"could not be looked up: {type(error).__name__}")
    found = answer["channel"]
    name = f"#{found.get('name')} ({channel})"
    if found.get("is_ext_shared") or found.get("is_pending_ext_shared"):
        return Look(name, "is shared with another company: its links are not read", external=True)
    return Look(name, "" if found.get("is_member") else f"the bot is not in it: type /invite @{bot} there")


async def open_socket_url(client: AsyncWebClient, app_token: str) -> str:
    """Return where one socket may be opened. Raises `ConfigError` when the app token is not accepted."""
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
