import asyncio
import os
import select
import signal
import subprocess
import sys

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval.parser import PACKAGE, open_parser

URL = "https://example.org/"
PAGE = b"<html><body><article><h1>A title</h1>" + b"<p>One sentence of a page about parsers.</p>" * 20 + b"</article>"
HOSTILE = "tests.retrieval.hostile_child"


async def test_each_kind_of_body_becomes_a_document():
    async with open_parser(processes=1) as parser:
        page = await parser.parse("html", PAGE, url=URL)
        note = await parser.parse("text", "# Grüße\n\nText.".encode("latin-1"), url=URL, charset="latin-1")
        with pytest.raises(Unusable, match="the PDF is damaged"):
            await parser.parse("pdf", b"%PDF-1.4 nonsense", url=URL)
        with pytest.raises(Unusable, match="holds no paper") as why:
            await parser.parse("latexml", PAGE, url=URL)
    assert "One sentence of a page about parsers." in page.text
    assert note.title == "Grüße"
    assert why.value.obstacle == "empty_page"


async def test_a_hung_page_is_given_up_while_another_is_read():
    async with open_parser(processes=2, deadline=1.0, child=HOSTILE) as parser:
        hung = asyncio.create_task(parser.parse("html", b"hang", url=URL))
        while not hung.done():
            assert (await parser.parse("html", PAGE, url=URL)).text
        with pytest.raises(Unusable, match="the page took too long to read") as why:
            await hung
        both = await asyncio.gather(*(parser.parse("html", PAGE, url=URL) for _ in range(4)))
    assert why.value.obstacle == "too_slow"
    assert all(page.text for page in both)


async def test_a_page_that_crashes_its_parser_costs_only_itself():
    async with open_parser(processes=1, child=HOSTILE) as parser:
        with pytest.raises(Unusable, match="it crashed its parser"):
            await parser.parse("html", b"crash", url=URL)
        for body in (b"bug", b"eat"):
            with pytest.raises(Unusable, match="the page could not be read"):
                await parser.parse("html", body, url=URL)
        assert (await parser.parse("html", PAGE, url=URL)).text


async def test_a_child_that_died_while_idle_is_replaced_unnoticed():
    async with open_parser(processes=1, child=HOSTILE) as parser:
        pid = int((await parser.parse("text", b"environment", url=URL)).title)
        await kill_and_wait(pid)
        assert (await parser.parse("html", PAGE, url=URL)).text


async def kill_and_wait(pid: int) -> None:
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(select.select, [ended], [], [], 10)
    os.close(ended)


async def test_what_a_library_prints_does_not_mix_with_the_answers():
    async with open_parser(processes=1, child=HOSTILE) as parser:
        await parser.parse("text", b"print", url=URL)
        assert (await parser.parse("text", b"next", url=URL)).text == "next"


async def test_a_cancelled_job_does_not_leave_its_answer_to_the_next():
    async with open_parser(processes=1, child=HOSTILE) as parser:
        await parser.parse("text", b"warm", url=URL)
        first = asyncio.create_task(parser.parse("html", b"hang", url=URL))
        await asyncio.sleep(0)  # let it be sent
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await parser.parse("text", b"second", url=URL)).text == "second"


async def test_a_parser_process_never_sees_a_secret(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    async with open_parser(processes=1, child=HOSTILE) as parser:
        seen = (await parser.parse("text", b"environment", url=URL)).text
    assert "PYTHONPATH" in seen
    assert "SLACK_BOT_TOKEN" not in seen


async def test_signals_that_stop_the_bot_do_not_stop_a_page_that_is_read():
    async with open_parser(processes=1, child=HOSTILE) as parser:
        pid = int((await parser.parse("text", b"environment", url=URL)).title)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        assert (await parser.parse("text", b"environment", url=URL)).title == str(pid)
        assert os.getsid(pid) != os.getsid(0)


BOT = f"""
import asyncio
from technoshare.retrieval.parser import open_parser
async def main():
    async with open_parser(processes=1, deadline=0.5 if "hang" in BODY else 20, child="{HOSTILE}") as parser:
        print((await parser.parse("text", b"environment", url="")).title, flush=True)
        asyncio.create_task(parser.parse("text", BODY.encode(), url=""))
        await asyncio.sleep(0.1)
        print("sent", flush=True)
        await asyncio.Event().wait()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for a stranger's end needs Linux")
@pytest.mark.parametrize("body", ["idle", "hang"])
def test_a_parser_process_ends_when_the_bot_is_killed(body):
    source = f"BODY = {body!r}{BOT}asyncio.run(main())"
    bot = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, cwd=PACKAGE)
    with bot:
        child = os.pidfd_open(int(bot.stdout.readline()))
        bot.stdout.readline()
        bot.kill()
    ended, _, _ = select.select([child], [], [], 20)
    os.close(child)
    assert ended
