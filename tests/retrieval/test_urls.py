import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.retrieval.urls import arxiv_id, canonical_url, github_repository, job_link

PAPER = "https://arxiv.org/abs/2501.10120"
OLD_PAPER = "https://arxiv.org/abs/hep-th/9901001"
REPOSITORY = "https://github.com/pallets/flask"
VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
PAGE = "https://example.org/a/b?id=3"

SAME = [
    *((form, PAPER) for form in (
        "https://arxiv.org/abs/2501.10120",
        "http://arxiv.org/abs/2501.10120v1",
        "https://arxiv.org/pdf/2501.10120",
        "https://arxiv.org/pdf/2501.10120v2.pdf",
        "https://arxiv.org/html/2501.10120v3",
        "https://arxiv.org/src/2501.10120",
        "https://arxiv.org/e-print/2501.10120v1",
        "https://arxiv.org/format/2501.10120",
        "https://arxiv.org/ps/2501.10120",
        "https://www.arxiv.org/abs/2501.10120?context=cs",
        "https://export.arxiv.org/abs/2501.10120",
        "https://browse.arxiv.org/html/2501.10120v1#S1",
        "https://ar5iv.labs.arxiv.org/html/2501.10120",
        "https://ar5iv.org/abs/2501.10120",
        "https://www.alphaxiv.org/abs/2501.10120v1",
        "https://alphaxiv.org/overview/2501.10120",
        "https://huggingface.co/papers/2501.10120",
        "https://doi.org/10.48550/arXiv.2501.10120",
        "https://dx.doi.org/10.48550/ARXIV.2501.10120",
        "arXiv:2501.10120v2",
        "arxiv:2501.10120",
    )),
    *((form, OLD_PAPER) for form in (
        "https://arxiv.org/abs/hep-th/9901001v2",
        "https://arxiv.org/pdf/hep-th/9901001.pdf",
        "arXiv:hep-th/9901001",
    )),
    ("https://arxiv.org/abs/math.GT/0309136", "https://arxiv.org/abs/math/0309136"),
    *((form, REPOSITORY) for form in (
        "https://github.com/pallets/flask",
        "http://github.com/Pallets/Flask/",
        "https://www.github.com/pallets/flask.git",
        "https://github.com/pallets/flask?tab=readme-ov-file",
        "https://github.com/pallets/flask#readme",
        "https://github.com/pallets/flask?utm_source=newsletter",
    )),
    ("https://github.com/Pallets/flask/issues/5/#issuecomment-1", f"{REPOSITORY}/issues/5"),
    *((form, VIDEO) for form in (
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://youtube.com/watch?feature=shared&v=dQw4w9WgXcQ&t=10s",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=x",
        "https://youtu.be/dQw4w9WgXcQ?si=abc",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/live/dQw4w9WgXcQ",
    )),
    *((form, PAGE) for form in (
        "https://example.org/a/b?id=3",
        " https://EXAMPLE.org/a/b?id=3\n",
        "https://example.org:443/a/b?id=3",
        "http://example.org/a/b?id=3",
        "http://example.org:80/a/b?id=3",
        "https://example.org/a/x/../b?id=3#section",
        "https://example.org/a/b?utm_source=slack&id=3&utm_medium=x",
        "https://example.org/a/b?fbclid=1&id=3&gclid=2&mc_cid=4",
        "https://example.org/%61/b?id=3",
    )),
    ("https://example.org", "https://example.org/"),
    ("https://example.org/?b=2&a=1", "https://example.org/?a=1&b=2"),
    ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
]  # fmt: skip

DIFFERENT = [
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/a", "https://example.org/b"),
    ("https://example.org/a", "https://www.example.org/a"),
    ("https://example.org/a", "https://example.org:8443/a"),
    ("http://example.org:8080/", "https://example.org:8080/"),
    ("https://example.org/?id=1", "https://example.org/?id=2"),
    ("https://example.org/?id=1", "https://example.org/?id=1&id=2"),
    ("https://example.org/?id=1&id=2", "https://example.org/?id=2&id=1"),
    ("https://example.org/?ref=main", "https://example.org/?ref=dev"),
    ("https://example.org/?source=a", "https://example.org/?source=b"),
    ("https://example.org/#/users", "https://example.org/#/teams"),
    ("https://example.org/#!a", "https://example.org/#!b"),
    ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ("https://example.org/?q=a%26b=c", "https://example.org/?q=a&b=c"),
    ("https://example.org/?q=1%2B1", "https://example.org/?q=1+1"),
    ("https://arxiv.org/abs/2501.10120", "https://arxiv.org/abs/2501.10121"),
    ("https://arxiv.org/abs/hep-th/9901001", "https://arxiv.org/abs/hep-ph/9901001"),
    ("https://arxiv.org/list/cs.IR/2501", "https://arxiv.org/list/cs.CL/2501"),
    ("https://arxiv.org/abs/2501.10120", "https://arxiv.org.evil.example/abs/2501.10120"),
    ("https://huggingface.co/papers/2501.10120", "https://huggingface.co/o/2501.10120"),
    ("https://github.com/pallets/flask", "https://github.com/pallets/click"),
    ("https://github.com/pallets/flask", "https://github.com/pallets/flask/issues"),
    ("https://github.com/pallets/flask/blob/main/README.md", "https://github.com/pallets/flask/blob/main/readme.md"),
    ("https://github.com/pallets/flask/issues/5", "https://github.com/pallets/flask/issues/6"),
    ("https://github.com/pallets?tab=stars", "https://github.com/pallets?tab=followers"),
    ("https://github.com/orgs/pallets", "https://github.com/orgs/Palletsx"),
    ("https://github.com/pallets/flask", "https://gist.github.com/pallets/flask"),
    ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcq"),
    ("https://www.youtube.com/playlist?list=PL1", "https://www.youtube.com/playlist?list=PL2"),
    ("https://www.youtube.com/@someone", "https://www.youtube.com/@other"),
]


@pytest.mark.parametrize(("form", "identity"), SAME)
def test_every_address_of_a_page_is_the_same_page(form, identity):
    assert canonical_url(form) == identity


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_pages_are_never_taken_for_one(one, other):
    assert canonical_url(one) != canonical_url(other)


HOSTILE = st.text(max_size=80) | st.text(alphabet="htps:/@.%[]?&=+#;arxivgub0123é�\\ \n", max_size=60).map(
    "https://".__add__
)
SITES = st.sampled_from(["arxiv.org/abs/", "github.com/", "youtu.be/", "www.youtube.com/watch?v=", "doi.org/10.48550/"])
LINKS = HOSTILE | st.builds(
    lambda site, rest: f"https://{site}{rest}", SITES, st.text(alphabet="abAB01./?=&%#-_ é", max_size=30)
)


@given(LINKS)
def test_any_text_has_an_identity_and_keeps_it(text):
    once = canonical_url(text)
    assert canonical_url(once) == once


@pytest.mark.parametrize("text", ["", "mailto:a@b.c", "http://[", "http://a:99999/", "https://xn--/", "no link at all"])
def test_what_is_not_a_web_address_stays_as_it_is(text):
    assert canonical_url(text) == text


def test_a_paper_is_known_by_id_and_version():
    assert arxiv_id("https://arxiv.org/pdf/2501.10120v2.pdf") == ("2501.10120", "v2")
    assert arxiv_id("https://arxiv.org/abs/hep-th/9901001") == ("hep-th/9901001", "")
    assert arxiv_id("https://arxiv.org/list/cs.IR/recent") is None
    assert arxiv_id("http://[") is None


def test_a_repository_is_known_by_its_home_only():
    assert github_repository("https://github.com/Pallets/Flask.git?tab=readme") == ("Pallets", "Flask")
    assert github_repository("https://github.com/pallets/flask/issues") is None
    assert github_repository("https://github.com/pallets") is None
    assert github_repository("https://github.com/topics/python") is None
    assert github_repository("http://[") is None


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
