"""Which addresses are the same page: identity only. What is fetched is always the posted address.

A short link has the identity of the page that it leads to: the ledger knows a share by its posted and its final
address.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from yarl import URL

from technoshare.retrieval.guard import MAX_URL
from technoshare.retrieval.identities import SITES, arxiv_match, arxiv_name, github_parts, written_paper

_TRACKING_NAMES = """
    fbclid gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid msclkid twclid ttclid yclid ysclid igshid igsh
    li_fat_id mibextid srsltid epik rdt_cid irclickid mc_cid mc_eid mkt_tok _ga _gl _hsenc _hsmi hsctatracking
    hss_channel vero_id oly_anon_id oly_enc_id s_cid rb_clickid spm wprov ref_src ref_url guccounter guce_referrer
    guce_referrer_sig __twitter_impression _branch_match_id _openstat fb_action_ids fb_action_types pk_campaign pk_kwd
    pk_source pk_medium usqp amp_js_v amp_gsa
"""
"""They say who came from where and never what is shown. Not `ref` or `source`: some sites select content by them."""
_TRACKING = frozenset(_TRACKING_NAMES.split())
_TRACKING_FAMILIES = ("utm_", "hsa_", "mtm_")

_UNREADABLE = (ValueError, IndexError)
"""What yarl and idna raise for hosts, ports and encodings that nobody can fetch; yarl 1.25 the second for `//[]@`."""

_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)

_HOSTS = {
    other: host
    for host, others in {
        "arxiv.org": "www.arxiv.org",
        "doi.org": "dx.doi.org www.doi.org",
        "github.com": "www.github.com",
        "huggingface.co": "www.huggingface.co hf.co www.hf.co",
        "stackoverflow.com": "www.stackoverflow.com",
        "www.facebook.com": "facebook.com m.facebook.com mbasic.facebook.com",
        "www.imdb.com": "imdb.com m.imdb.com",
        "www.nytimes.com": "nytimes.com mobile.nytimes.com",
        "www.reddit.com": "reddit.com old.reddit.com new.reddit.com np.reddit.com m.reddit.com",
        "www.youtube.com": "youtube.com m.youtube.com",
        "x.com": "www.x.com mobile.x.com twitter.com www.twitter.com mobile.twitter.com m.twitter.com",
        "xkcd.com": "www.xkcd.com m.xkcd.com",
    }.items()
    for other in others.split()
}
"""Names under which a site shows the very same pages."""
_WIKI_MOBILE = re.compile(r"([a-z-]+)\.m\.((?:wik[a-z]+|mediawiki)\.org)")
_FRONT = re.compile(r"^(?:(?:www|m|mobile|amp)\.)+(?=[^.]+\.)")
_AMP_VIEWERS = (
    (
        re.compile(r"(?:www\.)?google\.(?:com|[a-z]{2}|com?\.[a-z]{2})"),
        re.compile(r"/amp/(s/)?([\w.-]+\.[a-z]{2,}(?:/.*)?)"),
    ),
    (re.compile(r"[a-z0-9-]+\.cdn\.ampproject\.org"), re.compile(r"/[cv]/(s/)?([\w.-]+\.[a-z]{2,}(?:/.*)?)")),
)
_AMP_PATH = re.compile(r"/(?:amp/?)?$|\.amp(?=$|\.html?$)")
_AMP_QUERY = frozenset({"amp=", "amp=1", "amp=true", "outputType=amp"})
_LONG_NUMBER = re.compile(r"\d{5}")
_YEAR = re.compile(r"(?:19|20)\d\d")


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

    Idempotent. What is not an http(s) address, or longer than any that is read, comes back without outer white space.
    """
    text = url.strip()
    if len(text) > MAX_URL:
        return text
    if paper := written_paper(text):
        return paper
    try:
        parsed = URL(text)
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return text
        page = _plain(_unwrapped(parsed))
        if page.scheme == "https" and page.explicit_port is None:
            return next((found for site in SITES if (found := site(page))), str(page))
        return str(page)
    except _UNREADABLE:
        return text


def arxiv_id(url: str) -> tuple[str, str] | None:
    """Return an arXiv paper's id and version (`v2` or empty) from any known form of its address, else None."""
    try:
        found = arxiv_match(URL(url.strip()))
    except _UNREADABLE:
        return None
    return (arxiv_name(found), found["version"] or "") if found else None


def github_repository(url: str) -> tuple[str, str] | None:
    """Return owner and name, as written, when `url` is the home of a GitHub repository, else None."""
    try:
        owner, name, rest = github_parts(URL(url.strip()))
    except _UNREADABLE:
        return None
    return (owner, name) if owner and not rest else None


def _unwrapped(url: URL) -> URL:
    """Return the page that an AMP viewer shows."""
    while inner := _shown_by_viewer(url):
        url = inner
    return url


def _shown_by_viewer(url: URL) -> URL | None:
    for host, path in _AMP_VIEWERS:
        if host.fullmatch(url.host or "") and (found := path.fullmatch(url.raw_path)):
            return URL(f"http{'s' if found[1] else ''}://{found[2]}?{url.raw_query_string}")
    return None


def _plain(url: URL) -> URL:
    """Return the address without what never selects a page."""
    scheme, port = url.scheme, url.port
    if (scheme, port) == ("http", 80):  # the same page by every practice; most sites redirect it anyway
        scheme, port = "https", 443
    host = url.raw_host or ""
    host, path, query = host.rstrip(".") or host, url.raw_path, _selecting(url.raw_query_string)
    if _is_unique(short := _without_amp(path)):
        host, path = _FRONT.sub("", host), short
        query = [pair for pair in query if pair not in _AMP_QUERY]
    routes = url.raw_fragment.startswith(("!", "/"))  # single-page sites keep their page in the fragment
    return URL.build(
        scheme=scheme,
        user=url.raw_user,
        password=url.raw_password,
        host=_HOSTS.get(host, _WIKI_MOBILE.sub(r"\1.\2", host)),
        port=None if (scheme, port) == ("https", 443) else port,
        path=path,
        query_string="&".join(query),
        fragment=url.raw_fragment if routes else "",
        encoded=True,
    )


def _selecting(query: str) -> list[str]:
    """Return the parameters that may select a page, sorted by name; those of one name keep their order."""
    pairs = (part if "=" in part else f"{part}=" for part in query.replace("%20", "+").split("&") if part)
    return sorted((pair for pair in pairs if not _tracks(_name(pair))), key=_name)


def _name(pair: str) -> str:
    return pair.partition("=")[0]


def _tracks(name: str) -> bool:
    return name.lower() in _TRACKING or name.lower().startswith(_TRACKING_FAMILIES)


def _is_unique(path: str) -> bool:
    """Tell whether a site can hardly have `path` twice: it ends in a long number, or in four words below a year.

    Only then `m.`, `www.` and AMP's marks say nothing: a short `/about` of a mobile host may be another page.
    """
    *above, last = unquote(path).split("/")
    four_words = len(re.split("[-_]", last)) > 3
    return bool(_LONG_NUMBER.search(last)) or (four_words and any(_YEAR.fullmatch(part) for part in above))


def _without_amp(path: str) -> str:
    """Return the path without AMP's marks and without slashes at its end."""
    while (shorter := _AMP_PATH.sub("", path)) != path:
        path = shorter
    return path
