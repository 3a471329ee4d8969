"""Papers: any form of the address, four sources, and an honest end when none of them has the paper."""

import asyncio

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.arxiv import parse_feed
from technoshare.retrieval.etiquette import ConsiderateFetcher, Lane
from technoshare.retrieval.reading import read
from tests.retrieval.answers import PROSE, InlineParser, Web, page

ID = "2611.00042"
URL = f"https://arxiv.org/abs/{ID}"
API = f"https://export.arxiv.org/api/query?id_list={ID}&max_results=1"
HTML, PDF = f"https://arxiv.org/html/{ID}", f"https://arxiv.org/pdf/{ID}"
BUSY = page("Rate exceeded.", status=429, kind="text/plain", retry_after="9")
GONE = page("<h1>No such thing</h1>", status=404)

ENTRY = f"""<entry>
  <id>http://arxiv.org/abs/{ID}v3</id>
  <title>Fences for
    Queues</title>
  <updated>2026-11-20T09:00:00Z</updated><published>2026-11-02T09:00:00Z</published>
  <summary>  {PROSE}
  </summary>
  <author><name>Ada Brandt</name></author><author><name>Wei  Lin</name></author>
  <category term="cs.DC"/><category term="cs.DB"/>
  <arxiv:comment>9 pages, 2 figures</arxiv:comment><arxiv:journal_ref>Queue Letters 4 (2026)</arxiv:journal_ref><arxiv:doi>10.1234/fences</arxiv:doi>
</entry>"""
ERROR = """<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_x</id><title>Error</title>
<summary>incorrect id format for x</summary></entry>"""


def feed(entry: str = ENTRY, *, status: int = 200):
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">'
    return page(f"{head}<title>Query</title>{entry}</feed>", status=status, kind="application/atom+xml")


PROOF = "The proof goes by induction over the number of workers and uses nothing but the order of the counters."


def paper():
    return page(f"""<html lang="en"><body><article class="ltx_document">
    <h1 class="ltx_title ltx_title_document">Fences for Queues</h1>
    <div class="ltx_abstract"><h6 class="ltx_title ltx_title_abstract">Abstract</h6><p class="ltx_p">{PROSE}</p></div>
    <section class="ltx_section"><h2 class="ltx_title ltx_title_section">1 Proof</h2><p class="ltx_p">{PROOF}</p></section>
    </article></body></html>""")


def home():
    return page(f"""<html><head>
    <meta name="citation_title" content="Fences for Queues"><meta name="citation_author" content="Brandt, Ada">
    <meta name="citation_author" content="Lin, Wei"><meta name="citation_date" content="2026/11/02">
    <meta name="citation_online_date" content="2026/11/20"><meta name="citation_doi" content="10.1234/fences">
    <meta name="citation_abstract" content="{PROSE}"></head><body>The paper <table><tr>
    <td class="tablecell comments mathjax">9 pages</td><td class="tablecell jref">Queue Letters 4 (2026)</td>
    <td class="tablecell subjects"><span class="primary-subject">Distributed Computing (cs.DC)</span>; Databases (cs.DB)</td>
    </tr></table><div class="abs-license"><a href="http://creativecommons.org/licenses/by-sa/4.0/">view license</a></div>
    <div class="submission-history"><b>[v1]</b> 2 Nov <b>[v3]</b> 20 Nov <b>[v2]</b></div></body></html>""")


async def read_paper(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


async def test_a_paper_has_its_metadata_its_abstract_and_its_full_text():
    evidence, web = await read_paper({API: feed(), HTML: paper()})
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("ArxivAdapter", "arxiv.org", "full")
    assert (evidence.title, evidence.authors) == ("Fences for Queues", ("Ada Brandt", "Wei Lin"))
    assert (evidence.published, evidence.final_url) == ("2026-11-02", URL)
    assert dict(evidence.metadata.known()) == {
        "kind": "paper",
        "version": "v3",
        "updated": "2026-11-20",
        "categories": "cs.DC cs.DB",
        "journal": "Queue Letters 4 (2026)",
        "doi": "10.1234/fences",
        "comment": "9 pages, 2 figures",
    }
    assert [(snippet.section, snippet.source) for snippet in evidence.snippets] == [
        ("Abstract", URL),
        ("1 Proof", HTML),
    ]
    assert PDF not in web.asked


@pytest.mark.parametrize(
    "url",
    [
        f"http://www.arxiv.org/abs/{ID}",
        f"https://arxiv.org/pdf/{ID}",
        f"https://arxiv.org/pdf/{ID}.pdf",
        f"https://export.arxiv.org/abs/{ID}",
        f"https://arxiv.org/html/{ID}",
        f"https://ar5iv.labs.arxiv.org/html/{ID}",
        f"https://www.alphaxiv.org/abs/{ID}",
        f"https://huggingface.co/papers/{ID}",
        f"https://arxiv.org/src/{ID}",
        f"https://arxiv.org/e-print/{ID}",
        f"https://arxiv.org/format/{ID}",
        f"https://browse.arxiv.org/ps/{ID}",
        f"https://arxiv.org/abs/{ID}?context=cs#comments",
        f"https://doi.org/10.48550/arXiv.{ID}",
        f"arXiv:{ID}",
    ],
)
async def test_every_form_of_the_address_is_the_same_paper(url):
    evidence, _ = await read_paper({API: feed(), HTML: paper()}, url)
    assert (evidence.url, evidence.final_url, evidence.title) == (url, URL, "Fences for Queues")


V1 = ENTRY.replace(f"{ID}v3", f"{ID}v1").replace("2026-11-20T", "2026-11-02T").replace("Fences for", "Locks for")
BOTH = f"https://export.arxiv.org/api/query?id_list={ID}v1,{ID}&max_results=2"


async def test_the_posted_version_is_the_one_that_is_read_and_a_newer_one_is_named():
    evidence, web = await read_paper({BOTH: feed(ENTRY + V1), f"{HTML}v1": paper()}, f"{URL}v1")
    assert set(web.asked) == {BOTH, f"{HTML}v1"}
    assert evidence.final_url == f"{URL}v1"
    assert (evidence.title, evidence.metadata.version, evidence.metadata.newest) == ("Locks for Queues", "v1", "v3")
    assert evidence.metadata.updated == "2026-11-02"


async def test_the_newest_version_is_not_announced_as_newer():
    evidence, _ = await read_paper({BOTH.replace("v1", "v3"): feed(ENTRY), f"{HTML}v3": paper()}, f"{URL}v3")
    assert (evidence.metadata.version, evidence.metadata.newest) == ("v3", "")


async def test_when_the_api_tells_only_another_version_the_papers_page_tells():
    evidence, web = await read_paper({BOTH: feed(ENTRY), f"{URL}v1": home(), f"{HTML}v1": paper()}, f"{URL}v1")
    assert f"{URL}v1" in web.asked
    assert (evidence.metadata.version, evidence.metadata.newest) == ("v1", "v3")


@pytest.mark.parametrize("posted", ["math/0601001", "math.GT/0601001", "math/0601001v1"])
async def test_an_old_identifier_keeps_its_archive(posted):
    version = posted[12:] if posted.endswith("v1") else ""
    asked = "math/0601001v1,math/0601001&max_results=2" if version else "math/0601001&max_results=1"
    answers = {f"https://export.arxiv.org/api/query?id_list={asked}": feed(ENTRY.replace(f"{ID}v3", "math/0601001v1"))}
    evidence, _ = await read_paper(answers, f"https://arxiv.org/abs/{posted}")
    assert evidence.final_url == f"https://arxiv.org/abs/math/0601001{version}"
    assert (evidence.metadata.version, evidence.title) == ("v1", "Fences for Queues")


def test_a_version_of_a_thousand_digits_is_only_a_large_one():
    entry = parse_feed(feed(ENTRY + ENTRY.replace(f"{ID}v3", f"{ID}v{'9' * 5000}")).body, ID)
    assert entry
    assert entry.metadata.version.startswith("v999")


async def test_of_a_hundred_papers_the_asked_one_is_taken():
    others = [ENTRY.replace(f"{ID}v3", f"2611.{n:05}v1").replace("Fences", f"Paper {n}") for n in range(1, 100)]
    entry = parse_feed(feed("".join(others)).body, "2611.00077")
    assert entry
    assert (entry.title, entry.metadata.version) == ("Paper 77 for Queues", "v1")
    assert parse_feed(feed("".join(others)).body, "2611.00100") is None


async def test_without_html_the_pdf_is_asked_and_then_the_abstract_must_do():
    evidence, web = await read_paper({API: feed(), HTML: GONE, PDF: page(b"%PDF-1.4 broken", kind="application/pdf")})
    assert web.asked.index(HTML) < web.asked.index(PDF)
    assert evidence.coverage == "abstract"
    assert {snippet.section for snippet in evidence.snippets} == {"Abstract"}


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        feed(ERROR, status=400),
        feed(ERROR),
        feed(""),
        page("<feed", kind="application/atom+xml"),
        page(""),
        FetchError("export.arxiv.org did not answer within 20 s", transient=True),
        page("upstream", status=503),
        feed(ENTRY.replace(ID, "2611.00043")),
        feed(ENTRY.replace("<title>Fences for\n    Queues</title>", "")),
        page('{"not": "Atom"}', kind="application/json"),
        page(b"\xff\xfe\0<\0f", kind="application/atom+xml"),
    ],
    ids=[
        "429",
        "malformed id",
        "error entry",
        "no entry",
        "broken XML",
        "empty",
        "time-out",
        "503",
        "another paper",
        "no title",
        "JSON",
        "half a UTF-16",
    ],
)
async def test_when_the_api_is_in_trouble_the_papers_page_tells(trouble):
    evidence, web = await read_paper({API: trouble, URL: home(), HTML: paper()})
    assert (evidence.title, evidence.authors, evidence.published) == (
        "Fences for Queues",
        ("Ada Brandt", "Wei Lin"),
        "2026-11-02",
    )
    assert evidence.coverage == "full"
    assert dict(evidence.metadata.known()) == {
        "kind": "paper",
        "version": "v3",
        "updated": "2026-11-20",
        "licence": "CC BY-SA 4.0",
        "categories": "cs.DC cs.DB",
        "journal": "Queue Letters 4 (2026)",
        "doi": "10.1234/fences",
        "comment": "9 pages",
    }
    assert URL in web.asked


async def test_an_unknown_paper_is_not_found():
    with pytest.raises(Unusable, match=f"arXiv knows no paper {ID}") as caught:
        await read_paper({API: feed(""), URL: GONE, HTML: GONE, PDF: GONE})
    assert caught.value.obstacle == "not_found"


async def test_without_metadata_the_text_speaks_for_itself():
    evidence, _ = await read_paper({API: BUSY, URL: BUSY, HTML: paper()})
    assert (evidence.title, evidence.coverage) == ("Fences for Queues", "full")


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient) as caught:
        await read_paper({API: BUSY, URL: BUSY, HTML: BUSY, PDF: BUSY})
    assert caught.value.after == 9.0


@pytest.mark.parametrize(
    "comment",
    [
        "Withdrawn: a proof has a gap",
        "This paper has been withdrawn by the authors",
        "arXiv admin note: submission has been removed by arXiv administrators",
        "The authors have withdrawn this work",
        "12 pages, withdrawn due to an error in Lemma 3",
    ],
)
async def test_a_withdrawn_paper_is_marked(comment):
    evidence, _ = await read_paper({API: feed(ENTRY.replace("9 pages, 2 figures", comment))})
    assert evidence.metadata.withdrawn


async def test_a_paper_whose_abstract_is_only_the_notice_is_marked():
    notice = f"This paper has been withdrawn by the author. {PROSE}"
    evidence, _ = await read_paper({API: feed(ENTRY.replace(PROSE, notice))})
    assert evidence.metadata.withdrawn


async def test_an_older_version_of_a_paper_that_was_withdrawn_since_is_marked():
    notice = ENTRY.replace("9 pages, 2 figures", "This paper has been withdrawn")
    evidence, _ = await read_paper({BOTH: feed(notice + V1), f"{HTML}v1": paper()}, f"{URL}v1")
    assert evidence.metadata.withdrawn


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("9 pages", "Money is withdrawn here, 9 pages"),
        (PROSE, f"We study why the paper was withdrawn from circulation as a banknote. {PROSE}"),
    ],
)
async def test_a_paper_about_withdrawing_is_not_withdrawn(where, text):
    evidence, _ = await read_paper({API: feed(ENTRY.replace(where, text))})
    assert not evidence.metadata.withdrawn


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("Our code is at https://github.com/fence-lab/fences.", "https://github.com/fence-lab/fences"),
        ("Code: \\url{https://gitlab.com/lab/group/fences}.", "https://gitlab.com/lab/group/fences"),
        ("See github.com/fence-lab/fences-2.0, please.", "https://github.com/fence-lab/fences-2.0"),
        ("Models (https://huggingface.co/fence-lab) are free.", "https://huggingface.co/fence-lab"),
        ("Discussed at https://huggingface.co/papers/2611.00001.", ""),
        ("We mined github.com and https://evil.example/github.com/a/b for it.", ""),
        ("Our page is https://fence-lab.github.io/fences.", ""),
    ],
)
async def test_the_code_is_where_the_abstract_says(sentence, code):
    evidence, _ = await read_paper({API: feed(ENTRY.replace(PROSE, f"{PROSE} {sentence}"))})
    assert evidence.metadata.code == code


@pytest.mark.parametrize(
    ("frame", "licence"),
    [
        ('<a id="license-tr" href="https://info.arxiv.org/x">License: CC BY 4.0</a>', "CC BY 4.0"),
        ('<a id="license-tr" href="#">License: arXiv.org perpetual non-exclusive license</a>', ""),
    ],
)
async def test_the_licence_is_what_the_html_paper_says_in_its_frame(frame, licence):
    framed = paper().model_copy(update={"body": paper().body.replace(b"<body>", f"<body>{frame}".encode())})
    evidence, _ = await read_paper({API: feed(), HTML: framed})
    assert evidence.metadata.licence == licence


async def test_the_api_is_asked_once_in_three_seconds_and_whoever_finds_the_queue_full_reads_the_page():
    waited: list[float] = []

    async def sleep(seconds):
        waited.append(seconds)
        await asyncio.sleep(0)  # the others come while the first one waits

    web = Web({API: feed(), URL: home(), HTML: paper()})
    polite = ConsiderateFetcher(web, arxiv=Lane(queue=1, clock=lambda: 100.0, sleep=sleep))
    many = await asyncio.gather(*(read(URL, polite, InlineParser()) for _ in range(5)))
    assert {evidence.title for evidence in many} == {"Fences for Queues"}
    assert waited == [0.0, 3.0]
    assert (web.asked.count(API), web.asked.count(URL)) == (2, 3)


def test_an_entity_bomb_in_a_feed_does_not_explode():
    bomb = '<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    body = feed(ENTRY.replace("Fences for", "Fences &b; &c;")).body.replace(b"<feed ", bomb.encode() + b"<feed ", 1)
    entry = parse_feed(body, ID)
    assert entry is None or ("haha" not in entry.title and "root" not in entry.title)
