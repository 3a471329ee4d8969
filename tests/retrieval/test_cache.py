"""What was read today is not asked for again; what may not be kept is not; a broken cache costs nothing but itself."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from technoshare.errors import FetchError, FetchRefused
from technoshare.retrieval import pages as pages_module
from technoshare.retrieval.cache import DAY, CachingFetcher, asked_again, key_of, read_for
from technoshare.retrieval.guard import Policy, exemptions
from technoshare.retrieval.pages import CAP, KEPT, open_pages
from tests.retrieval.answers import Web, page

URL = "https://example.org/page"
API = "https://api.github.com/repos/o/r"


class Kept:
    """A cache in front of a prepared web, and a clock that a test sets."""

    def __init__(self, path, answers=None, *, exempt=()):
        self.path, self.web, self.now = path, Web(answers or {URL: page("text")}), 1_790_000_000.0
        self.policy = Policy(exempt=exemptions(exempt))

    @asynccontextmanager
    async def open(self):
        async with open_pages(self.path) as pages:
            yield CachingFetcher(self.web, pages, self.policy, lambda: self.now)

    def asked(self) -> int:
        return len(self.web.asked)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "fetch-cache.db"


async def twice(kept: Kept, url: str = URL, *, wait: float = 60.0, **more):
    async with kept.open() as fetcher:
        first = await fetcher.get(url, **more)
        kept.now += wait
        return first, await fetcher.get(url, **more)


async def test_a_page_of_today_is_not_asked_for_again_even_after_a_restart(path):
    kept = Kept(path, {URL: page(b"\xff\x00 bytes", kind="text/html; charset=latin-1", etag='"1"')})
    first, second = await twice(kept)
    async with kept.open() as fetcher:
        third = await fetcher.get(f"{URL}#part")
    assert first == second == third
    assert kept.asked() == 1


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ({}, DAY),
        ({"cache_control": "public, max-age=31536000, immutable"}, DAY),
        ({"cache_control": "Max-Age=300"}, 300.0),
        ({"cache_control": 'max-age="300"'}, 300.0),
        ({"cache_control": "max-age=soon"}, DAY),
        ({"cache_control": "no-cache"}, 0.0),
        ({"cache_control": "max-age=0, must-revalidate"}, 0.0),
    ],
)
async def test_a_page_is_fresh_for_a_day_unless_its_site_names_fewer_seconds(path, headers, fresh):
    kept = Kept(path, {URL: page("text", **headers)})
    if fresh:
        await twice(kept, wait=fresh - 1)
        assert kept.asked() == 1
    await twice(kept, wait=fresh + 1)
    assert kept.asked() >= 2


async def test_an_old_page_is_asked_only_whether_it_has_changed(path):
    kept = Kept(path, {URL: page("text", etag='W/"1"', last_modified="Wed, 25 Nov 2026 10:00:00 GMT")})
    async with kept.open() as fetcher:
        first = await fetcher.get(URL, headers={"Accept": "text/html"})
        kept.now += DAY + 1
        kept.web.answers[URL] = page("", status=304, etag='W/"2"')
        again = await fetcher.get(URL, headers={"Accept": "text/html"})
        assert kept.web.headers[URL] == {
            "Accept": "text/html",
            "If-None-Match": 'W/"1"',
            "If-Modified-Since": "Wed, 25 Nov 2026 10:00:00 GMT",
        }
        await fetcher.get(URL, headers={"Accept": "text/html"})
    assert (again.status, again.body, again.headers["etag"]) == (200, first.body, 'W/"2"')
    assert kept.asked() == 2  # the answer made it fresh for another day


async def test_whoever_wants_a_link_read_again_gets_what_is_there_now(path):
    kept = Kept(path, {URL: page("a wall", etag='"1"')})
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        kept.web.answers[URL] = page("the page")
        asked_again.set(True)
        async with asyncio.TaskGroup() as adapter:  # adapters ask in tasks of their own
            read = adapter.create_task(fetcher.get(URL))
    assert read.result().body == b"the page"
    assert kept.web.headers[URL] == {"If-None-Match": '"1"'}


async def test_a_page_that_has_changed_replaces_the_old_one(path):
    kept = Kept(path, {URL: page("old", etag='"1"')})
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        kept.now += DAY + 1
        kept.web.answers[URL] = page("new")
        assert (await fetcher.get(URL)).body == (await fetcher.get(URL)).body == b"new"
    assert kept.asked() == 2


async def test_a_page_behind_a_redirect_is_read_anew_because_the_redirect_may_have_changed(path):
    kept = Kept(path, {URL: page("text", url="https://example.org/elsewhere", etag='"1"')})
    await twice(kept, wait=DAY + 1)
    assert kept.web.headers[URL] == {}
    assert kept.asked() == 2


async def test_not_modified_from_another_address_is_not_believed(path):
    kept = Kept(path, {URL: page("text", etag='"1"')})
    answers = iter([page("text", etag='"1"'), page("", status=304, url="https://example.org/b"), page("new")])

    async def get(url, *, headers=None, limit=None):
        answer = next(answers)
        return answer if answer.url else answer.model_copy(update={"url": url})

    kept.web.get = get
    assert (await twice(kept, wait=DAY + 1))[1].body == b"new"


async def test_githubs_api_is_asked_again_after_ten_minutes_whatever_it_says(path):
    kept = Kept(path, {API: page("{}", cache_control="public, max-age=60, s-maxage=60", etag='"1"')})
    await twice(kept, API, wait=590)
    assert kept.asked() == 1
    await twice(kept, API, wait=11)
    assert kept.asked() == 2


async def test_an_answer_keeps_no_cookie_and_no_count_of_calls(path):
    answer = page("{}", set_cookie="who=you", x_ratelimit_remaining="3", link="<next>")
    _, second = await twice(Kept(path, {URL: answer}))
    assert second.headers == {"content-type": "text/html; charset=utf-8", "link": "<next>"}


async def test_each_accepted_type_has_its_own_answer(path):
    kept = Kept(path)
    async with kept.open() as fetcher:
        await fetcher.get(URL, headers={"Accept": "text/html"})
        await fetcher.get(URL, headers={"accept": "text/html"})
        await fetcher.get(URL, headers={"Accept": "application/json"})
        await fetcher.get(URL)
    assert kept.asked() == 3


@pytest.mark.parametrize(
    "answer",
    [
        page("", status=404),
        page("", status=500),
        page("", status=203),
        page("", status=301, location="/x"),
        page("x", cache_control="no-store"),
        page("x", cache_control="Private, max-age=600"),
        page("x", cache_control='private="set-cookie"'),
        page("x", vary="*"),
    ],
)
async def test_what_is_not_whole_or_not_for_everybody_is_not_kept(path, answer):
    kept = Kept(path, {URL: answer})
    await twice(kept)
    assert kept.asked() == 2
    assert stored(path) == 0


@pytest.mark.parametrize("name", ["Authorization", "cookie", "If-None-Match", "Range"])
async def test_a_request_that_is_nobodys_but_its_senders_passes_by_the_cache(path, name):
    kept = Kept(path)
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        await fetcher.get(URL, headers={name: "x"})
        await fetcher.get(URL, headers={name: "x"})
    assert kept.asked() == 3
    assert stored(path) == 1


def stored(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select count(*) from pages").fetchone()[0]


async def test_a_kept_page_obeys_the_limit_of_whoever_asks(path):
    kept = Kept(path, {URL: page("x" * 1001)})
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        assert len((await fetcher.get(URL, limit=1001)).body) == 1001
        with pytest.raises(FetchError, match=r"larger than 0.001 MB"):
            await fetcher.get(URL, limit=1000)
    assert kept.asked() == 1


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://wiki.corp/", "http://[::1]/", "http://example.org:8080/"])
async def test_what_is_forbidden_is_refused_even_when_the_cache_holds_it(path, url):
    host = url.removeprefix("http://").rstrip("/")
    pair = host if host.endswith(":8080") else f"{host}:80"
    kept = Kept(path, {url: page("secret")}, exempt=[pair])
    async with kept.open() as fetcher:
        assert isinstance(fetcher, CachingFetcher)
        await fetcher._keep(key_of(url, {}), await fetcher.get(url))
    kept.policy = Policy()
    async with kept.open() as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.get(url)
    assert kept.asked() == 1


async def test_a_kept_page_whose_final_address_is_forbidden_by_now_is_asked_for_again(path):
    kept = Kept(path)
    async with kept.open() as fetcher:
        await fetcher._keep(key_of(URL, {}), page("secret", url="http://10.0.0.1/"))
        assert (await fetcher.get(URL)).body == b"text"


@pytest.mark.parametrize("final", ["", "http://wiki.corp:8080/page"])
async def test_pages_of_the_operators_own_network_are_never_kept(path, final):
    posted = "http://wiki.corp:8080/" if not final else URL
    kept = Kept(path, {posted: page("secret", url=final)}, exempt=["wiki.corp:8080"])
    await twice(kept, posted)
    assert kept.asked() == 2
    assert stored(path) == 0


async def test_pages_that_nobody_asked_for_in_a_week_are_dropped(path):
    other = "https://example.org/other"
    kept = Kept(path, {URL: page("a"), other: page("b")})
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        kept.now += KEPT + 1
        await fetcher.get(other)
    assert stored(path) == 1


async def test_the_oldest_pages_make_room(path, monkeypatch):
    monkeypatch.setattr(pages_module, "CAP", 1000)
    urls = [f"https://example.org/{n}" for n in range(5)]
    kept = Kept(path, {url: page("x" * 400) for url in urls})
    async with kept.open() as fetcher:
        for url in urls:
            kept.now += 1
            await fetcher.get(url)
        await fetcher.get(urls[4])
        await fetcher.get(urls[3])
        assert kept.asked() == 5
        await fetcher.get(urls[2])
        assert kept.asked() == 6
    assert CAP <= 200_000_000


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_file_is_thrown_away_and_made_anew(path, damage, caplog):
    path.parent.mkdir()
    path.write_bytes(damage)
    kept = Kept(path)
    await twice(kept)
    assert kept.asked() == stored(path) == 1
    assert "is damaged: the fetch cache begins anew" in caplog.text


async def test_damage_in_the_middle_of_the_file_is_noticed_at_the_start(path):
    kept = Kept(path, {f"{URL}/{n}": page(bytes(5000)) for n in range(20)})
    async with kept.open() as fetcher:
        for url in kept.web.answers:
            await fetcher.get(url)
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 8192)
    await twice(kept, f"{URL}/0")
    assert stored(path) == 1


async def test_where_no_file_can_be_the_pages_are_read_all_the_same(path, caplog):
    path.mkdir(parents=True)
    kept = Kept(path)
    await twice(kept)
    assert kept.asked() == 2
    assert "pages are read without a cache" in caplog.text


async def test_a_second_process_reads_without_the_first_ones_cache(path, caplog):
    first, second = Kept(path), Kept(path)
    async with first.open() as one, second.open() as other:
        await one.get(URL)
        await other.get(URL)
    assert (first.asked(), second.asked(), stored(path)) == (1, 1, 1)
    assert "is in use by another process" in caplog.text


@pytest.mark.parametrize("statement", ["drop table pages", "update pages set headers = '{', final_url = 'x'"])
async def test_a_cache_that_breaks_on_the_way_costs_nothing_but_itself(path, statement, caplog):
    kept = Kept(path)
    async with kept.open() as fetcher:
        await fetcher.get(URL)
        await fetcher.pages._database.execute(statement)
        assert (await fetcher.get(URL)).body == b"text"
    assert kept.asked() == 2
    assert "the fetch cache cannot be read" in caplog.text


async def test_an_error_is_not_kept_and_is_told_as_it_is(path):
    kept = Kept(path, {URL: FetchError("example.org could not be reached", transient=True)})
    async with kept.open() as fetcher:
        for _ in range(2):
            with pytest.raises(FetchError, match="could not be reached") as error:
                await fetcher.get(URL)
            assert error.value.transient
    assert kept.asked() == 2


async def test_many_may_ask_at_once(path):
    urls = [f"{URL}/{n % 5}" for n in range(50)]
    kept = Kept(path, {url: page(url) for url in urls})
    async with kept.open() as fetcher:
        pages = await asyncio.gather(*(fetcher.get(url) for url in urls))
    assert [found.body.decode() for found in pages] == urls


# ---------------------------------------------------------------- forgetting


async def read(fetcher, job: str, *urls: str) -> None:
    read_for.set(job)
    for url in urls:
        await fetcher.get(url)


async def test_the_pages_that_were_read_for_a_job_are_forgotten_with_it_also_those_it_found_there(path):
    urls = [f"https://example.org/secret/{n}" for n in range(4)]
    kept = Kept(path, {url: page(f"secret text of {url}") for url in urls})
    async with kept.open() as fetcher:
        await read(fetcher, "one", *urls[:3])
        await read(fetcher, "two", *urls[2:])
        assert await fetcher.pages.forget("two") == 2
        assert await fetcher.pages.forget("two") == 0
        assert stored(path) == 2
        assert await fetcher.pages.forget("one") == 2
        for file in path.parent.iterdir():
            assert b"secret" not in file.read_bytes(), file.name
        await read(fetcher, "three", urls[2])
    assert kept.asked() == 5


async def test_a_page_that_was_asked_for_anew_is_still_known_as_read_for_both_jobs(path):
    kept = Kept(path)
    async with kept.open() as fetcher:
        await read(fetcher, "one", URL)
        kept.now += DAY + 1
        await read(fetcher, "two", URL)
        assert await fetcher.pages.forget("one") == 1
