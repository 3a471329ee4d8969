"""Videos: what is written about them, and that nobody has watched them."""

import json

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.render import comment_text
from technoshare.retrieval.reading import ADAPTERS, read, read_any
from tests.retrieval.answers import BUSY, GONE, HOSTILE, PROSE, SENTENCES, InlineParser, Web, as_json, page, told
from tests.samples import reviewed

URL = "https://www.youtube.com/watch?v=aB3_dE-7gHi"
OEMBED = "https://www.youtube.com/oembed?url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3DaB3_dE-7gHi&format=json"
CARD = as_json(
    200,
    title="Fences, in  twelve minutes", author_name="Ada Brandt", author_url="https://www.youtube.com/@ada", type="video",
    height=113, width=200, version="1.0", provider_name="YouTube", provider_url="https://www.youtube.com/",
    thumbnail_url="https://i.ytimg.com/vi/aB3_dE-7gHi/hqdefault.jpg", html="<iframe></iframe>",
)  # fmt: skip
DESCRIPTION = f'{PROSE}\n\n00:00 "Counters" & rows\n03:20 Retries'


def watch(description: str = DESCRIPTION, title: str = "Fences, in twelve minutes"):
    player = json.dumps(
        {"videoDetails": {"videoId": "aB3_dE-7gHi", "shortDescription": description, "isLive": False}},
        separators=(",", ":"),
    )
    return page(
        f'<!DOCTYPE html><html lang="en"><head><title>{title} - YouTube</title><meta name="title" content="{title}">'
        f'<meta name="description" content="{SENTENCES[0][:60]}..."><script>var ytInitialPlayerResponse = {player};</script></head>'
        '<body><div><meta itemprop="datePublished" content="2026-10-30T07:00:01-07:00">'
        '<meta itemprop="duration" content="PT72M5S"></div></body></html>'
    )


TRACK = "https://www.youtube.com/api/timedtext?v=aB3_dE-7gHi&caps=asr&signature=0A&lang="


def tracks(*listed: dict) -> str:
    return (
        watch()
        .body.decode()
        .replace('{"videoDetails"', '{"captions":{"captionTracks":' + json.dumps(listed) + '},"videoDetails"')
    )


def track(language: str, **fields) -> dict:
    return {
        "baseUrl": f"{TRACK}{language}",
        "name": {"simpleText": "English"},
        "vssId": ".en",
        "languageCode": language,
    } | fields


SPOKEN = as_json(
    200,
    wireMagic="pb3",
    events=[
        {"tStartMs": 0, "dDurationMs": 900, "id": 1, "wpWinPosId": 1},
        {"tStartMs": 1000, "segs": [{"utf8": "A lock server"}, {"utf8": " would need\na second machine."}]},
        {"tStartMs": 3_723_000, "segs": [{"utf8": "And that was all\x07 about fences."}]},
    ],
)
CONSENT = page(
    "<html><head><title>Before you continue to YouTube</title></head><body>We use cookies</body></html>",
    url="https://consent.youtube.com/m?continue=x",
)
WHOLE = {OEMBED: CARD, URL: watch()}


async def read_video(answers, url=URL):
    return await read(url, Web(answers), InlineParser())


async def test_a_video_is_its_title_its_channel_and_its_description_and_was_not_watched():
    evidence = await read_video(WHOLE)
    assert (evidence.adapter, evidence.domain) == ("YoutubeAdapter", "www.youtube.com")
    assert (evidence.coverage, evidence.obstacle) == ("metadata", "not_watched")
    assert (evidence.title, evidence.authors, evidence.published) == (
        "Fences, in twelve minutes",
        ("Ada Brandt",),
        "2026-10-30",
    )
    assert told(evidence) == {"kind": "video", "duration": "1:12:05"}
    assert "\n".join(one.text for one in evidence.snippets) == DESCRIPTION.replace("\n\n", "\n")


async def test_the_reply_says_that_nobody_watched_it():
    evidence = await read_video(WHOLE)
    source = reviewed().source.model_copy(update={"coverage": evidence.coverage, "obstacle": evidence.obstacle})
    assert "Read: metadata only, not the text (2,314 words, not watched)" in comment_text(reviewed(source=source))


@pytest.mark.parametrize(
    "url",
    [
        "https://youtu.be/aB3_dE-7gHi?t=42",
        "http://m.youtube.com/watch?v=aB3_dE-7gHi&list=PLx&index=2",
        "https://www.youtube.com/shorts/aB3_dE-7gHi",
        "https://www.youtube.com/live/aB3_dE-7gHi?feature=share",
        "https://www.youtube-nocookie.com/embed/aB3_dE-7gHi",
        "https://music.youtube.com/watch?v=aB3_dE-7gHi",
    ],
)
async def test_every_form_of_the_address_is_the_same_video(url):
    evidence = await read_video(WHOLE, url)
    assert (evidence.url, evidence.final_url) == (url, URL)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PLx",
        "https://www.youtube.com/@ada",
        "https://www.youtube.com/watch",
        "https://www.youtube.com/watch?v=short",
        "https://youtube.com.example.org/watch?v=aB3_dE-7gHi",
    ],
)
def test_what_is_no_video_is_read_as_a_page(url):
    assert next(adapter.NAME for adapter in ADAPTERS if adapter.matches(url)) == "GenericAdapter"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_video_that_nobody_may_see_is_a_reason(status):
    empty = page('<html><head><title> - YouTube</title><meta name="title" content=""></head><body></body></html>')
    with pytest.raises(Unusable, match="it may be private or deleted") as caught:
        await read_video({OEMBED: page("Unauthorized", status=status), URL: empty})
    assert caught.value.obstacle == "not_found"


@pytest.mark.parametrize(
    "answer", [page("Unauthorized", status=401), GONE, BUSY, *HOSTILE.values()], ids=["401", "404", "429", *HOSTILE]
)
async def test_a_video_that_must_not_be_embedded_is_told_by_its_page(answer):
    evidence = await read_video({OEMBED: answer, URL: watch()})
    assert (evidence.title, evidence.coverage) == ("Fences, in twelve minutes", "metadata")


@pytest.mark.parametrize("answer", [CONSENT, BUSY, *HOSTILE.values()], ids=["consent", "429", *HOSTILE])
async def test_without_a_description_the_reason_is_that_nobody_watched_it(answer):
    with pytest.raises(Unusable, match="the video was not watched") as caught:
        await read_video({OEMBED: CARD, URL: answer})
    assert caught.value.obstacle == "not_watched"
    assert (await read_any(URL, Web({OEMBED: CARD, URL: answer}), InlineParser())).title == "Fences, in twelve minutes"


async def test_the_first_line_of_a_description_is_better_than_none():
    bare = watch().body.decode().replace("shortDescription", "other")
    evidence = await read_any(URL, Web({OEMBED: CARD, URL: page(bare)}), InlineParser())
    assert evidence.snippets[0].text == f"{SENTENCES[0][:60]}..."


@pytest.mark.parametrize("trouble", [BUSY, FetchError("no answer", transient=True)])
async def test_when_nothing_answers_the_link_is_tried_again_later(trouble):
    with pytest.raises(Transient):
        await read_video({OEMBED: trouble, URL: BUSY})


@pytest.mark.parametrize(
    "body",
    [
        '"shortDescription":"' + "\\" * 2_000_001,
        '<meta name="' * 200_000,
        '"shortDescription":"\\ud800\\q"',
        '"shortDescription":"a' * 50_000,
    ],
)
async def test_a_hostile_page_is_searched_in_bounded_time(body):
    with pytest.raises(Unusable):
        await read_video({OEMBED: CARD, URL: page(body)})


async def test_captions_that_the_page_offers_are_read_and_the_video_is_still_not_watched():
    source = page(tracks(track("en", kind="asr"), track("de")))
    evidence = await read_video({OEMBED: CARD, URL: source, f"{TRACK}de&fmt=json3": SPOKEN})
    assert (evidence.coverage, evidence.obstacle) == ("partial", "not_watched")
    assert [(one.section, one.text) for one in evidence.snippets if one.section != "Description"] == [
        ("Transcript from 0:00:00", "A lock server would need a second machine."),
        ("Transcript from 1:00:00", "And that was all about fences."),
    ]


@pytest.mark.parametrize("answer", [GONE, BUSY, *HOSTILE.values()], ids=["404", "429", *HOSTILE])
async def test_without_captions_a_video_is_what_is_written_about_it(answer):
    evidence = await read_video({OEMBED: CARD, URL: page(tracks(track("en"))), f"{TRACK}en&fmt=json3": answer})
    assert (evidence.coverage, {one.section for one in evidence.snippets}) == ("metadata", {"Description"})


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/api/timedtext?v=1", "https://www.youtube.com/logout?x=1", "//a"]
)
async def test_captions_are_fetched_from_nowhere_else(address):
    web = Web({OEMBED: CARD, URL: page(tracks({"baseUrl": address}))})
    assert (await read(URL, web, InlineParser())).coverage == "metadata"
    assert sorted(web.asked) == sorted([OEMBED, URL])


@pytest.mark.parametrize("listed", ["[" * 90_000, "[{]", "[1]", '[{"baseUrl": 7}]', "[]"])
async def test_a_list_of_captions_that_makes_no_sense_is_none(listed):
    assert (
        await read_video({OEMBED: CARD, URL: page(f'{watch().body.decode()}"captionTracks":{listed}')})
    ).coverage == "metadata"
