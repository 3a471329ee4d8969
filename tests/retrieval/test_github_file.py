"""Files of repositories: whatever form the link has, from the host that costs nothing."""

import pytest

from technoshare.errors import FetchError, Unusable
from technoshare.retrieval import github_file
from tests.retrieval.answers import PROSE, article, page
from tests.retrieval.github_answers import HOME, RAW, TIMEOUT, read_with, readme, texts

URL, FILE = f"{HOME}/blob/main/docs/design.md", f"{RAW}/fence-lab/fences/main/docs/design.md"
DESIGN = readme(f"# The design\n\n{PROSE}\n\n## Limits\n\nOne file, one process.\n")


async def test_a_document_has_its_sections_and_its_title():
    evidence, web = await read_with(github_file, {FILE: DESIGN}, URL)
    assert (evidence.adapter, evidence.coverage, evidence.final_url) == ("GithubAdapter", "full", URL)
    assert evidence.title == "The design · fence-lab/fences"
    assert dict(evidence.metadata.known()) == {"kind": "file", "parent": "fence-lab/fences"}
    assert list(texts(evidence)) == ["The design", "Limits"]
    assert web.asked == [FILE]  # no call of the API


async def test_code_has_its_definitions_as_sections():
    code = f'"""{PROSE}"""\n\ndef wake(table):\n    return table.first()\n\n\nclass Fence:\n    counter = 0\n'
    file = FILE.replace("docs/design.md", "src/wake.py")
    evidence, _ = await read_with(github_file, {file: readme(code)}, f"{HOME}/blob/main/src/wake.py")
    assert list(texts(evidence)) == ["", "def wake(table)", "class Fence"]
    assert texts(evidence)["def wake(table)"] == "def wake(table):\n    return table.first()"
    assert evidence.title == "src/wake.py · fence-lab/fences"


@pytest.mark.parametrize(
    ("odd_form", "file", "home"),
    [
        (f"{HOME}/blob/main/docs/design.md?plain=1#L3-L9", FILE, URL),
        (f"{HOME}/raw/main/docs/design.md", FILE, URL),
        (f"{HOME}/blame/main/docs/design.md", FILE, URL),
        (f"{HOME}/blob/refs/heads/main/docs/design.md", FILE, URL),
        (f"{HOME}/raw/refs/tags/main/docs/design.md", FILE, URL),
        (FILE, FILE, URL),
        (f"{RAW}/fence-lab/fences/refs/heads/main/docs/design.md?token=x", FILE, URL),
        ("https://www.github.com/fence-lab/fences/blob/main//docs/design.md/", FILE, URL),
        (
            f"{HOME}/blob/feature/wake/one/docs/design.md",  # whether the branch is feature or feature/wake …
            f"{RAW}/fence-lab/fences/feature/wake/one/docs/design.md",  # … the raw host knows
            f"{HOME}/blob/feature/wake/one/docs/design.md",
        ),
        (
            f"{HOME}/blob/main/docs/d%C3%A9sign%20one%23.md",
            f"{RAW}/fence-lab/fences/main/docs/d%C3%A9sign%20one%23.md",
            f"{HOME}/blob/main/docs/d%C3%A9sign%20one%23.md",
        ),
    ],
)
async def test_odd_forms_of_the_address_are_the_same_file(odd_form, file, home):
    evidence, web = await read_with(github_file, {file: DESIGN}, odd_form)
    assert (web.asked, evidence.url, evidence.final_url) == ([file], odd_form, home)


@pytest.mark.parametrize(
    ("ref", "version"),
    [("v1.4.0", "v1.4.0"), ("1.2", "1.2"), ("a" * 40, "a" * 12), ("main", ""), ("v2", ""), ("dev-1", "")],
)
async def test_a_tag_or_commit_is_a_version_and_a_branch_is_none(ref, version):
    evidence, _ = await read_with(github_file, {FILE.replace("main", ref): DESIGN}, URL.replace("main", ref))
    assert evidence.metadata.version == version


async def test_a_file_that_does_not_exist_or_is_private_is_not_found():
    gone = page("404: Not Found", status=404)
    with pytest.raises(Unusable, match="the file was not found, or it is private") as caught:
        await read_with(github_file, {FILE: gone, URL: gone}, URL)
    assert caught.value.obstacle == "not_found"


@pytest.mark.parametrize(
    "refusal", [page("", status=404), page("", status=403), page("", status=429), page("", status=503), TIMEOUT]
)
@pytest.mark.parametrize("posted", [URL, FILE])
async def test_what_the_raw_host_does_not_give_is_read_from_the_page(refusal, posted):
    evidence, _ = await read_with(github_file, {FILE: refusal, URL: page(article())}, posted)
    assert (evidence.url, evidence.coverage, evidence.metadata.kind) == (posted, "partial", "file")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
        (b"x" * 3_000_001, "larger than 3 MB"),
    ],
    ids=["binary", "LFS", "large"],
)
async def test_what_is_no_text_gets_its_reason(body, reason):
    url = URL.replace("design.md", "model.bin")
    with pytest.raises(Unusable, match=reason):
        await read_with(github_file, {FILE.replace("design.md", "model.bin"): page(body, kind="text/plain")}, url)


async def test_a_file_too_large_to_fetch_says_so():
    with pytest.raises(FetchError, match="larger than 20 MB"):
        await read_with(github_file, {FILE: FetchError("the page is larger than 20 MB")}, URL)


async def test_a_broken_pdf_says_so():
    answers = {FILE.replace(".md", ".pdf"): page(b"%PDF-1.4 broken", kind="application/octet-stream")}
    with pytest.raises(Unusable):
        await read_with(github_file, answers, URL.replace(".md", ".pdf"))


@pytest.mark.parametrize(
    "other",
    [f"{HOME}/blob/main", f"{HOME}/blob", f"{HOME}/tree/main/docs", f"{HOME}/blob/main/../../x", f"{RAW}/fence-lab/fences",
     "https://raw.githubusercontent.com:8080/a/b/main/x", "https://raw.githubusercontent.com/a/b/main/%2e%2e/x",
     "https://raw.githubusercontent.com.evil.example/a/b/main/x", "https://cdn.example/blob/main/x",
     "https://raw.githubusercontent.com:port/a/b/main/x", "https://[::1/a/b/main/x"],
)  # fmt: skip
def test_what_is_no_file_is_left_to_others(other):
    assert not github_file.matches(other)
