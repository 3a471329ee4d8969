"""What is left of Markdown when nobody renders it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.retrieval.markdown import readable


def test_badges_pictures_and_html_go_and_words_of_links_stay():
    text = readable(
        '<p align="center"><img src="logo.png"></p>\n'
        "[![ci](https://x.example/b.svg)](https://x.example) ![alt](shot.png 'title') [![d][badge]][site]\n"
        "Read [the **guide**](https://x.example/guide) or [the notes][notes].<br/> See <https://x.example>.\n\n"
        "[notes]: https://x.example/notes\n<!-- hidden\nremark -->"
    )
    assert text == "Read the guide or the notes. See https://x.example."


def test_hard_wrapped_lines_become_one_paragraph():
    assert readable("One sentence\nthat goes on\nhere.\n\nAnother.") == "One sentence that goes on here.\nAnother."


def test_list_items_stay_apart_and_keep_their_second_line():
    assert readable("Items:\n- one that\n  goes on\n- two\n1. three") == "Items:\n- one that goes on\n- two\n1. three"


def test_headings_of_both_kinds_stay_headings():
    assert readable("Name\n====\ntext\n\nPart\n----\n## Other ##\nmore\n\n---\n") == (
        "# Name\ntext\n# Part\n## Other ##\nmore"
    )


def test_a_comment_in_a_shell_example_is_no_heading():
    assert readable("```sh\n# install\npip install it\n```\ntext") == "pip install it\ntext"


def test_a_long_code_block_is_cut_and_the_text_behind_it_is_not():
    code = "\n".join(f"line {n}" for n in range(100))
    text = readable(f"~~~~\n{code}\n~~~\nstill code\n~~~~\nThe end.")
    assert "line 11" in text
    assert "line 12" not in text
    assert text.endswith("The end.")


def test_code_in_a_sentence_and_comparisons_survive():
    assert readable("Call `Vec<String>` when a < b and __init__ runs *now*.") == (
        "Call `Vec<String>` when a < b and __init__ runs now."
    )


def test_a_table_keeps_its_rows_without_the_ruler():
    assert readable("| a | b |\n|---|:-:|\n| 1 | 2 |") == "| a | b |\n| 1 | 2 |"


@given(st.text(alphabet="[]()!<>*_`~#-=|\n ab:/&;", max_size=200))
def test_nothing_a_person_can_write_breaks_it(text):
    assert "\n\n" not in readable(text)


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "<a ", "**", "*a", "__", "- ", "[](", "<!---->", "&amp", "> "])
def test_half_open_markup_without_end_does_not_swallow_what_follows(piece):
    assert readable(f"{piece * 20_000}x\n\nThe end.").endswith("x\nThe end.")
