"""What `technoshare read` shows a person, whatever the page and the terminal are like."""

import io

import pytest
from rich.console import Console

from technoshare.models import Evidence, Snippet
from technoshare.terminal import show_evidence
from tests.samples import URL, evidence


def shown(page, *, width: int = 100, **options) -> str:
    out = io.StringIO()
    show_evidence(page, Console(file=out, width=width, highlight=False, **options))
    return out.getvalue()


def known(page: Evidence, **metadata: str) -> Evidence:
    return Evidence.model_validate(page.model_dump() | {"metadata": metadata})


def snippet(number: int, text: str, **fields) -> Snippet:
    return Snippet(**{"id": f"s{number}", "text": text, "source": URL, "start": 0, "end": len(text)} | fields)


def test_the_head_tells_what_was_read_and_how_much_of_it():
    text = shown(known(evidence(coverage="partial", obstacle="pay_wall"), licence="MIT"))
    told = ("Tin roofs", URL, "partial: pay wall", "Ada Quill", "2026-11-12", "GenericAdapter", "in 9 snippets", "MIT")
    assert not [word for word in told if word not in text]


def test_each_snippet_is_one_line_with_its_place():
    page = evidence(snippets=(snippet(1, "one\n  two", section="Roofs", start=7, end=99), snippet(2, "three", page=4)))
    lines = [line.split() for line in shown(page).splitlines()]
    assert ["s1", "Roofs", "7–99", "one", "two"] in lines
    assert ["s2", "page", "4", "0–5", "three"] in lines


def test_snippets_stand_below_the_address_that_they_come_from():
    other = "https://other.example.org/comment"
    lines = shown(evidence(snippets=(snippet(1, "one"), snippet(2, "two", source=other)))).splitlines()
    assert lines.index(other) == next(at for at, line in enumerate(lines) if line.startswith("s2")) - 1


@pytest.mark.parametrize("width", [30, 44, 69, 80, 200])
def test_no_line_but_an_address_is_wider_than_the_terminal(width):
    page = evidence(snippets=tuple(snippet(n, "雨 rain " * 200, section="A long heading " * 9) for n in range(1, 120)))
    assert all(len(line) <= width or line.startswith("http") for line in shown(page, width=width).splitlines())


def test_nothing_of_a_page_is_markup_or_an_order_to_the_terminal():
    evil = "[red]x[/red] [/] \x1b]0;owned\x07\x1b[2J\x9b31m \u202eabc"
    page = known(evidence(title=evil, snippets=(snippet(1, evil, section=evil),), authors=(evil,)), licence=evil)
    text = shown(page, force_terminal=True, color_system=None)
    assert "[red]x[/red] [/]" in text
    assert not [character for character in "\x07\x9b\u202e" if character in text]
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text


def test_without_colours_there_are_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(evidence(), force_terminal=True)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[3" in shown(evidence(), force_terminal=True, color_system="standard")


def test_evidence_without_a_snippet_is_shown_all_the_same():
    assert "0 in 0 snippets" in shown(evidence(snippets=(), title=""))
