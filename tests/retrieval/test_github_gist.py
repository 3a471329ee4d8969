"""Gists: every file for itself, and nothing that is no text."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval import github_gist
from tests.retrieval.answers import PROSE, article, page
from tests.retrieval.github_answers import API, MISSING, ODD, REFUSALS, answer, read_with, texts

ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
URL, GIST = f"https://gist.github.com/ada/{ID}", f"{API}/gists/{ID}"
REVISION = "f" * 40


def gist(**changes):
    fields = {
        "html_url": URL,
        "description": "How to keep workers apart",
        "owner": {"login": "ada"},
        "files": {
            "notes.md": {
                "filename": "notes.md",
                "content": f"{PROSE}\n\n## Limits\n\nOne file.",
                "language": "Markdown",
            },
            "wake.py": {
                "filename": "wake.py",
                "content": "def wake(table):\n    return table.first()\n",
                "language": "Python",
            },
        },
        "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-03T00:00:00Z",
        "comments": 2,
    }
    return fields | changes


def files(**contents):
    named = {name.replace("_", "."): content for name, content in contents.items()}
    return {name: {"filename": name, **content} for name, content in named.items()}


async def test_a_gist_has_its_files_by_name():
    evidence, web = await read_with(github_gist, {GIST: answer(gist())}, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert (evidence.domain, evidence.title) == ("gist.github.com", "How to keep workers apart")
    assert (evidence.authors, evidence.published) == (("ada",), "2026-11-01")
    assert dict(evidence.metadata.known()) == {
        "kind": "gist",
        "updated": "2026-11-03",
        "language": "Markdown",
        "comments": "2",
    }
    assert list(texts(evidence)) == ["notes.md", "Limits", "def wake(table)"]
    assert web.asked == [GIST]


async def test_a_file_that_is_no_text_makes_it_partial():
    mixed = files(a_md={"content": PROSE}, b_bin={"content": "\0\0"}, c_md={"content": "", "truncated": True})
    evidence, _ = await read_with(github_gist, {GIST: answer(gist(files=mixed, description=None))}, URL)
    assert (evidence.coverage, evidence.title) == ("partial", "a.md")


@pytest.mark.parametrize("held", [{}, files(b_bin={"content": "\0"}), {"gone.md": None}])
async def test_a_gist_without_text_says_so(held):
    with pytest.raises(Unusable, match="holds no text"):
        await read_with(github_gist, {GIST: answer(gist(files=held))}, URL)


async def test_an_unknown_gist_is_not_found():
    with pytest.raises(Unusable, match="the gist was not found, or it is secret") as caught:
        await read_with(github_gist, {GIST: MISSING}, URL)
    assert caught.value.obstacle == "not_found"


@REFUSALS
async def test_when_the_api_refuses_the_page_is_read(refusal):
    evidence, _ = await read_with(github_gist, {GIST: refusal, URL: page(article())}, URL)
    assert (evidence.coverage, evidence.metadata.kind) == ("partial", "gist")


@ODD
async def test_an_odd_answer_is_no_answer(odd):
    evidence, _ = await read_with(github_gist, {GIST: odd, URL: page(article())}, URL)
    assert evidence.coverage == "partial"


@pytest.mark.parametrize(
    ("odd_form", "asked"),
    [
        (f"https://gist.github.com/{ID}", GIST),
        (f"{URL}/", GIST),
        (f"{URL}#file-wake-py", GIST),
        (f"{URL}?permalink_comment_id=7#x", GIST),
        (f"{URL}/raw", GIST),
        (f"{URL}/{REVISION}", f"{GIST}/{REVISION}"),
        (f"https://gist.githubusercontent.com/ada/{ID}/raw/{REVISION}/wake.py", f"{GIST}/{REVISION}"),
        ("https://gist.github.com/ada/1234567", f"{API}/gists/1234567"),
    ],
)
async def test_odd_forms_of_the_address_are_the_same_gist(odd_form, asked):
    evidence, _ = await read_with(github_gist, {asked: answer(gist())}, odd_form)
    assert evidence.final_url == URL


@pytest.mark.parametrize(
    "other",
    ["https://gist.github.com/", "https://gist.github.com/ada", "https://gist.github.com/discover",
     "https://gist.github.com/ada/starred", "https://gist.github.com:8080/ada/1234567", "https://gist.github.com:x/1",
     f"https://gist.github.com.evil.example/ada/{ID}", "https://[::1/ada"],
)  # fmt: skip
def test_what_is_no_gist_is_left_to_others(other):
    assert not github_gist.matches(other)
