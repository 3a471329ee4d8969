"""What every check is about: a comment as it is posted, and the ground that it has to stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from technoshare.injection import addressed_to_machines, for_readers
from technoshare.models import (
    EXTRACTIVE,
    Comment,
    Evidence,
    Facts,
    Message,
    Project,
    SectionName,
    Severity,
    Snippet,
    Verdict,
)
from technoshare.ports import Private
from technoshare.quality.addresses import links_in
from technoshare.quality.grounding import Grounds


@dataclass(frozen=True)
class Ground:
    """What a comment may draw on, and what it must keep to; `language` is what a model was told to write in."""

    evidence: Evidence
    facts: Facts
    projects: tuple[Project, ...] = ()
    language: str = "en"
    private: Private = field(default_factory=Private)

    @cached_property
    def snippets(self) -> tuple[Snippet, ...]:
        """Everything that was read: by retrieval, and by the model's tool."""
        return self.evidence.snippets + self.facts.found

    @cached_property
    def _told(self) -> tuple[str, ...]:
        page = self.evidence
        told = (f"{name}: {text}" for name, text in page.metadata.known())
        about = (page.title, page.final_url, page.url, page.domain, ", ".join(page.authors), page.published)
        return (*about, *told, *(snippet.text for snippet in self.snippets))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All that is known about the page, as texts: what it says to readers, and what its site says about it."""
        return tuple(for_readers(text) for text in self._told) if self.speaks_to_machines else self._told

    @cached_property
    def speaks_to_machines(self) -> bool:
        """Tell whether something that was read gives orders to AI tools."""
        return any(addressed_to_machines(self._told))

    @cached_property
    def links(self) -> frozenset[str]:
        """The links that a comment may contain: as they stand in what was read, and the posted one."""
        page = self.evidence
        return links_in(self.texts) | {page.url.rstrip("/"), page.final_url.rstrip("/"), page.domain}

    @cached_property
    def grounds(self) -> Grounds:
        """The page's texts, indexed for looking up what a sentence says."""
        return Grounds(*self.texts)

    @cached_property
    def grounds_with_projects(self) -> Grounds:
        """The same with what we say about our projects."""
        ours = (" ".join((own.name, own.theme, own.description, *own.keywords)) for own in self.projects)
        return Grounds(*self.texts, *ours)

    @cached_property
    def quotes(self) -> dict[str, str]:
        """The quote of each fact, by its id."""
        return {fact.id: fact.quote for fact in self.facts.items}


@dataclass(frozen=True)
class Part:
    """One text of a comment, where it stands and the facts that it cites; a `label` is a theme or a project's name."""

    section: SectionName
    text: str
    facts: tuple[str, ...] = ()
    label: bool = False


def parts(comment: Comment) -> Iterator[Part]:
    """Yield every text of the comment that says something, in the order of the reply."""
    for sentence in comment.tldr:
        yield Part("tldr", sentence.text, sentence.facts)
    for sentence in comment.summary:
        yield Part("summary", sentence.text, sentence.facts)
    for note in comment.projects:
        for name in filter(None, (note.theme, note.project)):
            yield Part("projects", name, note.facts, label=True)
        for text in filter(None, (note.relevance, note.why)):
            yield Part("projects", text, note.facts)
    if comment.priority:
        yield Part("priority", comment.priority.reason, comment.priority.facts)


@dataclass(frozen=True)
class Case:
    """A comment, the message that carries it, and its ground. `bounds`: fewest and most Summary sentences."""

    comment: Comment
    message: Message
    ground: Ground

    @property
    def bounds(self) -> tuple[int, int]:
        """Follow from how much was read."""
        return self.ground.evidence.summary_bounds

    @property
    def extracted(self) -> bool:
        """Tell whether the page's own sentences are shown, and not a model's."""
        return self.comment.model == EXTRACTIVE

    @property
    def language(self) -> str:
        """The language that the sentences should be in: what is extracted is in the page's own."""
        return self.ground.evidence.language if self.extracted else self.ground.language

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every text of the comment."""
        return tuple(parts(self.comment))

    @cached_property
    def prose(self) -> tuple[Part, ...]:
        """Every text but the labels."""
        return tuple(part for part in self.parts if not part.label)


@dataclass(frozen=True)
class Finding:
    """What is wrong, each in a sentence that a person would write, and the texts that are.

    `score` is 0.0 unless the check counts: then it is the share of what is right.
    """

    problems: tuple[str, ...] = ()
    offending: tuple[str, ...] = ()
    score: float = 0.0


FINE = Finding()

Fix = Callable[[Comment, Ground], Comment]


@dataclass(frozen=True)
class Check:
    """A rule for comments: called with a case, it gives the verdict.

    Its name is that of the function that looks, what it expects is that function's docstring. A `fix` makes the comment
    keep the rule, without asking anybody.
    """

    look: Callable[[Case], Finding]
    section: SectionName
    severity: Severity
    fix: Fix | None = None

    @property
    def name(self) -> str:
        """The one name of this rule, as gate and as scorer."""
        return self.look.__name__

    def __call__(self, case: Case) -> Verdict:
        """Judge a comment."""
        return self.verdict(self.look(case))

    def verdict(self, finding: Finding) -> Verdict:
        """Return the verdict on a finding; an empty one passes."""
        failed = bool(finding.problems)
        return Verdict(
            check=self.name,
            section=self.section,
            severity=self.severity,
            score=finding.score if failed else 1.0,
            passed=not failed,
            message=" ".join(finding.problems),
            offending=tuple(dict.fromkeys(finding.offending)),
            expected=" ".join((self.look.__doc__ or "").split()) if failed else "",
        )


def check(
    section: SectionName, severity: Severity = "repair", *, fix: Fix | None = None
) -> Callable[[Callable[[Case], Finding]], Check]:
    """Declare the decorated function as a check of a section."""
    return lambda look: Check(look, section, severity, fix)


def count(number: int, thing: str = "sentence") -> str:
    """Return a number with its noun."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
