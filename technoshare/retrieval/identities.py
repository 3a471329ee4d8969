"""What a site's own ids say about its addresses: every form of a paper, a repository, a video → one address.

Each function takes an address that `urls` has cleaned (https, usual port, no tracking, no anchor) and returns the one
that stands for it, or None when the site's ids say nothing. Where two forms may be two pages, they stay two.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from yarl import URL

# ---------------------------------------------------------------- arXiv

_ARXIV_ID = r"(?P<new>\d{4}\.\d{4,5})|(?P<archive>[a-z-]+)(?:\.[A-Za-z-]{2,})?/(?P<old>\d{7})"
_ARXIV_VERSION = r"(?P<version>v\d+)?"
_ARXIV_FORMS = (
    (re.compile(r"(?:www\.|export\.|browse\.)?arxiv\.org"), r"/(?:abs|pdf|html|src|e-print|format|ps)/"),
    (re.compile(r"(?:www\.)?ar5iv(?:\.labs\.arxiv)?\.org"), r"/(?:abs|html)/"),
    (re.compile(r"(?:www\.)?alphaxiv\.org"), r"/(?:abs|pdf|overview)/"),
    (re.compile(r"(?:www\.)?scirate\.com"), r"/arxiv/"),
    (re.compile(r"(?:www\.)?(?:huggingface|hf)\.co"), r"/(?:api/)?papers/"),
    (re.compile(r"(?:dx\.|www\.)?doi\.org"), r"/10\.48550/arxiv\."),
)
_ARXIV_TEXT = re.compile(rf"arxiv:(?:{_ARXIV_ID}){_ARXIV_VERSION}", re.IGNORECASE | re.ASCII)


def arxiv_match(url: URL) -> re.Match[str] | None:
    """Return how `url` names a paper; see `arxiv_name` for the id, group `version` for the version."""
    for host, path in _ARXIV_FORMS:
        if host.fullmatch(url.host or ""):
            pattern = rf"(?i:{path})(?:{_ARXIV_ID}){_ARXIV_VERSION}(?:\.pdf)?/?"
            return re.fullmatch(pattern, url.path, re.ASCII)
    return None


def arxiv_name(found: re.Match[str]) -> str:
    """Return the id without its version and, for an old one, without the subject class."""
    return found["new"] or f"{found['archive'].lower()}/{found['old']}"


def written_paper(text: str) -> str | None:
    """Return the identity of a paper written as `arXiv:2501.10120`."""
    found = _ARXIV_TEXT.fullmatch(text)
    return f"https://arxiv.org/abs/{arxiv_name(found)}" if found else None


def _arxiv(url: URL) -> str | None:
    found = arxiv_match(url)
    return f"https://arxiv.org/abs/{arxiv_name(found)}" if found else None


def _doi(url: URL) -> str | None:
    if url.host != "doi.org" or not url.raw_path.startswith("/10.") or url.raw_query_string:
        return None
    return str(
        url.with_path(re.sub("[A-Z]+", lambda letters: letters[0].lower(), url.path))
    )  # ASCII, says the handbook


# ---------------------------------------------------------------- GitHub

_SITE_PAGES = """
    about account apps codespaces collections customer-stories dashboard enterprise events explore features gist
    issues join login logout marketplace new notifications orgs organizations pricing pulls readme search security
    sessions settings signup site sponsors stars team topics trending users watching
"""
"""First path parts on github.com that are the site's own and nobody's account."""
_NOT_OWNERS = frozenset(_SITE_PAGES.split())
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_REPOSITORY = re.compile(r"[\w.-]{1,100}", re.ASCII)
_THREAD = re.compile(r"(?:issues|pull)/(\d+)", re.ASCII)
_FILE = re.compile(r"(?:blob|raw)/(?:refs/heads/)?(.+)")
_RAW = re.compile(r"/([^/]+)/([^/]+)/(?:refs/heads/)?([^/]+/.+)")
_GIST = re.compile(r"/(?:[^/]+/)?([0-9a-f]{20}|[0-9a-f]{32}|\d{1,8})(?:\.git)?/?", re.ASCII)


def github_parts(url: URL) -> tuple[str, str, str]:
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
    owner, name, rest = github_parts(url)
    if not owner:
        return None
    home = f"https://github.com/{owner.lower()}/{name.lower()}"
    if not rest:  # `?tab=readme-ov-file` is the same page
        return home
    if thread := _THREAD.fullmatch(rest):  # one numbering: each of the two addresses leads to the other
        return f"{home}/issues/{thread[1]}"
    if file := _FILE.fullmatch(rest):
        return f"{home}/blob/{file[1]}"
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return f"{home}/{rest}{query}"


def _github_raw(url: URL) -> str | None:
    found = _RAW.fullmatch(url.raw_path) if url.host == "raw.githubusercontent.com" else None
    return f"https://github.com/{found[1].lower()}/{found[2].lower()}/blob/{found[3]}" if found else None


def _gist(url: URL) -> str | None:
    found = _GIST.fullmatch(url.raw_path) if url.host == "gist.github.com" else None
    return f"https://gist.github.com/{found[1]}" if found else None


# ---------------------------------------------------------------- videos, threads, questions

_VIDEO = re.compile(r"[\w-]{11}", re.ASCII)
_VIDEO_HOST = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube|youtube-nocookie)\.com")
_STORY = re.compile(
    r"https://(?:hacker-news\.firebaseio\.com/v0/item/(\d+)\.json|hn\.algolia\.com/api/v1/items/(\d+))", re.ASCII
)
_QUESTION_HOST = re.compile(
    r"(?:[a-z-]+\.)*(?:stackexchange|stackoverflow|superuser|serverfault|askubuntu|stackapps)\.com|"
    r"(?:meta\.)?mathoverflow\.net"
)
_QUESTION = re.compile(r"/(?:questions|q)/(\d+)(?:/[^/]*(?:/\d+)?)?/?", re.ASCII)
_ANSWER = re.compile(r"/a/(\d+)(?:/\d+)?/?", re.ASCII)
_REDDIT = re.compile(r"(?:/(?:r|u|user)/[^/]+)?/comments/([a-z0-9]+)(?:/[^/]*)?/?", re.ASCII | re.IGNORECASE)
_POST = re.compile(r"/[^/]+(?:/web)?/status(?:es)?/(\d+)(?:/(?:photo|video)/\d+)?/?", re.ASCII)


def _youtube(url: URL) -> str | None:
    parts = url.path.strip("/").split("/")
    host = url.host or ""
    if host == "youtu.be":
        video = parts[0]
    elif not _VIDEO_HOST.fullmatch(host):
        return None
    elif len(parts) == 2 and parts[0] in ("shorts", "embed", "live", "v", "watch"):
        video = parts[1]
    else:
        video = url.query.get("v", "") if parts == ["watch"] else ""
    return f"https://www.youtube.com/watch?v={video}" if _VIDEO.fullmatch(video) else None


def _hacker_news(url: URL) -> str | None:
    if url.host == "news.ycombinator.com" and url.path == "/item":
        item = url.query.get("id", "")
    else:
        found = _STORY.fullmatch(str(url))
        item = (found[1] or found[2]) if found else ""
    return f"https://news.ycombinator.com/item?id={item}" if item.isascii() and item.isdigit() else None


def _stack_exchange(url: URL) -> str | None:
    """Return the question; an answer's own short link names no question, and stays itself."""
    if not _QUESTION_HOST.fullmatch(url.host or ""):
        return None
    if found := _QUESTION.fullmatch(url.raw_path):
        return f"https://{url.host}/questions/{found[1]}"
    found = _ANSWER.fullmatch(url.raw_path)
    return f"https://{url.host}/a/{found[1]}" if found else None


def _reddit(url: URL) -> str | None:
    if url.host == "redd.it":
        found = re.fullmatch(r"/([a-z0-9]+)/?", url.raw_path, re.ASCII | re.IGNORECASE)
    else:
        found = _REDDIT.fullmatch(url.raw_path) if url.host == "www.reddit.com" else None
    return f"https://www.reddit.com/comments/{found[1].lower()}" if found else None


def _x(url: URL) -> str | None:
    found = _POST.fullmatch(url.raw_path) if url.host == "x.com" else None
    return f"https://x.com/i/status/{found[1]}" if found else None


# ---------------------------------------------------------------- models, articles

_HUB_PAGES = """
    api blog chat collections datasets docs enterprise join learn login models new organizations papers posts pricing
    search settings spaces tasks
"""
"""First path parts on huggingface.co that are nobody's account."""
_NOT_ORGANISATIONS = frozenset(_HUB_PAGES.split())
_MODEL = re.compile(r"/(?:api/models/)?([\w.-]+)/([\w.-]+)/?", re.ASCII)
_DATASET = re.compile(r"/(?:api/)?(datasets|spaces)/([\w.-]+/[\w.-]+)/?", re.ASCII)
_WIKIPEDIA = re.compile(r"[a-z-]+\.wikipedia\.org")
_VIEW = frozenset({"title", "redirect", "useskin", "useformat", "mobileaction", "veaction"})
"""How an article is shown; every other parameter (oldid, action, diff, …) makes another page of it."""


def _hugging_face(url: URL) -> str | None:
    if url.host != "huggingface.co":
        return None
    if found := _DATASET.fullmatch(url.raw_path):
        return f"https://huggingface.co/{found[1]}/{found[2]}"
    found = _MODEL.fullmatch(url.raw_path)
    if found is None or found[1] in _NOT_ORGANISATIONS:
        return None
    return f"https://huggingface.co/{found[1]}/{found[2]}"


def _wikipedia(url: URL) -> str | None:
    if not _WIKIPEDIA.fullmatch(url.host or "") or not set(url.query) <= _VIEW:
        return None
    title = url.path.removeprefix("/wiki/") if url.path.startswith("/wiki/") else ""
    if url.path in ("/w/index.php", "/"):
        title = url.query.get("title", "")
    title = re.sub(r"[ _]+", "_", title).strip("_")
    if not title or not {".", ".."}.isdisjoint(title.split("/")):
        return None
    first = title[0].upper()
    return str(url.with_query(None).with_path(f"/wiki/{first if len(first) == 1 else title[0]}{title[1:]}"))


SITES: tuple[Callable[[URL], str | None], ...] = (
    _arxiv, _doi, _github, _github_raw, _gist, _youtube, _hacker_news, _stack_exchange, _reddit, _x, _hugging_face,
    _wikipedia,
)  # fmt: skip
"""Asked in this order."""
