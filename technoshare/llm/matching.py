"""What a page means for the team's projects, told from shared words alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from technoshare.llm.ranking import alike
from technoshare.models import Evidence, Fact, Project, ProjectNote
from technoshare.text import normalise, squeeze

UNRELATED = ProjectNote(theme="none", relevance="no link to our projects")

_CLOSE = 0.048  # cosine of description and page; technical pages about something else mostly stay under it
_MOST = 2  # projects named for one link; a third one is a coincidence of words
_NAMED_TERMS = 4
_SHORT = 4  # letters
_QUOTABLE = 175  # characters; with its lead-in it stays under the 200 of a reply's `why`


@dataclass(frozen=True)
class _Match:
    project: Project
    terms: tuple[str, ...]
    cosine: float


def project_notes(projects: Sequence[Project], evidence: Evidence, facts: Sequence[Fact]) -> tuple[ProjectNote, ...]:
    """Return a note per related project, the closest first; the one note `UNRELATED` when there is none."""
    related = sorted(_related(projects, evidence), key=lambda match: -match.cosine)[:_MOST]
    return tuple(_note(match, facts) for match in related) or (UNRELATED,)


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


def _note(match: _Match, facts: Sequence[Fact]) -> ProjectNote:
    terms = match.terms[:_NAMED_TERMS]
    proof = _proof(terms, facts)
    return ProjectNote(
        theme=match.project.theme,
        project=match.project.name,
        relevance=f"Mentions {_listed(terms)}, which {match.project.name} works on.",
        why=f"Closest statement: {proof.text}" if proof else "",
        facts=(proof.id,) if proof else (),
    )


def _proof(terms: Sequence[str], facts: Sequence[Fact]) -> Fact | None:
    """Return the fact that uses most of the terms, the higher ranked of equals; only one short enough to quote."""
    quotable = [fact for fact in facts if len(fact.text) <= _QUOTABLE]
    hits = [sum(words.uses(term) > 0 for term in terms) for words in (_Words.of(fact.text) for fact in quotable)]
    best = max(hits, default=0)
    return quotable[hits.index(best)] if best else None


def _listed(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"{', '.join(terms[:-1])} and {terms[-1]}"
