"""Repositories: description, README and release, and the page itself when the API has had enough."""

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.reading import read
from tests.retrieval.answers import PROSE, InlineParser, Web, article, as_json, page
from tests.retrieval.github_answers import ODD

URL = "https://github.com/Sample-Owner/fences"
API = "https://api.github.com/repos/Sample-Owner/fences"
RAW = "https://raw.githubusercontent.com/sample-owner/Fences/HEAD/README.md"
README_API = "https://api.github.com/repos/sample-owner/Fences/readme"
RELEASE = "https://api.github.com/repos/sample-owner/Fences/releases/latest"
NONE = as_json(404, message="Not Found")

REPOSITORY = as_json(
    full_name="sample-owner/Fences",
    html_url="https://github.com/sample-owner/Fences",
    description="Counters that keep workers apart",
    homepage="",
    language="Rust",
    license={"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
    stargazers_count=321,
    archived=True,
    created_at="2021-03-03T08:00:00Z",
    pushed_at="2026-11-18T12:30:41Z",
    topics=["queue", "sqlite"],
    parent={"full_name": "first-owner/Fences"},
    unknown={"field": 1},
)
README = page(
    f"# Fences\n\n[![ci](https://x/y.svg)](https://x)\n\n{PROSE}\n\n## Limits\n\nOne file, one process.\n",
    kind="text/plain",
)
NOTES = as_json(
    tag_name="v1.4.0",
    html_url="https://github.com/sample-owner/Fences/releases/tag/v1.4.0",
    published_at="2026-10-30T10:05:12Z",
    body="## Changes\n\n- Counters survive a restart of the machine.\n",
)
WHOLE = {API: REPOSITORY, RAW: README, RELEASE: NOTES}


async def read_repository(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


async def test_a_repository_has_its_facts_its_readme_and_its_latest_release():
    evidence, web = await read_repository(WHOLE)
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("GithubAdapter", "github.com", "full")
    assert evidence.title == "sample-owner/Fences: Counters that keep workers apart"
    assert evidence.published == "2021-03-03"
    assert evidence.final_url == "https://github.com/sample-owner/Fences"
    assert dict(evidence.metadata.known()) == {
        "kind": "repository",
        "archived": "yes",
        "release": "v1.4.0",
        "released": "2026-10-30",
        "last_push": "2026-11-18",
        "licence": "MIT",
        "language": "Rust",
        "stars": "321",
        "parent": "first-owner/Fences",
        "topics": "queue sqlite",
    }
    assert [snippet.section for snippet in evidence.snippets] == ["About", "Fences", "Limits", "Release v1.4.0"]
    assert evidence.snippets[-1].text == "Changes\n- Counters survive a restart of the machine."
    assert "svg" not in " ".join(snippet.text for snippet in evidence.snippets)
    assert README_API not in web.asked  # the raw file is not counted against the hourly budget


@pytest.mark.parametrize("ending", ["/", ".git", "?tab=readme-ov-file", "#readme"])
async def test_odd_forms_of_the_address_are_the_same_repository(ending):
    evidence, _ = await read_repository(WHOLE, URL + ending)
    assert evidence.final_url == "https://github.com/sample-owner/Fences"


async def test_a_readme_under_another_name_is_asked_from_the_api():
    answers = {API: REPOSITORY, RAW: page("404: Not Found", status=404), README_API: README, RELEASE: NONE}
    evidence, web = await read_repository(answers)
    assert evidence.coverage == "full"
    assert web.headers[README_API]["Accept"] == "application/vnd.github.raw+json"


async def test_a_repository_without_a_release_is_fine():
    evidence, _ = await read_repository(WHOLE | {RELEASE: NONE})
    assert not evidence.metadata.release


async def test_with_few_calls_left_the_release_is_not_asked_for():
    last = REPOSITORY.model_copy(update={"headers": {"x-ratelimit-remaining": "2"}})
    evidence, web = await read_repository(WHOLE | {API: last})
    assert RELEASE not in web.asked
    assert evidence.coverage == "full"


async def test_a_repository_that_does_not_exist_is_not_found():
    with pytest.raises(Unusable, match="was not found, or it is private") as caught:
        await read_repository({API: NONE})
    assert caught.value.obstacle == "not_found"


async def test_an_empty_repository_is_called_empty():
    fields = {"full_name": "sample-owner/Fences", "html_url": "https://github.com/sample-owner/Fences", "size": 0}
    with pytest.raises(Unusable, match="the repository is empty"):
        await read_repository({API: as_json(**fields), RAW: NONE, README_API: NONE, RELEASE: NONE})


async def test_a_renamed_repository_is_known_by_its_new_name():
    moved = as_json(full_name="new-owner/Gates", html_url="https://github.com/new-owner/Gates")
    raw = "https://raw.githubusercontent.com/new-owner/Gates/HEAD/README.md"
    evidence, _ = await read_repository({API: moved, raw: README})
    assert (evidence.url, evidence.final_url) == (URL, "https://github.com/new-owner/Gates")
    assert evidence.title == "new-owner/Gates"


@pytest.mark.parametrize(
    "hostile", [{"html_url": "https://evil.example/x"}, {"stargazers_count": "many"}, {"topics": 7}]
)
async def test_a_repository_with_a_foreign_address_or_a_wrong_type_is_read_from_its_page(hostile):
    fields = {"full_name": "sample-owner/Fences", "html_url": "https://github.com/sample-owner/Fences"} | hostile
    evidence, _ = await read_repository({API: as_json(**fields), URL: page(article())})
    assert evidence.coverage == "partial"


@ODD
async def test_odd_answers_beside_the_repository_cost_only_themselves(odd):
    evidence, _ = await read_repository(WHOLE | {RELEASE: odd})
    assert not evidence.metadata.release
    assert evidence.coverage == "full"


async def test_a_repository_without_any_readme_is_too_short():
    with pytest.raises(Unusable, match="too little text"):
        await read_repository({API: REPOSITORY, RAW: NONE, README_API: NONE, RELEASE: NONE})


@pytest.mark.parametrize(
    "trouble",
    [
        page("{}", status=403, kind="application/json", x_ratelimit_remaining="0"),
        page("{}", status=429, kind="application/json", x_ratelimit_remaining="0"),
        page("<html>oops", status=502),
        page("[]", kind="application/json"),
        FetchError("api.github.com did not answer within 20 s", transient=True),
    ],
    ids=["403", "429", "502", "another shape", "time-out"],
)
async def test_when_the_api_has_had_enough_the_page_is_read(trouble):
    evidence, _ = await read_repository({API: trouble, URL: page(article())})
    assert (evidence.adapter, evidence.coverage) == ("GithubAdapter", "partial")
    assert evidence.title == "How the scheduler works"


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient):
        await read_repository({})


async def test_a_licence_that_github_does_not_know_keeps_its_name():
    fields = {"full_name": "sample-owner/Fences", "html_url": "https://github.com/sample-owner/Fences"}
    other = as_json(license={"spdx_id": "NOASSERTION", "name": "Other"}, **fields)
    evidence, _ = await read_repository(WHOLE | {API: other})
    assert evidence.metadata.licence == "Other"
