"""What a page means for the team's projects, told from shared words alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from technoshare.llm.ranking import alike
from technoshare.models import NO_LINK, Evidence, Fact, Project, ProjectNote, ReadPriority
from technoshare.text import normalise, squeeze

_CLOSE = 0.048  # cosine of description and page; technical pages about something else mostly stay under it
_MOST = 2  # projects named for one link; a third one is a coincidence of words
_NAMED_TERMS = 4
_SHORT = 4  # letters
_QUOTABLE = 170  # characters; with its lead-in it stays under the 200 of a reply's `why`


@dataclass(frozen=True)
class _Match:
    project: Project
    terms: tuple[str, ...]
    cosine: float


def project_notes(projects: Sequence[Project], evidence: Evidence, facts: Sequence[Fact]) -> tuple[ProjectNote, ...]:
    """Return a note per related project, the closest first; the one note `NO_LINK` when there is none.

    A project whose words stand in no fact is left out: nothing in the comment would show what it has to do with it.
    """
    related = sorted(_related(projects, evidence), key=lambda match: -match.cosine)
    notes = (_note(match, proof) for match in related if (proof := _proof(match.terms[:_NAMED_TERMS], facts)))
    return tuple(islice(notes, _MOST)) or (NO_LINK,)


def read_priority(notes: Sequence[ProjectNote]) -> ReadPriority:
    """Return what shared words can say about reading the page: they are no reason to read it now."""
    if NO_LINK in notes:
        return ReadPriority(level="file", reason="No project of ours shares its words.")
    names = _listed([note.project for note in notes])
    facts = tuple(fact for note in notes for fact in note.facts)
    return ReadPriority(level="skim", reason=f"It shares words with {names}.", facts=facts)


def _related(projects: Sequence[Project], evidence: Evidence) -> list[_Match]:
    if not projects:
        return []
    page = " ".join((evidence.title, *(snippet.text for snippet in evidence.snippets)))
    descriptions = [" ".join((project.description, *project.keywords)) for project in projects]
    cosines = alike([*descriptions, page], evidence.language)[-1]
    words = _Words.of(page)
    matches = [
        _Match(project, _shared(project, words), float(cosine))
        for project, cosine in zip(projects, cosines, strict=False)
    ]
    return [match for match in matches if len(match.terms) >= 2 and match.cosine >= _CLOSE]


@dataclass(frozen=True)
class _Words:
    """A text as it stands and as it is compared."""

    exact: str
    plain: str

    @classmethod
    def of(cls, text: str) -> _Words:
        return cls(squeeze(text), normalise(text))

    def uses(self, keyword: str) -> int:
        """Count a keyword; a short one with capitals (Go, CI, RAG) keeps its case, or “go” would be a language."""
        if len(keyword) <= _SHORT and not keyword.islower():
            return len(re.findall(rf"(?<!\w){re.escape(keyword)}s?(?!\w)", self.exact))
        word = normalise(keyword)
        if word not in self.plain:  # most are not, and this look costs a hundredth of the pattern
            return 0
        return len(re.findall(rf"(?<!\w){re.escape(word)}(?:e?s)?(?!\w)", self.plain))


def _shared(project: Project, page: _Words) -> tuple[str, ...]:
    """Return the project's keywords that the page uses, the most frequent first; a plural counts too."""
    counts = {keyword: page.uses(keyword) for keyword in project.keywords}
    return tuple(sorted((keyword for keyword in counts if counts[keyword]), key=lambda keyword: -counts[keyword]))


def _note(match: _Match, proof: Fact) -> ProjectNote:
    return ProjectNote(
        theme=match.project.theme,
        project=match.project.name,
        relevance=f"Mentions {_listed(match.terms[:_NAMED_TERMS])}, which {match.project.name} works on.",
        why=f"The closest statement: {proof.text}" if len(proof.text) <= _QUOTABLE else "",
        facts=(proof.id,),
    )


def _proof(terms: Sequence[str], facts: Sequence[Fact]) -> Fact | None:
    """Return the fact that uses most of the terms; of equals one short enough to quote, then the higher ranked."""
    hits = [sum(words.uses(term) > 0 for term in terms) for words in (_Words.of(fact.text) for fact in facts)]
    found = [(count, len(fact.text) <= _QUOTABLE, fact) for count, fact in zip(hits, facts, strict=True) if count]
    return max(found, key=lambda one: one[:2])[2] if found else None


def _listed(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"{', '.join(terms[:-1])} and {terms[-1]}"
