"""What all forms of a GitHub link share: where it points, and how the hour's calls are spent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.github_api import Api, Person, place, said, written
from technoshare.retrieval.reading import ADAPTERS
from tests.retrieval.answers import PROSE, InlineParser, Web, page
from tests.retrieval.github_answers import API, answer

NUMBERS = TypeAdapter(tuple[int, ...])

FORMS = ("tree/main", "blob/main", "commit", "releases/tag", "issues", "pull/7/commits", "wiki")
SEGMENTS = st.lists(
    st.sampled_from(
        ["..", ".", "%2e%2e", "%2E.", "..%2f..", "%252e%252e", "user", "%00", "%0a", "#", "?", "\\", "\ud800"]
    )
    | st.text(max_size=6),
    max_size=5,
)


@given(st.sampled_from(FORMS), SEGMENTS)
async def test_whatever_stands_behind_a_repository_no_request_leaves_it(form, segments):
    url = f"https://github.com/fence-lab/fences/{form}/{'/'.join(segments)}"
    adapter = next(adapter for adapter in ADAPTERS if adapter.matches(url))
    web = Web({})
    with pytest.raises((FetchError, Transient, Unusable)):
        await adapter.read(url, web, InlineParser())
    assert all(".." not in asked.split("?")[0].split("/") for asked in web.asked if "api.github.com" in asked)
    assert all(asked.startswith(f"{API}/repos/fence-lab/fences/") for asked in web.asked if asked.startswith(API))


@given(st.text() | st.text().map("https://github.com/{}".format) | st.text().map("https://gist.github.com{}".format))
def test_every_text_has_a_reader_and_none_crashes_on_it(url):
    assert any(adapter.matches(url) for adapter in ADAPTERS)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/Fence-Lab/fences", ("Fence-Lab/fences", ())),
        ("https://github.com:443/fence-lab/fences.git", ("fence-lab/fences", ())),
        ("https://WWW.GitHub.com//fence-lab/fences/wiki/A%20B", ("fence-lab/fences", ("wiki", "A B"))),
        ("https://github.com/orgs/fences", None),
        ("https://github.com/fence-lab", None),
        ("https://api.github.com/repos/fences", None),
        ("https://github.com/fence-lab/fences/wiki/half-a-\ud83d", None),
    ],
)
def test_a_link_points_into_a_repository_or_it_does_not(url, found):
    assert place(url) == found


async def test_the_last_answer_tells_how_many_calls_may_still_be_made():
    web = Web({f"{API}/{left}": answer([left], left=left) for left in (50, 30, 29, 5, 4)})
    api = Api(web)
    assert await api.further("/50", NUMBERS) == (50,)
    assert await api.further("/30", NUMBERS, least=50) == (30,)
    assert await api.further("/29", NUMBERS, least=30) == (29,)
    assert await api.further("/5", NUMBERS, least=30) is None
    assert await api.further("/5", NUMBERS) == (5,)
    assert await api.further("/4", NUMBERS) == (4,)
    assert await api.further("/50", NUMBERS) is None
    assert web.asked == [f"{API}/{left}" for left in (50, 30, 29, 5, 4)]


@pytest.mark.parametrize("told", ["", "many", "-1", "٣", "9" * 5000])
async def test_a_budget_that_is_no_number_is_not_counted(told):
    web = Web({f"{API}/x": page("[1]", kind="application/json", x_ratelimit_remaining=told)})
    api = Api(web)
    assert [await api.further("/x", NUMBERS) for _ in range(2)] == [(1,), (1,)]


@pytest.mark.parametrize(
    ("name", "kind", "bot"),
    [("dependabot[bot]", "Bot", True), ("app", "Bot", True), ("k8s-ci-robot", "User", True), ("fence_bot", "User", True),
     ("ada", "User", False), ("abbot", "User", False), ("robotics-lab", "Organization", False)],
)  # fmt: skip
def test_a_program_is_known_by_its_kind_or_its_name(name, kind, bot):
    assert Person(login=name, type=kind).is_bot is bot


async def test_hidden_characters_and_markup_of_a_comment_are_gone():
    part = await said("u", "Comment by ada", f"<!-- hidden --># Loud\u202e\n\n**{PROSE}**\u200b")
    assert part.document.text == f"Loud\n{PROSE}"


async def test_an_empty_text_is_no_part():
    assert await written("u", "<!-- please describe the problem -->\n", InlineParser()) is None
