"""Folders: their README and the names of what they hold."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval import github_tree
from tests.retrieval.answers import PROSE, article, page
from tests.retrieval.github_answers import API, HOME, MISSING, ODD, RAW, REFUSALS, answer, read_with, readme, texts

URL = f"{HOME}/tree/main/examples"
README, LIST = (
    f"{RAW}/fence-lab/fences/main/examples/README.md",
    f"{API}/repos/fence-lab/fences/contents/examples?ref=main",
)
HELD = answer(
    [{"name": "queue", "type": "dir"}, {"name": "readme.rst", "type": "file"}, {"name": "wake.py", "type": "file"}]
)
WHOLE = {README: readme(f"# Examples\n\n{PROSE}"), LIST: HELD}


async def test_a_folder_has_its_readme_and_its_list():
    evidence, web = await read_with(github_tree, WHOLE, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert evidence.title == "fence-lab/fences/examples: Examples"
    assert dict(evidence.metadata.known()) == {"kind": "folder", "parent": "fence-lab/fences"}
    assert texts(evidence)["Files"] == "queue/\nreadme.rst\nwake.py"
    assert set(web.asked) == {README, LIST}


async def test_a_readme_under_another_name_is_found_in_the_list():
    other = README.replace("README.md", "readme.rst")
    evidence, _ = await read_with(github_tree, {LIST: HELD, other: readme()}, URL)
    assert evidence.coverage == "full"


async def test_a_folder_without_a_readme_is_only_its_list():
    evidence, _ = await read_with(github_tree, {LIST: answer([{"name": "wake.py"}])}, URL)
    assert (evidence.coverage, texts(evidence)) == ("metadata", {"Files": "wake.py"})


async def test_a_folder_that_does_not_exist_is_not_found():
    with pytest.raises(Unusable) as caught:
        await read_with(github_tree, {README: page("", status=404), LIST: MISSING, URL: page("", status=404)}, URL)
    assert caught.value.obstacle == "not_found"


@REFUSALS
async def test_when_the_api_refuses_the_readme_must_do_and_then_the_page(refusal):
    evidence, _ = await read_with(github_tree, WHOLE | {LIST: refusal}, URL)
    assert (evidence.coverage, list(texts(evidence))) == ("full", ["Examples"])
    evidence, _ = await read_with(github_tree, {LIST: refusal, URL: page(article())}, URL)
    assert (evidence.coverage, evidence.metadata.kind) == ("partial", "folder")


@ODD
async def test_an_odd_answer_is_no_answer(odd):
    evidence, _ = await read_with(github_tree, {LIST: odd, URL: page(article())}, URL)
    assert evidence.coverage == "partial"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("tree/v1.4.0", "v1.4.0/README.md"),
        ("tree/refs/heads/main/examples/", "main/examples/README.md"),
        ("tree/main/examples?tab=readme#usage", "main/examples/README.md"),
        ("tree/main/a%20b", "main/a%20b/README.md"),
        ("tree/feature/wake/examples", "feature/wake/examples/README.md"),  # the raw host tells branch from path
    ],
)
async def test_odd_forms_of_the_address_lead_to_the_readme(path, file):
    evidence, _ = await read_with(github_tree, {f"{RAW}/fence-lab/fences/{file}": readme()}, f"{HOME}/{path}")
    assert evidence.coverage == "full"


async def test_a_tag_is_the_version():
    evidence, _ = await read_with(
        github_tree, {f"{RAW}/fence-lab/fences/v1.4.0/README.md": readme()}, f"{HOME}/tree/v1.4.0"
    )
    assert (evidence.title, evidence.metadata.version) == ("fence-lab/fences", "v1.4.0")


@pytest.mark.parametrize(
    "outside",
    [f"{HOME}/tree", f"{HOME}/tree/main/../../../../user/repos", f"{HOME}/tree/main/%2e%2e/%2e%2e/%2e%2e/user/repos",
     f"{HOME}/tree/main/a%2F..%2F..%2F..%2F..%2Fuser%2Frepos", "https://github.com/fence-lab/%2e%2e/tree/main"],
)  # fmt: skip
def test_no_path_leads_a_signed_request_out_of_the_repository(outside):
    assert not github_tree.matches(outside)
