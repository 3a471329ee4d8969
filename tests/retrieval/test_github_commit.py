"""Commits: the message, the list of files, and the beginning of what changed."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval import github_commit
from technoshare.retrieval.github_changes import NAMED, SHOWN, File, changes
from tests.retrieval.answers import PROSE, article, page
from tests.retrieval.github_answers import API, HOME, MISSING, ODD, REFUSALS, answer, read_with, texts

SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
URL, COMMIT = f"{HOME}/commit/{SHA}", f"{API}/repos/fence-lab/fences/commits/{SHA}"
MADE = {
    "sha": SHA,
    "html_url": URL,
    "commit": {
        "message": f"Wake one worker\n\n{PROSE}",
        "author": {"name": "Ada Brandt", "date": "2026-11-18T07:00:00Z"},
    },
    "files": [
        {"filename": "src/wake.py", "status": "modified", "additions": 2, "deletions": 1, "patch": "@@\n-all()\n+one()"}
    ],
}


async def test_a_commit_has_its_message_its_files_and_its_changes():
    evidence, web = await read_with(github_commit, {COMMIT: answer(MADE)}, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert evidence.title == "fence-lab/fences@0a1b2c3: Wake one worker"
    assert (evidence.authors, evidence.published) == (("Ada Brandt",), "2026-11-18")
    assert dict(evidence.metadata.known()) == {"kind": "commit", "version": SHA[:12], "parent": "fence-lab/fences"}
    assert list(texts(evidence)) == ["Message", "Changed files", "Change in src/wake.py"]
    assert web.asked == [COMMIT]


@pytest.mark.parametrize("status", [404, 422])
async def test_a_commit_that_nobody_made_is_not_found(status):
    with pytest.raises(Unusable, match="the commit was not found") as caught:
        await read_with(github_commit, {COMMIT: MISSING.model_copy(update={"status": status})}, URL)
    assert caught.value.obstacle == "not_found"


@REFUSALS
async def test_when_the_api_refuses_the_page_is_read(refusal):
    evidence, _ = await read_with(github_commit, {COMMIT: refusal, URL: page(article())}, URL)
    assert (evidence.coverage, evidence.metadata.kind) == ("partial", "commit")


@ODD
async def test_an_odd_answer_is_no_answer(odd):
    evidence, _ = await read_with(github_commit, {COMMIT: odd, URL: page(article())}, URL)
    assert evidence.coverage == "partial"


async def test_a_commit_without_author_and_files_is_still_one():
    bare = MADE | {"commit": {"message": PROSE, "author": None}, "files": []}
    evidence, _ = await read_with(github_commit, {COMMIT: answer(bare)}, URL)
    assert (evidence.authors, evidence.published, list(texts(evidence))) == ((), "", ["Message"])


def test_of_a_large_change_the_beginning_is_shown_and_the_rest_is_counted():
    many = [File(filename=f"f{n}.py", patch="+x = 1\n" * 1000) for n in range(NAMED + 5)]
    listed, patches = changes(URL, many)
    assert listed.document.text.endswith(f"f{NAMED - 1}.py (modified, +0 −0)\nand 5 more")
    assert len(patches.document.text) <= SHOWN + NAMED
    for section in patches.document.sections:
        assert patches.document.text[section.start : section.end].startswith("+x = 1")


@pytest.mark.parametrize(
    ("odd_form", "asked"),
    [
        (f"{HOME}/commit/{SHA}.patch", SHA),
        (f"{HOME}/commit/{SHA}.diff", SHA),
        (f"{HOME}/commit/{SHA}/", SHA),
        (f"{HOME}/commit/{SHA}#diff-1?w=1", SHA),
        (f"{HOME}/pull/7/commits/{SHA}", SHA),
        (f"{HOME}/commit/0a1b2c3", "0a1b2c3"),
        (f"{HOME}/commit/main", "main"),
    ],
)
async def test_odd_forms_of_the_address_are_the_same_commit(odd_form, asked):
    api = f"{API}/repos/fence-lab/fences/commits/{asked}"
    evidence, _ = await read_with(github_commit, {api: answer(MADE)}, odd_form)
    assert evidence.final_url == URL


@pytest.mark.parametrize(
    "other", [f"{HOME}/commits/main", f"{HOME}/commit", f"{HOME}/compare/a...b", f"{HOME}/commit/%2e%2e"]
)
def test_what_is_no_commit_is_left_to_others(other):
    assert not github_commit.matches(other)
