"""The trial of the scorers, before every evaluation: each must fail the bad comments that are kept for it.

A scorer that breaks, or says yes to everything, thereby takes the evaluation its verdict instead of letting it pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from technoshare import render
from technoshare.datafile import load_value
from technoshare.errors import Unusable
from technoshare.mlops.evaluation.dataset import Example, Expect
from technoshare.mlops.evaluation.scorers import Answered, Scorer, expected_failure
from technoshare.models import (
    Comment,
    Evidence,
    Fact,
    FactKind,
    Facts,
    Project,
    ProjectNote,
    ReadPriority,
    Reviewed,
    Sentence,
    Snippet,
    Source,
    Value,
)
from technoshare.ports import Private
from technoshare.quality.case import Ground

_AUTHOR = "somebody"
"""Not the keyless engine: some checks are about what a model wrote."""


class _Page(Value):
    url: str
    title: str
    text: tuple[str, ...] = Field(min_length=1)


class _FoundFact(Value):
    kind: FactKind
    text: str
    quote: str


class _Expected(Value):
    expected_theme: str
    facts_any: tuple[str, ...]
    facts_all: tuple[str, ...]
    forbid: tuple[str, ...]


class _Good(Value):
    tldr: tuple[Sentence, ...]
    summary: tuple[Sentence, ...]
    projects: tuple[ProjectNote, ...]
    priority: ReadPriority | None


class Bad(Value):
    """What is changed in the good comment, and who must find fault with it."""

    scorer: str
    why: str
    tldr: tuple[Sentence, ...] = ()
    summary: tuple[Sentence, ...] = ()
    projects: tuple[ProjectNote, ...] = ()
    priority: ReadPriority | None = None
    times: int = Field(default=1, ge=1)
    dropped: int = Field(default=0, ge=0)
    posted: str = ""


_UNCHANGED = Bad(scorer="", why="")


class BadComments(Value):
    """The file `evalsets/bad_comments.yaml`, which explains itself."""

    schema_: Literal["technoshare.bad_comments/1"] = Field(alias="schema")
    page: _Page
    facts: tuple[_FoundFact, ...]
    projects: tuple[Project, ...]
    prompt: str
    expect: _Expected
    good: _Good
    bad: tuple[Bad, ...]

    def answered(self, bad: Bad = _UNCHANGED) -> Answered:
        """Return the good comment, or a bad one, as a scorer sees it."""
        changes = {name: getattr(bad, name) for name in bad.model_fields_set & _Good.model_fields.keys()}
        good = self.good.model_copy(update=changes)
        comment = Comment(
            tldr=good.tldr,
            summary=good.summary * bad.times,
            projects=good.projects,
            priority=good.priority,
            model=_AUTHOR,
        )
        ground = self._ground(bad.dropped)
        reviewed = Reviewed(comment=comment, source=_source(ground.evidence), verdicts=(), outcome="success")
        message = render.message(reviewed)
        posted = message.model_copy(update={"text": message.text + bad.posted})
        return Answered(comment, posted, ground, self._example())

    def _example(self) -> Example:
        expect = Expect.model_validate(self.expect.model_dump(exclude={"expected_theme"}))
        return Example(id="trial", url=self.page.url, expected_theme=self.expect.expected_theme, expect=expect)

    def _ground(self, dropped: int) -> Ground:
        private = Private(prompts=(self.prompt,))
        return Ground(self._evidence(), self._facts(dropped), self.projects, private=private)

    def _evidence(self) -> Evidence:
        page = self.page
        snippets = tuple(
            Snippet(id=f"s{number}", text=text, source=page.url, start=0, end=len(text))
            for number, text in enumerate(page.text, start=1)
        )
        return Evidence(
            url=page.url,
            final_url=page.url,
            adapter="GenericAdapter",
            domain=page.url.split("/")[2],
            title=page.title,
            coverage="full",
            snippets=snippets,
        )

    def _facts(self, dropped: int) -> Facts:
        items = (
            Fact(id=f"f{number}", snippet="s1", **fact.model_dump()) for number, fact in enumerate(self.facts, start=1)
        )
        return Facts(items=tuple(items), dropped=dropped, model=_AUTHOR)


def _source(evidence: Evidence) -> Source:
    return Source(
        url=evidence.url,
        title=evidence.title,
        domain=evidence.domain,
        adapter=evidence.adapter,
        coverage=evidence.coverage,
        words=evidence.words,
    )


def load_bad_comments(path: Path) -> BadComments:
    """Read the file. Raises `ConfigError` that names what is wrong in it."""
    return load_value(path, BadComments)


def faults(scorers: tuple[Scorer, ...], comments: BadComments) -> tuple[str, ...]:
    """Return what is wrong with the scorers, one sentence each; nothing when all can be trusted that far."""
    return (*_failure_faults(), *(fault for scorer in scorers for fault in _faults(scorer, comments)))


def _faults(scorer: Scorer, comments: BadComments) -> Iterator[str]:
    kept = [bad for bad in comments.bad if bad.scorer == scorer.name]
    if not kept:
        yield f"The scorer {scorer.name} has no bad comment to be tried on."
        return
    try:
        if scorer.look(comments.answered()).value != 1.0:
            yield f"The scorer {scorer.name} finds fault with a good comment."
        passed = [bad.why for bad in kept if not _found(scorer, comments.answered(bad))]
    except Exception as error:  # noqa: BLE001 - a scorer may break in any way; that is what the trial is for
        yield f"The scorer {scorer.name} breaks: {type(error).__name__}: {error}"
        return
    for why in passed:
        yield f"The scorer {scorer.name} lets a bad comment pass: {why}."


def _found(scorer: Scorer, answered: Answered) -> bool:
    value = scorer.look(answered).value
    return math.isfinite(value) and 0.0 <= value < 1.0


def _failure_faults() -> Iterator[str]:
    wanted = Expect(outcome="failed", obstacle="not_found")
    wrong = (None, Unusable("walled", obstacle="login_wall"))
    if any(expected_failure(wanted, failure).value == 1.0 for failure in wrong):
        yield "The scorer expected_failure lets the wrong end pass."
