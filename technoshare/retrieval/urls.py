"""Which addresses are the same page: identity only. What is fetched is always the posted address."""

from __future__ import annotations

import re
from collections.abc import Callable

from yarl import URL

_TRACKING_NAMES = """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid yclid igshid igsh li_fat_id mc_cid mc_eid mkt_tok
    _ga _gl _hsenc _hsmi hsctatracking vero_id oly_anon_id oly_enc_id s_cid rb_clickid spm ref_src ref_url
    guccounter guce_referrer guce_referrer_sig __twitter_impression
"""
"""They say who came from where and never what is shown. Not `ref` or `source`: some sites select content by them."""
_TRACKING = frozenset(_TRACKING_NAMES.split())

_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)

_ARXIV_ID = r"(?P<new>\d{4}\.\d{4,5})|(?P<archive>[a-z-]+)(?:\.[A-Za-z-]{2,})?/(?P<old>\d{7})"
_ARXIV_VERSION = r"(?P<version>v\d+)?"
_ARXIV_FORMS = (
    (re.compile(r"(?:www\.|export\.|browse\.)?arxiv\.org"), r"/(?:abs|pdf|html|src|e-print|format|ps)/"),
    (re.compile(r"(?:www\.)?ar5iv(?:\.labs\.arxiv)?\.org"), r"/(?:abs|html)/"),
    (re.compile(r"(?:www\.)?alphaxiv\.org"), r"/(?:abs|pdf|overview)/"),
    (re.compile(r"huggingface\.co"), r"/papers/"),
    (re.compile(r"(?:dx\.)?doi\.org"), r"/10\.48550/arxiv\."),
)
_ARXIV_TEXT = re.compile(rf"arxiv:(?:{_ARXIV_ID}){_ARXIV_VERSION}", re.IGNORECASE)

_SITE_PAGES = """
    about account apps codespaces collections customer-stories dashboard enterprise events explore features gist
    issues join login logout marketplace new notifications orgs organizations pricing pulls readme search security
    sessions settings signup site sponsors stars team topics trending users watching
"""
"""First path parts on github.com that are the site's own and nobody's account."""
_NOT_OWNERS = frozenset(_SITE_PAGES.split())
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_REPOSITORY = re.compile(r"[\w.-]{1,100}", re.ASCII)
_VIDEO = re.compile(r"[\w-]{11}", re.ASCII)
_VIDEO_HOST = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube|youtube-nocookie)\.com")


def job_link(url: str) -> str:
    """Return the link as it stands in a job's key: scheme and host in lower case, nothing else.

    FROZEN (version 1). A change would make every redelivered link a new job and so a second comment. Whatever is
    cleverer belongs into `canonical_url`.
    """
    parts = _SPLIT.fullmatch(url)
    if parts is None:
        return url
    user, at, host = parts[2].rpartition("@")
    return f"{parts[1].lower()}://{user}{at}{host.lower()}{parts[3]}"


def canonical_url(url: str) -> str:
    """Return one text for all addresses of a page; different pages keep different texts. Never raises.

    Idempotent. What is not an http(s) address comes back as it is, without outer white space.
    """
    text = url.strip()
    if written := _ARXIV_TEXT.fullmatch(text):
        return _arxiv_abs(written)
    try:
        parsed = URL(text)
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return text
        for identity in _SITES:
            if found := identity(parsed):
                return found
        return str(_plain(parsed))
    except ValueError:  # yarl and idna refuse hosts, ports and encodings that nobody can fetch either
        return text


def arxiv_id(url: str) -> tuple[str, str] | None:
    """Return an arXiv paper's id and version (`v2` or empty) from any known form of its address, else None."""
    try:
        found = _arxiv_match(URL(url.strip()))
    except ValueError:
        return None
    return (_arxiv_name(found), found["version"] or "") if found else None


def github_repository(url: str) -> tuple[str, str] | None:
    """Return owner and name, as written, when `url` is the home of a GitHub repository, else None."""
    try:
        owner, name, rest = _github_parts(URL(url.strip()))
    except ValueError:
        return None
    return (owner, name) if owner and not rest else None


def _plain(url: URL) -> URL:
    if url.scheme == "http" and url.port == 80:  # the same page by every practice; most sites redirect it anyway
        url = url.with_scheme("https").with_port(None)
    if url.is_default_port():
        url = url.with_port(None)
    if url.raw_path == "/":  # a bare host keeps its missing slash otherwise
        url = url.with_path("/", keep_query=True, keep_fragment=True)
    kept = sorted(((name, value) for name, value in url.query.items() if not _tracks(name)), key=lambda pair: pair[0])
    return _without_anchor(url.with_query(kept or None))


def _without_anchor(url: URL) -> URL:
    routes = url.raw_fragment.startswith(("!", "/"))  # single-page sites keep their page in the fragment
    return url if routes else url.with_fragment(None)


def _tracks(name: str) -> bool:
    return name.lower() in _TRACKING or name.lower().startswith("utm_")


def _arxiv(url: URL) -> str | None:
    found = _arxiv_match(url)
    return _arxiv_abs(found) if found else None


def _arxiv_match(url: URL) -> re.Match[str] | None:
    for host, path in _ARXIV_FORMS:
        if host.fullmatch(url.host or ""):
            pattern = rf"(?i:{path})(?:{_ARXIV_ID}){_ARXIV_VERSION}(?:\.pdf)?/?"
            return re.fullmatch(pattern, url.path)
    return None


def _arxiv_name(found: re.Match[str]) -> str:
    return found["new"] or f"{found['archive'].lower()}/{found['old']}"


def _arxiv_abs(found: re.Match[str]) -> str:
    return f"https://arxiv.org/abs/{_arxiv_name(found)}"


def _github_parts(url: URL) -> tuple[str, str, str]:
    """Return owner, repository and the rest of the path; all empty when `url` is not inside a repository."""
    if url.host not in ("github.com", "www.github.com") or not url.is_default_port():
        return "", "", ""
    owner, _, rest = url.raw_path.strip("/").partition("/")
    name, _, rest = rest.partition("/")
    name = name.removesuffix(".git") if not rest else name
    if owner.lower() in _NOT_OWNERS or not _OWNER.fullmatch(owner) or not _REPOSITORY.fullmatch(name):
        return "", "", ""
    return owner, name, rest


def _github(url: URL) -> str | None:
    owner, name, rest = _github_parts(url)
    if not owner:
        return None
    home = f"https://github.com/{owner.lower()}/{name.lower()}"
    if not rest:  # `?tab=readme-ov-file` is the same page
        return home
    return str(_plain(URL(f"{home}/{rest}", encoded=True).with_query(url.query)))


def _youtube(url: URL) -> str | None:
    parts = url.path.strip("/").split("/")
    host = url.host or ""
    if host == "youtu.be":
        video = parts[0]
    elif not _VIDEO_HOST.fullmatch(host):
        return None
    elif len(parts) == 2 and parts[0] in ("shorts", "embed", "live", "v"):
        video = parts[1]
    else:
        video = url.query.get("v", "") if parts == ["watch"] else ""
    return f"https://www.youtube.com/watch?v={video}" if _VIDEO.fullmatch(video) else None


_SITES: tuple[Callable[[URL], str | None], ...] = (_arxiv, _github, _youtube)
