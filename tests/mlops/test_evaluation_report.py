"""What people and CI read of an evaluation: Markdown, JUnit and HTML, all from one value."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.outline import slices, speed, tldr, troubles
from technoshare.mlops.evaluation.page import page, rounded_up
from technoshare.mlops.evaluation.report import MARKER, junit, markdown, write_reports
from technoshare.mlops.evaluation.results import (
    OVERALL,
    Change,
    Comparison,
    Epoch,
    ExampleResult,
    Finding,
    GateVerdict,
    Report,
    Results,
    ScorerLine,
)
from technoshare.models import PromptRef, Usage

BEFORE = "Title\n\n\nTLDR\nIt was good.\nSame line.\n\n\nSummary\nMuch."
NOW = "Title\n\n\nTLDR\nIt is worse.\nSame line.\n\n\nSummary\nLittle."
DECIDING = ("schema_validity", "tldr_sentence_count")


def an_example(
    name: str,
    *,
    passed: bool = True,
    error: str = "",
    message: str = "2 sentences",
    offending=("It is.",),
    tags=("blog",),
) -> ExampleResult:
    finding = Finding(scorer="tldr_sentence_count", message=message, offending=offending)
    epoch = Epoch(
        number=1,
        scores={} if error else {"schema_validity": 1.0, "tldr_sentence_count": float(passed), "coverage": 0.5},
        findings=() if passed else (finding, Finding(scorer="coverage", message="half of it")),
        error=error,
        seconds=0.4 if passed else 2.0,
        usage=Usage(input_tokens=1000, output_tokens=200, cost_usd=0.01, calls=2),
        comment="" if error else NOW,
    )  # fmt: skip
    return ExampleResult(
        id=name, url=f"https://example.org/{name}", tags=tags, deciding=DECIDING, rates=("coverage",), epochs=(epoch,)
    )


def a_report(*examples: ExampleResult, verdict="pass", reasons=(), newly=(), **changes) -> Report:
    examples = examples or (an_example("one"), an_example("two"))
    results = Results(
        dataset_name="core", dataset_digest="0123456789ab", scorer_digest="ba9876543210", mode="live", model="gpt-4o",
        prompts=(PromptRef(name="stage_b_compose_reply", version="7", content_hash="cccccccccccc"),),
        started=1_790_000_000.0, seconds=12.0, epochs=1, examples=examples,
    ).model_copy(update=changes)  # fmt: skip
    comparison = Comparison(
        method="exact",
        prompts_before=(PromptRef(name="stage_b_compose_reply", version="6", content_hash="bbbbbbbbbbbb"),),
        newly_failing=tuple(Change(id=name, before=1.0, now=0.0, comment_before=BEFORE) for name in newly),
        newly_passing=(Change(id="two", before=0.0, now=1.0),),
        regressed=bool(newly),
    )
    lines = (
        ScorerLine(scorer=OVERALL, deciding=True, examples=2, rate=0.5, low=0.1, high=0.9, before=1.0, floor=0.85),
        ScorerLine(scorer="coverage", deciding=False, examples=2, rate=0.5, low=0.1, high=0.9),
    )
    return Report(
        verdict=GateVerdict(
            verdict=verdict, reasons=reasons, remarks=("Live mode is a sample.",), comparison=comparison, lines=lines,
            overall_pass_rate=results.overall_pass_rate, total_examples=results.num_examples,
            passed_examples=results.passed_examples, failed_examples=results.failed_examples, errors=results.errors,
            low=0.1, high=0.9,
        ),
        results=results,
    )  # fmt: skip


WORSE = a_report(
    an_example("two"),
    an_example("old-trouble", passed=False),
    an_example("one", passed=False),
    verdict="fail",
    reasons=("1 passed in the blessed baseline and fail now: one.",),
    newly=("one",),
)
AWAY = a_report(
    an_example("one", error="Transient: no answer"), verdict="error", reasons=("1 of 1 epochs could not be evaluated.",)
)


# ---------------------------------------------------------------- what is told first


def test_the_verdict_and_its_reasons_come_first():
    lines = markdown(WORSE).splitlines()
    assert lines[0] == MARKER
    assert lines[1].startswith("## ❌ FAIL — 1 of 3 examples")
    assert "1 passed in the blessed baseline and fail now: one." in lines[3]


def test_what_passed_before_is_told_before_what_never_did_with_the_text_that_is_wrong_and_a_diff():
    told = markdown(WORSE)
    assert told.index("#### one (passed before)") < told.index("#### old-trouble")
    assert "`tldr_sentence_count`: 2 sentences" in told
    assert "`It is.`" in told
    assert "```diff\n-It was good.\n+It is worse.\n```" in told
    assert "half of it" not in told  # a rate is no reason


def test_prompts_are_told_as_old_and_new_and_a_missed_floor_is_marked():
    told = markdown(WORSE)
    assert "`bbbbbbbbbbbb` → `cccccccccccc`" in told
    assert "| **overall_pass_rate** | 1.000 | 0.500 ❌ | -0.500 | 0.10–0.90 | 0.850 | 2 |" in told
    assert "| coverage |  | 0.500 |  |" in told


def test_what_could_not_be_evaluated_is_told_apart_from_what_failed():
    assert "COULD NOT EVALUATE" in markdown(AWAY)
    assert "could not be evaluated: `Transient: no answer`" in markdown(AWAY)
    assert "COULD NOT EVALUATE" in page(AWAY)


def test_only_the_first_twenty_are_told_in_full_in_a_comment_on_a_pull_request():
    many = a_report(*(an_example(f"e{number}", passed=False) for number in range(25)), verdict="fail")
    assert markdown(many).count("#### ") == 20
    assert "and 5 more" in markdown(many)


# ---------------------------------------------------------------- outline


def test_slices_speed_and_the_tldr():
    mixed = a_report(an_example("a", tags=("blog", "de")), an_example("b", passed=False, tags=("de",)))
    assert [(one.tag, one.passed, one.total) for one in slices(mixed.results)] == [("de", 1, 2), ("blog", 1, 1)]
    assert (speed(mixed.results).median, speed(mixed.results).p95) == (0.4, 2.0)
    assert tldr(BEFORE) == "It was good.\nSame line."
    assert tldr("no comment at all") == ""
    assert troubles(mixed)[0].diff == ()  # nothing was blessed for it


@pytest.mark.parametrize(
    ("value", "end"), [(0.0, 0.1), (0.1, 0.1), (0.11, 0.2), (3.0, 5.0), (7.0, 10.0), (61.0, 100.0)]
)
def test_an_axis_ends_at_a_round_number(value, end):
    assert rounded_up(value) == end


# ---------------------------------------------------------------- JUnit


def test_junit_has_a_case_an_example_and_scorer_and_one_for_the_gate():
    suite = etree.fromstring(junit(WORSE).encode()).find("testsuite")
    cases = [(case.get("classname"), case.get("name")) for case in suite.findall("testcase")]
    assert len(cases) == 3 * 2 + 1
    assert cases[-1] == ("gate", "verdict")
    failed = {case.get("classname") for case in suite.findall("testcase") if case.find("failure") is not None}
    assert failed == {"one", "old-trouble", "gate"}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "3", "0")


def test_junit_tells_errors_apart_from_failures():
    suite = etree.fromstring(junit(AWAY).encode()).find("testsuite")
    assert (suite.get("failures"), suite.get("errors")) == ("0", "3")


def test_a_pass_has_neither_failures_nor_errors():
    suite = etree.fromstring(junit(a_report()).encode()).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "0", "0")


# ---------------------------------------------------------------- hostile texts


SIGNS = st.text(
    alphabet=st.one_of(st.sampled_from("`|<>&\"'*_[]#@\n\x00\x1b\ufffe]]>-"), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)


def hostile(text: str) -> Report:
    example = an_example("one", passed=False, message=text, offending=(text,))
    return a_report(example, verdict="fail", reasons=(text,), newly=("one",))


@given(SIGNS)
@settings(deadline=None)
def test_junit_is_xml_whatever_a_page_or_a_model_wrote(text):
    etree.fromstring(junit(hostile(text)).encode())


@given(SIGNS)
@settings(deadline=None)
def test_nothing_that_a_page_or_a_model_wrote_becomes_an_element_of_the_page(text):
    plain, told = (html.document_fromstring(page(hostile(words))) for words in ("x", text))
    assert [node.tag for node in told.iter()] == [node.tag for node in plain.iter()]


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "@everyone", "[a](https://evil.example)", "a | b", "# head", "```\n## x"]
)
def test_nothing_that_a_page_or_a_model_wrote_becomes_markdown(text):
    told = markdown(hostile(text))
    reason = next(line for line in told.splitlines() if line.startswith("- **"))
    assert not set(reason.removeprefix("- **").removesuffix("**")) & set("<>`[|@*")
    assert not [line for line in told.splitlines() if line.startswith(("# ", "## x"))]


def test_the_page_asks_nobody_for_anything():
    shown = page(WORSE)
    assert not {"script", "link", "img", "iframe"} & {node.tag for node in html.document_fromstring(shown).iter()}
    assert "url(" not in shown


# ---------------------------------------------------------------- files


def test_all_reports_are_written_beside_the_results(tmp_path):
    paths = write_reports(WORSE, tmp_path / "out" / "eval_results.json")
    assert sorted(path.name for path in paths) == [
        "eval_junit.xml",
        "eval_report.html",
        "eval_report.md",
        "eval_results.json",
    ]
    told = json.loads((tmp_path / "out" / "eval_results.json").read_text())
    assert Report.model_validate(told) == WORSE
    assert told["verdict"]["overall_pass_rate"] == pytest.approx(1 / 3)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        write_reports(WORSE, tmp_path / "file" / "eval_results.json")


def test_every_letter_of_ids_and_names_survives():
    assert string.ascii_lowercase in markdown(a_report(an_example(string.ascii_lowercase)))
