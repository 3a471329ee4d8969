"""A reply → what Slack is sent: a plain-text form and blocks, as plain data.

Blocks hold literal `rich_text` elements, in which nothing can become a mention or a format; the text form is escaped
here, at the last moment, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from technoshare.buttons import Block, retry_button, vote_buttons
from technoshare.models import (
    EXTRACTIVE,
    AlreadyShared,
    Apology,
    Comment,
    Message,
    ProjectNote,
    Reply,
    Reviewed,
    Sentence,
    Source,
)
from technoshare.text import defused, squeeze

SECTION_BREAK = "\n\n\n"
"""Two blank lines between the sections of the text form (contract)."""
PROJECTS_LABEL, THEME_PREFIX = "Projects", "Theme: "

_TITLE = 150  # as long as Slack lets a header be; page titles beyond it are lists of search words
_BLOCK_TEXT = 2_900  # Slack cuts a section at 3,000 characters
_FOOTER = 1_900  # a context element may have 2,000
_PARAGRAPH = 4  # sentences: what an eye takes in without losing the line
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
_PREVIEW = 500  # characters: a glance, since nobody has checked it
_NAMED_LINKS = 10  # a message with more unread links than this is a list, and its author knows it


def message(reply: Reply) -> Message:
    """Return the text form and the blocks of any reply; the blocks are within Slack's limits if the comment is."""
    if isinstance(reply, Reviewed):
        return Message(text=_escaped(comment_text(reply)), blocks=tuple(_comment_blocks(reply)))
    line = _shared_line(reply) if isinstance(reply, AlreadyShared) else _apology_line(reply)
    remarks = [*_preview(reply), *_unread(reply.unread)]
    text = "\n".join(["".join(_words(element) for element in line), *remarks])
    return Message(text=_escaped(text), blocks=(_rich(_section(*line)), *_context(remarks), *_retry(reply)))


# ---------------------------------------------------------------- the comment as text


def comment_text(reviewed: Reviewed) -> str:
    """Return the unescaped text form: header, TLDR, Summary, Projects and footer, two blank lines apart."""
    comment = reviewed.comment
    tldr = "\n".join(_plain(sentence.text) for sentence in comment.tldr)
    projects = "\n".join("".join(_project(note)) for note in comment.projects)
    sections = [
        "\n".join(
            filter(
                None,
                [_title(reviewed.source), reviewed.source.url, _byline(reviewed.source), "".join(_read_when(comment))],
            )
        ),
        f"TLDR\n{tldr}",
        f"Summary\n{_summary_text(comment)}",
        f"{PROJECTS_LABEL}\n{projects}",
        "\n".join(_footer(reviewed)),
    ]
    return SECTION_BREAK.join(section.rstrip() for section in sections)


def _summary_text(comment: Comment) -> str:
    if comment.model == EXTRACTIVE:
        return "\n".join(f"• {_plain(sentence.text)}" for sentence in comment.summary)
    return "\n".join(_paragraphs(comment.summary))


def _paragraphs(sentences: Sequence[Sentence]) -> Iterator[str]:
    for start in range(0, len(sentences), _PARAGRAPH):
        yield " ".join(_plain(sentence.text) for sentence in sentences[start : start + _PARAGRAPH])


def _project(note: ProjectNote) -> tuple[str, str]:
    """Return the label that begins the item and the rest of its line."""
    label = f"{THEME_PREFIX}{_plain(note.theme)}"
    named = f" ({_plain(note.project)})" if note.project else ""
    why = f" {_plain(note.why)}" if note.why else ""
    return label, f"{named} — {_plain(note.relevance)}{why}"


_LEVELS = {"read now": "Read now", "skim": "Worth a skim", "file": "For the files"}


def _read_when(comment: Comment) -> tuple[str, str]:
    """Return what to do with the page, and why: the first thing that a reader in a hurry wants to know."""
    if comment.priority is None:
        return "", ""
    return _LEVELS[comment.priority.level], f" — {_plain(comment.priority.reason)}"


# ---------------------------------------------------------------- the comment as blocks


def _comment_blocks(reviewed: Reviewed) -> Iterator[Block]:
    comment, source = reviewed.comment, reviewed.source
    yield _rich(_section(_link(source.url, _title(source), bold=True)))
    yield from _context([byline] if (byline := _byline(source)) else [])
    if comment.priority:
        level, reason = _read_when(comment)
        yield _rich(_section(_text(level, bold=True), _text(reason)))
    yield _rich(_label("TLDR"), _list([_text(_plain(sentence.text))] for sentence in comment.tldr))
    yield from _summary_blocks(comment)
    yield _rich(_label(PROJECTS_LABEL), _list(_project_item(note) for note in comment.projects))
    yield {"type": "divider"}
    yield from _context([" · ".join(_provenance(reviewed)), *_remarks(reviewed)])
    if reviewed.job_id is not None:
        yield vote_buttons(reviewed.job_id, reviewed.generation)


def _summary_blocks(comment: Comment) -> Iterator[Block]:
    """Extracted sentences stand each for itself: a list. Written ones follow from each other: paragraphs."""
    if comment.model == EXTRACTIVE:
        parts = list(_chunks(_plain(sentence.text) for sentence in comment.summary))
        bodies = [[_list([_text(sentence)] for sentence in part)] for part in parts]
    else:
        parts = list(_chunks(_paragraphs(comment.summary)))
        bodies = [[_section(_text("\n\n".join(part)))] for part in parts]
    for number, body in enumerate(bodies or [[]]):
        yield _rich(*([_label("Summary")] if number == 0 else []), *body)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Group texts so that no block grows over Slack's limit."""
    chunk: list[str] = []
    for text in texts:
        if chunk and sum(map(len, chunk)) + len(text) > _BLOCK_TEXT:
            yield chunk
            chunk = []
        chunk.append(text)
    if chunk:
        yield chunk


def _project_item(note: ProjectNote) -> list[Block]:
    label, rest = _project(note)
    return [_text(label, bold=True), _text(rest)]


# ---------------------------------------------------------------- where it comes from

_THING = {
    "repository": "repository's README",
    "folder": "folder's README",
    "model": "model card",
    "dataset": "dataset card",
}
"""What was read of a kind whose name is not that of its text."""


def _title(source: Source) -> str:
    """Return the text of the one link; a page whose title looks like another address is called by its domain."""
    title = _plain(source.title)
    return _clipped((title if "://" not in title else "") or source.domain or source.url, _TITLE)


def _byline(source: Source) -> str:
    """Where, when, by whom, and what the site's own data say."""
    authors = [_clipped(_plain(name), 60) for name in source.authors[:3]]
    if len(source.authors) > 3:
        authors.append("and others")
    data = [
        _SHOWN[name].format(_clipped(_date(text) if name in _DATES else _plain(text), 80))
        for name, text in source.metadata.known()
        if name in _SHOWN
    ]
    return " · ".join(filter(None, [source.domain, _date(source.published), ", ".join(authors), *data]))


_SHOWN = {
    "state": "{}",
    "withdrawn": "withdrawn",
    "archived": "archived",
    "accepted": "accepted answer",
    "version": "version {}",
    "newest": "newest is {}",
    "release": "release {}",
    "last_push": "last commit {}",
    "licence": "{} licence",
    "code": "code {}",
    "language": "{}",
    "stars": "{} stars",
    "likes": "{} likes",
    "downloads": "{} downloads",
    "score": "{} points",
    "comments": "{} comments",
    "answers": "{} answers",
    "duration": "{}",
}
"""What a reader asks first, by the names of `Metadata`."""
_DATES = frozenset({"last_push"})


def _date(iso: str) -> str:
    """Return an ISO date, whole or not, as a person writes it; anything else as it is."""
    for shape, shown in (("%Y-%m-%d", "%-d %B %Y"), ("%Y-%m", "%B %Y")):
        try:
            return datetime.strptime(iso, shape).replace(tzinfo=UTC).strftime(shown)
        except ValueError:
            continue
    return _clipped(_plain(iso), 40)


def _read(source: Source) -> str:
    kind = source.metadata.kind or "page"
    thing = _THING.get(kind, kind)
    what = {
        "full": f"full text of the {thing}",
        "partial": f"part of the {thing}",
        "abstract": "abstract only",
        "metadata": "metadata only, not the text",
        "none": "nothing",
    }[source.coverage]
    hindered = f", {source.obstacle.replace('_', ' ')}" if source.obstacle else ""
    return f"Read: {what} ({source.words:,} words{hindered})"


def _provenance(reviewed: Reviewed) -> Iterator[str]:
    yield _read(reviewed.source)
    yield f"Written by: {_author(reviewed.comment)}"
    total = len(reviewed.verdicts)
    yield f"Checks: {total - len(reviewed.failures)} of {total} passed"


def _author(comment: Comment) -> str:
    remark = comment.remark or ("no model" if comment.model == EXTRACTIVE else "")
    return ", ".join(_plain(part) for part in (comment.model, remark) if part)


def _remarks(reviewed: Reviewed) -> list[str]:
    return [*(_plain(note) for note in reviewed.notes), *_unread(reviewed.unread)]


def _footer(reviewed: Reviewed) -> list[str]:
    return [*_provenance(reviewed), *_remarks(reviewed)]


def _unread(urls: Sequence[str]) -> list[str]:
    """Name the links of the same message that nobody read: one line, or none."""
    if not urls:
        return []
    named = ", ".join(_clipped(_plain(url), 150) for url in urls[:_NAMED_LINKS])
    more = f" and {len(urls) - _NAMED_LINKS} more" if len(urls) > _NAMED_LINKS else ""
    return [f"Not read (too many links in one message): {named}{more}"]


# ---------------------------------------------------------------- the two short replies


def _shared_line(reply: AlreadyShared) -> list[Block]:
    """Who, when, where: the one mention that ever leaves, of somebody whom Slack itself named as the author."""
    day = datetime.fromtimestamp(reply.at, UTC).strftime("%-d %B %Y")
    told = [_text(f" on {day}: "), _link(reply.permalink, reply.permalink)]
    if not _USER.fullmatch(reply.user):
        return [_text("Already shared here"), *told]
    return [_text("Already shared here by "), {"type": "user", "user_id": reply.user}, *told]


def _apology_line(reply: Apology) -> list[Block]:
    reason = _clipped(_plain(reply.reason), 300).rstrip(".")
    return [_text("No comment on "), _link(reply.url, _clipped(_plain(reply.url), 200)), _text(f": {reason}.")]


def _preview(reply: AlreadyShared | Apology) -> list[str]:
    if not isinstance(reply, Apology) or not reply.preview:
        return []
    return [f"Slack's own preview, not checked: “{_clipped(_plain(reply.preview), _PREVIEW)}”"]


def _retry(reply: AlreadyShared | Apology) -> Iterator[Block]:
    if isinstance(reply, Apology) and reply.job_id is not None:
        yield retry_button(reply.job_id, reply.generation)


# ---------------------------------------------------------------- elements


def _plain(text: str) -> str:
    return squeeze(defused(text))


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _words(element: Block) -> str:
    return str(element.get("text", "a colleague"))  # a user is named in the block; the text form mentions nobody


def _text(text: str, *, bold: bool = False) -> Block:
    element: Block = {"type": "text", "text": text}
    return element | {"style": {"bold": True}} if bold else element


def _link(url: str, text: str, *, bold: bool = False) -> Block:
    """Return a link where the scheme is one that a browser should open, else the bare text."""
    if not url.lower().startswith(("http://", "https://")):
        return _text(text, bold=bold)
    return _text(text, bold=bold) | {"type": "link", "url": url}


def _section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def _label(text: str) -> Block:
    return _section(_text(text, bold=True))


def _list(items: Iterable[list[Block]]) -> Block:
    return {"type": "rich_text_list", "style": "bullet", "elements": [_section(*item) for item in items]}


def _rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": [element for element in elements if element["elements"]]}


def _context(lines: Sequence[str]) -> list[Block]:
    """Quiet small print, line by line; no block at all when there is nothing to say."""
    if not lines:
        return []
    text = _clipped("\n".join(lines), _FOOTER)
    return [{"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}]
