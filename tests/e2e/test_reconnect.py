"""The bot as a process: what it missed, and what ends it."""

import pytest

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
DOCS = "https://docs.example.org/courier/retry-policy"


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


async def test_with_a_damaged_jobs_file_the_bot_begins_a_new_one_and_answers_what_was_not_answered(workspace, tmp_path):
    settings = environment(workspace, tmp_path)
    async with running_bot(settings) as bot:
        answered = workspace.say(BLOG)
        await workspace.until(lambda: workspace.reactions(answered) == ["white_check_mark"], timeout=30)
        assert await bot.stop() == 0
    workspace.faults.lose_events = 1
    missed = workspace.say(DOCS)
    with (tmp_path / "technoshare.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 20_000)
    async with running_bot(settings) as bot:
        await bot.said("is damaged")
        await workspace.until(lambda: workspace.reactions(missed) == ["white_check_mark"], timeout=30)
        assert await bot.stop() == 0
    assert [len(comments(workspace, ts)) for ts in (answered, missed)] == [1, 1]
    assert len(list(tmp_path.glob("technoshare.db.damaged-*"))) == 1


async def test_a_link_whose_message_was_deleted_while_the_bot_was_off_is_not_answered(workspace, tmp_path):
    async with open_model_server() as model:
        model.hold("comment")
        settings = environment(workspace, tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000")
        async with running_bot(settings) as bot:
            ts = workspace.say(BLOG)
            await model.until_held()
            await bot.kill()
        workspace.faults.lose_events = 1
        workspace.delete(ts)
        async with running_bot(settings) as bot:
            await bot.said("was deleted while nobody listened")
            model.release()
            other = workspace.say(DOCS)
            await workspace.until(lambda: workspace.reactions(other) == ["white_check_mark"], timeout=30)
            assert await bot.stop() == 0
    assert workspace.faults.lose_events == 0
    assert comments(workspace, ts) == []


async def test_a_sign_that_a_kill_left_behind_is_set_by_the_next_bot(workspace, tmp_path):
    settings = environment(workspace, tmp_path)
    workspace.faults.server_error("reactions.add", n=2)  # the eyes, and the tick
    async with running_bot(settings) as bot:
        ts = workspace.say(BLOG)
        await bot.said("no ✅")
        await bot.kill()
    assert workspace.reactions(ts) == []
    async with running_bot(settings):
        await workspace.until(lambda: workspace.reactions(ts) == ["white_check_mark"], timeout=30)
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
