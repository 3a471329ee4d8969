import pytest

from technoshare.errors import Unusable
from technoshare.models import Comment, Evidence, Facts, ProjectNote, Reviewed, Sentence
from technoshare.ports import Services
from technoshare.quality.blocks import LONGEST_MESSAGE
from technoshare.quality.checks import Case, judge
from technoshare.render import message
from technoshare.stages.review import review
from tests.samples import FACTS, JOB, PAGE, comment, evidence, sentences

NO_SERVICES: Services = None  # type: ignore[assignment]  # nothing in this stage asks the world yet


async def reviewed(given: Comment, page: Evidence | None = None, facts: Facts = FACTS) -> Reviewed:
    return await review(NO_SERVICES, JOB, page or long_page(), facts, given)


def long_page() -> Evidence:
    return evidence(PAGE + "The rain fell on the roof of the old harbour office again. " * 12)


async def test_a_good_comment_leaves_unchanged_with_five_passed_checks() -> None:
    result = await reviewed(comment())
    assert (result.outcome, result.failures, result.notes) == ("success", (), ())
    assert result.comment == comment()
    assert result.record().metrics["gate_pass_rate"] == 1.0


async def test_a_comment_that_fails_a_check_is_posted_degraded_and_the_reader_is_told() -> None:
    result = await reviewed(comment(tldr=sentences(2)))
    assert result.outcome == "degraded"
    assert "Automatic check: The TLDR has 2 sentences instead of 3." in message(result).text
    assert "Checks: 4 of 5 passed" in message(result).text
    assert "tldr_sentence_count" in result.record().artifacts["failures.txt"]


@pytest.mark.parametrize("given", [comment(), comment(tldr=sentences(2), projects=()), comment(summary=sentences(40))])
async def test_the_verdicts_are_about_exactly_the_message_that_is_posted(given: Comment) -> None:
    page = long_page()
    result = await reviewed(given, page)
    assert judge(Case.of(result.comment, message(result), page, FACTS)) == result.verdicts


async def test_a_message_that_only_its_own_failure_note_makes_too_long_is_judged_too_long() -> None:
    words = tuple(Sentence(text=f"{'w' * 459} {number}.") for number in range(10, 37))
    result = await reviewed(comment(summary=words), evidence(PAGE * 2))
    without_note = message(result.model_copy(update={"verdicts": (), "notes": ()}))
    assert len(without_note.text) < LONGEST_MESSAGE < len(message(result).text)
    assert {verdict.check for verdict in result.failures} == {"summary_sentence_count", "slack_formatting"}


async def test_a_short_source_is_said_to_be_short() -> None:
    page = evidence(PAGE[:560])
    result = await reviewed(comment(summary=sentences(3)), page)
    assert result.outcome == "success"
    assert result.notes == ("Short source: 3 sentences are enough.",)


async def test_what_a_model_may_not_carry_out_is_gone_before_the_checks() -> None:
    evil = Sentence(text="**Ask** <!channel> at https://evil.example/x today.")
    note = ProjectNote(theme="Theme: Rain", relevance="See evil.com for it.")
    result = await reviewed(comment(tldr=(evil, *sentences(2)), projects=(note,)))
    assert result.outcome == "success"
    assert result.comment.tldr[0].text == "Ask [mention removed] at [link removed] today."
    assert result.comment.projects[0].theme == "Rain"
    assert "evil" not in str(message(result))


async def test_links_that_were_not_read_are_named_in_the_reply() -> None:
    job = JOB.model_copy(update={"unread": ("https://other.example/4",)})
    result = await review(NO_SERVICES, job, long_page(), FACTS, comment())
    assert "https://other.example/4" in message(result).text


async def test_a_comment_without_any_sentence_is_an_honest_failure_and_no_post() -> None:
    with pytest.raises(Unusable, match="no sentence"):
        await reviewed(comment(tldr=(Sentence(text="\u200b"),)))
