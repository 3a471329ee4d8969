"""The keyless writer: sentences of the page itself, ranked and chosen. Offline and deterministic; it never pads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from technoshare.aside import aside
from technoshare.errors import Unusable
from technoshare.llm.candidates import Candidate, candidates, kind_of
from technoshare.llm.matching import project_notes, read_priority
from technoshare.llm.ranking import Matrix, alike, central, diverse
from technoshare.models import EXTRACTIVE, Comment, Evidence, Fact, Facts, Project, Sentence
from technoshare.ports import Repair, Tool

FEWEST_CANDIDATES = 6  # below it there is no comment but an honest reason (DESIGN, section 8)
_MOST_CANDIDATES = 1_000  # a whole paper has about 700; keeps the similarity matrix at 8 MB
_FACTS = 24  # 3 for the TLDR, up to 15 for the Summary, a few to spare
_TLDR = 3
_SECTION = 3_000  # characters of a section, as the gates have it
_SPARE = 2  # sentences above the minimum of a Summary of normal length

_LEANS = re.compile(
    r"^[\"“(]?(?:this|that|these|those|it|its|they|them|he|she|his|her|here|there|so|but|and|or|yet|then|thus|hence|"
    r"however|also|still|instead|again|yes|no|well|of course|because|for example|for instance|in addition|in this|"
    r"as (?:shown|mentioned|described|noted|a note|of now)|the (?:former|latter|following|above)|second(?:ly)?|"
    r"third(?:ly)?|next|finally|moreover|furthermore|additionally|similarly|otherwise|therefore|meanwhile|both|"
    r"another|other|let['’]s|here['’]s|don['’]t get me wrong|p\.?s\.?:?|if (?:none|true|false)|example|see|notice|"
    r"changed in version|deprecated since|new in version)\b|"
    r"\b(?:below|above|figure|fig\.|table|section|(?:next|subsequent) (?:few )?posts?|I['’]ll|please see|"
    r"this (?:post|article|section|chapter))\b",
    re.IGNORECASE,
)
_LEANING = 0.55  # what is left of a sentence's weight when it needs its neighbours to be understood,
_UNEVEN = 0.7  # and when it has fewer words than a statement or more than a reader has patience for
_EVEN_LENGTH = range(8, 36)


@dataclass(frozen=True)
class Extractive:
    """Writes with the sentences of the evidence alone; `projects` are the team's."""

    projects: tuple[Project, ...] = ()

    @property
    def model(self) -> str:
        """Name for tags and for the reply."""
        return EXTRACTIVE

    async def facts(self, evidence: Evidence, *, tools: Sequence[Tool] = ()) -> Facts:  # noqa: ARG002 - it asks nobody
        """Return the sentences that matter most, best first, each its own verbatim quote.

        Raises `Unusable` when the page has too few whole sentences.
        """
        return await aside(_facts, evidence)

    async def comment(
        self,
        evidence: Evidence,
        facts: Facts,
        *,
        repair: Repair | None = None,  # noqa: ARG002 - a second look would choose the same
    ) -> Comment:
        """Return the three best facts as TLDR, the next ones in reading order as Summary."""
        return await aside(_comment, evidence, facts, self.projects)


def _facts(evidence: Evidence) -> Facts:
    found = candidates(evidence)[:_MOST_CANDIDATES]
    if len(found) < FEWEST_CANDIDATES:
        told = f"only {len(found)}" if found else "no"
        raise Unusable(f"the page has {told} whole sentences to build a comment on", obstacle="too_short")
    chosen = [found[row] for row in _best(found, evidence)]
    items = tuple(_fact(number, candidate) for number, candidate in enumerate(chosen, start=1))
    used = {fact.snippet for fact in items}
    sources = dict.fromkeys(snippet.source for snippet in evidence.snippets if snippet.id in used)
    return Facts(items=items, sources=tuple(sources), model=EXTRACTIVE)


def _best(found: Sequence[Candidate], evidence: Evidence) -> list[int]:
    texts = [candidate.text for candidate in found]
    likeness = alike([*texts, evidence.title], evidence.language)
    sentences, title = likeness[:-1, :-1], likeness[-1, :-1]
    return diverse(sentences, central(sentences, title) * _standing(texts), _FACTS)


def _standing(texts: Sequence[str]) -> Matrix:
    """Return a factor per text for how well it can be read without its neighbours."""
    leaning = np.where([bool(_LEANS.search(text)) for text in texts], _LEANING, 1.0)
    even = np.where([len(text.split()) in _EVEN_LENGTH for text in texts], 1.0, _UNEVEN)
    standing: Matrix = leaning * even
    return standing


def _fact(number: int, candidate: Candidate) -> Fact:
    return Fact(
        id=f"f{number}",
        kind=kind_of(candidate.text),
        text=candidate.text,
        quote=candidate.quote,
        snippet=candidate.snippet,
    )


def _comment(evidence: Evidence, facts: Facts, projects: Sequence[Project]) -> Comment:
    least, _ = evidence.summary_bounds
    best, others = facts.items[:_TLDR], facts.items[_TLDR:]
    wanted = least + _SPARE if least >= 10 else least
    if len(others) < least:  # a short page says everything once: its best sentences open the Summary too
        others = (*others, *best[: least - len(others)])
    notes = project_notes(projects, evidence, facts.items)
    return Comment(
        tldr=_in_order(best, evidence),
        summary=_in_order(_within(others, wanted, least), evidence),
        projects=notes,
        priority=read_priority(notes),
        model=EXTRACTIVE,
    )


def _within(facts: Sequence[Fact], wanted: int, least: int) -> Sequence[Fact]:
    """Return the best facts that fit into a section: of too much text the last ones go, then the longest."""
    chosen = list(facts[:wanted])
    while len(chosen) > least and _length(chosen) > _SECTION:
        chosen.pop()
    spare = sorted(facts[wanted:], key=lambda fact: len(fact.text))
    while spare and _length(chosen) > _SECTION:
        longest = max(chosen, key=lambda fact: len(fact.text))
        chosen[chosen.index(longest)] = spare.pop(0)
    return chosen


def _length(facts: Sequence[Fact]) -> int:
    return sum(len(fact.text) + 1 for fact in facts)


def _in_order(facts: Sequence[Fact], evidence: Evidence) -> tuple[Sentence, ...]:
    """Return the facts as sentences in reading order, which is how their author meant them."""
    place = {snippet.id: (number, snippet.text) for number, snippet in enumerate(evidence.snippets)}

    def position(fact: Fact) -> tuple[int, int]:
        number, text = place.get(fact.snippet, (len(place), ""))  # what a model's tool found stands behind the page
        return number, text.find(fact.quote)

    return tuple(Sentence(text=fact.text, facts=(fact.id,)) for fact in sorted(facts, key=position))
