"""What stands between a reader and a page's text, as far as the page itself says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from technoshare.retrieval.blocks import blocks_of
from technoshare.text import count_words

_BOT = re.compile(
    r"just a moment\b|verif(?:y|ying) (?:that )?(?:you are|you're|your) (?:not a |a )?(?:human|robot|browser)|"
    r"attention required! \| cloudflare|are you (?:a )?(?:robot|human)|unusual (?:traffic|activity)|"
    r"access (?:to this page has been )?denied|(?:complete|solve) the (?:captcha|challenge|puzzle)|"
    r"checking (?:your browser|if the site connection)|prove (?:that )?you(?:'re| are) (?:not a robot|human)|"
    r"press (?:and|&) hold|security (?:check|verification)|ddos protection|"
    r"you have been blocked|pardon our interruption|"
    r"请完成安全验证|人机验证|ロボットではありません",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:log|sign) ?-?in to (?:continue|view|see|access|read|your)|"
    r"you (?:must|need to|have to) (?:be (?:logged|signed) in|log in|sign in)|please (?:log|sign) ?in\b|"
    r"(?:log|sign) ?in (?:is )?required|(?:join|register|create an account) to (?:continue|view|see|read)|"
    r"this (?:account|page|profile|post|group|content) is private|"
    r"(?:melden sie sich|bitte) an(?:melden)?,? um|connectez-vous pour|inicia sesión para|"
    r"请(?:先)?登录|ログインしてください",
    re.IGNORECASE,
)
_PAY = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read|unlock)|for (?:paying |paid )?(?:subscribers|members) only|"
    r"(?:this|the) (?:article|story|post|content|page) is (?:only |exclusively )?(?:available )?(?:for|to) (?:our )?"
    r"(?:paid |paying )?(?:subscribers|members)|already a subscriber\?|(?:become|be) a (?:paying |paid )?member to|"
    r"(?:continue|keep) reading (?:with|by subscribing|for (?:just )?[$€£])|subscribers can read|"
    r"you(?:'ve| have) (?:reached|used|read) (?:your|all|the)\b.{0,30}\b(?:articles?|limit)|"
    r"unlock (?:this|the) (?:article|story|post)|"
    r"start your (?:free )?(?:trial|subscription) to|upgrade to (?:paid|read)|"
    r"jetzt (?:abonnieren|weiterlesen)|réservé aux abonnés|solo para suscriptores|この記事は(?:会員|有料)|付费阅读",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"before you continue|(?:accept|enable|allow|consent to) (?:all |our |the use of )?cookies|"
    r"we (?:value|respect) your privacy|"
    r"(?:we|this (?:site|website)) uses? cookies|"
    r"cookies (?:are|must be|need to be) (?:required|disabled|enabled|turned)|"
    r"your (?:cookie|privacy) (?:choices|settings|preferences)|cookies? akzeptieren|acceptez? les cookies",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"\W*(?:error|http)?\W*(?:404|410)\W*(?:(?:error|page)\W*)?(?:(?:page )?not found.{0,40}|[-–|·] .{0,20})?|"
    r".{0,30}\b(?:page|site|article|post|file|content|url|document|video|product|item)\b.{0,30}"
    r"\b(?:not (?:be )?found|(?:no longer|not|isn.?t) (?:available|exist|here)|doesn.?t exist|"
    r"(?:does|could|can)(?: not|n.?t) (?:be found|exist)|has been (?:removed|deleted|moved))\b.{0,60}|"
    r"not found|nothing (?:was )?found(?: here)?|(?:oops|sorry|whoops)\W.{0,40}(?:can.?t|cannot|couldn.?t) find.{0,40}|"
    r".{0,20}seite (?:wurde )?(?:leider )?nicht gefunden.{0,20}|page (?:non trouvée|introuvable).{0,20}|"
    r"página no encontrada.{0,20}|.{0,6}(?:页面不存在|找不到页面|ページが見つかりません).{0,10}",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"(?:enable|requires?|turn on|need|activate) javascript|"
                     r"javascript (?:is|to be) (?:disabled|required|enabled)",
                     re.IGNORECASE)  # fmt: skip
_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)

LITTLE = 150
"""Words; whoever shows more shows something, so a phrase on the page is no longer a wall."""
TEASER = 400
"""Words; a paid article shows up to so many before it stops."""
EMPTY = 40
"""Words; a page with scripts and less than this has not been put together yet."""
SIGN = 25
"""Words; a wall says what it wants in a line of its own, a text mentions it among others."""
_FRAME = frozenset({"nav", "header", "footer", "aside", "foot"})


def obstacle_of(tree: HtmlElement, text: str) -> str:
    """Return what keeps the page, whose main text is `text`, from being read, or nothing.

    One of `bot_wall`, `not_found`, `login_wall`, `cookie_wall`, `pay_wall`, `empty_page`. Conservative: a page that
    shows much text has no obstacle, whatever it says about subscriptions; nor has one that says it in passing.
    """
    words = count_words(text)
    if words >= TEASER:
        return ""
    signs = tuple(_signs(tree))
    if words < LITTLE and (wall := _wall(tree, signs, words)):
        return wall
    if _NOT_FREE.search(" ".join(tree.xpath("//script[@type='application/ld+json']/text()"))) or _says(_PAY, signs):
        return "pay_wall"
    if words < EMPTY and (tree.xpath("//script[not(@type='application/ld+json')]") or _says(_SCRIPT, signs)):
        return "empty_page"
    return ""


def _wall(tree: HtmlElement, signs: tuple[str, ...], words: int) -> str:
    if _says(_BOT, signs):
        return "bot_wall"
    if any(map(_MISSING.fullmatch, signs)):
        return "not_found"
    if _says(_LOGIN, signs) or (words < EMPTY and tree.xpath("//input[@type='password']")):
        return "login_wall"
    return "cookie_wall" if words < EMPTY and _says(_COOKIE, signs) else ""


def _says(phrase: re.Pattern[str], signs: tuple[str, ...]) -> bool:
    return any(map(phrase.search, signs))


def _signs(tree: HtmlElement) -> Iterator[str]:
    """Yield the title and the short pieces of text that are not part of the page's frame."""
    yield " ".join((tree.findtext("head/title") or "").split())
    blocks = blocks_of(tree).blocks
    body = [block for block in blocks if not block.places & _FRAME] or blocks
    yield from (block.text for block in body if len(block.text.split()) <= SIGN)
