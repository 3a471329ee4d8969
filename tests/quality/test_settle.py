import pytest

from technoshare import render
from technoshare.models import NO_LINK, Fact, ProjectNote, ReadPriority, Sentence
from technoshare.quality.case import Case, Ground
from technoshare.quality.checks import judge
from technoshare.quality.settle import settle
from tests.samples import FACTS, MEASURED, PAGE, PROJECTS, comment, evidence, reviewed, sentences

GROUND = Ground(evidence(f"{PAGE}\n{MEASURED}"), FACTS, PROJECTS)
LIE = Sentence(text="The roofs heard 9,417 drops of it.", facts=("f1",))


def settled(changed, ground=GROUND):
    return settle(changed, ground, judge(Case(changed, render.message(reviewed(comment=changed)), ground)))


def test_a_comment_without_a_lie_is_left_as_it_is() -> None:
    result = settled(comment())
    assert (result.comment, result.removed, result.note) == (comment(), 0, "")


def test_a_lie_in_the_summary_goes_when_the_count_still_holds() -> None:
    result = settled(comment(summary=(*sentences(11, first=4), LIE)))
    assert result.comment.summary == sentences(11, first=4)
    assert result.note == "Automatic checks: 1 statement could not be verified and went."


def test_where_the_count_would_not_hold_the_pages_own_words_take_the_place_of_a_lie() -> None:
    result = settled(comment(tldr=(*sentences(2), LIE)))
    *_, last = result.comment.tldr
    assert last.text == "“Roof number 3 measured 3 millimetres of rain”."  # the first fact that nobody cites
    assert last.facts == ("f3",)
    assert result.note.endswith("1 statement could not be verified and went, 1 replaced by the page's own words.")


@pytest.mark.parametrize(
    "quote",
    ["rain", "See https://roofs.example.org/2026/rain?list=a&page=2 for all of it", "He said “no” to all of it today"],
)
def test_a_quote_that_would_not_read_as_a_sentence_replaces_nothing(quote) -> None:
    fact = Fact(id="f1", kind="claim", text="x", quote=quote, snippet="s1")
    ground = Ground(GROUND.evidence, FACTS.model_copy(update={"items": (fact,)}), PROJECTS)
    assert settled(comment(tldr=(*sentences(2), LIE)), ground).comment.tldr == sentences(2)


def test_a_lie_about_a_project_goes_and_nothing_is_left_to_link() -> None:
    lie = ProjectNote(theme="Edge sensing", project="Drizzle", relevance="Drizzle saved 8,311 euros.", facts=("f1",))
    unknown = lie.model_copy(update={"project": "Nimbus", "relevance": "It fits."})
    for note in (lie, unknown):
        assert settled(comment(projects=(note,))).comment.projects == (NO_LINK,)
    assert settled(comment(projects=(*comment().projects, lie))).comment.projects == comment().projects


def test_a_reason_that_is_a_lie_goes_with_the_advice() -> None:
    lie = ReadPriority(level="read now", reason="It saves 77 percent of the rain.")
    assert settled(comment(priority=lie)).comment.priority is None
