"""What hosts ask of their clients is kept, and nobody gets what is not meant for him."""

import asyncio

import pytest

from technoshare.errors import FetchError
from technoshare.retrieval.etiquette import ConsiderateFetcher, Lane, Rest, SigningFetcher
from tests.retrieval.answers import Web, page

ARXIV = "https://export.arxiv.org/api/query?id_list=2611.00042&max_results=1"
GITHUB = "https://api.github.com/repos/owner/name"
TYPED = {"Accept": "application/vnd.github+json"}


class Time:
    """Passes only when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def test_arxivs_api_is_asked_once_in_three_seconds():
    time = Time()
    fetcher = ConsiderateFetcher(Web({ARXIV: page("feed")}), arxiv=Lane(clock=time.clock, sleep=time.sleep))
    await asyncio.gather(*(fetcher.get(ARXIV) for _ in range(3)))
    assert time.slept == [0.0, 3.0, 3.0]
    time.now += 60
    await fetcher.get(ARXIV)
    assert time.slept[-1] == 0.0


async def test_arxivs_api_has_one_request_at_a_time_even_after_a_failure():
    inside, most = 0, 0

    class Slow:
        async def get(self, url, *, headers=None, limit=None):
            nonlocal inside, most
            inside, most = inside + 1, max(most, inside + 1)
            await asyncio.sleep(0)
            inside -= 1
            raise FetchError("no")

    time = Time()
    fetcher = ConsiderateFetcher(Slow(), arxiv=Lane(clock=time.clock, sleep=time.sleep))
    results = await asyncio.gather(*(fetcher.get(ARXIV) for _ in range(4)), return_exceptions=True)
    assert [str(result) for result in results] == ["no"] * 4
    assert most == 1


async def test_whoever_would_wait_too_long_for_arxiv_is_told_at_once():
    time = Time()
    fetcher = ConsiderateFetcher(Web({ARXIV: page("feed")}), arxiv=Lane(queue=2, clock=time.clock, sleep=time.sleep))
    results = await asyncio.gather(*(fetcher.get(ARXIV) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, FetchError) and result.transient for result in results) == 2


async def test_papers_and_pages_do_not_wait():
    time = Time()
    urls = ["https://arxiv.org/abs/2611.00042", "https://arxiv.org/html/2611.00042", "https://example.org/api/"]
    fetcher = ConsiderateFetcher(Web({url: page("x") for url in urls}), arxiv=Lane(clock=time.clock, sleep=time.sleep))
    for url in urls:
        await fetcher.get(url)
    assert time.slept == []


async def test_the_token_goes_to_githubs_api_when_our_adapter_asks():
    web = Web({GITHUB: page("{}")})
    await SigningFetcher(web, "secret").get(GITHUB, headers=TYPED)
    assert web.headers[GITHUB] == {"Authorization": "Bearer secret", **TYPED}


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (GITHUB, {}),
        (GITHUB, {"Accept": "text/html"}),
        ("https://github.com/owner/name", TYPED),
        ("https://raw.githubusercontent.com/owner/name/HEAD/README.md", TYPED),
        ("https://api.github.com.evil.example/repos/owner/name", TYPED),
        ("https://api.github.com@evil.example/repos/owner/name", TYPED),
        ("http://api.github.com/repos/owner/name", TYPED),
        ("https://example.org/?u=https://api.github.com/", TYPED),
    ],
)
async def test_the_token_goes_nowhere_else(url, headers):
    web = Web({url: page("{}")})
    await SigningFetcher(web, "secret").get(url, headers=headers)
    assert "Authorization" not in web.headers[url]


def test_the_token_does_not_show():
    assert "secret" not in repr(SigningFetcher(Web({}), "secret"))


async def test_a_rest_that_stack_exchange_asks_for_is_kept_for_its_api_alone():
    questions, answers = (
        f"https://api.stackexchange.com/2.3/{path}?site=superuser.com" for path in ("questions/7", "answers/7")
    )
    time = Time()
    web = Web({
        questions: page('{"items": [], "backoff": 10, "quota_remaining": 9}', kind="application/json"),
        answers: page('{"items": [{"body": "a \\"backoff\\":99 in a text"}]}', kind="application/json"),
        "https://superuser.com/q/7": page("a page"),
    })  # fmt: skip
    fetcher = ConsiderateFetcher(web, stack_exchange=Rest(clock=time.clock))
    await fetcher.get(questions)
    with pytest.raises(FetchError, match="asked us to wait") as caught:
        await fetcher.get(answers)
    assert caught.value.transient
    await fetcher.get("https://superuser.com/q/7")
    assert answers not in web.asked
    time.now += 10
    await fetcher.get(answers)
    await fetcher.get(answers)
