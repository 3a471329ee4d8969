"""Keys and tokens in text, by their shape or because they are our own."""

from __future__ import annotations

import re
from collections.abc import Iterable

SECRET_REMOVED = "[secret removed]"  # noqa: S105 - what stands in its place

_SHORTEST = 8
"""Characters of a setting's value that is looked for; a shorter one would be a word of any text."""
_KEY_BLOCK = r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:.*?-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|.*)"
_SHAPES = re.compile(
    rf"{_KEY_BLOCK}|"
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:"  # the letter of an escaped line end is no part of a word
    r"xox[a-z]-[\w-]{6,}|xapp-[\w-]{6,}|xwfp-[\w-]{6,}|"  # Slack
    r"sk-(?:proj-|ant-|svcacct-|or-)?[\w-]{16,}|"  # OpenAI, Anthropic, OpenRouter
    r"gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}|AIza[\w-]{30,}|"  # AWS, Google
    r"(?:sk|rk|pk)_(?:live|test)_\w{16,}|whsec_\w{16,}|"  # Stripe
    r"hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|dop_v1_\w{20,}|"
    r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"  # a JSON web token
    r")",
    re.DOTALL,
)


def redacted(text: str, own: Iterable[str] = ()) -> str:
    """Return `text` with everything that looks like a key, and each of our `own`, taken out."""
    for value in own:
        if len(value) >= _SHORTEST:
            text = text.replace(value, SECRET_REMOVED)
    return _SHAPES.sub(SECRET_REMOVED, text)
