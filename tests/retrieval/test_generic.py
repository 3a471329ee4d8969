"""Any page by its content type, and an honest reason where there is nothing to read."""

import pytest

from technoshare.errors import FetchError, FetchRefused, Transient, Unusable
from technoshare.retrieval.reading import read
from tests.retrieval.answers import PROSE, InlineParser, Web, article, page

URL = "https://example.org/scheduler"


async def read_answer(answer, url=URL):
    return await read(url, Web({url: answer}), InlineParser())


async def refused(answer, url=URL):
    with pytest.raises(Unusable) as caught:
        await read_answer(answer, url)
    return str(caught.value), caught.value.obstacle


async def test_an_article_becomes_evidence_with_its_title_author_and_address():
    head = '<meta name="author" content="Ada Brandt"><meta property="article:published_time" content="2026-03-04">'
    evidence = await read_answer(page(article(head=head), url="https://example.org/scheduler/"))
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("GenericAdapter", "example.org", "full")
    assert (evidence.url, evidence.final_url) == (URL, "https://example.org/scheduler/")
    assert (evidence.title, evidence.authors, evidence.published) == (
        "How the scheduler works",
        ("Ada Brandt",),
        "2026-03-04",
    )
    assert "claims a job by raising its counter" in evidence.snippets[0].text
    assert evidence.snippets[0].source == evidence.final_url


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown; charset=utf-8", "text/x-rst", "application/json"])
async def test_plain_text_is_read_as_it_is(kind):
    evidence = await read_answer(page(PROSE, kind=kind))
    assert evidence.snippets[0].text.startswith("The scheduler keeps")


async def test_the_charset_of_the_server_is_believed():
    text = PROSE.replace("scheduler", "plánovač")
    evidence = await read_answer(page(text.encode("iso-8859-2"), kind='text/plain; charset="ISO-8859-2"'))
    assert "plánovač" in evidence.snippets[0].text


@pytest.mark.parametrize("kind", ["", "application/octet-stream"])
async def test_a_page_without_a_type_is_recognised_by_its_beginning(kind):
    assert (await read_answer(page(article(), kind=kind))).title == "How the scheduler works"
    assert (await read_answer(page(PROSE, kind=kind))).coverage == "full"
    assert (await refused(page(b"PK\x03\x04\0\0", kind=kind)))[1] == "not_text"
    assert (await refused(page(b"%PDF-1.7 cut off", kind=kind)))[0] == "the PDF is damaged"


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("image/png", "a picture"),
        ("video/mp4", "a video"),
        ("audio/mpeg", "a sound recording"),
        ("application/zip", "a file of the type application/zip"),
    ],
)
async def test_what_is_no_text_is_named(kind, thing):
    assert await refused(page(b"\0\1", kind=kind)) == (f"the link leads to {thing}, not to a text", "not_text")


@pytest.mark.parametrize(
    ("status", "reason", "obstacle"),
    [
        (404, "the page was not found (404)", "not_found"),
        (410, "the page is gone for good (410)", "not_found"),
        (401, "example.org asks for a login", "login_wall"),
        (403, "example.org refuses to show this page (403)", "forbidden"),
        (402, "example.org shows this page to paying readers only", "pay_wall"),
        (451, "example.org may not show this page for legal reasons (451)", "legal"),
        (418, "example.org answered with an error (418)", "unreadable"),
    ],
)
async def test_a_definite_no_becomes_a_plain_reason(status, reason, obstacle):
    assert await refused(page(article(), status=status)) == (reason, obstacle)


async def test_a_challenge_for_robots_is_told_apart_from_a_refusal():
    assert (await refused(page(article(), status=403, cf_mitigated="challenge")))[1] == "bot_wall"


@pytest.mark.parametrize(
    ("status", "told", "after"),
    [
        (429, "7", 7.0),
        (503, "", None),
        (500, "soon", None),
        (503, "999999", 3600.0),
        (503, "-5", None),
        (429, "²", None),
    ],
)
async def test_a_busy_site_is_asked_again_when_it_says(status, told, after):
    with pytest.raises(Transient) as caught:
        await read_answer(page("", status=status, retry_after=told))
    assert caught.value.after == after


async def test_a_fetch_that_failed_keeps_its_reason():
    with pytest.raises(Transient, match="did not answer"):
        await read_answer(FetchError("example.org did not answer", transient=True))
    assert await refused(FetchError("the name could not be found")) == ("the name could not be found", "unreachable")
    assert (await refused(FetchRefused("the address points into a private network")))[1] == "forbidden_address"


async def test_a_redirect_to_a_login_page_is_a_login_wall():
    there = page(article(), url="https://example.org/login?next=scheduler")
    assert await refused(there) == ("example.org asks for a login", "login_wall")


async def test_an_article_about_logins_is_no_login_wall():
    url = "https://example.org/blog/sign-in"
    assert (await read_answer(page(article(), url=url), url)).coverage == "full"
    moved = await read_answer(page(article(), url="https://example.org/blog/how-to-log-in-safely"))
    assert moved.coverage == "full"


async def test_a_page_that_is_only_script_says_so():
    empty = '<html><body><div id="app"></div><script src="/app.js"></script></body></html>'
    assert await refused(page(empty)) == ("the page needs JavaScript and shows no text without it", "empty_page")


async def test_a_page_without_any_text_says_so():
    assert await refused(page("")) == ("the page shows no text that could be read", "no_text")


async def test_a_teaser_is_partial_evidence_and_names_the_pay_wall():
    head = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    evidence = await read_answer(page(article(head=head)))
    assert (evidence.coverage, evidence.obstacle) == ("partial", "pay_wall")


async def test_a_page_that_wants_to_know_whether_we_are_human_is_never_commented():
    text = "Checking your browser before you may go on. " + PROSE
    assert (await refused(page(article(text, title="Just a moment..."))))[1] == "bot_wall"


async def test_a_page_too_large_to_parse_is_refused_unparsed():
    reason, obstacle = await refused(page(b"<p>" + b"x" * 5_000_000))
    assert (reason, obstacle) == ("the page is larger than 5 MB", "too_large")
