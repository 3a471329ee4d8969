"""The model's tool: finds words, reads only what the evidence names, and never raises."""

import asyncio

import pytest

from technoshare.errors import FetchError, FetchRefused
from technoshare.models import Evidence
from technoshare.retrieval.search import FETCHES, Query, Search, ranked
from tests.retrieval.answers import PROSE, SENTENCES, InlineParser, Spans, Web, article, page, snippet

POSTED = "https://example.org/page"
NAMED = "https://example.org/benchmark"
OTHER = "A benchmark of nine queues ranks this one second. It was run on two laptops. " + " ".join(
    f"Round {n} took {n * 17} minutes and lost no job at all." for n in range(1, 9)
)


def evidence(*texts: str, **fields) -> Evidence:
    texts = texts or (*SENTENCES, f"The numbers stand in {NAMED}. See (https://example.org/a_(b)) too.")
    snippets = tuple(snippet(number, text) for number, text in enumerate(texts, start=1))
    values = {"url": POSTED, "final_url": f"{POSTED}/", "adapter": "GenericAdapter", "domain": "example.org"}
    return Evidence(**(values | fields), coverage="full", snippets=snippets)


class Asking:
    def __init__(self, answers=None, read: Evidence | None = None):
        self.web, self.spans = Web(answers or {}), Spans()
        self.search = Search(read or evidence(), self.web, InlineParser(), self.spans)

    async def __call__(self, query: str) -> str:
        return await self.search.tool().call(Query(query=query))


async def test_words_find_the_snippets_that_hold_them_with_their_ids():
    ask = Asking()
    text = await ask("how do retries wait")
    assert text.startswith("[s4] https://example.org/page\nRetries wait twice as long")
    assert ask.web.asked == []


async def test_words_that_stand_nowhere_get_a_plain_answer():
    assert "Nothing in the evidence" in await Asking()("zeppelin")
    assert "Nothing in the evidence" in await Asking()("   ")


def test_rare_words_count_more_than_frequent_ones_and_a_plural_is_the_same_word():
    snippets = [snippet(n, text) for n, text in enumerate(("the job " * 9, "the job has one counter", "the jobs"), 1)]
    assert ranked("the counters", snippets)[0].id == "s2"
    assert len(ranked("job", snippets)) == 3
    assert ranked("anything", []) == []


async def test_an_address_that_the_evidence_names_is_read_and_numbered_on():
    ask = Asking({NAMED: page(article(OTHER))})
    text = await ask(NAMED)
    assert [one.id for one in ask.search.found] == ["s9"]
    assert text.startswith(f"[s9] How the scheduler works, {NAMED}\nA benchmark of nine queues")
    assert ask.search.sources == (NAMED,)
    assert "[s9]" in await ask("laptops")  # later queries look there too


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://example.org/bench",
        f"{NAMED}?leak=secret",
        "https://elsewhere.example/page",
        "http://169.254.169.254/latest/meta-data/",
        "HTTPS://EXAMPLE.ORG/BENCHMARK",
        "http://example.org/benchmark",
        "https://example.org:443/benchmark",
        "https://example.org./benchmark",
        "https://www.example.org/benchmark",
        "https://user@example.org/benchmark",
        "https://example.org@evil.example/benchmark",
        "https://example.org.evil.example/benchmark",
        "https://example.org\\@evil.example/benchmark",
        f"{NAMED}/",
        f"{NAMED}#leak",
        f"{NAMED}%2e",
        f"{NAMED}\u200b",
        "https://example.org/%62enchmark",
        "https://example.org/a/../benchmark",
        "https://еxample.org/benchmark",
        f"https://evil.example/?next={NAMED}",
    ],
)
async def test_an_address_that_stands_nowhere_is_refused_and_not_fetched(url):
    ask = Asking({url: page(article(OTHER))})
    assert (await ask(url)).startswith("Not read: only the shared link")
    assert ask.web.asked == []
    assert ask.search.found == ()


@pytest.mark.parametrize(
    "url", [POSTED, f"{POSTED}/", NAMED, "https://example.org/a_(b)", "https://docs.example.org/x"]
)
async def test_posted_final_and_named_addresses_may_be_read(url):
    read = evidence(metadata={"homepage": "https://docs.example.org/x"})
    ask = Asking({url: page(article(OTHER))}, read)
    assert "A benchmark of nine queues" in await ask(url)


async def test_an_address_of_a_fetched_page_may_be_read_next():
    further = "https://example.org/further"
    ask = Asking({NAMED: page(article(f"{OTHER} Go on at {further} now.")), further: page(article(PROSE[::-1]))})
    assert (await ask(further)).startswith("Not read")
    await ask(NAMED)
    await ask(further)
    assert ask.search.sources == (NAMED, further)


async def test_several_addresses_at_once_are_words_and_nothing_is_fetched():
    ask = Asking({NAMED: page(article(OTHER))})
    for query in (f"{NAMED} https://evil.example/", f"{NAMED}\nhttps://evil.example/", f"read {NAMED}", f"<{NAMED}>"):
        assert "Not read" not in await ask(query)
    assert ask.web.asked == []


async def test_where_a_page_was_redirected_to_does_not_become_readable():
    hidden = "https://evil.example/collect?secret=1"
    ask = Asking({NAMED: page(article(OTHER), url=hidden), hidden: page(article(OTHER))})
    await ask(NAMED)
    assert (await ask(hidden)).startswith("Not read: only the shared link")
    assert ask.web.asked == [NAMED]


async def test_failures_count_towards_the_limit_and_refusals_do_not():
    urls = [f"https://example.org/{n}" for n in range(FETCHES + 1)]
    ask = Asking({urls[-1]: page(article(OTHER))}, evidence(" ".join(urls)))
    for _ in range(10):
        await ask("https://evil.example/")
    said = [await ask(url) for url in urls]
    assert ask.web.asked == urls[:FETCHES]
    assert "that is the limit" in said[-1]


async def test_a_page_that_repeats_the_evidence_adds_nothing():
    ask = Asking({POSTED: page(article(PROSE))}, evidence(PROSE))
    assert "nothing beyond the evidence" in await ask(POSTED)
    assert ask.search.found == ask.search.sources == ()


async def test_only_so_many_pages_are_read_for_one_link():
    urls = [f"https://example.org/{n}" for n in range(FETCHES + 2)]
    ask = Asking({url: page(article(f"{OTHER} {n}")) for n, url in enumerate(urls)}, evidence(" ".join(urls)))
    texts = await asyncio.gather(*(ask(url) for url in urls))
    assert sorted(ask.web.asked) == urls[:FETCHES]
    assert all("that is the limit" in text for text in texts[FETCHES:])


@pytest.mark.parametrize(
    "answer",
    [
        FetchRefused("the address points into a private network"),
        FetchError("example.org did not answer within 20 s", transient=True),
        page("", status=404),
        page("", status=503),
        page(b"\0", kind="image/png"),
        page(b"%PDF-", kind="application/pdf"),
    ],
)
async def test_trouble_becomes_text_for_the_model(answer):
    ask = Asking({NAMED: answer})
    assert (await ask(NAMED)).startswith("This page could not be read: ")
    assert ask.spans.opened[0].failure


async def test_every_call_is_a_span_and_is_counted():
    ask = Asking({NAMED: page(article(OTHER))})
    shown, found, refused = await ask(NAMED), await ask("counter"), await ask("https://elsewhere.example/")
    assert [(one.name, one.kind) for one in ask.spans.opened] == [("search_tool_call", "TOOL")] * 3
    assert [one.attributes for one in ask.spans.opened] == [
        {"url": NAMED, "content_length": len(shown)},
        {"url": POSTED, "query": "counter", "content_length": len(found)},
        {"url": "https://elsewhere.example/", "content_length": len(refused)},
    ]
    assert [(call.name, call.argument, call.content_length) for call in ask.search.calls] == [
        ("search", NAMED, len(shown)),
        ("search", "counter", len(found)),
        ("search", "https://elsewhere.example/", len(refused)),
    ]


async def test_a_long_page_shows_its_beginning():
    long = "\n".join(
        f"Chapter {n} tells what happened to worker {n * 31} and why it was slow. " * 3 for n in range(400)
    )
    ask = Asking({NAMED: page(article(long))})
    assert len(await ask(NAMED)) < 16_000
    assert sum(len(one.text) for one in ask.search.found) <= 12_000


def test_the_tool_has_the_name_that_tracking_knows():
    tool = Asking().search.tool()
    assert tool.name == "search"
    assert tool.arguments.model_json_schema()["required"] == ["query"]
