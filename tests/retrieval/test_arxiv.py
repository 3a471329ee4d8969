"""Papers: any form of the address, four sources, and an honest end when none of them has the paper."""

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.arxiv import parse_feed
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
  <arxiv:comment>9 pages, 2 figures</arxiv:comment><arxiv:doi>10.1234/fences</arxiv:doi>
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
    <meta name="citation_abstract" content="{PROSE}"></head><body>The paper</body></html>""")


async def read_paper(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


async def test_a_paper_has_its_metadata_its_abstract_and_its_full_text():
    evidence, web = await read_paper({API: feed(), HTML: paper()})
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("ArxivAdapter", "arxiv.org", "full")
    assert (evidence.title, evidence.authors) == ("Fences for Queues", ("Ada Brandt", "Wei Lin"))
    assert (evidence.published, evidence.final_url) == ("2026-11-02", URL)
    assert dict(evidence.metadata.known()) == {
        "version": "v3",
        "updated": "2026-11-20",
        "categories": "cs.DC cs.DB",
        "comment": "9 pages, 2 figures",
        "doi": "10.1234/fences",
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
        f"https://doi.org/10.48550/arXiv.{ID}",
    ],
)
async def test_every_form_of_the_address_is_the_same_paper(url):
    evidence, _ = await read_paper({API: feed(), HTML: paper()}, url)
    assert (evidence.url, evidence.final_url, evidence.title) == (url, URL, "Fences for Queues")


async def test_the_posted_version_is_the_one_that_is_read():
    _, web = await read_paper({API.replace(ID, f"{ID}v2"): feed(), f"{HTML}v2": paper()}, f"{URL}v2")
    assert all("v2" in address for address in web.asked)


async def test_an_old_identifier_keeps_its_archive():
    api = "https://export.arxiv.org/api/query?id_list=cs/0601001&max_results=1"
    evidence, _ = await read_paper({api: feed()}, "https://arxiv.org/abs/cs/0601001")
    assert evidence.final_url == "https://arxiv.org/abs/cs/0601001"


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
    ],
    ids=["429", "malformed id", "error entry", "no entry", "broken XML", "empty", "time-out"],
)
async def test_when_the_api_is_in_trouble_the_papers_page_tells(trouble):
    evidence, web = await read_paper({API: trouble, URL: home(), HTML: paper()})
    assert (evidence.title, evidence.authors, evidence.published) == (
        "Fences for Queues",
        ("Ada Brandt", "Wei Lin"),
        "2026-11-02",
    )
    assert evidence.coverage == "full"
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


async def test_a_withdrawn_paper_is_marked():
    evidence, _ = await read_paper({API: feed(ENTRY.replace("9 pages, 2 figures", "Withdrawn: a proof has a gap"))})
    assert evidence.metadata.withdrawn
    other, _ = await read_paper({API: feed(ENTRY.replace("9 pages", "Money is withdrawn here, 9 pages"))})
    assert not other.metadata.withdrawn


def test_an_entity_bomb_in_a_feed_does_not_explode():
    bomb = '<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    body = feed(ENTRY.replace("Fences for", "Fences &b; &c;")).body.replace(b"<feed ", bomb.encode() + b"<feed ", 1)
    entry = parse_feed(body)
    assert entry is None or ("haha" not in entry.title and "root" not in entry.title)
