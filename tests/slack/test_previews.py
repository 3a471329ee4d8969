"""Slack's own preview of a link, for pages that cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.slack.previews import SlackPreviews, previews_in
from technoshare.slack.web import open_patient_client
from technoshare.workspace.server import open_workspace
from tests.jobs.sample import a_job

URL = "https://example.org/page?utm_source=x"


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
async def previews(workspace):
    async with open_patient_client(workspace.bot_token, workspace.api_url) as client:
        yield SlackPreviews(client)


async def test_the_preview_under_the_message_is_found(workspace, previews):
    ts = workspace.say(URL)
    job = a_job(url=URL, channel=workspace.channel, ts=ts)
    assert await previews.of(job) == ""
    workspace.unfurl(ts, URL, title="Tin roofs", text="They sing.")
    workspace.say("another message")
    assert await previews.of(job) == "Tin roofs: They sing."
    assert await previews.of(job.model_copy(update={"url": "https://example.org/other"})) == ""


@pytest.mark.parametrize("fault", ["rate_limit", "refuse", "server_error", "drop_answer"])
async def test_when_slack_does_not_say_there_is_none(workspace, previews, fault):
    getattr(workspace.faults, fault)(
        "conversations.history", 9, **({"retry_after": 0} if fault == "rate_limit" else {})
    )
    assert await previews.of(a_job(url=URL, channel=workspace.channel, ts=workspace.say(URL))) == ""


@pytest.mark.parametrize(
    "attachments",
    [
        None,
        "text",
        [None, 7, {}],
        [{"from_url": URL}],
        [{"from_url": 7, "title": "t"}],
        [{"from_url": URL, "title": "t", "is_msg_unfurl": True}],
        [{"from_url": "https://example.org/other", "title": "t"}],
    ],
)
def test_what_says_nothing_about_the_link_is_passed_over(attachments):
    assert list(previews_in({"attachments": attachments}, URL)) == []


_odd = st.none() | st.integers() | st.text() | st.sampled_from([URL, "\ud800"]) | st.lists(st.none())


@given(st.lists(st.dictionaries(st.sampled_from(["from_url", "original_url", "title", "text"]), _odd) | _odd))
def test_whatever_json_comes_the_preview_is_text_that_can_be_stored(attachments):
    for preview in previews_in({"attachments": attachments}, URL):
        assert preview.encode()
