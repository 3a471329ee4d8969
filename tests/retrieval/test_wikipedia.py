"""Wikipedia: every language and every form of an address, the text without its apparatus, and lists of meanings named."""

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.reading import ADAPTERS, read
from tests.retrieval.answers import BUSY, HOSTILE, PROSE, SENTENCES, InlineParser, Web, as_json, page, told

URL = "https://en.wikipedia.org/wiki/Job_scheduler"
SUMMARY = "https://en.wikipedia.org/api/rest_v1/page/summary/Job_scheduler"
REST = "https://en.wikipedia.org/api/rest_v1/page/html/Job_scheduler"

TEXT = f"""
<div class="hatnote">For the office, see Scheduler.</div>
<table class="infobox"><tr><th>Kind</th><td>Program</td></tr></table>
<p>A <b>job scheduler</b> decides what runs next.<sup id="r1" class="reference"><a href="#n1">[1]</a></sup> {PROSE}</p>
<div id="toc" class="toc"><h2>Contents</h2><ul><li>1 History</li></ul></div>
<div class="mw-heading mw-heading2"><h2 id="History">History</h2><span class="mw-editsection">[edit]</span></div>
<p>The first one ran in 1961 and waited for
<span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;"><math alttext="{{\\displaystyle n^{{2}}}}"><mi>n</mi></math></span><img alt="n"></span>
cards. It is still cited.</p>
<div class="mw-heading mw-heading3"><h3 id="Tapes">Tapes</h3></div>
<p>Tapes came later.</p><table class="wikitable"><tr><th>Year</th><th>Jobs</th></tr><tr><td>1970</td><td>12</td></tr></table>
<div class="mw-heading mw-heading2"><h2 id="See_also">See also</h2></div><ul><li><a href="/wiki/Queue">Queue</a></li></ul>
<div class="mw-heading mw-heading2"><h2 id="References">References</h2></div>
<div class="reflist"><ol class="references"><li>Brandt, 1999</li></ol></div>
<div class="mw-heading mw-heading3"><h3 id="Books">Books</h3></div><ul><li>A book</li></ul>
<div class="navbox">Operating systems · Kernels</div>"""


def wiki(text: str = TEXT, *, title: str = "Job scheduler", canonical: str = URL, lang: str = "en", status: int = 200):
    return page(
        f'<!DOCTYPE html><html class="client-nojs" lang="{lang}"><head><meta charset="UTF-8"><title>{title} - Wikipedia</title>'
        f'<link rel="canonical" href="{canonical}"></head><body><nav>Main page</nav>'
        f'<h1 id="firstHeading" class="firstHeading"><span class="mw-page-title-main">{title}</span></h1>'
        f'<div id="siteSub">From Wikipedia</div><div id="mw-content-text" class="mw-body-content">'
        f'<div class="mw-content-ltr mw-parser-output" lang="{lang}">{text}</div><div class="printfooter">Retrieved</div></div></body></html>',
        status=status,
    )


def parsoid():
    return page(
        f'<!DOCTYPE html><html prefix="dc: http://purl.org/dc/terms/"><head><title>Job scheduler</title></head>'
        f'<body lang="en" class="mw-content-ltr mw-body-content parsoid-body mediawiki mw-parser-output"><section data-mw-section-id="0">'
        f'<p>{PROSE}<sup class="mw-ref reference"><a>[1]</a></sup></p></section><section data-mw-section-id="1"><h2 id="References">References</h2>'
        f'<div class="mw-references-wrap"><ol class="mw-references references"><li>Brandt</li></ol></div></section></body></html>'
    )


def summary(**changes):
    fields = {
        "type": "standard", "title": "Job scheduler", "lang": "en", "dir": "ltr", "revision": "1300000000",
        "timestamp": "2026-10-02T08:00:00Z", "description": "Program that decides what runs next",
        "extract": "A job scheduler decides.", "content_urls": {"desktop": {"page": URL}},
    }  # fmt: skip
    return as_json(200, **fields | changes)


WHOLE = {URL: wiki(), SUMMARY: summary()}


async def read_article(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


async def test_an_article_is_its_text_by_sections_without_references_and_boxes():
    evidence, _ = await read_article(WHOLE)
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("WikipediaAdapter", "en.wikipedia.org", "full")
    assert (evidence.title, evidence.final_url, evidence.language) == ("Job scheduler", URL, "en")
    assert told(evidence) == {"kind": "article", "updated": "2026-10-02"}
    assert [snippet.section for snippet in evidence.snippets] == ["Description", "", "History", "Tapes"]
    text = "\n".join(snippet.text for snippet in evidence.snippets)
    assert "decides what runs next. The scheduler keeps" in text
    assert "waited for n^{2} cards" in text
    assert "Year | Jobs\n1970 | 12" in text
    gone = (
        "[1]",
        "[edit]",
        "Contents",
        "Brandt",
        "A book",
        "Queue",
        "Kernels",
        "Retrieved",
        "see Scheduler",
        "Program\n",
        "Main page",
    )
    assert not [word for word in gone if word in text]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://en.wikipedia.org/wiki/Job_scheduler", URL),
        ("https://en.m.wikipedia.org/wiki/Job_scheduler", URL),
        (f"{URL}#History", URL),
        (f"{URL}?wprov=sfla1", URL),
        ("https://en.wikipedia.org/w/index.php?title=Job_scheduler", URL),
        ("https://en.wikipedia.org/w/index.php?title=Job%20scheduler&action=view", URL),
        ("https://en.wikipedia.org/?title=Job_scheduler", URL),
        ("https://en.wikipedia.org/w/index.php?curid=4242", "https://en.wikipedia.org/w/index.php?curid=4242"),
        ("https://en.wikipedia.org/?curid=4242", "https://en.wikipedia.org/w/index.php?curid=4242"),
        ("https://en.wikipedia.org/wiki/Batch_queue", "https://en.wikipedia.org/wiki/Batch_queue"),
    ],
)
async def test_every_form_of_the_address_ends_at_the_article(url, asked):
    evidence, web = await read_article({asked: wiki(), SUMMARY: summary()}, url)
    assert web.asked == [asked, SUMMARY]
    assert (evidence.url, evidence.final_url) == (url, URL)


async def test_an_old_version_stays_the_old_version():
    url = "https://en.wikipedia.org/w/index.php?title=Job_scheduler&oldid=77"
    evidence, web = await read_article({url: wiki(), SUMMARY: summary()}, url)
    assert evidence.final_url == url == web.asked[0]


async def test_a_title_with_odd_characters_survives_a_query():
    url = "https://en.wikipedia.org/w/index.php?title=A%26B%2B&oldid=77"
    _, web = await read_article({url: wiki()}, "https://en.wikipedia.org/wiki/A&B+?oldid=77")
    assert web.asked[0] == url


async def test_an_article_in_another_language_is_in_that_language():
    url = "https://de.wikipedia.org/wiki/Stapel%C3%BCberwachung"
    text = (
        "<p>Der Planer weckt jeden Arbeiter, sobald eine Zeile bereit ist.</p>" * 3
        + f"<p>{PROSE}</p><h2>Weblinks</h2><ul><li>Seite</li></ul>"
    )
    answer = wiki(text, title="Stapelüberwachung", canonical=url, lang="de")
    evidence, _ = await read_article({url: answer}, "https://de.m.wikipedia.org/wiki/Stapelüberwachung")
    assert (evidence.language, evidence.domain, evidence.final_url) == ("de", "de.wikipedia.org", url)
    assert "Seite" not in evidence.snippets[-1].text


async def test_a_title_with_a_slash_is_one_title_for_the_api():
    url = "https://en.wikipedia.org/wiki/AC/DC_scheduler"
    _, web = await read_article({url: wiki(canonical=url)}, url)
    assert web.asked[1] == "https://en.wikipedia.org/api/rest_v1/page/summary/AC%2FDC_scheduler"


MEANINGS = "<p><b>Scheduler</b> may refer to:</p><ul>" + "".join(f"<li>{line}</li>" for line in SENTENCES) + "</ul>"


@pytest.mark.parametrize(
    "answers",
    [
        {URL: wiki(MEANINGS), SUMMARY: summary(type="disambiguation")},
        {URL: wiki(MEANINGS + '<div id="disambigbox">This page lists articles</div>')},
    ],
    ids=["the API says so", "the page says so"],
)
async def test_a_page_that_lists_meanings_says_so(answers):
    evidence, _ = await read_article(answers)
    assert (evidence.coverage, evidence.obstacle) == ("partial", "disambiguation")


async def test_a_short_list_of_meanings_is_a_reason():
    answers = {
        URL: wiki("<p>Scheduler may refer to:</p><ul><li>A program</li></ul>"),
        SUMMARY: summary(type="disambiguation"),
    }
    with pytest.raises(Unusable, match="lists several meanings here") as caught:
        await read_article(answers)
    assert caught.value.obstacle == "disambiguation"


async def test_an_article_that_does_not_exist_is_not_found():
    with pytest.raises(Unusable, match=r"Wikipedia \(en\) has no such article") as caught:
        await read_article({URL: wiki("<p>Wikipedia does not have an article</p>", status=404)})
    assert caught.value.obstacle == "not_found"


@pytest.mark.parametrize("trouble", [BUSY, page("", status=503), FetchError("no answer", transient=True)])
async def test_when_the_page_does_not_answer_the_api_has_the_text(trouble):
    evidence, _ = await read_article({URL: trouble, REST: parsoid(), SUMMARY: summary()})
    assert (evidence.title, evidence.coverage, evidence.final_url) == ("Job scheduler", "full", URL)
    assert evidence.snippets[-1].text == PROSE


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient) as caught:
        await read_article({URL: BUSY, REST: BUSY})
    assert caught.value.after == 7.0


@pytest.mark.parametrize("answer", [BUSY, *HOSTILE.values()], ids=["429", *HOSTILE])
async def test_without_a_summary_the_text_is_enough(answer):
    evidence, _ = await read_article({URL: wiki(), SUMMARY: answer})
    assert (evidence.coverage, told(evidence)) == ("full", {"kind": "article"})


@pytest.mark.parametrize(
    "body", [b"", b"\0" * 5000, b"<div>" * 100_000, b"<math>" * 2000 + b"{\\displaystyle" * 10_000]
)
async def test_a_broken_page_is_a_reason_and_no_crash(body):
    with pytest.raises(Unusable):
        await read_article({URL: page(body)})


@pytest.mark.parametrize(
    "url",
    [
        "https://www.wikipedia.org/",
        "https://en.wikipedia.org/wiki/",
        "https://en.wikipedia.org/w/index.php?title=Job_scheduler&action=history",
        "https://en.wikipedia.org/w/index.php?search=jobs",
        "https://en.wikipedia.org.example.com/wiki/Job_scheduler",
        "https://wikipedia.org/wiki/Job_scheduler",
    ],
)
def test_what_is_no_article_is_read_as_a_page(url):
    assert next(adapter.NAME for adapter in ADAPTERS if adapter.matches(url)) == "GenericAdapter"
