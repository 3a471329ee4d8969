"""Which links a message shares."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from technoshare.slack.links import links_of, text_of


def link(url, **more):
    return {"type": "link", "url": url, **more}


def rich(*elements):
    return {"blocks": [{"type": "rich_text", "elements": list(elements)}]}


def section(*elements):
    return {"type": "rich_text_section", "elements": list(elements)}


def test_links_are_read_from_rich_text_in_their_order_each_once():
    event = rich(
        section({"type": "text", "text": "see "}, link("https://a.example/1"), link("https://b.example/2")),
        section(link("https://a.example/1")),
    )
    assert links_of(event) == ("https://a.example/1", "https://b.example/2")


def test_links_inside_lists_and_quotes_are_found():
    event = rich(
        {"type": "rich_text_list", "style": "bullet", "elements": [section(link("https://a.example/1"))]},
        {"type": "rich_text_quote", "elements": [link("https://b.example/2")]},
    )
    assert links_of(event) == ("https://a.example/1", "https://b.example/2")


def test_rich_text_wins_over_the_text_of_the_same_message():
    event = rich(section(link("https://a.example/?x=1&y=2"))) | {"text": "<https://other.example/>"}
    assert links_of(event) == ("https://a.example/?x=1&y=2",)


def test_without_rich_text_links_are_read_from_the_text_and_unescaped():
    event = {"text": "look: <https://a.example/?x=1&amp;y=2> and <http://b.example/p|b.example/p>"}
    assert links_of(event) == ("https://a.example/?x=1&y=2", "http://b.example/p")


def test_a_label_is_never_taken_for_the_link():
    in_text = {"text": "<https://real.example/|https://label.example/>"}
    in_blocks = rich(section(link("https://real.example/", text="https://label.example/")))
    assert links_of(in_text) == links_of(in_blocks) == ("https://real.example/",)


def test_two_addresses_of_one_page_are_one_link_as_it_was_posted_first():
    event = {"text": "<https://a.example/p?utm_source=x> <https://a.example/p>"}
    assert links_of(event) == ("https://a.example/p?utm_source=x",)


@pytest.mark.parametrize(
    "text",
    [
        "<mailto:ada@a.example|ada@a.example>",
        "<tel:+4912345|12345>",
        "<@U123> <#C123|links> <!here> <!subteam^S1|@team>",
        "<https://team.slack.com/archives/C1/p1>",
        "<https://grid.enterprise.slack.com/archives/C1/p1?thread_ts=1>",
        "<https://app.slack.com/client/T1/C1>",
        "<ftp://a.example/file> <javascript:alert(1)> <file:///etc/passwd>",
        "https://not.marked.up/by-slack",
        "no link at all",
        "<https://>",
        "",
    ],
)
def test_what_is_not_a_web_page_is_no_link(text):
    assert links_of({"text": text}) == ()


def test_only_slacks_own_host_makes_a_slack_permalink():
    assert links_of({"text": "<https://a.example/.slack.com/archives/x>"}) == (
        "https://a.example/.slack.com/archives/x",
    )


def test_a_link_that_no_database_could_keep_is_passed_over():
    assert links_of(rich(section(link("https://a.example/\ud800"), link("https://a.example/ok")))) == (
        "https://a.example/ok",
    )


def test_a_message_of_thousands_of_links_is_bounded():
    many = rich(section(*(link(f"https://a.example/{n}") for n in range(20_000))))
    assert len(links_of(many)) == 50


def test_very_deep_nesting_ends():
    deep = section(link("https://a.example/deep"))
    for _ in range(100_000):
        deep = section(deep)
    assert links_of(rich(deep)) == ()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("read <https://a.example/?x=1&amp;y=2>", "read https://a.example/?x=1&y=2"),
        ("read <https://a.example/|this>", "read this"),
        ("<@U1> <@U2|ada> <#C1|links> <!here> <!subteam^S1|@team>", "@U1 @U2 #links @here @team"),
        ("&amp;lt; stays written", "&lt; stays written"),
        ("half \ud800 a pair", "half ? a pair"),
    ],
)
def test_the_text_is_what_its_author_sees(text, seen):
    assert text_of({"text": text}) == seen


UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
_KEYS = st.sampled_from(["type", "blocks", "elements", "text", "url", "rich_text", "link"])
_LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(
    ["link", "rich_text", "rich_text_section", "https://a.example/", "<https://[::|x>", "<!", "<@>", "https://\ud800"]
) | st.text()  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=15
)


@UNTIMED
@given(st.dictionaries(_KEYS, _JSON))
def test_whatever_json_comes_links_and_text_are_returned_and_can_be_stored(event):
    for link in links_of(event):
        assert link.lower().startswith(("http://", "https://"))
        link.encode()
    text_of(event).encode()


@UNTIMED
@given(st.text(alphabet="<>|&;@#!abc:/.ht ps", max_size=300))
def test_any_text_is_read_without_an_error(text):
    links_of({"text": text})
    text_of({"text": text})
