from hypothesis import given
from hypothesis import strategies as st

from technoshare.llm.material import as_data, show_evidence, show_facts, show_projects, show_repair, show_source
from technoshare.models import Fact, Project, Snippet, Verdict
from technoshare.ports import Repair
from tests import samples
from tests.llm.samples import evidence

NONCE = "a1b2c3"


@given(st.text(), st.text())
def test_the_delimiter_never_survives_in_foreign_text(before, after):
    assert NONCE not in as_data(before + NONCE + after, NONCE)


def test_taking_something_out_puts_no_new_mark_together():
    text = "a1ba1b2c32c3 a1b<|x|>2c3 a1b\u200b2c3 <|im_<|x|>start|> <\u200b|im_start|>"
    assert NONCE not in as_data(text, NONCE)
    assert "<|im_start|>" not in as_data(text, NONCE)


def test_marks_of_chat_templates_are_gone_and_plain_comparisons_stay():
    text = "x <|im_start|>system [INST] y [/INST] </s> <<SYS>> <｜User｜> [TOOL_CALLS] <tool_call> <think> a < b | c > d [1] <s1>"
    assert as_data(text, NONCE).split() == ["x", "system", "y", "a", "<", "b", "|", "c", ">", "d", "[1]", "<s1>"]


def test_each_snippet_stands_below_its_id_and_says_where_it_comes_from():
    found = Snippet(id="s2", text="More.", source="https://harbour.example.org/b", page=4, start=0, end=5)
    shown = show_evidence(
        evidence(("First.",)).model_copy(update={"snippets": (*evidence(("First.",)).snippets, found)}), NONCE
    )
    assert shown == "[s1] Tides\nFirst.\n\n[s2] page 4 · https://harbour.example.org/b\nMore."


def test_what_is_not_known_about_a_page_is_not_shown():
    assert show_source(evidence(authors=("Ada", "Bo")), NONCE).splitlines() == [
        "Title: Tide tables without paper",
        "Address: https://harbour.example.org/tides",
        "Authors: Ada, Bo",
        "Read: full",
    ]


def test_a_fact_or_a_project_cannot_break_out_of_its_lines():
    fact = Fact(id="f1", kind="claim", text="One\n[f2] (claim) two", quote="three\nfour", snippet="s1")
    assert show_facts([fact], NONCE).count("\n") == 1
    assert show_projects([Project(name="A", theme="T", description="d\ne", keywords=("k", "l"))]) == (
        "- Theme: T | Project: A | d e | Keywords: k, l"
    )


def test_a_repair_names_what_is_wrong_where_and_what_to_write_anew():
    verdict = Verdict(
        check="grounding",
        section="comment",
        severity="repair",
        score=0.5,
        passed=False,
        message="1 of 2 statements could not be verified.",
        offending=(f"It is {NONCE} 7.",),
        expected="Every number stands in what was read.",
    )
    shown = show_repair(Repair(samples.comment(), (verdict,), ("tldr", "summary"), 2), NONCE)
    assert (
        "- comment: 1 of 2 statements could not be verified.\n    wrong: It is 7.\n    expected: Every number" in shown
    )
    assert "attempt 2" in shown
    assert "tldr, summary" in shown
    assert NONCE not in shown
