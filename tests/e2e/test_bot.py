"""The whole bot as a process, against the local workspace: what a person in the channel sees."""

import asyncio
import os
import signal

import pytest

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
REPO = "https://github.com/technoshare-samples/ledgerline"
PAPER = "https://arxiv.org/abs/2611.99901"


@pytest.fixture
async def workspace():
    async with open_workspace() as opened:
        yield opened


async def answered(workspace, ts, within=30.0):
    await workspace.until(lambda: comments(workspace, ts), timeout=within)
    (comment,) = comments(workspace, ts)
    return comment


@pytest.mark.parametrize("url", [BLOG, REPO, PAPER])
async def test_a_posted_link_gets_eyes_and_one_threaded_comment(workspace, tmp_path, url):
    async with running_bot(environment(workspace, tmp_path)) as bot:
        ts = workspace.say(f"look at this {url}")
        comment = await answered(workspace, ts)
        await workspace.until(lambda: workspace.reactions(ts) == ["white_check_mark"])
        assert next(call.arguments["name"] for call in workspace.calls if call.method == "reactions.add") == "eyes"
        assert all(label in comment["text"] for label in ("TLDR", "Summary", "Projects", "Theme: "))
        assert "extractive, no model" in comment["text"]
        assert comment["thread_ts"] == ts
        assert comment["metadata"]["event_payload"]["job_id"]
        assert await bot.stop() == 0


async def test_a_bot_killed_in_stage_b_makes_one_comment_and_pays_stage_a_once(workspace, tmp_path):
    async with open_model_server() as model:
        settings = environment(
            workspace, tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000", LLM_API="chat"
        )
        model.hold("comment")
        async with running_bot(settings) as bot:
            ts = workspace.say(BLOG)
            await model.until_held()
            await bot.kill()
        paid = model.requests("facts")
        assert paid == 1
        model.release()
        async with running_bot(settings):
            await answered(workspace, ts)
        assert model.requests("facts") == paid
        assert len(comments(workspace, ts)) == 1


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_bot_with_exit_code_0(workspace, tmp_path, name):
    async with running_bot(environment(workspace, tmp_path)) as bot:
        bot.process.send_signal(name)
        assert await bot.ended() == 0


async def test_a_second_signal_ends_the_bot_at_once_and_the_job_is_answered_after_the_restart(workspace, tmp_path):
    async with open_model_server() as model:
        settings = environment(workspace, tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000")
        model.hold("comment")
        async with running_bot(settings) as bot:
            ts = workspace.say(BLOG)
            await model.until_held()
            bot.process.send_signal(signal.SIGTERM)
            await bot.said("no new links")
            bot.process.send_signal(signal.SIGTERM)
            assert await bot.ended() == 1
            assert not any("Traceback" in line for line in bot.log)
        model.release()
        async with running_bot(settings):
            await answered(workspace, ts)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SLACK_BOT_TOKEN", ""),
        ("SLACK_BOT_TOKEN", "xoxb-wrong"),
        ("SLACK_APP_TOKEN", "xapp-wrong"),
        ("TECHNOSHARE_CHANNEL_ID", ""),
        ("PROJECTS_FILE", "nowhere.yaml"),
        ("PROMPTS_DIR", "nowhere"),
        ("WORKERS", "many"),
    ],
)
async def test_a_wrong_setting_is_one_line_that_names_it_and_exit_code_2(workspace, tmp_path, setting, value):
    settings = environment(workspace, tmp_path, **{setting: value})
    if setting == "PROMPTS_DIR":  # prompts are read only when a model is used
        settings |= {"OPENAI_API_KEY": "sk-test-0000"}
    async with running_bot(settings, wait="") as bot:
        assert await bot.ended() == 2
        (line,) = [line for line in bot.log if line.startswith("technoshare:")]
        assert setting in line or value in line
        assert not any("Traceback" in line for line in bot.log)


async def test_a_second_bot_on_the_same_file_says_why_it_refuses(workspace, tmp_path):
    settings = environment(workspace, tmp_path)
    async with running_bot(settings), running_bot(settings, wait="") as second:
        assert await second.ended() == 2
        assert any("in use by another process" in line for line in second.log)


async def test_the_demo_answers_its_samples_and_ends_by_itself():
    process = await asyncio.create_subprocess_exec(
        os.sys.executable, "-m", "technoshare.cli", "demo", "--once", stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert output.decode().count("answered after") == 3
