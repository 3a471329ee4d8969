"""What an evaluation scores: the gates' own checks, and what only somebody who knows the right answer can tell.

The five base checks and `expectations` decide whether an example passes; the others are rates, which decide only
through a floor in `evalsets/thresholds.yaml`. Every scorer has bad comments in `evalsets/bad_comments.yaml` to fail.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from technoshare import injection, models, quality, text
from technoshare.errors import Unusable
from technoshare.mlops.evaluation.dataset import NO_THEME, Example, Expect
from technoshare.quality.case import Case, Check
from technoshare.quality.checks import BASE_CHECKS, CHECKS
from technoshare.text import count_words, normalise, split_sentences

LONGEST_SENTENCE = 35
"""Words, as the prompt asks for."""
EXPECTED_FAILURE = "expected_failure"
"""The one scorer of an example for which an honest failure is right."""


@dataclass(frozen=True)
class Answered(Case):
    """A comment as it would be posted, and what its example expects of it."""

    example: Example

    @property
    def bounds(self) -> tuple[int, int]:
        """Follow from how much was read, unless the example knows better."""
        own = self.example.expect.summary
        return (own.min, own.max) if own else super().bounds

    @property
    def sentences(self) -> tuple[models.Sentence, ...]:
        """TLDR and Summary."""
        return self.comment.tldr + self.comment.summary


@dataclass(frozen=True)
class Score:
    """0.0 to 1.0; below 1.0 `message` says why, as a person would, and `offending` holds the texts that are wrong."""

    value: float
    message: str = ""
    offending: tuple[str, ...] = ()


FULL = Score(1.0)


@dataclass(frozen=True)
class Scorer:
    """One rule. `applies` tells of which examples it says anything: there a missing score counts as 0."""

    name: str
    look: Callable[[Answered], Score]
    deciding: bool = False
    applies: Callable[[Example], bool] = lambda _: True


def deciding(example: Example, scorers: tuple[Scorer, ...]) -> tuple[str, ...]:
    """Return the names of the scorers that decide whether the example passes."""
    if example.expect.outcome == "failed":
        return (EXPECTED_FAILURE,)
    return tuple(scorer.name for scorer in due(example, scorers) if scorer.deciding)


def due(example: Example, scorers: tuple[Scorer, ...]) -> tuple[Scorer, ...]:
    """Return the scorers that say something about the comment on an example."""
    if example.expect.outcome == "failed":
        return ()
    return tuple(scorer for scorer in scorers if scorer.applies(example))


def expected_failure(expect: Expect, failure: Unusable | None) -> Score:
    """Score an example for which there is nothing honest to say but why."""
    if failure is None:
        return Score(0.0, "A comment came out where an honest failure is right.")
    if expect.obstacle in ("", failure.obstacle):
        return FULL
    return Score(0.0, f"It failed with {failure.obstacle} ({failure}), not with {expect.obstacle}.")


# ---------------------------------------------------------------- against what the example expects


def expectations(answered: Answered) -> Score:
    """Everything that must be said is said, nothing that must not be, and enough was read."""
    problems = tuple(_disappointments(answered))
    return Score(0.0, " ".join(problems)) if problems else FULL


def _disappointments(answered: Answered) -> Iterator[str]:
    expect, said = answered.example.expect, normalise(answered.message.text)
    for wanted in _absent(expect.facts_all, answered):
        yield f"“{wanted}” is not said."
    for forbidden in expect.forbid:
        if normalise(forbidden) in said:
            yield f"“{forbidden}” is said."
    words = answered.ground.evidence.words
    if words < expect.min_evidence_words:
        yield f"Only {words} words were read; the page has {expect.min_evidence_words} or more."
    count = sum(len(split_sentences(sentence.text, answered.language)) for sentence in answered.comment.tldr)
    if expect.tldr and not expect.tldr.min <= count <= expect.tldr.max:
        yield f"The TLDR has {count} sentences instead of {expect.tldr.min} to {expect.tldr.max}."


def _expects(example: Example) -> bool:
    expect = example.expect
    return bool(expect.facts_all or expect.forbid or expect.min_evidence_words or expect.tldr)


def _absent(wanted: tuple[str, ...], answered: Answered) -> tuple[str, ...]:
    said = normalise(" ".join(part.text for part in answered.parts))
    return tuple(one for one in wanted if normalise(one) not in said)


def coverage(answered: Answered) -> Score:
    """Share of the details that a good comment would mention some of."""
    wanted = answered.example.expect.facts_any
    absent = _absent(wanted, answered)
    return Score(1 - len(absent) / len(wanted), "Not mentioned.", absent) if absent else FULL


def theme_accuracy(answered: Answered) -> Score:
    """One of the themes is right; a few words of a theme's name are enough to mean it."""
    themes = tuple(note.theme for note in answered.comment.projects)
    right = answered.example.themes
    if any(_means(wanted, theme) for wanted in right for theme in themes):
        return FULL
    return Score(0.0, f"The theme should be {' or '.join(right)}.", themes)


def _means(wanted: str, theme: str) -> bool:
    words = set(normalise(theme).split())
    return set(normalise(wanted).split()) <= words if wanted != NO_THEME else words == {NO_THEME}


# ---------------------------------------------------------------- facts and citations


def quote_verified_rate(answered: Answered) -> Score:
    """Share of the facts whose quote stands verbatim in what was read; the others were dropped."""
    kept, dropped = len(answered.ground.facts.items), answered.ground.facts.dropped
    return Score(kept / (kept + dropped), f"{dropped} facts dropped: their quotes were not found.") if dropped else FULL


def fact_coverage(answered: Answered) -> Score:
    """Share of the facts found that the comment rests on."""
    found = {fact.id: fact.text for fact in answered.ground.facts.items}
    cited = {fact for part in answered.parts for fact in part.facts}
    unused = tuple(told for name, told in found.items() if name not in cited)
    return Score(1 - len(unused) / len(found), f"{len(unused)} of {len(found)} facts unused.") if unused else FULL


def cited_sentence_rate(answered: Answered) -> Score:
    """Share of the sentences of TLDR and Summary that cite a fact that exists."""
    known = answered.ground.quotes
    bare = tuple(one.text for one in answered.sentences if not any(fact in known for fact in one.facts))
    return Score(1 - len(bare) / len(answered.sentences), "Rests on no fact.", bare) if bare else FULL


def sentence_length(answered: Answered) -> Score:
    """Share of the sentences that a reader in a hurry takes in: at most 35 words."""
    long = tuple(one.text for one in answered.sentences if count_words(one.text) > LONGEST_SENTENCE)
    told = f"More than {LONGEST_SENTENCE} words."
    return Score(1 - len(long) / len(answered.sentences), told, long) if long else FULL


# ---------------------------------------------------------------- all of them


def _gate(check: Check) -> Scorer:
    """Return a gate's check as a scorer: the same function under the same name."""

    def look(answered: Answered) -> Score:
        verdict = check(answered)
        return Score(verdict.score, verdict.message, verdict.offending)

    return Scorer(check.name, look, deciding=check in BASE_CHECKS)


SCORERS: tuple[Scorer, ...] = (
    *map(_gate, BASE_CHECKS),
    Scorer("expectations", expectations, deciding=True, applies=_expects),
    Scorer("theme_accuracy", theme_accuracy, applies=lambda example: bool(example.themes)),
    Scorer("coverage", coverage, applies=lambda example: bool(example.expect.facts_any)),
    Scorer("quote_verified_rate", quote_verified_rate),
    Scorer("fact_coverage", fact_coverage),
    Scorer("cited_sentence_rate", cited_sentence_rate),
    Scorer("sentence_length", sentence_length),
    *(_gate(check) for check in CHECKS if check not in BASE_CHECKS),
)

SOURCES = (
    *sorted(path for folder in quality.__path__ for path in Path(folder).glob("*.py")),
    *(Path(str(module.__file__)) for module in (text, injection)),
    Path(__file__),
)
"""Whatever has a say in a score, but for the bounds."""


def scorer_digest(sources: tuple[Path, ...] = SOURCES, bounds: Callable[[int], object] = models.summary_bounds) -> str:
    """Return 12 hex digits that change when a scorer, or the bounds that it applies, do. Comments do not count."""
    lines = [line.rstrip() for path in sources for line in path.read_text("utf-8").splitlines()]
    code = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    lengths = [bounds(words) for words in range(0, 1_000, 20)]
    return hashlib.sha256(f"{code}\n{inspect.getsource(models.Comment)}\n{lengths}".encode()).hexdigest()[:12]
