import pytest

from technoshare import render
from technoshare.models import Comment, Evidence, Message, ProjectNote, Sentence, Verdict
from technoshare.quality.case import Case, Ground
from technoshare.quality.checks import BASE_CHECKS, CHECKS, judge
from technoshare.render import message
from tests.samples import FACTS, MEASURED, PAGE, PROJECTS, comment, evidence, reviewed, sentences

PAGE_AND_RAIN = f"{PAGE}\n{MEASURED}"


def case(changed: Comment, page: Evidence | None = None, message: Message | None = None) -> Case:
    ground = Ground(page or evidence(PAGE_AND_RAIN), FACTS, PROJECTS)
    return Case(changed, message or render.message(reviewed(comment=changed)), ground)


def failed(judged: Case) -> dict[str, Verdict]:
    return {verdict.check: verdict for verdict in judge(judged) if not verdict.passed}


def test_the_five_base_checks_have_the_names_of_the_contract_and_a_good_comment_passes_all() -> None:
    verdicts = judge(case(comment()))
    assert [check.name for check in BASE_CHECKS] == [
        "schema_validity",
        "tldr_sentence_count",
        "summary_sentence_count",
        "slack_formatting",
        "projects_theme_prefix",
    ]
    assert [(verdict.score, verdict.passed, verdict.message) for verdict in verdicts] == [(1.0, True, "")] * len(CHECKS)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_tldr_has_exactly_three_sentences(count: int) -> None:
    verdict = failed(case(comment(tldr=sentences(count))))["tldr_sentence_count"]
    assert verdict.score == 0.0
    assert verdict.message == f"The TLDR has {count} sentences instead of 3."


def test_two_sentences_in_one_item_are_noticed_even_when_the_sum_is_right() -> None:
    two = Sentence(text="It rains. It pours.")
    verdict = failed(case(comment(tldr=(two, Sentence(text="It stopped.")))))["tldr_sentence_count"]
    assert verdict.message == "1 of 2 TLDR items are not exactly one sentence."
    assert verdict.offending == ("It rains. It pours.",)


@pytest.mark.parametrize(("count", "fits"), [(9, False), (10, True), (15, True), (16, False)])
def test_a_summary_has_ten_to_fifteen_sentences(count: int, fits: bool) -> None:  # noqa: FBT001 - a parameter
    assert ("summary_sentence_count" not in failed(case(comment(summary=sentences(count))))) is fits


def test_a_short_source_needs_fewer_sentences() -> None:
    page = evidence(PAGE[:400] + MEASURED[:175])  # about 90 words: three sentences are enough
    assert page.summary_bounds == (3, 15)
    short = comment(summary=sentences(3))
    assert "summary_sentence_count" not in failed(case(short, page))
    assert "10 to 15" in failed(case(short))["summary_sentence_count"].message


def test_a_cited_fact_must_exist() -> None:
    invented = comment(summary=(*sentences(10), Sentence(text="It snowed.", facts=("f99",))))
    verdict = failed(case(invented))["schema_validity"]
    assert verdict.message == "It cites facts that do not exist: f99."
    projects = (ProjectNote(theme="a", relevance="b", facts=("f98",)),)
    assert "schema_validity" in failed(case(comment(projects=projects)))


def test_a_comment_that_breaks_its_schema_or_says_nothing_is_not_valid() -> None:
    broken = Comment.model_construct(**{**dict(comment()), "model": None})
    assert "model" in failed(case(broken, message=message(reviewed())))["schema_validity"].message
    assert "schema_validity" in failed(case(comment(summary=(*sentences(10), Sentence(text=" ")))))
    assert "schema_validity" in failed(case(comment(projects=())))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n\n\nSummary", "\n\nSummary"),
        ("\n\n\nProjects", "\n\n\n\nProjects"),
        ("TLDR\n", "In short\n"),
        ("It", "<!x>"),
    ],
)
def test_sections_that_do_not_stand_two_blank_lines_apart_fail_the_formatting_check(old: str, new: str) -> None:
    good = message(reviewed(notes=("It was short.",)))
    assert old in good.text
    bad = Message(text=good.text.replace(old, new), blocks=good.blocks)
    assert set(failed(case(comment(), message=bad))) >= {"slack_formatting"}


def test_blocks_that_slack_would_refuse_fail_the_formatting_check() -> None:
    good = message(reviewed())
    for blocks in ((), (*good.blocks,) * 10, ({"type": "rich_text", "elements": []},)):
        bad = Message(text=good.text, blocks=blocks)
        assert set(failed(case(comment(), message=bad))) == {"slack_formatting"}


def test_a_message_beyond_slacks_total_fails_the_formatting_check() -> None:
    long = comment(summary=tuple(Sentence(text=f"{'w' * 990} {n}.") for n in range(15)))
    assert "characters long" in failed(case(long))["slack_formatting"].message


def test_a_projects_item_without_its_theme_fails() -> None:
    nameless = comment(projects=(ProjectNote(theme=" ", relevance="It fits."), comment().projects[0]))
    verdict = failed(case(nameless))["projects_theme_prefix"]
    assert verdict.message == "1 of 2 Projects items do not begin with “Theme: X”."
    good = message(reviewed())
    bare = Message(text=good.text.replace("Theme: ", ""), blocks=good.blocks)
    assert "projects_theme_prefix" in failed(case(comment(), message=bare))
    assert "projects_theme_prefix" in failed(case(comment(projects=())))


def test_one_failure_does_not_hide_another() -> None:
    assert set(failed(case(comment(tldr=sentences(1), summary=sentences(1, first=9), projects=())))) == {
        "schema_validity",
        "tldr_sentence_count",
        "summary_sentence_count",
        "projects_theme_prefix",
    }
