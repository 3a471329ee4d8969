"""Releases: the notes of one tag or of the latest, and the page of a tag that nobody made a release of."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval import github_release
from tests.retrieval.answers import PROSE, article, page
from tests.retrieval.github_answers import API, HOME, MISSING, ODD, REFUSALS, answer, read_with, texts

URL, LATEST_URL = f"{HOME}/releases/tag/v1.4.0", f"{HOME}/releases/latest"
RELEASE = f"{API}/repos/fence-lab/fences/releases/tags/v1.4.0"
LATEST = f"{API}/repos/fence-lab/fences/releases/latest"


def release(**changes):
    fields = {
        "tag_name": "v1.4.0",
        "name": "Fences 1.4, the quiet one",
        "html_url": URL,
        "published_at": "2026-10-30T10:05:12Z",
        "body": f"Thanks to all who helped.\n\n## Changes\n\n{PROSE}",
        "author": {"login": "ada"},
        "assets": [{"name": "a.whl", "download_count": 1200}, {"name": "b.tgz", "download_count": 34}],
    }
    return fields | changes


async def test_a_release_has_its_notes_its_day_and_its_downloads():
    evidence, web = await read_with(github_release, {RELEASE: answer(release())}, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert evidence.title == "fence-lab/fences v1.4.0: Fences 1.4, the quiet one"
    assert (evidence.authors, evidence.published) == (("ada",), "2026-10-30")
    assert dict(evidence.metadata.known()) == {
        "kind": "release",
        "release": "v1.4.0",
        "released": "2026-10-30",
        "downloads": "1,234",
        "parent": "fence-lab/fences",
    }
    assert list(texts(evidence)) == ["Release notes", "Changes"]
    assert web.asked == [RELEASE]


async def test_the_latest_release_is_known_by_its_tag():
    evidence, _ = await read_with(github_release, {LATEST: answer(release(prerelease=True))}, LATEST_URL)
    assert (evidence.url, evidence.final_url) == (LATEST_URL, URL)
    assert evidence.title.endswith("(pre-release)")


async def test_a_release_without_notes_is_only_metadata():
    evidence, _ = await read_with(github_release, {RELEASE: answer(release(body=None, assets=[]))}, URL)
    assert (evidence.coverage, evidence.metadata.downloads) == ("metadata", None)


async def test_a_tag_without_a_release_is_read_from_its_page():
    evidence, _ = await read_with(github_release, {RELEASE: MISSING, URL: page(article())}, URL)
    assert (evidence.coverage, evidence.metadata.kind) == ("partial", "release")


async def test_a_tag_that_does_not_exist_is_not_found():
    with pytest.raises(Unusable) as caught:
        await read_with(github_release, {RELEASE: MISSING, URL: page("", status=404)}, URL)
    assert caught.value.obstacle == "not_found"


async def test_a_repository_without_releases_has_no_latest():
    with pytest.raises(Unusable, match="has no release, was not found, or is private"):
        await read_with(github_release, {LATEST: MISSING}, LATEST_URL)


@REFUSALS
async def test_when_the_api_refuses_the_page_is_read(refusal):
    evidence, _ = await read_with(github_release, {RELEASE: refusal, URL: page(article())}, URL)
    assert evidence.coverage == "partial"


@ODD
async def test_an_odd_answer_is_no_answer(odd):
    evidence, _ = await read_with(github_release, {RELEASE: odd, URL: page(article())}, URL)
    assert evidence.coverage == "partial"


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        ("v1.4.0/", "v1.4.0"),
        ("v1.4.0?expanded=true#assets", "v1.4.0"),
        ("pkg/v1.4.0", "pkg%2Fv1.4.0"),
        ("pkg%2Fv1.4.0", "pkg%2Fv1.4.0"),
        ("@scope/pkg@1.4.0", "%40scope%2Fpkg%401.4.0"),
        ("v1.4.0%20beta", "v1.4.0%20beta"),
        ("v1%3Fx", "v1%3Fx"),
    ],
)
async def test_odd_tags_are_asked_for_as_they_are(tag, asked):
    api = f"{API}/repos/fence-lab/fences/releases/tags/{asked}"
    evidence, _ = await read_with(github_release, {api: answer(release())}, f"{HOME}/releases/tag/{tag}")
    assert evidence.coverage == "full"


@pytest.mark.parametrize(
    "other",
    [f"{HOME}/releases", f"{HOME}/releases/tag", f"{HOME}/releases/download/v1/a.whl", f"{HOME}/tags",
     f"{HOME}/releases/tag/../../../user", f"{HOME}/releases/tag/%2e%2e", f"{HOME}/releases/tag/a%2F..%2F.."],
)  # fmt: skip
def test_what_is_no_release_is_left_to_others(other):
    assert not github_release.matches(other)
