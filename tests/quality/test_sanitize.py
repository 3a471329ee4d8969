import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.models import ProjectNote, Sentence, Snippet
from technoshare.quality.addresses import LINK_REMOVED, without_links
from technoshare.quality.case import Ground
from technoshare.quality.checks import fixed
from technoshare.quality.sanitize import plain
from tests.samples import FACTS, PAGE, URL, comment, evidence, sentences

GROUND = Ground(evidence(), FACTS)

PAGE_WITH_LINKS = f"{PAGE}\nThe code is at https://code.example.org/roofs/tree/main. Ask rain@roofs.example.org or see docs.example.net first."


def cleaned(text: str, *found: Snippet) -> str:
    changed = comment(tldr=(Sentence(text=text), *sentences(2)))
    ground = Ground(evidence(PAGE_WITH_LINKS), FACTS.model_copy(update={"found": found}))
    return fixed(changed, ground).tldr[0].text


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/?q=secret",
        "https://code.example.org/roofs/tree/main/../../evil",  # a prefix is not enough
        "https://code.example.org/other",  # nor is the host
        "https://code.example.org@evil.example/roofs/tree/main",
        "HTTP://EVIL.EXAMPLE",
        "evil.example.com",
        "evil.io/path?x=1",
        "evil.zip",
        "www.evil-site.example",
        "mailto:boss@evil.com",
        "boss@evil.com",
        "ftp://evil.com/x",
        "slack://user?team=T1",
        "evil.academy/path?x=1",  # an ending that is on no list, but with a path
        "еvil.com",  # a Cyrillic look-alike
        "docs.example.net.evil.com",
        "ht\u200btps://evil.com/x",
        "<https://evil.com/x|the notes>https://evil.com",
    ],
)
def test_a_link_that_the_page_does_not_contain_is_removed(link: str) -> None:
    text = cleaned(f"Read {link} now.")
    assert LINK_REMOVED in text
    assert "vil" not in text
    assert text.endswith(" now.")


@pytest.mark.parametrize(
    "link",
    [
        URL,
        "https://code.example.org/roofs/tree/main",
        "rain@roofs.example.org",
        "docs.example.net",
        "roofs.example.org",
    ],
)
def test_the_posted_link_and_links_of_the_page_stay(link: str) -> None:
    assert cleaned(f"Read ({link}).") == f"Read ({link})."


def test_a_link_that_the_tool_found_stays() -> None:
    found = Snippet(id="s99", text="See https://more.example/a for more.", source=URL, start=0, end=10)
    assert cleaned("See https://more.example/a again.", found) == "See https://more.example/a again."


@pytest.mark.parametrize(
    "name", ["Node.js", "asyncio.gather", "v1.2.3", "3.11", "U.S.", "e.g.", "obj.method()", "a/b", "10:30", "C:\\x"]
)
def test_names_with_dots_are_no_links(name: str) -> None:
    assert without_links(f"It is {name} here.", frozenset()) == f"It is {name} here."


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**Bold** and *soft* words.", "Bold and soft words."),
        ("## A heading.", "A heading."),
        ("- An item.", "An item."),
        ("3. A third item.", "A third item."),
        ("Call __init__ with *args or snake_case * 2.", "Call __init__ with args or snake_case * 2."),
        ("[the notes](https://evil.example/x) say so.", "the notes say so."),
        ("It\x00 is\tone\u2028line\u202e.", "It is one line."),
        ("<!channel> Ask <@U012AB>, @here.", "[mention removed] Ask [mention removed], here."),
    ],
)
def test_markup_controls_and_mentions_become_plain_words(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_an_overlong_sentence_ends_in_an_ellipsis_and_an_empty_one_is_gone() -> None:
    only_fixed = fixed(comment(tldr=(Sentence(text="word " * 300), Sentence(text="\u200b "))), GROUND)
    (only,) = only_fixed.tldr
    assert only.text.endswith("word…")
    assert len(only.text) <= 501


def test_a_theme_loses_a_doubled_label_and_there_are_at_most_five_projects() -> None:
    notes = tuple(ProjectNote(theme=f"Theme: theme: {n}", relevance="It fits.") for n in range(9))
    assert [note.theme for note in fixed(comment(projects=notes), GROUND).projects] == ["0", "1", "2", "3", "4"]


def test_a_clean_comment_is_left_as_it_is() -> None:
    assert fixed(comment(), GROUND) == comment()


@given(st.text(alphabet="ahtps:/.@<>|!#*[]() evil.com\u200bchanel", max_size=60))
def test_nothing_clickable_or_notifying_survives_whatever_a_model_writes(text: str) -> None:
    left = without_links(plain(text), frozenset())
    assert not re.search(r"https?://\w|\bevil\.com\b|<!channel|@channel\b", left)


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once or not once
