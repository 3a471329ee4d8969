"""Changed files of a commit or pull request as parts: first the list, then what changed in each."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, TypeAdapter

from technoshare.models import Document, Section
from technoshare.retrieval.documents import clean
from technoshare.retrieval.github_api import one_section
from technoshare.retrieval.snippets import Part

NAMED = 100
"""Files in the list."""
SHOWN = 12_000
"""Characters of all changes together: about 3,000 tokens; whoever wants them all reads the commit."""
SHOWN_OF_ONE = 1_500


class File(BaseModel):
    """A changed file; `patch` is missing for binary and for large ones."""

    filename: str
    status: str = "modified"
    additions: int = 0
    deletions: int = 0
    patch: str | None = None


FILES = TypeAdapter(tuple[File, ...])


def changes(source: str, files: Sequence[File]) -> list[Part]:
    """Return the list of the files and the beginning of their patches; nothing for no files."""
    if not files:
        return []
    lines = [f"{file.filename} ({file.status}, +{file.additions} −{file.deletions})" for file in files[:NAMED]]
    more = [f"and {len(files) - NAMED} more"] if len(files) > NAMED else []
    return [
        Part(source, one_section("Changed files", clean("\n".join(lines + more)), language="en")),
        Part(source, _patches(files)),
    ]


def _patches(files: Sequence[File]) -> Document:
    text, sections = "", []
    for file in files[:NAMED]:
        patch = clean((file.patch or "")[:SHOWN_OF_ONE])
        if patch and len(text) + len(patch) <= SHOWN:
            sections.append(Section(title=f"Change in {file.filename}", start=len(text), end=len(text) + len(patch)))
            text += f"{patch}\n"
    return Document(text=text, sections=tuple(sections), language="en")
