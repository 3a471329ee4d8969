"""A socket that is lost, refused or dead is replaced, quietly and without hammering; a revoked token is the end."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from technoshare.errors import Transient
from technoshare.memory import MemoryClaim
from technoshare.models import Message
from technoshare.workspace.server import open_workspace
from technoshare.workspace.socket_mode import MAX_CONNECTIONS
from tests.slack.sample import Engine, a_bot, acked

OPEN = "apps.connections.open"


@pytest.fixture
async def engine():
    return Engine()


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


def opened(workspace):
    return [call for call in workspace.calls if call.method == OPEN]


def pauses(workspace):
    """Seconds between the requests for an address."""
    times = [call.at for call in opened(workspace)]
    return [after - before for before, after in pairwise(times)]


def warnings(caplog):
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


class Ended:
    """What the bot was told when a token went bad."""

    def __init__(self):
        self.problems = []
        self.now = asyncio.Event()

    def __call__(self, problem):
        self.problems.append(str(problem))
        self.now.set()


@asynccontextmanager
async def open_many(workspace, number):
    """So many sockets of other copies of the bot."""
    client = AsyncWebClient(token=workspace.app_token, base_url=workspace.api_url)
    async with AsyncExitStack() as stack, ClientSession() as session:
        sockets = []
        for _ in range(number):
            url = (await client.apps_connections_open(app_token=workspace.app_token))["url"]
            sockets.append(await stack.enter_async_context(session.ws_connect(url)))
        await workspace.until(lambda: workspace.connections == number)
        yield sockets


async def hears(workspace):
    """Wait until a message that is said now comes over a socket."""
    before = len(workspace.deliveries)
    workspace.say("https://example.org/still-there")
    await workspace.until(lambda: any(delivery.acked_at for delivery in workspace.deliveries[before:]), timeout=30)


# ---------------------------------------------------------------- outages


async def test_a_short_outage_of_slack_is_one_line_without_a_traceback(workspace, engine, caplog):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        workspace.faults.server_error(OPEN, n=3)
        workspace.faults.refuse(OPEN, n=1, error="internal_error")
        workspace.faults.reject_handshakes = 1
        workspace.faults.cut()
        await workspace.until(lambda: len(opened(workspace)) == 7 and workspace.connected, timeout=30)
        await hears(workspace)
    (line,) = warnings(caplog)
    assert "no socket to Slack" in line.getMessage()
    assert not any(record.exc_info for record in caplog.records)


async def test_addresses_are_asked_for_ever_more_slowly_until_a_socket_stands(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        workspace.faults.fail_connections_open = 5
        workspace.faults.cut()
        await workspace.until(lambda: len(opened(workspace)) == 7 and workspace.connected, timeout=30)
    _, *between = pauses(workspace)
    assert between[-1] >= 0.3  # the fifth pause: 16 times the first one of 0.02 s


async def test_a_request_for_an_address_that_comes_too_soon_waits_as_long_as_slack_says(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        workspace.faults.rate_limit(OPEN, retry_after=0.5)
        workspace.faults.cut()
        await workspace.until(lambda: len(opened(workspace)) == 3, timeout=30)
        await hears(workspace)
    assert pauses(workspace)[-1] >= 0.5


async def test_being_told_twice_to_go_opens_one_new_socket(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        await workspace.faults.disconnect()
        await workspace.faults.disconnect("warning")
        await workspace.until(lambda: len(opened(workspace)) == 2)
        await hears(workspace)
    assert len(opened(workspace)) == 2


async def test_closing_in_the_middle_of_an_outage_ends_at_once(workspace, engine):
    async with asyncio.timeout(10):
        async with a_bot(workspace, engine, pause_seconds=1_000) as slack:
            await slack.connected.wait()
            workspace.faults.fail_connections_open = 5
            await workspace.faults.disconnect()
            await workspace.until(lambda: len(opened(workspace)) == 2)


# ---------------------------------------------------------------- sockets that lie


async def test_a_socket_that_answers_no_ping_is_replaced(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        workspace.faults.no_pong = True
        await workspace.until(lambda: len(opened(workspace)) >= 2, timeout=30)
        workspace.faults.no_pong = False
        await hears(workspace)


async def test_a_socket_that_answers_pings_but_brings_no_event_is_found_out_and_replaced(workspace, engine, caplog):
    async with a_bot(workspace, engine, look_seconds=0.1, clock=_a_minute_ahead) as slack:
        await slack.connected.wait()
        await workspace.until(lambda: any(call.method == "conversations.history" for call in workspace.calls))
        workspace.faults.deafen()
        workspace.say("https://example.org/unheard")
        await workspace.until(lambda: len(opened(workspace)) == 2 and workspace.connected, timeout=30)
        await hears(workspace)
    assert "https://example.org/unheard" in engine.urls
    assert "brought no event" in caplog.text


def _a_minute_ahead():
    return time.time() + 60


async def test_an_eleventh_bot_waits_for_its_place_and_says_why(workspace, engine, caplog):
    async with (
        open_many(workspace, MAX_CONNECTIONS) as others,
        a_bot(workspace, engine, pause_seconds=0.01) as slack,
    ):
        await workspace.until(lambda: len(opened(workspace)) >= MAX_CONNECTIONS + 3, timeout=30)
        assert not slack.connected.is_set()
        await others[0].close()
        await asyncio.wait_for(slack.connected.wait(), 30)
    (line,) = [record for record in warnings(caplog) if "ten sockets" in record.getMessage()]
    assert "who else" in line.getMessage()
    assert min(pauses(workspace)[-2:]) >= 0.3  # 32 times the first pause: Slack answers each of these dials with a no


# ---------------------------------------------------------------- tokens that go bad


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_an_app_token_that_is_revoked_later_is_the_end_and_not_a_loop(workspace, engine, code):
    ended = Ended()
    async with a_bot(workspace, engine, refused=ended) as slack:
        await slack.connected.wait()
        before = len(opened(workspace))
        workspace.faults.refuse(OPEN, n=50, error=code)
        workspace.faults.cut()
        await asyncio.wait_for(ended.now.wait(), 30)
        await workspace.until(lambda: not workspace.connected)
    (problem,) = ended.problems
    assert problem.startswith("SLACK_APP_TOKEN")
    assert code in problem
    assert len(opened(workspace)) == before + 1


async def test_a_bot_token_that_is_revoked_later_shows_at_the_next_post(workspace, engine):
    ended = Ended()
    async with a_bot(workspace, engine, refused=ended) as slack:
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
        (job,) = engine.jobs.values()
        workspace.faults.refuse("chat.postMessage", error="token_revoked")
        workspace.faults.refuse("auth.test", error="token_revoked")
        with pytest.raises(Transient):  # the job waits for a better token
            await slack.poster(MemoryClaim(job)).post(job, Message(text="a comment", blocks=()))
        await asyncio.wait_for(ended.now.wait(), 30)
    (problem,) = ended.problems
    assert problem.startswith("SLACK_BOT_TOKEN")


async def test_one_refused_post_with_a_token_that_is_good_ends_nothing(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
        (job,) = engine.jobs.values()
        workspace.faults.refuse("chat.postMessage", error="invalid_auth")
        with pytest.raises(Transient):
            await slack.poster(MemoryClaim(job)).post(job, Message(text="a comment", blocks=()))
        await workspace.until(lambda: [call.method for call in workspace.calls].count("auth.test") == 2)
