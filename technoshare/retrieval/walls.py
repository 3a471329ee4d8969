"""What stands between a reader and a page's text, as far as the page itself says so."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

_BOT = re.compile(
    r"just a moment\.\.\.|verif(?:y|ying) (?:that )?you are (?:a )?human|attention required! \| cloudflare|"
    r"are you a robot|unusual traffic|access to this page has been denied|complete the captcha|checking your browser",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:log|sign) ?in to (?:continue|view|see|access|read)|you (?:must|need to) (?:be logged in|log in|sign in)|"
    r"please (?:log|sign) ?in\b",
    re.IGNORECASE,
)
_PAY = re.compile(
    r"subscribe to (?:continue|keep) reading|subscribe to read|for (?:paying )?subscribers only|"
    r"(?:this|the) (?:article|story|post|content) is (?:only )?for (?:paid |paying )?(?:subscribers|members)|"
    r"already a subscriber\?|become a member to read|continue reading with a subscription",
    re.IGNORECASE,
)
_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)

LITTLE = 150
"""Words; whoever shows more shows something, so a phrase on the page is no longer a wall."""
TEASER = 400
"""Words; a paid article shows up to so many before it stops."""
EMPTY = 40
"""Words; a page with scripts and less than this has not been put together yet."""


def obstacle_of(tree: HtmlElement, text: str) -> str:
    """Return `bot_wall`, `login_wall`, `pay_wall`, `empty_page` or nothing, for a page whose main text is `text`.

    Conservative: a page that shows much text has no obstacle, whatever it says about subscriptions.
    """
    words = len(text.split())
    if words >= TEASER:
        return ""
    shown = _shown(tree)
    if words < LITTLE and _BOT.search(shown):
        return "bot_wall"
    if words < LITTLE and (_LOGIN.search(shown) or (words < EMPTY and tree.xpath("//input[@type='password']"))):
        return "login_wall"
    if _NOT_FREE.search(" ".join(tree.xpath("//script[@type='application/ld+json']/text()"))) or _PAY.search(shown):
        return "pay_wall"
    if words < EMPTY and tree.xpath("//script[not(@type='application/ld+json')]"):
        return "empty_page"
    return ""


def _shown(tree: HtmlElement) -> str:
    """Return title and body text without scripts and styles, on one line."""
    texts = tree.xpath("//text()[not(ancestor::script or ancestor::style or ancestor::template)]")
    return " ".join(" ".join(str(text) for text in texts).split())
