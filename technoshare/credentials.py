"""Credentials in addresses: a name and password before the host, and parameters that grant access."""

from __future__ import annotations

import re

REMOVED = "***"
"""Stands in their place; it may stand anywhere in an address."""

_ADDRESS = re.compile(r"://[^\s<>\"'`\\]+")  # begins where a credential can stand: to match the scheme too takes longer
_BEFORE_HOST = re.compile(r"(?<=://)(?:[^/?#:]*:[^/?#]*|[^/?#:@]{16,})@")
"""`name:password@`, or a token alone; a short name alone, as in `ssh://git@host`, opens nothing."""
_GRANTS = (
    r"[\w.-]*(?:token|secret|passwd|password|signature|credential)s?|(?:api|access|auth|private|subscription)?[_-]?key"
    r"|auth|authorization|sig|code|pwd|jwt|ticket|session(?:_?id)?|x-(?:amz|goog|ms)-[\w-]+|awsaccesskeyid|key-pair-id"
)
_PARAMETER = re.compile(
    rf"((?:[?&;#]|%3f|%26|%23)(?:{_GRANTS})(?:=|%3d))(?:(?!%26|%23)[^&;#])+",  # also in an address within an address
    re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """Return `text` with the credentials in its addresses masked; everything else stays as it is."""
    return _ADDRESS.sub(_masked, text)


def _masked(address: re.Match[str]) -> str:
    return _PARAMETER.sub(rf"\1{REMOVED}", _BEFORE_HOST.sub(f"{REMOVED}@", address[0]))
