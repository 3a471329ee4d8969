"""The local Slack as a program: typed text, controls from another process, who may talk to it, how it ends."""

import asyncio
import contextlib
import os
import re
import signal
import sys

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.workspace.server import open_workspace
from technoshare.workspace.shapes import linked, parts, text_form


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("no link", "no link"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("https://example.org/?a=1&b=2", "<https://example.org/?a=1&amp;b=2>"),
        ("(see https://example.org/a_(b)).", "(see <https://example.org/a_(b)>)."),
        ("https://example.org, and more", "<https://example.org>, and more"),
        ("two: http://a.example/ https://b.example/", "two: <http://a.example/> <https://b.example/>"),
        ("read example.com/page today", "read <http://example.com/page|example.com/page> today"),
        ("write to ada@example.org", "write to <mailto:ada@example.org|ada@example.org>"),
        ("mailto:ada@example.org", "<mailto:ada@example.org>"),
        ("README.md of v1.2", "README.md of v1.2"),
        ("<!channel> hello", "&lt;!channel&gt; hello"),
    ],
)
def test_typed_text_is_stored_as_slack_stores_it(typed, stored):
    assert text_form(typed) == stored


@given(st.lists(st.sampled_from([*"ab ./:@<>&|()\"'\n", "https://", "mailto:", "a.io", "x@b.org"])).map("".join))
def test_no_character_that_was_typed_is_lost(typed):
    assert "".join(part.text for part in parts(typed)) == typed


def test_addresses_in_an_apps_text_become_links_and_its_markup_stays():
    assert linked("a https://x.example/?a=1&amp;b=2, <https://y.example|why> &lt;") == (
        "a <https://x.example/?a=1&amp;b=2>, <https://y.example|why> &lt;"
    )


# ---------------------------------------------------------------- controls


async def test_another_process_can_speak_and_see_what_happened():
    async with open_workspace() as workspace, aiohttp.ClientSession(workspace.url) as session:
        async with session.post("/control/say", json={"text": "https://example.org/"}) as answer:
            ts = (await answer.json())["ts"]
        async with session.get("/control/state") as answer:
            state = await answer.json()
        assert [message["ts"] for message in state["messages"]] == [ts]
        assert (state["channel"], state["connections"], state["deliveries"]) == (workspace.channel, 0, [])


async def test_another_process_can_set_faults_and_deliver_raw_events():
    async with open_workspace() as workspace, aiohttp.ClientSession(workspace.url) as session:
        order = {
            "reject_handshakes": 2,
            "no_pong": True,
            "rate_limit": {"method": "chat.postMessage", "retry_after": 3},
        }
        async with session.post("/control/faults", json=order) as answer:
            assert answer.status == 200
        assert (workspace.faults.reject_handshakes, workspace.faults.no_pong) == (2, True)
        assert workspace.faults.next_for("chat.postMessage").retry_after == 3
        event = {"type": "message", "channel": workspace.channel, "ts": "1.0", "text": "raw"}
        async with session.post("/control/deliver", json={"event": event, "event_id": "Ev1"}) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("say", {"text": "  "}),
        ("say", {}),
        ("say", {"text": "x", "channel": "C0"}),
        ("faults", {"explode": True}),
        ("deliver", []),
    ],
)
async def test_a_wrong_control_call_is_told_what_is_wrong(path, body):
    async with (
        open_workspace() as workspace,
        aiohttp.ClientSession(workspace.url) as session,
        session.post(f"/control/{path}", json=body) as answer,
    ):
        assert answer.status == 400
        assert await answer.text()


# ---------------------------------------------------------------- who may talk to it


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Host": "evil.example"},
    ],
)
async def test_a_page_of_another_site_is_refused(headers):
    async with open_workspace() as workspace, aiohttp.ClientSession() as session:
        async with session.post(f"{workspace.url}control/say", json={"text": "x"}, headers=headers) as answer:
            assert answer.status == 403
        assert workspace.messages() == []


async def test_only_loopback_is_served():
    with pytest.raises(ValueError, match="loopback"):
        async with open_workspace(host="0.0.0.0"):
            pass


async def test_the_page_loads_nothing_from_elsewhere():
    async with open_workspace() as workspace, aiohttp.ClientSession(workspace.url) as session:
        async with session.get("/") as answer:
            page = await answer.text()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        for path in re.findall(r'(?:src|href)="([^"]+)"', page):
            assert path.startswith(("/", "data:"))
            if path.startswith("/"):
                async with session.get(path) as answer:
                    assert answer.status == 200


# ---------------------------------------------------------------- the program


@contextlib.asynccontextmanager
async def program(*arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "technoshare.workspace", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_the_program_says_what_a_bot_needs_and_ends_cleanly(name):
    async with program("--port", "0") as process:
        said = (await process.stdout.readuntil(b"TECHNOSHARE_CHANNEL_ID=")).decode()
        url = re.search(r"http://127\.0\.0\.1:\d+/", said).group()
        for variable in ("SLACK_API_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
            assert f"export {variable}=" in said
        async with aiohttp.ClientSession() as session, session.get(f"{url}control/live") as stream:  # an open page
            assert (await stream.content.readline()).startswith(b"data: ")
            process.send_signal(name)
            _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")


async def test_a_taken_port_is_one_clear_line():
    async with open_workspace() as workspace:
        port = workspace.url.split(":")[-1].strip("/")
        async with program("--port", port) as process:
            _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode() == f"port {port} is taken; choose another with --port\n"
