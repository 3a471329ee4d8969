"""What a page of each shape is: read in full, in part, or not at all, and why."""

import pytest

from technoshare.errors import Unusable
from technoshare.retrieval.extract import html_document
from technoshare.retrieval.webpage import read_webpage
from tests.retrieval.answers import PROSE, SENTENCES, InlineParser, Web
from tests.retrieval.answers import page as answer

URL = "https://example.org/queues"
LONG = "".join(f"<p>{PROSE} Part {number}.</p>" for number in range(6))
SHORT = f"<p>{' '.join(SENTENCES[:4])}</p>"
SCRIPT = "<script>app()</script>"
NAV = '<nav><a href="/">Home</a> <a href="/in">Please log in</a> <a href="/sub">Already a subscriber?</a></nav>'


def page(inside: str, *, title: str = "Queues in tables", head: str = "", nav: str = "") -> str:
    return f'<html lang="en"><head><title>{title}</title>{head}</head><body>{nav}<main>{inside}</main></body></html>'


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


WALLS = {
    "bot_wall": [
        page("<p>Verifying you are human. This may take a few seconds.</p>" + SCRIPT, title="Just a moment..."),
        page("<h1>Are you a robot?</h1><p>We noticed unusual traffic from your network. Please complete the captcha below.</p>"),
        page("<h1>Access denied</h1><p>You do not have permission to see this on our server. Reference 18.2f.</p>", title="Access Denied"),
        page("<p>Press &amp; Hold to confirm you are a human (and not a bot).</p>" + SCRIPT),
        page("<h1>Pardon our interruption</h1><p>As you were browsing, something about your browser made us think you might be a bot.</p>"),
        page("<div>Checking your browser before accessing the site.</div>", title="One moment"),
        page("<h1>Sorry, you have been blocked</h1><p>This website is using a service to protect itself.</p>"),
        page("<p>人机验证</p>" + SCRIPT),
    ],
    "login_wall": [
        page("<h1>Welcome back</h1><p>Log in to continue.</p><form><input type=password></form>"),
        page("<form><input name=user><input type=password><button>Go</button></form>" + SCRIPT),
        page("<h2>Sign in to view this post</h2><p>Join two million members who read us every day.</p>"),
        page("<p>You must be logged in to see this page.</p>"),
        page("<h1>This account is private</h1><p>Follow it to see its photos.</p>"),
        page("<p>Please sign in</p>" + SCRIPT, title="Members"),
        page("<h1>请登录</h1>"),
        page("<p>Connectez-vous pour lire la suite.</p>"),
    ],
    "pay_wall": [
        page(SHORT + "<p>Subscribe to continue reading.</p>"),
        page(SHORT, head=ld('{"@type": "NewsArticle", "isAccessibleForFree": false}')),
        page(SHORT, head=ld('{"@type": "NewsArticle", "isAccessibleForFree": "False"}')),
        page(SHORT + "<div><h3>This post is for paid subscribers</h3><a>Subscribe</a></div>"),
        page(SHORT + "<div>You've reached your limit of free articles.</div>"),
        page(SHORT + "<div>Already a subscriber? Log in</div>"),
        page(SHORT + "<h4>Become a paid member to unlock everything</h4>"),
        page(SHORT + "<p>Réservé aux abonnés</p>"),
    ],
    "cookie_wall": [
        page("<h1>Before you continue</h1><p>We use cookies and data to deliver our services.</p><button>Accept all</button>"),
        page("<h1>We value your privacy</h1><p>We and our 812 partners store information on a device.</p>"),
        page("<p>Please enable cookies to use this site.</p>"),
    ],
    "not_found": [
        page("<h1>404</h1><p>Sorry, we can't find that page.</p>", title="Oops"),
        page("<h1>Page not found</h1><p>Try the search or go back to the front page.</p>", title="Example"),
        page("<p>Nothing here. Perhaps one of these helps.</p>" + "<p>Another post.</p>" * 9, title="404 - Page Not Found | Example"),
        page("<h2>The page you are looking for doesn't exist.</h2>"),
        page("<h1>This product is no longer available</h1><p>See similar ones.</p>"),
        page("<h1>Seite nicht gefunden</h1><p>Bitte prüfen Sie die Adresse.</p>"),
        page("<h1>ページが見つかりません</h1>"),
        page("<h1>Error 404</h1>"),
    ],
    "empty_page": [
        page("<div id=root></div><script src=/app.js></script>"),
        page("<noscript>You need to enable JavaScript to run this app.</noscript>" + SCRIPT),
        page("<p>Loading…</p>" + SCRIPT),
        page("<p>This site requires JavaScript.</p>"),
    ],
}  # fmt: skip
GOOD = [
    page(LONG),
    page(LONG + "<p>Please log in to comment.</p><form><input type=password></form>" + SCRIPT),
    page(LONG + "<p>Subscribe to continue reading our newsletter.</p>"),
    page(SHORT, title="404 - how we found the missing pages"),
    page(SHORT, nav=NAV),
    page(SHORT + "<footer>We use cookies. Please sign in to manage your account. Already a subscriber?</footer>"),
    page(SHORT + "<aside>Subscribe to read more every week.</aside>"),
    page(SHORT + SCRIPT),
    page(f"<p>{PROSE} When a session ends, users see the words please log in, and most of them do so within a minute of seeing that page.</p>"),
    page(f"<p>{PROSE} Every page asked us to complete the captcha, which is why the crawler was rewritten twice before the end of the year.</p>"),
    page(f"<p>{PROSE} In March about one request in ten ended with the message page not found, because the router had lost its table.</p>"),
    page(f"<p>{PROSE} Most sites say subscribe to continue reading after three paragraphs, and readers have learned to leave at that point.</p>"),
    page(f"<p>{PROSE} We use cookies only for the session, as the law asks of us, and the page says so at its very end in small letters.</p>"),
    page(f"<p>{PROSE}</p>", title="Why a login page asks too much"),
    page(f"<h1>The 404 page</h1><p>{PROSE}</p>", title="Designing a 404 page that people like"),
    page(f"<h1>Access control in queues</h1><p>{PROSE}</p>"),
    page(f"<p>{PROSE}</p>", head=ld('{"@type": "NewsArticle", "isAccessibleForFree": true}')),
    page("<p>Short, but that is all there is.</p>"),
    page("<article><p>" + "缓存把最近读过的页面放在内存里，所以第二次读取几乎不花时间，而且磁盘可以休息。" * 6 + "</p></article>" + SCRIPT),
]  # fmt: skip


@pytest.mark.parametrize(("obstacle", "html"), [(name, html) for name, pages in WALLS.items() for html in pages])
def test_what_stands_before_the_text_is_named(obstacle, html):
    assert html_document(html.encode(), URL).obstacle == obstacle


@pytest.mark.parametrize("html", GOOD)
def test_a_good_page_has_no_obstacle_whatever_it_mentions(html):
    assert html_document(html.encode(), URL).obstacle == ""


@pytest.mark.parametrize("html", [each for each in GOOD if "all there is" not in each])
async def test_a_good_page_is_read_in_full(html):
    evidence = await read_webpage(URL, Web({URL: answer(html)}), InlineParser(), adapter="GenericAdapter")
    assert (evidence.coverage, evidence.obstacle) == ("full", "")


@pytest.mark.parametrize("html", WALLS["pay_wall"])
async def test_a_teaser_is_part_of_a_page(html):
    evidence = await read_webpage(URL, Web({URL: answer(html)}), InlineParser(), adapter="GenericAdapter")
    assert (evidence.coverage, evidence.obstacle) == ("partial", "pay_wall")


@pytest.mark.parametrize("html", WALLS["not_found"])
async def test_a_missing_page_that_answers_200_is_not_found_all_the_same(html):
    with pytest.raises(Unusable, match="the page was not found") as why:
        await read_webpage(URL, Web({URL: answer(html)}), InlineParser(), adapter="GenericAdapter")
    assert why.value.obstacle == "not_found"
