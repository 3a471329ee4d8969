"""Addresses in text, as Slack would make links of them: whole ones, bare domains, e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterable

LINK_REMOVED = "[link removed]"

# Slack makes links of bare domains too.
DOMAIN_ENDINGS = (
    r"com|org|net|edu|gov|mil|int|info|biz|name|dev|app|xyz|top|site|online|shop|store|club|link|click|live|cloud|tech|"
    r"page|blog|zip|mov|icu|vip|work|world|space|website|fun|pro|"
    r"mobi|news|wiki|group|team|one|zone|host|press|rocks|run|tools|network|systems|software|digital|agency|email|"
    r"support|help|chat|today|life|media|social|xn--[a-z0-9-]+"
)
"""Alternatives of a pattern; of the two letters of countries each use decides which end a file's name instead."""
_TLD = rf"(?:(?!js|ts|go|cs|vb|db|hs|kt|cu|md5)[a-z]{{2}}|{DOMAIN_ENDINGS})"
_LINK = re.compile(
    rf"""
    (?:\b[a-z][a-z0-9+.-]{{0,20}}://|\bwww\.|\bmailto:)[^\s<>"`|]+
    | (?<![\w@./-])(?:[\w.+-]{{1,64}}@)?(?:[^\W_](?:[\w-]*[^\W_])?\.)+{_TLD}(?![\w-]|\.\w)(?:[:/?\#][^\s<>"`|]*)?
    | (?<![\w@./-])(?:[\w.+-]{{1,64}}@)?(?:[^\W_](?:[\w-]*[^\W_])?\.)+[a-z]{{3,18}}(?::\d+)?[/?][^\s<>"`|]+  # others
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BEHIND_A_LINK = ".,;:!?)]}'\"”’*_…"


def links_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the links that stand in the texts, without the punctuation behind them."""
    return frozenset(hit[0].rstrip(_BEHIND_A_LINK).rstrip("/") for text in texts for hit in _LINK.finditer(text))


def without_links(text: str, allowed: frozenset[str]) -> str:
    """Return `text` with every link that is not in `allowed` replaced; bare domains and e-mail addresses count."""

    def judged(hit: re.Match[str]) -> str:
        link = hit[0].rstrip(_BEHIND_A_LINK)
        return hit[0] if link.rstrip("/") in allowed else LINK_REMOVED + hit[0][len(link) :]

    return _LINK.sub(judged, text)
