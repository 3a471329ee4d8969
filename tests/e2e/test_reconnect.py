"""The bot as a process: what it missed, and what ends it."""

import pytest

from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"


@pytest.fixture
async def workspace():
    async with open_workspace() as opened:
        yield opened


async def test_a_link_posted_while_the_bot_was_off_and_never_delivered_is_answered_after_the_start(workspace, tmp_path):
    settings = environment(workspace, tmp_path)
    async with running_bot(settings) as bot:
        assert await bot.stop() == 0
    workspace.faults.lose_events = 1
    ts = workspace.say(BLOG)
    async with running_bot(settings) as bot:
        await workspace.until(lambda: comments(workspace, ts), timeout=30)
        assert workspace.faults.lose_events == 0
        assert await bot.stop() == 0
    assert len(comments(workspace, ts)) == 1


@pytest.mark.parametrize(("method", "variable"), [
    ("apps.connections.open", "SLACK_APP_TOKEN"),
    ("conversations.history", "SLACK_BOT_TOKEN"),
])  # fmt: skip
async def test_a_token_that_is_revoked_later_ends_the_bot_with_one_line_and_exit_code_2(
    workspace, tmp_path, method, variable
):
    async with running_bot(environment(workspace, tmp_path)) as bot:
        await workspace.until(lambda: any(call.method == "conversations.history" for call in workspace.calls))
        for refused in {method, "auth.test"}:
            workspace.faults.refuse(refused, n=9, error="token_revoked")
        workspace.faults.cut()
        assert await bot.ended() == 2
    (line,) = [line for line in bot.log if line.startswith("technoshare:")]
    assert variable in line
    assert "token_revoked" in line
    assert not any("Traceback" in line for line in bot.log)
