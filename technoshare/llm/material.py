"""Evidence, facts and projects as the prompts show them: data between delimiters, never instructions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from technoshare.models import Evidence, Fact, Project, Snippet
from technoshare.ports import Repair
from technoshare.text import squeeze, visible

# Marks by which chat templates tell who speaks or what is a tool call: <|im_start|>, <｜User｜>, [INST], <<SYS>>, </s>,
# <start_of_turn>, [TOOL_CALLS], <tool_call>, <think>.
_ROLE_MARKS = re.compile(
    r"<[|｜][^|｜<>\n]{1,40}[|｜]>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\]|<</?SYS>>|"
    r"</?s>|<[be]os>|<(?:start|end)_of_turn>|</?(?:tool_call|tool_response|think)>",
    re.IGNORECASE,
)


def as_data(text: str, nonce: str) -> str:
    """Return foreign text that can neither end its block nor pretend to be another speaker.

    What is taken out leaves a space, so that the pieces around it cannot form a new mark.
    """
    return _ROLE_MARKS.sub(" ", visible(text)).replace(nonce, " ")


def show_evidence(evidence: Evidence, nonce: str) -> str:
    """Return the snippets, each below a line with its id in brackets."""
    return "\n\n".join(_snippet(snippet, evidence.final_url, nonce) for snippet in evidence.snippets)


def _snippet(snippet: Snippet, main: str, nonce: str) -> str:
    where = (
        snippet.section,
        f"page {snippet.page}" if snippet.page else "",
        "" if snippet.source == main else snippet.source,
    )
    heading = squeeze(as_data(" · ".join(part for part in where if part), nonce))
    return f"[{snippet.id}] {heading}".rstrip() + f"\n{as_data(snippet.text, nonce)}"


def show_source(evidence: Evidence, nonce: str) -> str:
    """Return what is known about the link as a whole, one line each."""
    known = {
        "Title": evidence.title,
        "Address": evidence.final_url,
        "Authors": ", ".join(evidence.authors),
        "Published": evidence.published,
        "Read": evidence.coverage,
        **dict(evidence.metadata.known()),
    }
    return "\n".join(f"{name}: {squeeze(as_data(value, nonce))}" for name, value in known.items() if value)


def show_facts(facts: Iterable[Fact], nonce: str) -> str:
    """Return the facts, each with its id, kind and quote."""
    return "\n".join(
        f"[{fact.id}] ({fact.kind}) {squeeze(as_data(fact.text, nonce))}\n"
        f"    quote: {squeeze(as_data(fact.quote, nonce))}"
        for fact in facts
    )


def show_projects(projects: Sequence[Project]) -> str:
    """Return the team's projects, one line each."""
    return "\n".join(
        f"- Theme: {project.theme} | Project: {project.name} | {squeeze(project.description)}"
        f" | Keywords: {', '.join(project.keywords)}"
        for project in projects
    )


def show_repair(repair: Repair, nonce: str) -> str:
    """Return what the gates found, by section, with the texts that are wrong and what is expected."""
    wrong = "\n".join(
        f"- {verdict.section}: {squeeze(as_data(verdict.message, nonce))}"
        + "".join(f"\n    wrong: {squeeze(as_data(text, nonce))}" for text in verdict.offending[:_SHOWN_OFFENDING])
        + (f"\n    expected: {verdict.expected}" if verdict.expected else "")
        for verdict in repair.failures
    )
    sections = ", ".join(repair.sections)
    return (
        f"Checks of your comment found this (attempt {repair.number} to repair it):\n{wrong}\n"
        f"Write these sections anew, whole, from the facts alone: {sections}. Leave the others empty, they stand. "
        "Leave out what no fact says. Answer with one JSON object of the same form, and nothing else."
    )


_SHOWN_OFFENDING = 5  # of one verdict; the model has its whole comment before it
