"""The last resort after the repairs: what must not stand is taken out, and the page's own words take its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from technoshare.models import NO_LINK, Comment, ProjectNote, Sentence, Verdict
from technoshare.quality.addresses import without_links
from technoshare.quality.case import Ground, count
from technoshare.quality.sanitize import plain
from technoshare.quality.secrets import redacted
from technoshare.text import normalise, split_sentences

UNVERIFIED = ("grounding", "known_projects")
"""Checks whose offending texts are taken out; so are those of every block-class check."""

_TLDR = 3
_WORDS = range(6, 41)
"""Of a quote that can stand for a sentence."""


@dataclass(frozen=True)
class Settled:
    """A comment without what must not stand; how many statements went, and how many of them were replaced."""

    comment: Comment
    removed: int = 0
    replaced: int = 0

    @property
    def note(self) -> str:
        """What readers are told, empty when nothing was taken out."""
        if not self.removed:
            return ""
        instead = f", {self.replaced} replaced by the page's own words" if self.replaced else ""
        return f"Automatic checks: {count(self.removed, 'statement')} could not be verified and went{instead}."


def settle(comment: Comment, ground: Ground, verdicts: Sequence[Verdict]) -> Settled:
    """Take out what the verdicts found; TLDR and Summary keep their counts as long as the facts' quotes last."""
    bad = {text for verdict in verdicts if _unbearable(verdict) for text in verdict.offending}
    least, most = ground.evidence.summary_bounds
    if not bad:
        return Settled(_shortened(comment, most))
    spare = _spare(comment, ground)
    tldr, replaced = _kept(comment.tldr, bad, spare, len(comment.tldr))
    summary, more = _kept(comment.summary, bad, spare, min(least, len(comment.summary)))
    projects = tuple(
        note for note in comment.projects if not bad & {note.theme, note.project, note.relevance, note.why}
    )
    priority = None if comment.priority and comment.priority.reason in bad else comment.priority
    gone = sum(sentence.text in bad for sentence in (*comment.tldr, *comment.summary))
    gone += len(comment.projects) - len(projects) + (priority is not comment.priority)
    update = {"tldr": tldr, "summary": summary, "projects": projects or _none(comment), "priority": priority}
    return Settled(_shortened(comment.model_copy(update=update), most), gone, replaced + more)


def _shortened(comment: Comment, most: int) -> Comment:
    """Return the comment without the sentences beyond what was asked for."""
    return comment.model_copy(update={"tldr": comment.tldr[:_TLDR], "summary": comment.summary[:most]})


def _unbearable(verdict: Verdict) -> bool:
    return not verdict.passed and (verdict.severity == "block" or verdict.check in UNVERIFIED)


def _none(comment: Comment) -> tuple[ProjectNote, ...]:
    return (NO_LINK,) if comment.projects else ()


def _kept(
    sentences: Sequence[Sentence], bad: set[str], spare: Iterator[Sentence], least: int
) -> tuple[tuple[Sentence, ...], int]:
    """Return the good sentences, with spare ones in the bad ones' places as long as `least` asks for them."""
    missing = least - sum(sentence.text not in bad for sentence in sentences)
    kept: list[Sentence] = []
    replaced = 0
    for sentence in sentences:
        if sentence.text not in bad:
            kept.append(sentence)
        elif replaced < missing and (other := next(spare, None)):
            kept.append(other)
            replaced += 1
    return tuple(kept), replaced


def _spare(comment: Comment, ground: Ground) -> Iterator[Sentence]:
    """Yield the quotes of facts that nobody cites yet, then of the others, each as a sentence in quotation marks."""
    cited = {fact for sentence in (*comment.tldr, *comment.summary) for fact in sentence.facts}
    seen = {normalise(sentence.text) for sentence in (*comment.tldr, *comment.summary)}
    for fact in sorted(ground.facts.items, key=lambda fact: fact.id in cited):
        text = _quoted(fact.quote, ground)
        if text and normalise(text) not in seen:
            seen.add(normalise(text))
            yield Sentence(text=text, facts=(fact.id,))


def _quoted(quote: str, ground: Ground) -> str:
    """Return the first sentence of a quote as a whole sentence, empty when it would not read as one."""
    first = next(iter(split_sentences(quote, ground.evidence.language)), "")
    words = redacted(plain(without_links(first, frozenset())), ground.private.secrets).rstrip(" .,;:…")
    if len(words.split()) not in _WORDS or "[" in words or "“" in words or '"' in words:
        return ""
    return f"“{words}”."
