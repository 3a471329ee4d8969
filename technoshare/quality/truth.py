"""What a comment says must stand in what was read: numbers, names, citations, projects."""

from __future__ import annotations

from collections.abc import Iterator

from technoshare.models import NO_LINK, Comment, Project, ProjectNote
from technoshare.quality.case import FINE, Case, Finding, Ground, Part, check, count
from technoshare.quality.grounding import Grounds

_SAME_IN_EVERY_LANGUAGE = frozenset({"link", "email", "mention", "id", "code", "version", "number"})
_COUNTABLE = frozenset({"id", "version", "date", "number"})
"""What must stand in the very fact that is cited; a name may stand in the sentence before."""
_NAMED_ITEMS = 6


@check("comment")
def grounding(case: Case) -> Finding:
    """Every number, unit, name, version, date, id, address and quotation stands in what was read."""
    translated = case.language[:2] != case.ground.evidence.language[:2]
    bad: list[str] = []
    items: list[str] = []
    for part in case.prose:
        found = [
            finding.text
            for finding in _grounds(part, case.ground).findings(part.text)
            if not finding.soft and (not translated or finding.kind in _SAME_IN_EVERY_LANGUAGE)
        ]
        bad += [part.text] if found else []
        items += found
    if not bad:
        return FINE
    named = ", ".join(f"“{item}”" for item in dict.fromkeys(items[:_NAMED_ITEMS]))
    score = 1.0 - len(bad) / len(case.prose)
    problem = (
        f"{len(bad)} of {count(len(case.prose), 'statement')} could not be verified: the source does not say {named}."
    )
    return Finding((problem,), tuple(bad), score)


def _grounds(part: Part, ground: Ground) -> Grounds:
    """Return what a section may draw on: Projects may name our projects, nothing else may invent them."""
    return ground.grounds_with_projects if part.section in ("projects", "priority") else ground.grounds


@check("comment")
def citations(case: Case) -> Finding:
    """Every sentence of TLDR and Summary, and every project that is named, cites the facts that it rests on."""
    bare = tuple(part.text for part in _stated(case) if not part.facts)
    return Finding((f"{count(len(bare), 'statement')} without a fact to rest on.",), bare) if bare else FINE


@check("comment", "warn")
def cited_support(case: Case) -> Finding:
    """The numbers, dates and versions of a sentence stand in the facts that it cites, and not only elsewhere."""
    if case.extracted:
        return FINE
    quotes, title = case.ground.quotes, case.ground.evidence.title
    loose = tuple(
        part.text
        for part in _stated(case)
        if any(char.isdigit() for char in part.text)
        and any(
            finding.kind in _COUNTABLE and not finding.soft
            for finding in Grounds(title, *(quotes.get(fact, "") for fact in part.facts)).findings(part.text)
        )
    )
    score = 1.0 - len(loose) / max(1, len(case.prose))
    return (
        Finding((f"{count(len(loose))} with a figure that the cited facts do not hold.",), loose, score)
        if loose
        else FINE
    )


def _stated(case: Case) -> Iterator[Part]:
    told = {note.relevance for note in case.comment.projects if not _is_none(note)}
    for part in case.prose:
        if part.section in ("tldr", "summary") or (part.section == "projects" and part.text in told):
            yield part


# ---------------------------------------------------------------- projects


def with_our_projects(comment: Comment, ground: Ground) -> Comment:
    """Return the comment with themes and projects spelt as they are configured, and `none` alone or not at all."""
    notes = tuple(_spelt(note, ground) for note in comment.projects)
    real = tuple(note for note in notes if not _is_none(note))
    return comment.model_copy(update={"projects": real or ((NO_LINK,) if notes else ())})


@check("projects", fix=with_our_projects)
def known_projects(case: Case) -> Finding:
    """Every item names one of our projects with its theme, or there is one that says "no link to our projects"."""
    if not case.ground.projects:
        return FINE
    unknown = tuple(
        note.project or note.theme
        for note in case.comment.projects
        if not _is_none(note)
        and (note.project, note.theme) not in {(ours.name, ours.theme) for ours in case.ground.projects}
    )
    return (
        Finding((f"{count(len(unknown), 'item')} about a project that we do not have.",), unknown) if unknown else FINE
    )


def _is_none(note: ProjectNote) -> bool:
    return note.theme.strip(" .").casefold() == "none"


def _spelt(note: ProjectNote, ground: Ground) -> ProjectNote:
    match = _named(note, ground) or _themed(note, ground)
    return note.model_copy(update={"project": match.name, "theme": match.theme}) if match else note


def _named(note: ProjectNote, ground: Ground) -> Project | None:
    return next((ours for ours in ground.projects if ours.name.casefold() == note.project.casefold()), None)


def _themed(note: ProjectNote, ground: Ground) -> Project | None:
    """Return the one project of the note's theme, where the note names none."""
    same = [ours for ours in ground.projects if ours.theme.casefold() == note.theme.casefold()]
    return same[0] if len(same) == 1 and not note.project else None
