"""Questions: the question, the accepted and the top answers under their names, and the page when the API has had enough."""

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.posts import LONGEST
from technoshare.retrieval.reading import ADAPTERS, read
from technoshare.retrieval.stackexchange import ANSWERS
from tests.retrieval.answers import BUSY, HOSTILE, PROSE, InlineParser, Web, article, as_json, page, told

SITE = "https://stackoverflow.com"
URL = f"{SITE}/questions/70000001"
LONG = f"{URL}/how-do-i-claim-a-job-once"


def api(path: str, site: str = "stackoverflow.com", more: str = "") -> str:
    return f"https://api.stackexchange.com/2.3/{path}?site={site}&filter=withbody{more}"


BEST = f"&sort=votes&order=desc&pagesize={ANSWERS}"
QUESTION = {
    "tags": ["sqlite", "queue"], "owner": {"account_id": 1, "reputation": 5, "display_name": "Ada &amp; Wei", "link": "x"},
    "is_answered": True, "view_count": 900, "accepted_answer_id": 70000012, "answer_count": 3, "score": 42,
    "last_activity_date": 1795000000, "creation_date": 1700000000, "question_id": 70000001,
    "content_license": "CC BY-SA 4.0", "link": LONG, "title": "How do I claim a job &quot;once&quot;?",
    "body": f'<p>{PROSE}</p>\n<pre class="lang-py"><code>with claim(7) as job:\n    if job:\n        work(job)\n</code></pre>\n',
}  # fmt: skip
ANSWERED = [
    {"answer_id": 70000011, "question_id": 70000001, "is_accepted": False, "score": 90, "body": "<p>Take a counter and raise it with every claim that is made.</p>",
     "owner": {"display_name": "bo"}, "creation_date": 1700000100},
    {"answer_id": 70000012, "question_id": 70000001, "is_accepted": True, "score": 7, "body": "<p>Use one transaction, and look at the number of changed rows.</p>",
     "owner": {"user_type": "does_not_exist", "display_name": "user77"}, "creation_date": 1700000200},
    {"answer_id": 70000013, "question_id": 70000001, "is_accepted": False, "score": -2, "body": "<p>Just lock the whole file by hand.</p>",
     "creation_date": 1700000300},
]  # fmt: skip


def items(*found, **fields):
    return as_json(200, items=list(found), has_more=False, quota_max=300, quota_remaining=250, **fields)


WHOLE = {
    api("questions/70000001"): items(QUESTION),
    api("questions/70000001/answers", more=BEST): items(*ANSWERED),
    api("answers/70000013"): items(ANSWERED[2]),
}
THROTTLED = page(
    '{"error_id":502,"error_message":"too many requests from this IP, more requests available in 5000 seconds",'
    '"error_name":"throttle_violation"}',
    status=400,
    kind="application/json",
)


async def read_question(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


def sections(evidence) -> list[str]:
    return list(dict.fromkeys(snippet.section for snippet in evidence.snippets))


async def test_a_question_its_accepted_and_its_top_answers_are_kept_apart():
    evidence, _ = await read_question(WHOLE)
    assert (evidence.adapter, evidence.domain, evidence.coverage) == (
        "StackExchangeAdapter",
        "stackoverflow.com",
        "full",
    )
    assert (evidence.title, evidence.authors) == ('How do I claim a job "once"?', ("Ada & Wei",))
    assert (evidence.published, evidence.final_url) == ("2023-11-14", URL)
    assert told(evidence) == {
        "kind": "question", "score": "42", "answers": "3", "topics": "sqlite queue", "updated": "2026-11-18",
        "licence": "CC BY-SA 4.0", "accepted": "yes",
    }  # fmt: skip
    assert sections(evidence) == [
        "Question by Ada & Wei, score 42",
        "Accepted answer by user77, score 7",
        "Answer by bo, score 90",
        "Answer by somebody, score -2",
    ]
    assert evidence.snippets[-1].source == f"{SITE}/a/70000013"


async def test_code_keeps_its_lines_and_its_indentation():
    evidence, _ = await read_question(WHOLE)
    assert "with claim(7) as job:\n    if job:\n        work(job)" in "\n".join(one.text for one in evidence.snippets)


@pytest.mark.parametrize(
    "url",
    [
        LONG,
        f"{LONG}?noredirect=1&lq=1",
        f"{LONG}/",
        "http://www.stackoverflow.com/q/70000001",
        f"{SITE}/q/70000001/4711",
    ],
)
async def test_odd_forms_of_the_address_are_the_same_question(url):
    evidence, _ = await read_question(WHOLE, url)
    assert (evidence.url, evidence.final_url, sections(evidence)[1]) == (url, URL, "Accepted answer by user77, score 7")


@pytest.mark.parametrize(
    "url", [f"{SITE}/a/70000013", f"{SITE}/a/70000013/4711", f"{LONG}/70000013#70000013", f"{LONG}#answer-70000013"]
)
async def test_the_answer_that_a_link_names_comes_first(url):
    evidence, _ = await read_question(WHOLE, url)
    assert evidence.final_url == URL
    assert sections(evidence)[1] == "Answer by somebody, score -2"


async def test_a_named_answer_beyond_the_top_ones_is_asked_for():
    few = WHOLE | {api("questions/70000001/answers", more=BEST): items(*ANSWERED[:2])}
    evidence, _ = await read_question(few, f"{LONG}/70000013")
    assert sections(evidence)[1] == "Answer by somebody, score -2"


async def test_of_many_answers_the_best_are_read_and_the_coverage_says_so():
    evidence, _ = await read_question(WHOLE | {api("questions/70000001"): items(QUESTION | {"answer_count": 30})})
    assert (evidence.coverage, told(evidence)["answers"]) == ("partial", "30")


async def test_a_question_without_answers_is_a_question():
    alone = items(QUESTION | {"answer_count": 0, "closed_date": 1790000000})
    evidence, _ = await read_question(
        {api("questions/70000001"): alone, api("questions/70000001/answers", more=BEST): items()}
    )
    assert (evidence.coverage, told(evidence)["state"]) == ("full", "closed")
    assert "accepted" not in told(evidence)


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("unix.stackexchange.com", "unix.stackexchange.com"),
        ("unix.meta.stackexchange.com", "unix.meta.stackexchange.com"),
        ("superuser.com", "superuser.com"),
        ("serverfault.com", "serverfault.com"),
        ("askubuntu.com", "askubuntu.com"),
        ("mathoverflow.net", "mathoverflow.net"),
        ("pt.stackoverflow.com", "pt.stackoverflow.com"),
        ("meta.stackoverflow.com", "meta.stackoverflow.com"),
    ],
)
async def test_every_site_of_the_network_is_asked_under_its_name(host, site):
    answers = {
        api("questions/70000001", site): items(QUESTION),
        api("questions/70000001/answers", site, BEST): items(*ANSWERED),
    }
    evidence, _ = await read_question(answers, f"https://{host}/questions/70000001/x")
    assert evidence.domain == host


@pytest.mark.parametrize(
    ("url", "path"),
    [(URL, "questions/70000001"), (f"{SITE}/a/70000013", "answers/70000013")],
    ids=["question", "answer"],
)
async def test_what_was_deleted_is_not_found(url, path):
    with pytest.raises(
        Unusable, match=r"stackoverflow\.com has no (question|answer) 700000[01]\d, or it was deleted"
    ) as caught:
        await read_question({api(path): items()}, url)
    assert caught.value.obstacle == "not_found"


@pytest.mark.parametrize("answer", [THROTTLED, BUSY, *HOSTILE.values()], ids=["throttled", "429", *HOSTILE])
@pytest.mark.parametrize("path", ["questions/70000001", "questions/70000001/answers"])
async def test_when_the_api_has_had_enough_the_page_is_read(answer, path):
    trouble = {api(path, more=BEST if "answers" in path else ""): answer}
    evidence, _ = await read_question(WHOLE | trouble | {LONG: page(article())}, LONG)
    assert (evidence.adapter, evidence.coverage) == ("StackExchangeAdapter", "partial")


async def test_when_programs_may_not_see_the_page_either_the_api_is_asked_again_later():
    with pytest.raises(Transient, match="does not show this page to programs"):
        await read_question({api("questions/70000001"): THROTTLED, URL: page("", status=403, cf_mitigated="challenge")})


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient):
        await read_question({api("questions/70000001"): FetchError("no answer", transient=True)})


@pytest.mark.parametrize(
    "body", ["<pre>" * 40_000, " ".join(f"Word{n} is new." for n in range(9000)), "<table>" + "<td>" * 60_000]
)
async def test_a_giant_answer_leaves_room_for_the_others(body):
    giant = WHOLE | {
        api("questions/70000001/answers", more=BEST): items(*ANSWERED[:2], ANSWERED[2] | {"body": body, "score": 999})
    }
    evidence, _ = await read_question(giant)
    assert "Accepted answer by user77, score 7" in sections(evidence)
    assert sum(len(one.text) for one in evidence.snippets) < LONGEST + 5_000


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/questions",
        f"{SITE}/questions/tagged/sqlite",
        f"{SITE}/users/1/ada",
        f"{SITE}/tags",
        "https://stackoverflow.blog/2026/10/fences",
        "https://api.stackexchange.com/questions/70000001",
        "https://stackoverflow.com.example.org/questions/70000001",
        "https://stackexchange.com/questions/70000001",
    ],
)
def test_what_is_no_question_is_read_as_a_page(url):
    assert next(adapter.NAME for adapter in ADAPTERS if adapter.matches(url)) == "GenericAdapter"
