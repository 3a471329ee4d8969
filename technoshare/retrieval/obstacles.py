"""What can stand between a link and its text, and how that is told to the thread."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from technoshare.errors import FetchError, FetchRefused, Transient, Unusable
from technoshare.models import Page

_REASONS = {
    "bot_wall": "{site} does not show this page to programs",
    "cookie_wall": "{site} shows this page only to those who accept its cookies",
    "disambiguation": "{site} lists several meanings here, and has no article of that name",
    "empty_page": "the page needs JavaScript and shows no text without it",
    "login_wall": "{site} asks for a login",
    "no_text": "the PDF holds pictures of pages and no text",
    "not_found": "the page was not found",
    "not_watched": "the video was not watched, and its page on {site} tells too little about it",
    "pay_wall": "{site} shows this page to paying readers only",
}

_STATUS = {
    401: ("login_wall", "{site} asks for a login"),
    402: ("pay_wall", "{site} shows this page to paying readers only"),
    403: ("forbidden", "{site} refuses to show this page (403)"),
    404: ("not_found", "the page was not found (404)"),
    410: ("not_found", "the page is gone for good (410)"),
    451: ("legal", "{site} may not show this page for legal reasons (451)"),
}
_LATER = frozenset({408, 425, 429})
_LOGIN = re.compile(r"(?:log|sign)[-_]?in|sso|oauth2?|authorize|servicelogin|wp-login\.php", re.IGNORECASE)
LONGEST_WAIT = 3_600.0
"""Seconds; a site that asks for more is asked again after an hour all the same."""


def site(url: str) -> str:
    """Return the host of `url`, as a reader knows it."""
    return urlsplit(url).hostname or "the site"


def blocked(url: str, obstacle: str) -> Unusable:
    """Return the error for a page that shows no text because of `obstacle`."""
    reason = _REASONS.get(obstacle, "the page shows no text that could be read")
    return Unusable(reason.format(site=site(url)), obstacle=obstacle or "no_text")


def not_fetched(error: FetchError) -> Unusable | Transient:
    """Return what a failed fetch means for the job; the fetcher's own words are fit for the thread."""
    if isinstance(error, FetchRefused):
        return Unusable(str(error), obstacle="forbidden_address")
    return Transient(str(error)) if error.transient else Unusable(str(error), obstacle="unreachable")


def require_success(page: Page) -> None:
    """Raise what a status other than 2xx means: `Transient` when asking later may help, `Unusable` otherwise."""
    status, name = page.status, site(page.url)
    if 200 <= status < 300:
        return
    if status in _LATER or status >= 500:
        raise Transient(f"{name} cannot answer at the moment ({status})", after=retry_after(page))
    if page.headers.get("cf-mitigated"):  # Cloudflare's mark of a challenge
        raise blocked(page.url, "bot_wall")
    obstacle, reason = _STATUS.get(status, ("unreadable", "{site} answered with an error ({status})"))
    raise Unusable(reason.format(site=name, status=status), obstacle=obstacle)


def require_no_login(asked: str, page: Page) -> None:
    """Raise `Unusable` when the site sent us from the page that was asked for to one where people log in."""
    if _is_login(page.url) and not _is_login(asked):
        raise blocked(asked, "login_wall")


def retry_after(page: Page) -> float | None:
    """Return the seconds that the answer asks us to wait, None when it names none (or a date, which nobody sends)."""
    told = page.headers.get("retry-after", "").strip()
    return min(float(told), LONGEST_WAIT) if told.isascii() and told.isdigit() else None


def _is_login(url: str) -> bool:
    return any(_LOGIN.fullmatch(segment) for segment in urlsplit(url).path.split("/"))
