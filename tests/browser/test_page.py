"""The workspace's page in real Chromium: what a person types, sees and can reach with the keyboard."""

import shutil
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient

from technoshare import render
from technoshare.models import EXTRACTIVE, Comment, ProjectNote, Reviewed, Sentence, Source, Verdict
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, a_bot

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all of them: starting it is the slow part
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        await launched.close()


@pytest.fixture
def open_page(browser):
    @asynccontextmanager
    async def opened(workspace, **options):
        context = await browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        page = await context.new_page()
        page.set_default_timeout(10_000)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        await page.goto(workspace.url)
        try:
            yield page
            assert problems == []
        finally:
            await context.close()

    return opened


def client_of(workspace):
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)


def comment():
    """A comment as long as real ones are."""
    tldr = (
        "The team replaced its nightly batch index with one that is updated while documents arrive.",
        "Search results now show an edit after four seconds in the median, where it used to take until the next morning.",
        "Memory grew by a third, which the authors call the price of keeping two generations of each segment.",
    )
    summary = (
        "The post describes how a documentation search with 40 million passages moved from a nightly rebuild to incremental updates.",
        "Every edit is split into passages, embedded, and written to a small in-memory segment that is searched together with the large ones.",
        "A background task merges small segments into larger ones whenever four of a size have gathered.",
        "Deleted passages are only marked, and the mark is removed with the next merge.",
        "The hardest part was ranking: scores of a small segment are not comparable with those of a large one.",
        "The authors therefore compute term statistics over all segments and refresh them every minute.",
        "On their benchmark the nDCG@10 stayed at 0.71, within 0.004 of the nightly index.",
        "The median time from edit to visible result fell from eleven hours to four seconds.",
        "Peak memory rose from 48 to 64 GB because two generations of a segment exist during a merge.",
        "Two incidents in the first month came from merges that ran at the same time on all replicas; a random delay fixed it.",
        "The code of the merge scheduler is available under the MIT licence, the rest is internal.",
    )
    return Comment(
        tldr=tuple(Sentence(text=text, facts=("f1",)) for text in tldr),
        summary=tuple(Sentence(text=text, facts=("f1",)) for text in summary),
        projects=(
            ProjectNote(
                theme="Retrieval",
                project="Atlas search",
                relevance="Atlas rebuilds its index every night and gets the same complaint about late results.",
                why="The merge scheduler could be tried on the smallest of its three collections.",
            ),
            ProjectNote(
                theme="Evaluation",
                project="Yardstick",
                relevance="The benchmark compares scores across index generations.",
            ),
        ),
        model=EXTRACTIVE,
    )


def reply(url="https://example.org/blog/incremental-index", **changes):
    verdict = Verdict(check="schema_validity", section="comment", severity="block", score=1.0, passed=True)
    return render.message(
        Reviewed(
            comment=comment(),
            source=Source(
                url=url, title="From a nightly index to one that keeps up", domain="example.org", adapter="GenericAdapter",
                coverage="full", words=2314, published="2026-10-02", authors=("Mara Lindqvist", "Teo Okafor"),
            ),
            verdicts=(verdict,) * 5,
            notes=("Extractive: sentences are quoted from the source.",),
            outcome="success",
            **changes,
        )
    )  # fmt: skip


async def answer(workspace, ts, message):
    client = client_of(workspace)
    await client.chat_postMessage(
        channel=workspace.channel, thread_ts=ts, text=message.text, blocks=list(message.blocks), unfurl_links=False
    )


async def test_a_person_types_a_link_and_watches_the_eyes_and_the_comment_appear(open_page):
    async with open_workspace() as workspace, open_page(workspace) as page:
        await expect(page.get_by_text("Share the first link")).to_be_visible()
        await page.keyboard.type(
            "worth reading: https://example.org/blog/incremental-index"
        )  # the composer has the focus
        await page.keyboard.press("Enter")
        message = page.locator(".message")
        await expect(message.get_by_role("link", name="https://example.org/blog/incremental-index")).to_be_visible()
        await expect(page.get_by_text("Share the first link")).to_be_hidden()
        await expect(page.get_by_role("textbox")).to_have_value("")

        ts = workspace.messages()[0]["ts"]
        await client_of(workspace).reactions_add(channel=workspace.channel, name="eyes", timestamp=ts)
        await expect(page.get_by_role("list", name="Reactions").get_by_alt_text("👀")).to_be_visible()

        await answer(workspace, ts, reply())
        thread = page.get_by_role("region", name="Thread")
        await expect(thread.get_by_text("TLDR")).to_be_visible()
        await expect(thread.get_by_role("link", name="From a nightly index")).to_be_visible()
        for sentence in (*comment().tldr, *comment().summary):  # the whole of it, without a click
            await expect(thread.get_by_text(sentence.text)).to_be_visible()
        await expect(thread.get_by_text("Theme: Retrieval")).to_have_css("font-weight", "700")


async def test_the_page_says_whether_a_bot_is_connected(open_page):
    async with open_workspace() as workspace, open_page(workspace) as page:
        state = page.get_by_role("status")
        await expect(state).to_have_text("The bot is not connected")
        opened = await client_of(workspace).apps_connections_open(app_token=workspace.app_token)
        async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]):
            await expect(state).to_have_text("TechnoShare is connected")
        await expect(state).to_have_text("The bot is not connected")


async def test_nothing_that_a_message_holds_becomes_part_of_the_page_or_a_dangerous_link(open_page):
    evil = "<img src=x onerror=document.title='owned'>"
    async with open_workspace() as workspace, open_page(workspace) as page:
        workspace.say(evil)
        elements = [
            {"type": "text", "text": evil},
            {"type": "link", "url": "javascript:document.title='owned'", "text": "press me"},
        ]
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": evil}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{evil}* <javascript:alert(1)|press> {evil}"}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]},
            {"type": "markdown", "text": f"{evil} [press](javascript:alert(1))"},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": evil}]},
        ]
        await client_of(workspace).chat_postMessage(channel=workspace.channel, text="x", blocks=blocks)
        await expect(page.locator(".message")).to_have_count(2)
        assert await page.locator(".message img").count() == 0
        assert await page.locator(".message a:not(.time)").count() == 0
        assert await page.title() == "#links · Local workspace"


async def test_every_kind_of_block_is_drawn_as_slack_would(open_page):
    text = {
        "type": "mrkdwn",
        "text": "*bold* _slanted_ ~gone~ `code` <https://example.org/|a link> &lt;3 :rocket: 2 * 3 * 4",
    }
    button = {"type": "button", "text": {"type": "plain_text", "text": "Retry"}, "action_id": "retry"}
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": word}]} for word in ("one", "two")]
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "A heading"}},
        {"type": "section", "text": text},
        {"type": "section", "fields": [{"type": "plain_text", "text": "*as it is*"}]},
        {"type": "divider"},
        {"type": "rich_text", "elements": [
            {"type": "rich_text_list", "style": "ordered", "elements": items},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "both", "style": {"bold": True, "italic": True}}]},
        ]},
        {"type": "actions", "elements": [button]},
        {"type": "markdown", "text": "## Title\n\n- **first**\n- second"},
    ]  # fmt: skip
    async with open_workspace() as workspace, open_page(workspace) as page:
        await client_of(workspace).chat_postMessage(channel=workspace.channel, text="x", blocks=blocks)
        body = page.locator(".body")
        await expect(body.get_by_role("heading", name="A heading")).to_be_visible()
        await expect(body.locator(".section").first).to_have_text("bold slanted gone code a link <3 🚀 2 * 3 * 4")
        for tag, words in {"strong": "bold", "em": "slanted", "s": "gone", "code": "code"}.items():
            await expect(body.locator(".section").first.locator(tag)).to_have_text(words)
        await expect(body.get_by_text("*as it is*")).to_be_visible()
        assert await body.locator("ol > li").all_inner_texts() == ["one", "two"]
        await expect(body.locator("blockquote")).to_have_text("said")
        await expect(body.locator("pre")).to_have_text("x = 1")
        await expect(body.locator("em > strong", has_text="both")).to_be_visible()
        await expect(body.get_by_role("button", name="Retry")).to_be_enabled()
        await expect(body.locator(".markdown strong")).to_have_text("first")


async def test_a_button_tells_the_bot_and_the_reader_whether_the_bot_heard_it(open_page):
    button = {"type": "button", "text": {"type": "plain_text", "text": "Retry"}, "action_id": "retry", "value": "v"}
    async with open_workspace() as workspace, open_page(workspace) as page:
        thread = workspace.say("https://example.org/")
        blocks = [{"type": "actions", "block_id": "retry-0", "elements": [button]}]
        client = client_of(workspace)
        posted = await client.chat_postMessage(channel=workspace.channel, thread_ts=thread, text="x", blocks=blocks)
        retry = page.get_by_role("button", name="Retry")
        await retry.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Not done: the bot did not respond")).to_be_visible()

        opened = await client.apps_connections_open(app_token=workspace.app_token)
        async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
            await expect(page.get_by_role("status")).to_have_text("TechnoShare is connected")
            await retry.click()
            while (frame := await socket.receive_json()).get("type") != "interactive":
                pass
            await socket.send_json({"envelope_id": frame["envelope_id"]})
            assert frame["payload"]["container"]["message_ts"] == posted["ts"]
            await expect(page.get_by_text("Sent")).to_be_visible()


async def test_a_vote_is_answered_for_the_reader_only_and_a_form_asks_why(open_page):
    async with open_workspace() as workspace, a_bot(workspace, Engine()) as bot, open_page(workspace) as page:
        await bot.connected.wait()
        await answer(workspace, workspace.say("https://example.org/"), reply(job_id="0123456789ab"))
        await page.get_by_role("button", name="👍 Helpful").click()
        await expect(page.locator(".only-you")).to_contain_text("Thanks for the")
        await expect(page.locator(".thread > .count")).to_have_text("1 reply")
        down = page.get_by_role("button", name="👎 Not helpful")
        await down.focus()
        await page.keyboard.press("Enter")
        form = page.get_by_role("dialog", name="What was wrong?")
        await form.get_by_role("button", name="Send").click()
        await expect(form.get_by_role("alert")).to_have_text("Please fill in “Choose all that apply”.")
        await form.get_by_label("Missed the point").check()
        await form.get_by_label("In your own words").fill("The point is the price")
        await form.get_by_role("button", name="Send").click()
        await expect(form).to_be_hidden()
        await expect(page.get_by_text("Thanks, noted: missed the point.")).to_be_visible()


async def test_a_form_can_be_left_with_the_keyboard_and_a_bot_that_is_gone_is_told(open_page):
    async with open_workspace(ack_seconds=0.3) as workspace, open_page(workspace) as page:
        async with a_bot(workspace, Engine()) as bot:
            await bot.connected.wait()
            await answer(workspace, workspace.say("https://example.org/"), reply(job_id="0123456789ab"))
            down, form = page.get_by_role("button", name="👎 Not helpful"), page.get_by_role("dialog")
            await down.click()
            await expect(form).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(form).to_be_hidden()
            await down.click()
            await page.get_by_text("Your vote is taken back.").wait_for()
            await down.click()
            await expect(form).to_be_visible()
        await form.get_by_label("Other").check()
        await form.get_by_role("button", name="Send").click()
        await expect(form.get_by_role("alert")).to_have_text("Not sent: the bot did not respond")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_form_fits_a_narrow_window_and_its_text_has_enough_contrast(open_page, scheme):
    options = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme}
    async with (
        open_workspace() as workspace,
        a_bot(workspace, Engine()) as bot,
        open_page(workspace, **options) as page,
    ):
        await bot.connected.wait()
        await answer(workspace, workspace.say("https://example.org/"), reply(job_id="0123456789ab"))
        await page.get_by_role("button", name="👎 Not helpful").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        for selector in ("h2", "legend", ".choice span", ".words .quiet", ".button.primary", ".buttons .button"):
            assert await page.locator(f"dialog {selector}").first.evaluate(CONTRAST) >= 4.5, selector
        assert await page.locator("dialog").evaluate("(node) => node.scrollWidth <= node.clientWidth")
        assert await page.locator("dialog").evaluate(
            "(node) => node.getBoundingClientRect().right <= window.innerWidth"
        )


async def test_a_reply_can_be_written_into_a_thread(open_page):
    async with open_workspace() as workspace, open_page(workspace) as page:
        ts = workspace.say("https://example.org/")
        await page.get_by_role("button", name="Reply in thread").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.type("I have read it")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("region", name="Thread")).to_contain_text("I have read it")
        assert workspace.replies(ts)[0]["thread_ts"] == ts


async def test_a_deleted_message_and_a_status_and_an_edit_are_shown(open_page):
    async with open_workspace() as workspace, open_page(workspace) as page:
        first, second = workspace.say("one"), workspace.say("two")
        client = client_of(workspace)
        await client.assistant_threads_setStatus(
            channel_id=workspace.channel, thread_ts=second, status="is reading the page"
        )
        await expect(page.get_by_text("TechnoShare is reading the page")).to_be_visible()
        workspace.edit(second, "three")
        workspace.delete(first)
        await expect(page.locator(".message .text")).to_have_text(["three"])
        await expect(page.get_by_text("(edited)")).to_be_visible()
        await client.chat_postMessage(channel=workspace.channel, thread_ts=second, text="done")
        await expect(page.get_by_text("TechnoShare is reading the page")).to_be_hidden()


async def test_a_permalink_opens_the_page_at_its_message(open_page):
    async with open_workspace() as workspace, open_page(workspace) as page:
        first, *_ = [workspace.say(f"message {number}") for number in range(60)]
        link = (await client_of(workspace).chat_getPermalink(channel=workspace.channel, message_ts=first))["permalink"]
        await page.goto(link)
        await expect(page.locator(".linked")).to_contain_text("message 0")
        await expect(page.locator(".linked")).to_be_in_viewport()


async def test_a_page_that_lost_its_workspace_says_so_and_keeps_what_was_typed(browser):
    page = await browser.new_page()
    async with open_workspace() as workspace:
        await page.goto(workspace.url)
        await expect(page.get_by_role("status")).to_have_text("The bot is not connected")
    await expect(page.get_by_role("status")).to_have_text("The workspace is not running")
    await page.keyboard.type("https://example.org/")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Not sent")
    await expect(page.get_by_role("textbox")).to_have_value("https://example.org/")
    await page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_enough_contrast(open_page, scheme):
    """WCAG AA: 4.5 to 1 for text of this size."""
    async with open_workspace() as workspace, open_page(workspace, color_scheme=scheme) as page:
        ts = workspace.say("see https://example.org/")
        await answer(workspace, ts, reply())
        await expect(page.get_by_role("region", name="Thread")).to_be_visible()
        for selector in (".message .text", ".message .text a", ".context", ".time", ".hint", ".topic", ".bot-state",
                         ".sidebar .note", ".sidebar a", ".avatar", ".badge"):  # fmt: skip
            assert await page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector


CONTRAST = """(node) => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => rgb(text).slice(0, 3)
    .map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = node;
  while (rgb(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  const [a, b] = [light(getComputedStyle(node).color), light(getComputedStyle(ground).backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


async def test_a_narrow_window_needs_no_sideways_scrolling(open_page):
    async with open_workspace() as workspace, open_page(workspace, viewport={"width": 360, "height": 740}) as page:
        ts = workspace.say("https://example.org/" + "a-very-long-address/" * 12)
        await answer(workspace, ts, reply())
        await expect(page.get_by_role("region", name="Thread")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await page.locator("#scroll").evaluate("(node) => node.scrollWidth <= node.clientWidth")
