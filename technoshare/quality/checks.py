"""The checks on a comment: one name and one pure function each, as gate and as evaluation scorer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from technoshare.models import EXTRACTIVE, Comment, Evidence, Facts, Message, Sentence, Severity, Verdict
from technoshare.quality.blocks import LONGEST_MESSAGE, block_problems
from technoshare.render import PROJECTS_LABEL, SECTION_BREAK, THEME_PREFIX
from technoshare.text import split_sentences

LABELS = ("TLDR", "Summary", PROJECTS_LABEL)
TLDR_SENTENCES = 3


@dataclass(frozen=True)
class Case:
    """A comment as it is posted, and what it is judged against. `bounds`: fewest and most Summary sentences."""

    comment: Comment
    message: Message
    fact_ids: frozenset[str]
    bounds: tuple[int, int] = (10, 15)
    language: str = "en"

    @classmethod
    def of(cls, comment: Comment, message: Message, evidence: Evidence, facts: Facts) -> Case:
        """Return the case of a live comment: its bounds follow from how much was read."""
        ids = frozenset(fact.id for fact in facts.items)
        language = evidence.language if comment.model == EXTRACTIVE else "en"  # extracted is in the page's own
        return cls(comment, message, ids, evidence.summary_bounds, language)


Section = Literal["comment", "tldr", "summary", "projects"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, each in a sentence that a person would write, and the texts that are."""

    problems: tuple[str, ...] = ()
    offending: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """A rule for comments: called with a case, it gives the verdict. Its name is that of the function that looks."""

    look: Callable[[Case], Finding]
    section: Section
    severity: Severity

    @property
    def name(self) -> str:
        """The one name of this rule, as gate and as scorer."""
        return self.look.__name__

    def __call__(self, case: Case) -> Verdict:
        """Judge a comment."""
        return self.verdict(self.look(case))

    def verdict(self, finding: Finding) -> Verdict:
        """Return the verdict on a finding; an empty one passes."""
        return Verdict(
            check=self.name,
            section=self.section,
            severity=self.severity,
            score=0.0 if finding.problems else 1.0,
            passed=not finding.problems,
            message=" ".join(finding.problems),
            offending=finding.offending,
        )


def check(section: Section, severity: Severity = "repair") -> Callable[[Callable[[Case], Finding]], Check]:
    """Declare the decorated function as a check of a section."""
    return lambda look: Check(look, section, severity)


def judge(case: Case) -> tuple[Verdict, ...]:
    """Run every check; none stops another."""
    return tuple(check(case) for check in CHECKS)


# ---------------------------------------------------------------- the five base checks


@check("comment")
def schema_validity(case: Case) -> Finding:
    """The comment validates against its schema, says something in every sentence, and cites facts that exist."""
    return Finding((*_shape_problems(case.comment), *_citation_problems(case)))


@check("tldr")
def tldr_sentence_count(case: Case) -> Finding:
    """The TLDR has exactly three items, each of them exactly one sentence."""
    exact = (TLDR_SENTENCES, TLDR_SENTENCES)
    return _counted("TLDR", case.comment.tldr, exact, case.language)


@check("summary")
def summary_sentence_count(case: Case) -> Finding:
    """The Summary has as many items as the source allows (10 to 15, fewer for a short one), one sentence each."""
    return _counted("Summary", case.comment.summary, case.bounds, case.language)


@check("comment")
def slack_formatting(case: Case) -> Finding:
    """In the text form the sections stand apart by two blank lines; the blocks are valid and within Slack's limits."""
    return Finding((*_text_problems(case.message.text), *block_problems(case.message.blocks)))


@check("projects")
def projects_theme_prefix(case: Case) -> Finding:
    """Every item of the rendered Projects section begins with `Theme: ` and a theme."""
    items = _body(case.message.text, PROJECTS_LABEL).splitlines()
    bare = tuple(item for item in items if not re.match(rf"{THEME_PREFIX}[^\s:]", item))
    if not items:
        return Finding(("The Projects section is empty.",))
    problem = f"{len(bare)} of {len(items)} Projects items do not begin with “Theme: X”."
    return Finding((problem,), bare) if bare else Finding()


CHECKS: tuple[Check, ...] = (
    schema_validity,
    tldr_sentence_count,
    summary_sentence_count,
    slack_formatting,
    projects_theme_prefix,
)

ALL_PASSED = tuple(check.verdict(Finding()) for check in CHECKS)


# ---------------------------------------------------------------- how they look


def _counted(label: str, sentences: Sequence[Sentence], bounds: tuple[int, int], language: str) -> Finding:
    counts = [len(split_sentences(sentence.text, language)) for sentence in sentences]
    mixed = tuple(sentence.text for sentence, count in zip(sentences, counts, strict=True) if count != 1)
    least, most = bounds
    problems = []
    if not least <= sum(counts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        problems.append(f"The {label} has {_sentences(sum(counts))} instead of {wanted}.")
    if mixed:
        problems.append(f"{len(mixed)} of {len(sentences)} {label} items are not exactly one sentence.")
    return Finding(tuple(problems), mixed)


def _sentences(count: int) -> str:
    return f"{count} sentence" if count == 1 else f"{count} sentences"


def _shape_problems(comment: Comment) -> Iterator[str]:
    try:
        Comment.model_validate(comment.model_dump(warnings=False))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            yield f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}."
    texts = [sentence.text for sentence in (*comment.tldr, *comment.summary)]
    empty = sum(not str(text).strip() for text in (*texts, *(note.relevance for note in comment.projects)))
    if empty:
        yield f"{_sentences(empty)} without any text."
    if not comment.projects:
        yield "The Projects section has no item."


def _citation_problems(case: Case) -> Iterator[str]:
    comment = case.comment
    sentences = [fact for sentence in (*comment.tldr, *comment.summary) for fact in sentence.facts]
    cited = {*sentences, *(fact for note in comment.projects for fact in note.facts)}
    if unknown := sorted(cited - case.fact_ids):
        yield f"It cites facts that do not exist: {', '.join(unknown)}."


def _text_problems(text: str) -> Iterator[str]:
    starts = [section.partition("\n")[0] for section in text.split(SECTION_BREAK)]
    labels = tuple(start for start in starts if start in LABELS)
    if labels != LABELS or "\n\n\n\n" in text:
        yield "TLDR, Summary and Projects do not stand apart by two blank lines."
    if "<" in text or ">" in text:
        yield "The text form holds unescaped angle brackets."
    if len(text) > LONGEST_MESSAGE:
        yield f"The text form is {len(text):,} characters long; Slack takes about {LONGEST_MESSAGE:,}."


def _body(text: str, label: str) -> str:
    """Return the lines below the label of a section of the text form."""
    for section in text.split(SECTION_BREAK):
        start, _, body = section.partition("\n")
        if start == label:
            return body
    return ""
