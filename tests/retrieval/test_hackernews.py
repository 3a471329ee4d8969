"""Hacker News: the article and the talk about it, each under its own name, and what is left when one of them is not there."""

import json

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.hackernews import COMMENTS
from technoshare.retrieval.posts import LONGEST
from technoshare.retrieval.reading import read
from tests.retrieval.answers import (
    BUSY,
    GONE,
    HOSTILE,
    PROSE,
    InlineParser,
    Web,
    article,
    as_json,
    page,
    told,
)

URL = "https://news.ycombinator.com/item?id=46000001"
LINK = "https://blog.example.org/scheduler"
TALK = (
    "We ran this design for two years, and the only surprise was the size of the log.<p>"
    "Rotate it &gt; weekly, as <i>everybody</i> learns. <pre><code>  rotate --weekly\n    --keep 4\n</code></pre>"
)
OTHER = (
    "The counter is the whole trick here; a lock server would need a second machine. I measured "
    "eleven thousand claims a second on a small board. Does anybody know how it behaves on a network disk? "
    "My guess is that the lock of the file will not hold there."
)


def api(number: int) -> str:
    return f"https://hacker-news.firebaseio.com/v0/item/{number}.json"


def archive(number: int) -> str:
    return f"https://hn.algolia.com/api/v1/items/{number}"


def story(**changes):
    fields = {
        "by": "ada", "descendants": 57, "id": 46000001, "kids": [46000002, 46000003, 46000004, 46000005], "score": 321,
        "time": 1795000000, "title": "How the  scheduler works", "type": "story", "url": LINK,
    }  # fmt: skip
    return as_json(200, **fields | changes)


def comment(number: int, by: str, text: str, **changes):
    fields = {"by": by, "id": number, "parent": 46000001, "text": text, "time": 1795000100, "type": "comment"}
    return as_json(200, **fields | changes)


TALKED = {
    api(46000002): comment(46000002, "wei", TALK),
    api(46000003): comment(46000003, "bo", OTHER),
    api(46000004): comment(46000004, "troll", "Never to be seen.", dead=True),
    api(46000005): as_json(200, id=46000005, deleted=True, type="comment", parent=46000001, time=1795000100),
}
WHOLE = {api(46000001): story(), LINK: page(article()), **TALKED}
ARCHIVED = as_json(
    200,
    id=46000001, author="ada", created_at="2026-11-18T10:26:40.000Z", created_at_i=1795000000, type="story", points=321,
    title="How the scheduler works", url=LINK, text=None, parent_id=None, story_id=46000001, options=[],
    children=[
        {"id": 46000003, "author": "bo", "created_at_i": 1795000100, "type": "comment", "text": OTHER, "points": None,
         "title": None, "url": None, "parent_id": 46000001, "children": []},
        {"id": 46000002, "author": "wei", "created_at_i": 1795000100, "type": "comment", "text": TALK, "children": [
            {"id": 46000009, "author": "bo", "type": "comment", "text": "Thanks.", "children": []}]},
    ],
)  # fmt: skip


async def read_item(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


def sections(evidence) -> list[str]:
    return list(dict.fromkeys(snippet.section for snippet in evidence.snippets))


async def test_a_story_is_its_article_and_its_top_comments_kept_apart():
    evidence, _ = await read_item(WHOLE)
    assert (evidence.adapter, evidence.domain, evidence.coverage) == (
        "HackerNewsAdapter",
        "news.ycombinator.com",
        "full",
    )
    assert (evidence.title, evidence.final_url, evidence.published) == ("How the scheduler works", URL, "2026-11-18")
    assert told(evidence) == {"kind": "story", "score": "321", "comments": "57"}
    assert sections(evidence)[-2:] == ["Hacker News: comment by wei", "Hacker News: comment by bo"]
    by_source = {snippet.source: snippet.text for snippet in evidence.snippets}
    assert set(by_source) == {LINK, f"{URL[:-1]}2", f"{URL[:-1]}3"}
    assert by_source[f"{URL[:-1]}2"].endswith(
        "Rotate it > weekly, as everybody learns.\n  rotate --weekly\n    --keep 4"
    )
    assert [snippet.id for snippet in evidence.snippets] == [f"s{n + 1}" for n in range(len(evidence.snippets))]


async def test_a_comment_that_repeats_the_article_is_left_out():
    evidence, _ = await read_item(WHOLE | {api(46000002): comment(46000002, "wei", PROSE)})
    assert sections(evidence)[-1] == "Hacker News: comment by bo"
    assert "Hacker News: comment by wei" not in sections(evidence)


async def test_the_article_is_read_by_the_adapter_that_knows_its_site():
    repository = "https://api.github.com/repos/owner/fences"
    known = as_json(200, full_name="owner/fences", html_url="https://github.com/owner/fences", description="Counters")
    readme = page(f"# Fences\n\n{PROSE}", kind="text/plain")
    answers = WHOLE | {
        api(46000001): story(url="https://github.com/owner/fences"),
        repository: known,
        "https://raw.githubusercontent.com/owner/fences/HEAD/README.md": readme,
    }
    evidence, _ = await read_item(answers)
    assert sections(evidence)[:2] == ["About", "Fences"]


@pytest.mark.parametrize(
    ("answer", "obstacle"),
    [
        (page("", status=403), "forbidden"),
        (page("", status=404), "not_found"),
        (page("", status=503), "unreachable"),
        (FetchError("blog.example.org did not answer within 20 s", transient=True), "unreachable"),
        (page(article(f"Checking your browser. {PROSE}", title="Just a moment...")), "bot_wall"),
        (page(b"\0", kind="image/png"), "not_text"),
    ],
)
async def test_an_article_that_cannot_be_read_leaves_the_discussion_and_names_the_obstacle(answer, obstacle):
    evidence, _ = await read_item(WHOLE | {LINK: answer})
    assert (evidence.coverage, evidence.obstacle) == ("partial", obstacle)
    assert sections(evidence) == ["Hacker News: comment by wei", "Hacker News: comment by bo"]


async def test_an_article_that_cannot_be_read_and_nobody_talks_about_is_its_own_reason():
    with pytest.raises(Unusable, match=r"blog.example.org refuses to show this page \(403\)"):
        await read_item({api(46000001): story(kids=[]), LINK: page("", status=403)})


async def test_a_link_into_a_private_network_is_refused_and_the_discussion_read():
    refused = FetchError("the address points into a private network")
    evidence, _ = await read_item(
        WHOLE | {api(46000001): story(url="http://192.168.1.1/"), "http://192.168.1.1/": refused}
    )
    assert evidence.coverage == "partial"


async def test_a_question_to_the_readers_is_read_with_its_own_text():
    asked = story(title="Ask HN: How do you rotate logs?", text=f"<p>{PROSE}", url=None)
    fields = {name: value for name, value in json.loads(asked.body).items() if name != "url"}
    evidence, web = await read_item(WHOLE | {api(46000001): as_json(200, **fields)})
    assert sections(evidence)[0] == "Hacker News: post by ada"
    assert (evidence.coverage, evidence.authors) == ("full", ("ada",))
    assert LINK not in web.asked


async def test_a_comments_own_link_is_the_comment_and_what_was_answered():
    url = "https://news.ycombinator.com/item?id=46000002"
    answers = {
        api(46000002): comment(46000002, "wei", TALK, kids=[46000003]),
        api(46000003): comment(46000003, "bo", f"{OTHER} {PROSE}"),
    }
    evidence, _ = await read_item(answers, url)
    assert evidence.title == "Comment by wei on Hacker News"
    assert sections(evidence) == ["Hacker News: comment by wei", "Hacker News: comment by bo"]
    assert told(evidence) == {"comments": "1", "parent": URL}


async def test_a_story_that_links_to_hacker_news_does_not_lead_round_in_a_circle():
    evidence, web = await read_item(WHOLE | {api(46000001): story(url=URL)})
    assert len(web.asked) == len(set(web.asked))
    assert evidence.coverage == "full"


async def test_only_the_top_comments_are_asked_for():
    _, web = await read_item(WHOLE | {api(46000001): story(kids=[46000002, 46000003, *range(1, 500)])})
    assert sum("firebaseio" in asked for asked in web.asked) == 1 + COMMENTS


async def test_an_item_that_was_never_there_is_not_found():
    with pytest.raises(Unusable, match="no post 46000001, or it was deleted") as caught:
        await read_item({api(46000001): page("null", kind="application/json")})
    assert caught.value.obstacle == "not_found"


async def test_an_archive_that_does_not_know_a_new_post_yet_does_not_decide():
    evidence, _ = await read_item({api(46000001): BUSY, archive(46000001): GONE, URL: page(article())})
    assert evidence.coverage == "partial"


async def test_a_deleted_item_is_not_found():
    with pytest.raises(Unusable, match="it was deleted"):
        await read_item(WHOLE | {api(46000001): as_json(200, id=46000001, deleted=True, type="story", time=1795000000)})


@pytest.mark.parametrize("answer", [BUSY, *HOSTILE.values()], ids=["429", *HOSTILE])
async def test_when_the_api_is_in_trouble_the_archive_tells_the_most_discussed_first(answer):
    evidence, _ = await read_item({api(46000001): answer, archive(46000001): ARCHIVED, LINK: page(article())})
    assert sections(evidence)[-2:] == ["Hacker News: comment by wei", "Hacker News: comment by bo"]
    assert told(evidence) == {"kind": "story", "score": "321", "comments": "3"}
    assert evidence.coverage == "full"


@pytest.mark.parametrize("answer", [BUSY, *HOSTILE.values()], ids=["429", *HOSTILE])
async def test_when_both_are_in_trouble_the_page_is_read(answer):
    evidence, _ = await read_item({api(46000001): answer, archive(46000001): answer, URL: page(article())})
    assert (evidence.adapter, evidence.coverage) == ("HackerNewsAdapter", "partial")


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient):
        await read_item({api(46000001): BUSY, archive(46000001): BUSY, URL: page("", status=429)})


@pytest.mark.parametrize("answer", [BUSY, *HOSTILE.values()], ids=["429", *HOSTILE])
async def test_a_comment_that_cannot_be_had_is_left_out(answer):
    evidence, _ = await read_item(WHOLE | {api(46000002): answer})
    assert sections(evidence)[-1] == "Hacker News: comment by bo"
    assert "Hacker News: comment by wei" not in sections(evidence)


@pytest.mark.parametrize(
    "url",
    [
        "http://news.ycombinator.com/item?id=46000001",
        "https://NEWS.ycombinator.com/item?id=46000001&p=2",
        "https://news.ycombinator.com/item?p=2&id=46000001#46000003",
    ],
)
async def test_odd_forms_of_the_address_are_the_same_story(url):
    evidence, _ = await read_item(WHOLE, url)
    assert (evidence.url, evidence.final_url, evidence.adapter) == (url, URL, "HackerNewsAdapter")


@pytest.mark.parametrize(
    "text", [" ".join(f"Word{n} is new." for n in range(9000)), "<div>" * 50_000 + PROSE, "<pre>" + " " * 300_000]
)
async def test_a_giant_comment_does_not_crowd_out_the_article(text):
    evidence, _ = await read_item(WHOLE | {api(46000002): comment(46000002, "wei", text)})
    assert evidence.snippets[0].source == LINK
    assert sum(len(one.text) for one in evidence.snippets if one.section.endswith("wei")) <= LONGEST
