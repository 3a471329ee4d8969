import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from technoshare.errors import ConfigError, FetchError
from technoshare.models import Page
from technoshare.retrieval.frozen import (
    FrozenFetcher,
    RecordingFetcher,
    load_snapshot,
    load_snapshots,
    without_keys,
    yaml_of,
)

LINK = "https://notes.example.org/one"


def snapshot(**changes) -> dict:
    whole = {
        "schema": "technoshare.snapshot/1",
        "url": LINK,
        "captured_at": "2026-11-23T10:00:00Z",
        "source": "written for the tests",
        "licence": "MIT",
        "exchanges": [
            {"url": LINK, "status": 200, "headers": {"Content-Type": "Text/HTML; charset=utf-8"}, "body": "<p>Grüße"}
        ],
    }
    return whole | changes


@pytest.fixture
def written(tmp_path):
    def write(content, name="one.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


async def test_a_frozen_page_is_answered_without_a_network(written):
    fetcher = FrozenFetcher(load_snapshots(written(snapshot())))
    page = await fetcher.get(f"{LINK}#part")
    assert page == Page(
        url=LINK,
        status=200,
        headers={"content-type": "Text/HTML; charset=utf-8"},
        content_type="text/html",
        body="<p>Grüße".encode(),
    )


async def test_bytes_are_kept_as_base64(written):
    raw = b"%PDF-1.4\xff\x00"
    exchange = {"url": LINK, "status": 200, "body_base64": base64.b64encode(raw).decode()}
    fetcher = FrozenFetcher(load_snapshots(written(snapshot(exchanges=[exchange]))))
    assert (await fetcher.get(LINK)).body == raw


async def test_what_the_snapshot_does_not_hold_goes_to_the_network_when_there_is_one(written):
    snapshots = load_snapshots(written(snapshot()))
    live = FrozenFetcher(
        load_snapshots(written(snapshot(exchanges=[{"url": "https://live.example.org/", "status": 204, "body": ""}])))
    )
    assert (await FrozenFetcher(snapshots, otherwise=live).get("https://live.example.org/")).status == 204
    with pytest.raises(FetchError, match=r"https://live.example.org/ is not in the snapshot"):
        await FrozenFetcher(snapshots).get("https://live.example.org/")


class Recorder:
    def __init__(self):
        self.headers = None

    async def get(self, url, *, headers=None, limit=None):
        self.headers = headers
        return Page(url=url, status=200, headers={}, content_type="", body=b"")


async def test_a_frozen_redirect_does_not_carry_headers_to_the_live_network(written):
    moved = {"url": LINK, "status": 302, "headers": {"location": "https://other.example.org/"}, "body": ""}
    live = Recorder()
    await FrozenFetcher(load_snapshots(written(snapshot(exchanges=[moved]))), live).get(
        LINK, headers={"Authorization": "x"}
    )
    assert live.headers is None


def test_a_folder_holds_many_and_yaml_may_be_written_by_hand(written, tmp_path):
    written(snapshot(), "a.json")
    written(
        """
        schema: technoshare.snapshot/1
        url: https://notes.example.org/two
        captured_at: 2026-11-23T00:00:00Z
        source: written for the tests
        licence: MIT
        exchanges:
          - {url: https://notes.example.org/two, status: 200, body: "two"}
        """,
        "b.yaml",
    )
    written("not a snapshot", "README.md")
    assert [each.url for each in load_snapshots(tmp_path)] == [LINK, "https://notes.example.org/two"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "one.json is neither YAML nor JSON"),
        (snapshot(schema="technoshare.snapshot/9"), "one.json: schema: "),
        (snapshot(colour="blue"), "one.json: colour: Extra inputs are not permitted"),
        (snapshot(exchanges=[]), "one.json: exchanges: "),
        (snapshot(exchanges=[{"url": LINK, "status": 200}]), "has either body or body_base64"),
        (snapshot(exchanges=[{"url": LINK, "status": 2000, "body": ""}]), "exchanges.0.status: "),
        (snapshot(captured_at="yesterday"), "captured_at: "),
        ("[]", "one.json: file: "),
    ],
)
def test_a_broken_snapshot_is_a_clear_error_that_names_the_file(written, content, complaint):
    with pytest.raises(ConfigError) as error:
        load_snapshot(written(content))
    assert complaint in str(error.value)


def test_a_missing_snapshot_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match=r"gone.yaml: No such file"):
        load_snapshots(tmp_path / "gone.yaml")


def test_the_snapshots_of_the_demo_are_sound(request):
    found = load_snapshots(request.config.rootpath / "evalsets" / "snapshots")
    assert found
    assert {each.licence for each in found} == {"MIT"}


# ---------------------------------------------------------------- freezing


class Web:
    """Answers with what it was given; a page may stand at another address than was asked for."""

    def __init__(self, **pages):
        self.pages = pages

    async def get(self, url, *, headers=None, limit=None):
        return self.pages[url]


async def frozen_again(page, tmp_path, asked=LINK, **changes):
    recorder = RecordingFetcher(Web(**{asked: page}), **changes)
    told = await recorder.get(asked)
    path = tmp_path / "again.yaml"
    path.write_text(yaml_of(kept(recorder)), "utf-8", newline="")
    return told, await FrozenFetcher(load_snapshots(path)).get(asked)


def kept(recorder):
    return recorder.snapshot(LINK, captured_at=datetime(2026, 11, 25, tzinfo=UTC), source="a test", licence="MIT")


@given(body=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_byte_of_a_page_comes_back_from_its_file(tmp_path, body):
    page = Page(url=LINK, status=200, headers={"content-type": "text/plain"}, content_type="text/plain", body=body)
    told, again = await frozen_again(page, tmp_path)
    assert told == again == page


async def test_a_page_behind_redirects_is_found_by_both_addresses(tmp_path):
    page = Page(url="https://b.org/new", status=200, headers={}, content_type="", body=b"moved")
    told, again = await frozen_again(page, tmp_path, asked="https://a.org/old#part")
    assert told == again == page


async def test_what_is_handed_out_while_freezing_is_no_more_than_what_is_kept(tmp_path):
    headers = {"content-type": "text/html", "set-cookie": "visitor=1", "x-request-id": "77"}
    page = Page(
        url="https://b.org/file?part=2&X-Amz-Signature=abc&auth_token=s3",
        status=200,
        headers=headers,
        content_type="text/html",
        body=b"the key is abc",
    )
    told, again = await frozen_again(page, tmp_path, redacted=lambda text: text.replace("abc", "…"))
    assert told == again
    assert (told.url, told.headers, told.body.decode()) == (
        "https://b.org/file?part=2",
        {"content-type": "text/html"},
        "the key is …",
    )


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.org/x?id=1&page=2#top", "https://a.org/x?id=1&page=2#top"),
        ("https://a.org/x?keyword=a&author=b&design=c", "https://a.org/x?keyword=a&author=b&design=c"),
        ("https://a.org/x?token=1&v=2", "https://a.org/x?v=2"),
        ("https://a.org/x?v=2&PHPSESSID=1&sessionid=7&api_key=3&sig=4", "https://a.org/x?v=2"),
        ("https://a.org/x?X-Goog-Credential=1&jwt=2&password=3&access_token=4", "https://a.org/x"),
    ],
)
def test_what_is_named_like_a_key_leaves_an_address_and_nothing_else_does(url, kept):
    assert without_keys(url) == kept


async def test_where_nobody_answered_there_is_nothing_to_keep():
    recorder = RecordingFetcher(FrozenFetcher([]))
    with pytest.raises(FetchError):
        await recorder.get(LINK)
    assert kept(recorder) is None
