"""What nobody wants to happen happens on purpose: each ends in a short plain message, and the bot goes on."""

import asyncio
import gzip
import sys

import pytest
import pytest_asyncio
from aiohttp import web

from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import comments, environment, running_bot
from tests.retrieval.test_pdf import pdf

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
MANY_ZEROS = gzip.compress(bytes(200_000_000))


async def five_gigabytes(request):
    answer = web.StreamResponse(headers={"Content-Type": "text/html"})
    answer.content_length = 5_000_000_000
    await answer.prepare(request)
    with_text = b"<p>more and more of the same</p>" * 4096
    while True:  # ends when the bot hangs up
        await answer.write(with_text)


async def bomb(request):
    return web.Response(body=MANY_ZEROS, headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})


async def empty_app(request):
    script = "<script>" + "render();" * 400 + "</script>"
    html = f"<html><head><title>App</title>{script}</head><body><div id=root></div><noscript>Please enable JavaScript</noscript></body></html>"
    return web.Response(text=html, content_type="text/html")


async def locked_pdf(request):
    secret = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{'61' * 32}> /U <{'62' * 32}> /P -44 >> /ID [<6161> <6161>]"
    return web.Response(body=pdf([(72, 700, "secret")], trailer=secret), content_type="application/pdf")


async def picture(request):
    return web.Response(body=b"\x89PNG\r\n\x1a\n" + bytes(2000), content_type="image/png")


async def away(request):
    raise web.HTTPFound("http://169.254.169.254/latest/meta-data/")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hostile():
    """`host:port` of a server with pages that nobody wants."""
    app = web.Application()
    for handler in (five_gigabytes, bomb, empty_app, locked_pdf, picture, away):
        app.router.add_get(f"/{handler.__name__}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace(hostile, tmp_path_factory):
    async with open_workspace() as opened:
        settings = environment(opened, tmp_path_factory.mktemp("bot"), FETCH_ALLOW_HOSTS=hostile)
        async with running_bot(settings) as bot:
            yield opened
            assert not [line for line in bot.log if "Traceback" in line]
            assert await bot.stop() == 0


async def answered(workspace, ts):
    await workspace.until(lambda: comments(workspace, ts), timeout=60)
    (comment,) = comments(workspace, ts)
    return comment["text"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("five_gigabytes", "larger than"),
        ("bomb", "larger than"),
        ("empty_app", "JavaScript"),
        ("locked_pdf", "encrypted"),
        ("picture", "picture"),
        ("away", "private"),
        ("nothing-here", "404"),
    ],
)
async def test_a_page_that_cannot_be_read_gets_a_short_reason(workspace, hostile, page, reason):
    said = await answered(workspace, workspace.say(f"http://{hostile}/{page}"))
    assert reason in said
    assert len(said) < 300


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "private"),
        ("http://0x7f.1/", "address"),
        ("http://127.0.0.1/", "private"),
        ("http://127.0.0.1:1/", "ports"),
        ("http://user:password@blog.example.org/", "name"),
        ("https://blog.example.org:22/", "port"),
    ],
)
async def test_a_forbidden_address_gets_a_short_reason(workspace, link, reason):
    said = await answered(workspace, workspace.say(link))
    assert reason in said
    assert len(said) < 300


async def test_what_asks_for_no_comment_gets_none_and_the_bot_goes_on(workspace):
    quiet = [workspace.say(text) for text in ("just words", "write to mailto:a@example.org", "<!channel> hello")]
    link = workspace.say(BLOG)
    comment = await answered(workspace, link)
    elsewhere = workspace.add_channel("elsewhere", member=False)
    quiet += [
        workspace.say(f"in a thread {BLOG}?a", thread_ts=link),
        workspace.say(f"in a channel that is not on the list {BLOG}?b", channel=elsewhere),
        workspace.say(f"another bot {BLOG}?c", bot_id="B0OTHER0001", subtype="bot_message"),
    ]
    workspace.edit(quiet[0], f"now with a link {BLOG}?d")
    last = workspace.say("https://notes.example.org/til/sqlite-user-version")
    await answered(workspace, last)
    assert "TLDR" in comment
    assert len(comments(workspace, link)) == 1
    assert not any(comments(workspace, ts) for ts in quiet)


async def test_twelve_links_in_one_message_three_are_read_and_the_rest_is_named(workspace):
    links = [f"https://blog.example.org/n/{n}" for n in range(12)]
    ts = workspace.say(" ".join(links))
    await workspace.until(lambda: len(comments(workspace, ts)) == 3, timeout=60)
    said = "\n".join(comment["text"] for comment in comments(workspace, ts))
    assert all(link in said for link in links)


async def test_a_link_that_was_shared_before_gets_one_line_with_the_place(workspace):
    first = workspace.say("https://docs.example.org/courier/retry-policy")
    await answered(workspace, first)
    said = await answered(workspace, workspace.say("https://docs.example.org/courier/retry-policy?utm_source=x"))
    assert "Already shared here" in said
    assert first.replace(".", "") in said


@pytest.mark.parametrize("fault", ["bad_json", "wrong_schema", "empty", "refusal"])
async def test_a_model_that_answers_nonsense_gets_a_short_reason(tmp_path, fault):
    async with open_workspace() as own, open_model_server() as model:
        model.script(*[fault] * 6)  # more than one job may ask
        settings = environment(
            own, tmp_path, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-test-0000", LLM_FALLBACKS="none"
        )  # or the keyless engine would write
        async with running_bot(settings):
            said = await answered(own, own.say(BLOG))
            assert "model" in said
            assert len(said) < 300
            model.script()


@pytest.mark.parametrize("module", ["technoshare.mlops.server", "technoshare.workspace", "technoshare.workspace.model"])
async def test_a_taken_port_is_one_clear_line(hostile, module):
    port = hostile.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--port", port, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert f"port {port}" in said.decode()
    assert "Traceback" not in said.decode()
