"""Issues and pull requests: every voice apart, bots left out, and as many calls as the hour allows."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval import github_commit, github_issue
from tests.retrieval.answers import PROSE, SENTENCES, InlineParser, Web, article, page
from tests.retrieval.github_answers import API, HOME, MISSING, ODD, REFUSALS, answer, read_with, texts

URL, PULL_URL = f"{HOME}/issues/7", f"{HOME}/pull/8"
ISSUE, PULL = f"{API}/repos/fence-lab/fences/issues/7", f"{API}/repos/fence-lab/fences/issues/8"
COMMENTS = f"{ISSUE}/comments?per_page=30"
FILES = f"{API}/repos/fence-lab/fences/pulls/8/files?per_page=100"
REVIEWS = f"{API}/repos/fence-lab/fences/pulls/8/reviews?per_page=30"


def person(name, kind="User"):
    return {"login": name, "type": kind}


def comment(number, name, body, kind="User", **more):
    return {"html_url": f"{URL}#issuecomment-{number}", "user": person(name, kind), "body": body, **more}


def issue(**changes):
    fields = {
        "number": 7,
        "title": "Workers starve when the table is large",
        "html_url": URL,
        "state": "closed",
        "user": person("ada"),
        "body": f"### What happened\n\n{SENTENCES[0]}\n\n### What I expected\n\n{SENTENCES[1]}",
        "created_at": "2026-11-02T08:00:00Z",
        "updated_at": "2026-11-20T08:00:00Z",
        "comments": 3,
        "labels": [{"name": "bug", "color": "f00"}, {"name": "help wanted"}],
    }
    return fields | changes


SAID = [
    comment(1, "lin", f"I see it too. {SENTENCES[2]}"),
    comment(2, "renovate[bot]", "This branch is out of date.", "Bot"),
    comment(3, "fence-ci-bot", "Tests passed."),
    {**comment(4, "", f"## Comment by ada\n\n{SENTENCES[3]}"), "user": None},
]
WHOLE = {ISSUE: answer(issue()), COMMENTS: answer(SAID)}

PULLED = issue(
    number=8,
    title="Wake only one worker",
    html_url=PULL_URL,
    comments=0,
    labels=[],
    pull_request={"merged_at": "2026-11-19T08:00:00Z", "url": "x"},
)
CHANGED = [
    {
        "filename": "src/wake.py",
        "status": "modified",
        "additions": 3,
        "deletions": 1,
        "patch": "@@ -1 +1,3 @@\n-all()\n+one()",
    },
    {"filename": "logo.png", "status": "added", "additions": 0, "deletions": 0},
]
REVIEWED = [
    comment(5, "lin", "", state="CHANGES_REQUESTED"),
    comment(6, "lin", f"Much better. {SENTENCES[4]}", state="APPROVED"),
    comment(7, "wei", "", state="COMMENTED"),
    comment(8, "copilot[bot]", "I reviewed 2 files.", "Bot", state="APPROVED"),
]
PULL_WHOLE = {PULL: answer(PULLED), FILES: answer(CHANGED), REVIEWS: answer(REVIEWED)}


async def test_an_issue_has_its_state_its_description_and_every_comment_under_its_authors_name():
    evidence, _ = await read_with(github_issue, WHOLE, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert evidence.title == "fence-lab/fences#7: Workers starve when the table is large"
    assert (evidence.authors, evidence.published) == (("ada",), "2026-11-02")
    assert dict(evidence.metadata.known()) == {
        "kind": "issue",
        "state": "closed",
        "updated": "2026-11-20",
        "comments": "3",
        "parent": "fence-lab/fences",
        "labels": "bug, help wanted",
    }
    assert list(texts(evidence)) == ["What happened", "What I expected", "Comment by lin", "Comment by ghost"]
    assert evidence.snippets[2].source == f"{URL}#issuecomment-1"


async def test_nobody_speaks_under_another_name_by_writing_a_heading():
    evidence, _ = await read_with(github_issue, WHOLE, URL)
    assert texts(evidence)["Comment by ghost"] == f"Comment by ada\n{SENTENCES[3]}"


async def test_programs_have_no_say():
    evidence, _ = await read_with(github_issue, WHOLE, URL)
    assert not any("out of date" in one.text or "Tests passed" in one.text for one in evidence.snippets)


async def test_a_description_without_headings_is_its_authors():
    evidence, _ = await read_with(github_issue, {ISSUE: answer(issue(body=PROSE, comments=0))}, URL)
    assert list(texts(evidence)) == ["Description by ada"]


async def test_an_issue_without_comments_costs_one_call():
    _, web = await read_with(github_issue, {ISSUE: answer(issue(comments=0))}, URL)
    assert web.asked == [ISSUE]


async def test_a_long_discussion_is_read_in_part():
    evidence, _ = await read_with(github_issue, WHOLE | {ISSUE: answer(issue(comments=31))}, URL)
    assert evidence.coverage == "partial"


async def test_a_merged_pull_request_has_its_files_its_reviews_and_its_outcome():
    evidence, _ = await read_with(github_issue, PULL_WHOLE, PULL_URL)
    assert (evidence.metadata.kind, evidence.metadata.state, evidence.coverage) == ("pull request", "merged", "full")
    found = texts(evidence)
    assert found["Reviews"] == "lin approved the changes."
    assert found["Review by lin"].startswith("Much better.")
    assert found["Changed files"] == "src/wake.py (modified, +3 −1)\nlogo.png (added, +0 −0)"
    assert found["Change in src/wake.py"].endswith("-all()\n+one()")
    assert "Review by copilot[bot]" not in found


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"state": "open", "pull_request": {"merged_at": None}}, "open"),
        ({"pull_request": {"merged_at": None}}, "closed"),
    ],
)
async def test_a_pull_request_that_is_not_merged_says_so(fields, state):
    evidence, _ = await read_with(github_issue, PULL_WHOLE | {PULL: answer(PULLED | fields)}, PULL_URL)
    assert evidence.metadata.state == state


async def test_with_few_calls_left_reviews_wait_and_then_everything_but_the_issue_itself():
    few = {PULL: answer(PULLED, left=20), FILES: answer(CHANGED, left=19)}
    _, web = await read_with(github_issue, PULL_WHOLE | few, PULL_URL)
    assert web.asked == [PULL, FILES]
    evidence, web = await read_with(github_issue, WHOLE | {ISSUE: answer(issue(), left=4)}, URL)
    assert web.asked == [ISSUE]
    assert evidence.coverage == "partial"


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(("url", "asked", "thing"), [(URL, ISSUE, "issue"), (PULL_URL, PULL, "pull request")])
async def test_what_does_not_exist_was_deleted_or_is_private_is_not_found(status, url, asked, thing):
    gone = MISSING.model_copy(update={"status": status})
    with pytest.raises(
        Unusable, match=rf"the {thing} was not found, or its repository is private \({status}\)"
    ) as caught:
        await read_with(github_issue, {asked: gone}, url)
    assert caught.value.obstacle == "not_found"


@REFUSALS
async def test_when_the_api_refuses_the_page_is_read(refusal):
    evidence, _ = await read_with(github_issue, {ISSUE: refusal, URL: page(article())}, URL)
    assert (evidence.coverage, evidence.metadata.kind) == ("partial", "issue")
    assert evidence.title == "How the scheduler works"


@ODD
async def test_an_odd_answer_is_no_answer(odd):
    evidence, _ = await read_with(github_issue, {ISSUE: odd, URL: page(article())}, URL)
    assert evidence.coverage == "partial"
    half, _ = await read_with(github_issue, WHOLE | {COMMENTS: odd}, URL)
    assert half.title.startswith("fence-lab/fences#7")


@pytest.mark.parametrize("hostile", [{"html_url": "https://evil.example/7"}, {"title": None}, {"number": "7; x"}])
async def test_an_issue_with_a_foreign_address_or_a_wrong_type_is_no_answer(hostile):
    evidence, _ = await read_with(github_issue, {ISSUE: answer(issue(**hostile)), URL: page(article())}, URL)
    assert evidence.title == "How the scheduler works"


async def test_a_huge_issue_is_cut_to_what_an_evidence_holds():
    many = [comment(n, f"user{n}", f"Remark {n} of many: {PROSE} " * 100) for n in range(30)]
    answers = {ISSUE: answer(issue(body=f"{PROSE}\n\n" * 2000, comments=30)), COMMENTS: answer(many)}
    evidence, _ = await read_with(github_issue, answers, URL)
    assert sum(len(one.text) for one in evidence.snippets) <= 96_000


async def test_an_issue_that_moved_is_known_by_its_new_address():
    moved = f"{HOME}-2/issues/3"
    evidence, _ = await read_with(github_issue, {ISSUE: answer(issue(html_url=moved, comments=0))}, URL)
    assert (evidence.url, evidence.final_url) == (URL, moved)


@pytest.mark.parametrize(
    "odd_form",
    [
        f"{URL}/",
        f"{URL}#issuecomment-1",
        f"{URL}?notification_referrer_id=x",
        "https://www.github.com/fence-lab/fences/issues/7",
        "http://github.com/fence-lab/fences/issues/7",
        f"{HOME}/pull/7",
        f"{HOME}/pull/7/files",
        f"{HOME}/pull/7/files/0123abcd..4567ef89",
        f"{HOME}/pull/7/commits",
        f"{HOME}/pull/7/checks",
    ],
)
async def test_odd_forms_of_the_address_are_the_same_issue(odd_form):
    evidence, _ = await read_with(github_issue, WHOLE, odd_form)
    assert evidence.final_url == URL


@pytest.mark.parametrize(
    "other",
    [
        f"{HOME}/issues",
        f"{HOME}/issues/new",
        f"{HOME}/issues/7abc",
        f"{HOME}/issues/٧",
        f"{HOME}/pulls",
        f"{HOME}/pulls/7",
        f"{HOME}/pull/7/commits/{'a' * 40}",
        f"{HOME}/discussions/7",
        f"{HOME}/wiki/issues/7",
        "https://github.com/orgs/fence-lab/issues/7",
        "https://github.com:8080/fence-lab/fences/issues/7",
        "https://ada@github.com/fence-lab/fences/issues/7",
        "https://github.com.evil.example/fence-lab/fences/issues/7",
        "https://github.com/fence-lab/fences/../issues/7",
    ],
)
def test_what_is_no_issue_is_left_to_others(other):
    assert not github_issue.matches(other)


def test_a_commit_of_a_pull_request_is_a_commit():
    assert github_commit.matches(f"{HOME}/pull/7/commits/{'a' * 40}")


async def test_the_same_headers_are_sent_each_time():
    webs = [Web(WHOLE), Web(WHOLE)]
    for web in webs:
        await github_issue.read(URL, web, InlineParser())
    assert webs[0].headers == webs[1].headers
    assert webs[0].headers[ISSUE]["Accept"] == "application/vnd.github+json"
