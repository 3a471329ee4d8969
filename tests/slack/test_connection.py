"""From two tokens to an open socket, and back."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from technoshare.errors import ConfigError, Transient
from technoshare.memory import MemoryClaim
from technoshare.models import Message
from technoshare.slack.preflight import SCOPES
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, a_bot, acked

MANIFEST = json.loads((Path(__file__).parents[2] / "manifest.json").read_text())


@pytest.fixture
async def engine():
    return Engine()


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


async def refused(workspace, engine, **changes):
    """Return the one line with which the bot does not start."""
    with pytest.raises(ConfigError) as caught:
        async with a_bot(workspace, engine, **changes):
            pass
    line = str(caught.value)
    assert "\n" not in line
    return line


# ---------------------------------------------------------------- preflight


async def test_a_wrong_bot_token_ends_in_one_line_that_names_it(workspace, engine):
    line = await refused(workspace, engine, bot_token="xoxb-wrong")
    assert line.startswith("SLACK_BOT_TOKEN")
    assert "invalid_auth" in line


async def test_a_wrong_app_token_ends_in_one_line_that_names_it(workspace, engine):
    line = await refused(workspace, engine, app_token="xapp-wrong")
    assert line.startswith("SLACK_APP_TOKEN")
    assert "invalid_auth" in line


async def test_the_bot_token_in_the_place_of_the_app_token_is_recognised(workspace, engine):
    line = await refused(workspace, engine, app_token=workspace.bot_token)
    assert line.startswith("SLACK_APP_TOKEN")
    assert "xapp-" in line


async def test_an_app_token_without_its_scope_is_told_which(workspace, engine):
    workspace.faults.refuse("apps.connections.open", error="missing_scope")
    line = await refused(workspace, engine)
    assert line.startswith("SLACK_APP_TOKEN")
    assert "connections:write" in line


async def test_missing_scopes_are_named_and_only_they(workspace, engine):
    workspace.scopes = tuple(scope for scope in workspace.scopes if scope not in ("reactions:write", "groups:read"))
    line = await refused(workspace, engine)
    assert line.startswith("SLACK_BOT_TOKEN")
    assert "groups:read, reactions:write" in line
    assert "chat:write" not in line


async def test_an_address_where_nobody_answers_is_named(workspace, engine):
    line = await refused(workspace, engine, api_url="http://127.0.0.1:9/api/")  # 9: discard, never served
    assert line.startswith("SLACK_API_URL")
    assert "http://127.0.0.1:9/api/" in line


async def test_an_address_where_somebody_else_answers_is_named(workspace, engine):
    line = await refused(workspace, engine, api_url=f"{workspace.url}elsewhere/")
    assert line.startswith("SLACK_API_URL")


async def test_a_token_is_in_no_line_and_in_no_description(workspace, engine, caplog):
    line = await refused(workspace, engine, bot_token="xoxb-secret-1")
    async with a_bot(workspace, engine) as slack:
        assert "ticket" not in repr(slack.identity)
    assert "xoxb-secret-1" not in line + caplog.text


async def test_a_channel_without_the_bot_is_a_warning_that_says_what_to_type(workspace, engine, caplog):
    lonely = workspace.add_channel("quiet", member=False)
    async with a_bot(workspace, engine, channels=(workspace.channel, lonely, "C0NOWHERE")):
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
    missing, unknown = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "#quiet" in missing
    assert "/invite @technoshare" in missing
    assert "C0NOWHERE" in unknown
    assert "TECHNOSHARE_CHANNEL_ID" in unknown
    assert len(engine.jobs) == 1


def test_the_manifest_asks_for_exactly_the_scopes_that_preflight_checks():
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_the_manifest_turns_on_only_what_is_used():
    settings = MANIFEST["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}  # over the socket: no address
    assert settings["event_subscriptions"]["bot_events"] == ["message.channels", "message.groups"]


# ---------------------------------------------------------------- the socket


async def test_the_bot_knows_itself_and_the_address_of_a_message(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        ts = workspace.say("hello")
        assert slack.name == "technoshare"
        assert (
            slack.permalink(workspace.channel, ts)
            == f"{workspace.url}archives/{workspace.channel}/p{ts.replace('.', '')}"
        )


async def test_start_costs_one_socket_address_and_no_call_for_the_first_event(workspace, engine):
    async with a_bot(workspace, engine):
        workspace.say("https://example.org/1")
        workspace.say("https://example.org/2")
        await workspace.until(lambda: acked(workspace, 2))
    made = [call.method for call in workspace.calls]
    assert made.count("apps.connections.open") == 1
    assert made.count("auth.test") == 1


async def test_names_in_the_environment_cannot_switch_the_bot_to_an_installation_store(workspace, engine, monkeypatch):
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another")
    async with a_bot(workspace, engine):
        ts = workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace) and workspace.reactions(ts))


async def test_a_proxy_for_the_internet_is_not_asked_for_this_machine(workspace, engine, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with a_bot(workspace, engine):
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))


async def test_after_a_failed_handshake_the_spent_address_is_replaced(workspace, engine, caplog):
    workspace.faults.reject_handshakes = 1
    async with a_bot(workspace, engine):
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
    assert [call.method for call in workspace.calls].count("apps.connections.open") == 2
    assert "no socket to Slack" in caplog.text


async def test_the_bot_comes_back_after_its_socket_broke_and_the_next_handshake_failed(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        workspace.faults.reject_handshakes = 1
        workspace.faults.cut()
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))


async def test_the_bot_follows_when_slack_asks_it_to_reconnect(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        await workspace.faults.disconnect()
        workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
    assert workspace.deliveries[-1].connection == 2


async def test_a_second_bot_with_the_same_token_is_noticed(workspace, engine, caplog):
    async with a_bot(workspace, engine) as first:
        await first.connected.wait()
        async with a_bot(workspace, Engine()) as second:
            await second.connected.wait()
    assert "1 other connections use this app token" in caplog.text


async def test_after_intake_is_closed_nothing_comes_in_but_posts_still_go_out(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        ts = workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
        await slack.close_intake()
        await slack.close_intake()  # a second signal
        await workspace.until(lambda: not workspace.connected)
        workspace.say("https://example.org/later")
        (job,) = engine.jobs.values()
        await slack.poster(MemoryClaim(job)).post(job, Message(text="a comment", blocks=()))
    assert len(workspace.replies(ts)) == 1
    assert len(engine.jobs) == len(workspace.deliveries) == 1


async def test_the_poster_of_a_claim_never_sends_a_call_twice_by_itself(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        ts = workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
        (job,) = engine.jobs.values()
        workspace.faults.rate_limit("chat.postMessage", retry_after=0)
        with pytest.raises(Transient):
            await slack.poster(MemoryClaim(job)).post(job, Message(text="a comment", blocks=()))
        assert [call.method for call in workspace.calls].count("chat.postMessage") == 1
        await slack.poster(MemoryClaim(job)).post(job, Message(text="a comment", blocks=()))
        assert [reply["text"] for reply in workspace.replies(ts)] == ["a comment"]


async def test_a_sign_on_its_way_is_awaited_at_the_end(workspace, engine):
    async with a_bot(workspace, engine):
        ts = workspace.say("https://example.org/")
        await workspace.until(lambda: acked(workspace))
    assert workspace.reactions(ts) == ["eyes"]
    assert len(engine.signs) == 1


async def test_nothing_of_the_room_is_left_running(workspace, engine):
    async with a_bot(workspace, engine) as slack:
        await slack.connected.wait()
        slack_tasks = slack._tasks
    assert all(task.done() for task in slack_tasks)
    await workspace.until(lambda: not workspace.connected)


async def test_closing_while_no_socket_can_be_had_ends(workspace, engine):
    workspace.faults.reject_handshakes = 1_000
    async with asyncio.timeout(10):
        async with a_bot(workspace, engine) as slack:
            await workspace.until(lambda: workspace.faults.reject_handshakes < 999 or len(workspace.calls) > 3)
            assert not slack.connected.is_set()
