"""The checks on a comment: one name and one pure function each, as gate and as evaluation scorer.

The five base checks stand here and decide in the evaluation; `CHECKS` lists all of them, in the order of their fixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from technoshare.models import Comment, Sentence, Verdict
from technoshare.quality.blocks import LONGEST_MESSAGE, block_problems
from technoshare.quality.case import FINE, Case, Check, Finding, Ground, check, count
from technoshare.quality.safety import links, mentions, plain_text, prompt_leak, secrets
from technoshare.quality.truth import citations, cited_support, grounding, known_projects
from technoshare.quality.wording import (
    cut_endings,
    language,
    preamble,
    read_priority,
    redundancy,
    section_length,
    tldr_novelty,
)
from technoshare.render import PROJECTS_LABEL, SECTION_BREAK, THEME_PREFIX
from technoshare.text import split_sentences

LABELS = ("TLDR", "Summary", PROJECTS_LABEL)
TLDR_SENTENCES = 3


def judge(case: Case) -> tuple[Verdict, ...]:
    """Run every check; none stops another."""
    return tuple(rule(case) for rule in CHECKS)


def fixed(comment: Comment, ground: Ground) -> Comment:
    """Return the comment after every fix that needs nobody's help."""
    for rule in CHECKS:
        if rule.fix:
            comment = rule.fix(comment, ground)
    return comment


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
    return Finding((problem,), bare) if bare else FINE


BASE_CHECKS = (
    schema_validity,
    tldr_sentence_count,
    summary_sentence_count,
    slack_formatting,
    projects_theme_prefix,
)
"""The contract's five: they alone decide whether an example of the evaluation passes."""

CHECKS: tuple[Check, ...] = (
    *BASE_CHECKS,
    plain_text,
    mentions,
    secrets,
    links,
    prompt_leak,
    section_length,
    grounding,
    citations,
    cited_support,
    known_projects,
    tldr_novelty,
    redundancy,
    preamble,
    cut_endings,
    language,
    read_priority,
)

ALL_PASSED = tuple(rule.verdict(FINE) for rule in CHECKS)


# ---------------------------------------------------------------- how they look


def _counted(label: str, sentences: Sequence[Sentence], bounds: tuple[int, int], language: str) -> Finding:
    counts = [len(split_sentences(sentence.text, language)) for sentence in sentences]
    mixed = tuple(sentence.text for sentence, number in zip(sentences, counts, strict=True) if number != 1)
    least, most = bounds
    problems = []
    if not least <= sum(counts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        problems.append(f"The {label} has {count(sum(counts))} instead of {wanted}.")
    if mixed:
        problems.append(f"{len(mixed)} of {len(sentences)} {label} items are not exactly one sentence.")
    return Finding(tuple(problems), mixed)


def _shape_problems(comment: Comment) -> Iterator[str]:
    try:
        Comment.model_validate(comment.model_dump(warnings=False))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            yield f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}."
    texts = [sentence.text for sentence in (*comment.tldr, *comment.summary)]
    empty = sum(not str(text).strip() for text in (*texts, *(note.relevance for note in comment.projects)))
    if empty:
        yield f"{count(empty)} without any text."
    if not comment.projects:
        yield "The Projects section has no item."


def _citation_problems(case: Case) -> Iterator[str]:
    comment = case.comment
    sentences = [fact for sentence in (*comment.tldr, *comment.summary) for fact in sentence.facts]
    advised = comment.priority.facts if comment.priority else ()
    cited = {*sentences, *(fact for note in comment.projects for fact in note.facts), *advised}
    if unknown := sorted(cited - set(case.ground.quotes)):
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
