import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.retrieval.urls import arxiv_id, canonical_url, github_repository, job_link

PAPER = "https://arxiv.org/abs/2501.10120"
OLD_PAPER = "https://arxiv.org/abs/hep-th/9901001"
REPOSITORY = "https://github.com/pallets/flask"
FILE = f"{REPOSITORY}/blob/main/README.md"
GIST = "https://gist.github.com/0123456789abcdef0123456789abcdef"
VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
STORY = "https://news.ycombinator.com/item?id=8863"
QUESTION = "https://stackoverflow.com/questions/11227809"
MODEL = "https://huggingface.co/openai-community/gpt2"
DATASET = "https://huggingface.co/datasets/stanfordnlp/imdb"
ARTICLE = "https://en.wikipedia.org/wiki/Alan_Turing"
DOI = "https://doi.org/10.1145/3290605.3300233"
POST = "https://x.com/i/status/20"
THREAD = "https://www.reddit.com/comments/1abc2d"
PAGE = "https://example.org/a/b?id=3"
NEWS = "https://example.org/2026/11/how-the-queue-was-lost"
NUMBERED = "https://example.org/news/story-48151623"

IDENTITIES: dict[str, str] = {
    PAPER: """
        https://arxiv.org/abs/2501.10120 http://arxiv.org/abs/2501.10120v1 https://arxiv.org/pdf/2501.10120
        https://arxiv.org/pdf/2501.10120v2.pdf https://arxiv.org/html/2501.10120v3 https://arxiv.org/src/2501.10120
        https://arxiv.org/e-print/2501.10120v1 https://arxiv.org/format/2501.10120 https://arxiv.org/ps/2501.10120
        https://www.arxiv.org/abs/2501.10120?context=cs https://export.arxiv.org/abs/2501.10120
        https://browse.arxiv.org/html/2501.10120v1#S1 https://ar5iv.labs.arxiv.org/html/2501.10120
        https://ar5iv.org/abs/2501.10120 https://www.alphaxiv.org/abs/2501.10120v1
        https://alphaxiv.org/overview/2501.10120 https://scirate.com/arxiv/2501.10120
        https://huggingface.co/papers/2501.10120 https://hf.co/papers/2501.10120
        https://huggingface.co/api/papers/2501.10120 https://doi.org/10.48550/arXiv.2501.10120
        https://dx.doi.org/10.48550/ARXIV.2501.10120 arXiv:2501.10120v2 arxiv:2501.10120
    """,
    OLD_PAPER: """
        https://arxiv.org/abs/hep-th/9901001v2 https://arxiv.org/pdf/hep-th/9901001.pdf arXiv:hep-th/9901001
    """,
    "https://arxiv.org/abs/math/0309136": "https://arxiv.org/abs/math.GT/0309136",
    DOI: """
        https://doi.org/10.1145/3290605.3300233 http://dx.doi.org/10.1145/3290605.3300233
        https://www.doi.org/10.1145/3290605.3300233
    """,
    "https://doi.org/10.1002/abc.1": "https://doi.org/10.1002/ABC.1 https://dx.doi.org/10.1002/Abc.1",
    REPOSITORY: """
        https://github.com/pallets/flask http://github.com/Pallets/Flask/ https://www.github.com/pallets/flask.git
        https://github.com/pallets/flask?tab=readme-ov-file https://github.com/pallets/flask#readme
        https://github.com/pallets/flask?utm_source=newsletter
    """,
    f"{REPOSITORY}/issues/5": """
        https://github.com/Pallets/flask/issues/5/#issuecomment-1 https://github.com/pallets/flask/pull/5
        https://github.com/pallets/flask/issues/5?notification_referrer_id=x
    """,
    f"{REPOSITORY}/releases/tag/3.0.0": "https://github.com/Pallets/Flask/releases/tag/3.0.0/",
    FILE: """
        https://github.com/pallets/flask/blob/main/README.md#L10-L20
        https://github.com/Pallets/Flask/blob/main/README.md?plain=1
        https://github.com/pallets/flask/raw/refs/heads/main/README.md
        https://raw.githubusercontent.com/pallets/flask/main/README.md
        https://raw.githubusercontent.com/Pallets/flask/refs/heads/main/README.md
    """,
    GIST: """
        https://gist.github.com/0123456789abcdef0123456789abcdef
        https://gist.github.com/somebody/0123456789abcdef0123456789abcdef#file-a-py
        https://gist.github.com/somebody/0123456789abcdef0123456789abcdef/?permalink_comment_id=1
    """,
    VIDEO: """
        https://www.youtube.com/watch?v=dQw4w9WgXcQ https://youtube.com/watch?feature=shared&v=dQw4w9WgXcQ&t=10s
        https://m.youtube.com/watch?v=dQw4w9WgXcQ https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=x
        https://youtu.be/dQw4w9WgXcQ?si=abc https://www.youtube.com/shorts/dQw4w9WgXcQ
        https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ https://www.youtube.com/live/dQw4w9WgXcQ
        https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1&index=4 http://youtube.com/v/dQw4w9WgXcQ
    """,
    STORY: """
        https://news.ycombinator.com/item?id=8863 https://news.ycombinator.com/item?id=8863&p=2
        https://news.ycombinator.com/item?id=8863#9224 https://hacker-news.firebaseio.com/v0/item/8863.json
        https://hn.algolia.com/api/v1/items/8863
    """,
    QUESTION: """
        https://stackoverflow.com/questions/11227809 https://stackoverflow.com/q/11227809
        https://stackoverflow.com/q/11227809/87234 http://www.stackoverflow.com/questions/11227809/
        https://stackoverflow.com/questions/11227809/why-is-it-faster?rq=1
        https://stackoverflow.com/questions/11227809/why-is-it-faster/11227902#11227902
    """,
    "https://stackoverflow.com/a/11227902": "https://stackoverflow.com/a/11227902/87234",
    "https://math.stackexchange.com/questions/44": "https://math.stackexchange.com/q/44#comment1",
    MODEL: """
        https://huggingface.co/openai-community/gpt2 https://hf.co/openai-community/gpt2/
        https://huggingface.co/openai-community/gpt2?library=transformers
        https://huggingface.co/api/models/openai-community/gpt2
    """,
    DATASET: "https://www.huggingface.co/datasets/stanfordnlp/imdb https://hf.co/api/datasets/stanfordnlp/imdb",
    ARTICLE: """
        https://en.wikipedia.org/wiki/Alan_Turing#Early_life https://en.m.wikipedia.org/wiki/Alan_Turing
        https://en.wikipedia.org/wiki/alan_Turing https://en.wikipedia.org/wiki/Alan%20Turing?wprov=sfla1
        https://en.wikipedia.org/w/index.php?title=Alan_Turing https://en.wikipedia.org/?title=Alan_Turing
    """,
    "https://en.wiktionary.org/wiki/queue": "https://en.m.wiktionary.org/wiki/queue",
    "https://de.wikipedia.org/wiki/%C3%84pfel": "https://de.wikipedia.org/wiki/äpfel",
    "https://en.wikipedia.org/wiki/C++": "https://en.wikipedia.org/w/index.php?title=C%2B%2B",
    POST: """
        https://twitter.com/jack/status/20 https://x.com/jack/status/20?s=46&t=abc
        https://mobile.twitter.com/jack/status/20/photo/1 https://x.com/i/web/status/20
    """,
    THREAD: """
        https://www.reddit.com/r/Python/comments/1abc2d/some_title/ https://old.reddit.com/r/Python/comments/1abc2d/
        https://redd.it/1abc2d https://np.reddit.com/comments/1abc2d/some_title?utm_name=x
    """,
    PAGE: """
        https://example.org/a/b?id=3 https://EXAMPLE.org/a/b?id=3 https://example.org:443/a/b?id=3
        http://example.org/a/b?id=3 http://example.org:80/a/b?id=3 https://example.org./a/b?id=3
        https://example.org/a/x/../b?id=3#section https://example.org/a/b?id=3#:~:text=queue
        https://example.org/a/b?utm_source=slack&id=3&utm_medium=x
        https://example.org/a/b?fbclid=1&id=3&gclid=2&mc_cid=4 https://example.org/%61/b?id=3
        https://example.org/a/b?&id=3&&UTM_Campaign=y
    """,
    NEWS: """
        https://www.example.org/2026/11/how-the-queue-was-lost/ https://m.example.org/2026/11/how-the-queue-was-lost
        https://mobile.example.org/2026/11/how-the-queue-was-lost
        https://amp.example.org/2026/11/how-the-queue-was-lost
        https://www.example.org/2026/11/how-the-queue-was-lost/amp/
        https://example.org/2026/11/how-the-queue-was-lost.amp
        https://example.org/2026/11/how-the-queue-was-lost?amp=1
        https://www.google.com/amp/s/www.example.org/2026/11/how-the-queue-was-lost/amp/?usqp=x
        https://google.co.uk/amp/example.org/2026/11/how-the-queue-was-lost
        https://www-example-org.cdn.ampproject.org/c/s/www.example.org/2026/11/how-the-queue-was-lost?amp_js_v=0.1
    """,
    NUMBERED: "https://www.example.org/news/story-48151623/ https://m.example.org/news/story-48151623/amp",
    "https://example.org/2026/how-we-lost-it.html": "https://www.example.org/2026/how-we-lost-it.amp.html",
    "https://example.org/": "https://example.org http://example.org/? https://example.org/#top",
    "https://example.org/?a=1&b=2": "https://example.org/?b=2&a=1",
    "https://example.org/?q=a+b": "https://example.org/?q=a%20b",
    "https://xn--bcher-kva.example/%C3%A4": "https://bücher.example/ä",
    "https://www.nytimes.com/section/world": "https://mobile.nytimes.com/section/world https://nytimes.com/section/world",
}
SAME = [(form, identity) for identity, forms in IDENTITIES.items() for form in forms.split()]

APART = """
    https://example.org/a https://example.org/A
    https://example.org/a https://example.org/b
    https://example.org/a https://example.org/a/
    https://example.org/a https://www.example.org/a
    https://example.org/about https://m.example.org/about
    https://example.org/how-the-queue-was-lost https://www.example.org/how-the-queue-was-lost
    https://example.org/2026/ https://m.example.org/2026/
    https://example.org/guitar https://example.org/guitar/amp
    https://example.org/?amp=1 https://example.org/
    https://example.org/amp/ https://example.org/
    https://example.org/news/story-48151623 https://news.example.org/news/story-48151623
    https://example.org/news/story-48151623 https://example.org/news/story-48151624
    https://google.com/amp/foo https://foo/
    https://example.org/a https://example.org:8443/a
    http://example.org:8080/ https://example.org:8080/
    http://example.org:443/ https://example.org/
    https://user@example.org/ https://example.org/
    https://example.org/?id=1 https://example.org/?id=2
    https://example.org/?id=1 https://example.org/?id=1&id=2
    https://example.org/?id=1&id=2 https://example.org/?id=2&id=1
    https://example.org/?ref=main https://example.org/?ref=dev
    https://example.org/?source=a https://example.org/?source=b
    https://example.org/?utmost=a https://example.org/
    https://example.org/#/users https://example.org/#/teams
    https://example.org/#!a https://example.org/#!b
    https://example.org/a%2Fb https://example.org/a/b
    https://example.org/?q=a%26b=c https://example.org/?q=a&b=c
    https://example.org/?q=1%2B1 https://example.org/?q=1+1
    https://example.org/?q=%E9 https://example.org/?q=%25E9
    https://arxiv.org/abs/2501.10120 https://arxiv.org/abs/2501.10121
    https://arxiv.org/abs/hep-th/9901001 https://arxiv.org/abs/hep-ph/9901001
    https://arxiv.org/list/cs.IR/2501 https://arxiv.org/list/cs.CL/2501
    https://arxiv.org/abs/2501.10120 https://arxiv.org.evil.example/abs/2501.10120
    https://arxiv.org/abs/2501.10120 https://arxiv.org:8443/abs/2501.10120
    https://huggingface.co/papers/2501.10120 https://huggingface.co/o/2501.10120
    https://github.com/pallets/flask https://github.com/pallets/click
    https://github.com/pallets/flask https://github.com/pallets/flask/issues
    https://github.com/pallets/flask https://github.com/pallets/flask/tree/main
    https://github.com/pallets/flask/blob/main/README.md https://github.com/pallets/flask/blob/main/readme.md
    https://github.com/pallets/flask/blob/main/README.md https://github.com/pallets/flask/blob/dev/README.md
    https://github.com/pallets/flask/blob/main/README.md https://github.com/pallets/flask/blame/main/README.md
    https://github.com/pallets/flask/issues/5 https://github.com/pallets/flask/issues/6
    https://github.com/pallets/flask/issues/5 https://github.com/pallets/flask/discussions/5
    https://github.com/pallets/flask/pull/5 https://github.com/pallets/flask/pull/5/files
    https://github.com/pallets/flask/issues?q=is:open https://github.com/pallets/flask/issues?q=is:closed
    https://github.com/pallets?tab=stars https://github.com/pallets?tab=followers
    https://github.com/orgs/pallets https://github.com/orgs/Palletsx
    https://github.com/pallets/flask https://gist.github.com/pallets/flask
    https://github.com/o/r/tree/main/a-b-c-d/amp https://github.com/o/r/tree/main/a-b-c-d
    https://gist.github.com/somebody https://gist.github.com/somebody/0123456789abcdef0123
    https://gist.github.com/a/0123456789abcdef0123 https://gist.github.com/a/0123456789abcdef0123/9876543210
    https://www.youtube.com/watch?v=dQw4w9WgXcQ https://www.youtube.com/watch?v=dQw4w9WgXcq
    https://www.youtube.com/playlist?list=PL1 https://www.youtube.com/playlist?list=PL2
    https://www.youtube.com/@someone https://www.youtube.com/@other
    https://news.ycombinator.com/item?id=8863 https://news.ycombinator.com/item?id=8864
    https://news.ycombinator.com/news?p=1 https://news.ycombinator.com/news?p=2
    https://news.ycombinator.com/item?id=8863 https://news.ycombinator.com/user?id=8863
    https://stackoverflow.com/questions/44 https://math.stackexchange.com/questions/44
    https://stackoverflow.com/questions/44 https://pt.stackoverflow.com/questions/44
    https://stackoverflow.com/questions/44 https://stackoverflow.com/a/44
    https://stackoverflow.com/questions/44 https://stackoverflow.com/questions/45
    https://stackoverflow.com/questions/tagged/python https://stackoverflow.com/questions/tagged/c
    https://huggingface.co/openai-community/gpt2 https://huggingface.co/datasets/openai-community/gpt2
    https://huggingface.co/openai-community/gpt2 https://huggingface.co/openai-community/gpt2/tree/main
    https://huggingface.co/docs/hub https://huggingface.co/docs/hub?page=2
    https://en.wikipedia.org/wiki/Alan_Turing https://de.wikipedia.org/wiki/Alan_Turing
    https://en.wikipedia.org/wiki/Alan_Turing https://en.wikipedia.org/wiki/Alan_turing
    https://en.wikipedia.org/wiki/Alan_Turing https://en.wikipedia.org/wiki/Talk:Alan_Turing
    https://en.wikipedia.org/wiki/Alan_Turing https://en.wikipedia.org/wiki/Alan_Turing?oldid=5
    https://en.wikipedia.org/wiki/Alan_Turing https://en.wikipedia.org/wiki/Alan_Turing?action=history
    https://en.wikipedia.org/w/index.php?title=A&diff=1 https://en.wikipedia.org/w/index.php?title=A&diff=2
    https://en.wiktionary.org/wiki/polish https://en.wiktionary.org/wiki/Polish
    https://doi.org/10.1145/1 https://doi.org/10.1145/2
    https://x.com/jack/status/20 https://x.com/jack/status/21
    https://x.com/jack https://x.com/jill
    https://www.reddit.com/r/a/comments/1abc2d/t/ https://www.reddit.com/r/a/comments/1abc2d/t/kx1
    https://www.reddit.com/r/a https://www.reddit.com/r/b
"""
DIFFERENT = [tuple(line.split()) for line in APART.strip().splitlines()]


@pytest.mark.parametrize(("form", "identity"), SAME)
def test_every_address_of_a_page_is_the_same_page(form, identity):
    assert canonical_url(form) == identity


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_pages_are_never_taken_for_one(one, other):
    assert canonical_url(one) != canonical_url(other)


def test_the_identity_table_is_as_large_as_it_has_to_be():
    assert len(set(SAME)) + len(set(DIFFERENT)) >= 120


def test_outer_white_space_and_links_that_nobody_can_read_make_no_trouble():
    assert canonical_url(f" {PAGE}\n") == PAGE
    endless = f"https://example.org/{'a/' * 40_000}"
    assert canonical_url(endless) == endless


HOSTILE = st.text(max_size=80) | st.text(alphabet="htps:/@.%[]?&=+#;arxivgub0123é�\\ \n", max_size=60).map(
    "https://".__add__
)
SITES = """
    arxiv.org/abs/ github.com/ github.com/o/r/blob/ raw.githubusercontent.com/ gist.github.com/ youtu.be/
    www.youtube.com/watch?v= doi.org/10.48550/ doi.org/10.1/ news.ycombinator.com/item?id= stackoverflow.com/q/
    huggingface.co/ en.wikipedia.org/wiki/ en.wikipedia.org/?title= x.com/i/status/ www.google.com/amp/s/ m.example.org/
    www.example.org/2026/a-b-c-
"""
LINKS = HOSTILE | st.builds(
    lambda site, rest: f"https://{site}{rest}",
    st.sampled_from(SITES.split()),
    st.text(alphabet="abAB01./?=&%#-_: émp", max_size=30),
)


WORD = st.text(alphabet="abcXYZ012é%&=+/?#.-_ ", min_size=1, max_size=8)
PAGES = st.builds(
    lambda host, path, query: (host, tuple(path), tuple(query)),
    st.sampled_from(["example.org", "www.example.org", "m.example.org", "a.example.com"]),
    st.lists(WORD.filter(lambda word: word.strip(".") and not re.search(r"\d{4}|[-_].*[-_].*[-_]", word)), max_size=3),
    st.lists(st.tuples(st.sampled_from(["id", "q", "page", "ref", "source"]), WORD), max_size=3),
)
"""What a site tells pages apart by, before any spelling; no path is so long that its host would not matter."""


def spelled(page, *, extra: list[tuple[str, str]] = (), start: str = "https://", port: str = "", end: str = "") -> str:
    host, path, query = page
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in (*query, *extra))
    return f"{start}{host}{port}/{'/'.join(quote(part, safe='') for part in path)}{'?' * bool(pairs)}{pairs}{end}"


def told_apart(page):
    """What stays of a page: parameters of one name keep their order, those of different names do not."""
    host, path, query = page
    return host, path, tuple(sorted(query, key=lambda pair: pair[0]))


@given(PAGES, PAGES)
def test_whatever_a_site_may_tell_apart_stays_apart(one, other):
    assert (canonical_url(spelled(one)) == canonical_url(spelled(other))) == (told_apart(one) == told_apart(other))


TRACKING = st.lists(
    st.tuples(st.sampled_from(["utm_source", "UTM_x", "fbclid", "gclid", "mc_eid", "_ga", "igsh"]), WORD), max_size=3
)


@given(
    PAGES,
    TRACKING,
    st.sampled_from(["https://", "http://", "HTTPS://"]),
    st.sampled_from(["", "#part", "#:~:text=a"]),
)
def test_tracking_scheme_port_and_anchor_make_no_difference(page, tracking, start, end):
    port = {"https": ":443", "http": ":80"}[start.lower().removesuffix("://")]
    plain = canonical_url(spelled(page))
    assert canonical_url(spelled(page, extra=tracking, start=start, end=end)) == plain
    assert canonical_url(spelled(page, extra=tracking, start=start, port=port, end=end)) == plain


@given(LINKS)
def test_any_text_has_an_identity_and_keeps_it(text):
    once = canonical_url(text)
    assert canonical_url(once) == once


@pytest.mark.parametrize(
    "text", ["", "mailto:a@b.c", "http://[", "http://[]@", "http://a:99999/", "https://xn--/", "no link at all"]
)
def test_what_is_not_a_web_address_stays_as_it_is(text):
    assert canonical_url(text) == text


def test_a_paper_is_known_by_id_and_version():
    assert arxiv_id("https://arxiv.org/pdf/2501.10120v2.pdf") == ("2501.10120", "v2")
    assert arxiv_id("https://arxiv.org/abs/hep-th/9901001") == ("hep-th/9901001", "")
    assert arxiv_id("https://arxiv.org/list/cs.IR/recent") is None
    assert arxiv_id("http://[") is arxiv_id("http://[]@") is None


def test_a_repository_is_known_by_its_home_only():
    assert github_repository("https://github.com/Pallets/Flask.git?tab=readme") == ("Pallets", "Flask")
    assert github_repository("https://github.com/pallets/flask/issues") is None
    assert github_repository("https://github.com/pallets") is None
    assert github_repository("https://github.com/topics/python") is None
    assert github_repository("http://[") is github_repository("http://[]@") is None


@pytest.mark.parametrize(
    ("link", "in_the_key"),
    [
        ("HTTPS://Example.ORG/Path?Q=A#F", "https://example.org/Path?Q=A#F"),
        ("https://example.org:443/a/../b?utm_source=x", "https://example.org:443/a/../b?utm_source=x"),
        ("https://User@Example.org/", "https://User@example.org/"),
        ("https://Example.org", "https://example.org"),
        ("not a link", "not a link"),
        ("mailto:Me@Example.org", "mailto:Me@Example.org"),
    ],
)
def test_the_form_in_the_job_key_never_changes(link, in_the_key):
    assert job_link(link) == in_the_key


@given(HOSTILE)
def test_any_text_has_a_form_in_the_job_key(text):
    assert job_link(job_link(text)) == job_link(text)
