"""Slack's Web API as this room uses it: how a client is made, and what its failures mean."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from technoshare.errors import Ambiguous, Refused

TIMEOUT = 10
"""Seconds for one call; Slack answers within one, and the look-up after a lost answer counts on this limit."""

RETRY_AFTER = 30.0
"""Seconds to wait after a 429 that names no time of its own."""

UNREACHABLE = "unreachable"
"""The code of a call that never left: no name, no route, no connection."""

NO_ANSWER = (ClientError, TimeoutError, OSError)
"""What slack_sdk lets through when a call gets no answer at all; aiohttp's errors are its interface here."""

REVOKED = frozenset(
    {"account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed", "token_expired", "token_revoked"}
)
"""Codes that end only when somebody makes a new token: the app was removed, or its tokens were revoked."""

_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable"})
"""Codes of which Slack's documentation says that parts of the operation may have succeeded."""

vendor_log = logging.getLogger("slack_bolt")
# An unset level makes the vendor format whole payloads for debug lines that nobody sees; at WARNING it complains that
# SLACK_BOT_TOKEN stands in the environment, where it belongs.
vendor_log.setLevel(logging.ERROR)


def web_client(token: str | None, api_url: str) -> AsyncWebClient:
    """Return a client that sends every call exactly once.

    Each call has a connection of its own: one kept alive may just be closing, and a post lost there is ambiguous.
    """
    client = AsyncWebClient(token=token, base_url=api_url, timeout=TIMEOUT, retry_handlers=[], logger=vendor_log)
    if _is_loopback(api_url):
        client.proxy = None  # slack_sdk takes HTTP_PROXY from the environment but never looks at NO_PROXY
    return client


@asynccontextmanager
async def open_patient_client(token: str, api_url: str) -> AsyncIterator[AsyncWebClient]:
    """Yield a client for calls that may be repeated: it keeps connections, sits out a 429, repeats a lost call."""
    client = web_client(token, api_url)
    client.retry_handlers = [
        AsyncRateLimitErrorRetryHandler(max_retry_count=2),
        AsyncConnectionErrorRetryHandler(max_retry_count=1),  # a connection kept alive may just be closing
    ]
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT)) as session:
        client.session = session
        yield client


def failure_of(error: SlackApiError) -> Refused | Ambiguous:
    """Return what a failed call means: a definite no with Slack's code, or not knowing whether it happened."""
    code, status = code_of(error), _status(error)
    if status == 429:
        return Refused(code, after=_retry_after(error))
    unclear = status == 200 and code == "http_200"  # some proxy's page instead of Slack's answer
    if status >= 500 or unclear or code in _PERHAPS_DONE:
        return Ambiguous(code)
    return Refused(code)


def silence_of(error: Exception) -> Refused | Ambiguous:
    """Return what a call without an answer means; only a connection that never stood is a definite no."""
    if isinstance(error, ClientConnectorError):
        return Refused(UNREACHABLE)
    return Ambiguous(type(error).__name__)


def code_of(error: SlackApiError) -> str:
    """Return Slack's own code, or `http_<status>` where the answer holds none."""
    response = error.response
    data = response.data if isinstance(response, AsyncSlackResponse) else None
    code = data.get("error") if isinstance(data, dict) else None
    return str(code) if code else f"http_{_status(error)}"


def _status(error: SlackApiError) -> int:
    response = error.response  # a bare aiohttp response when the body was no JSON
    return int(response.status_code if isinstance(response, AsyncSlackResponse) else response.status)


def _retry_after(error: SlackApiError) -> float:
    seconds = str(error.response.headers.get("Retry-After", ""))
    return float(seconds) if seconds.replace(".", "", 1).isdecimal() else RETRY_AFTER


def _is_loopback(api_url: str) -> bool:
    host = urlsplit(api_url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
