"""Deterministic fixes before the checks: what a model or a page may not carry out is taken out, whoever wrote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from technoshare.models import Comment, ProjectNote, Sentence
from technoshare.quality.addresses import without_links
from technoshare.quality.case import Ground
from technoshare.quality.secrets import redacted
from technoshare.text import defused, squeeze

# 18 sentences and 5 projects of these lengths, with header and footer, stay under the 13,000 characters of a message.
_SENTENCE, _RELEVANCE, _WHY, _REASON, _NAME = 500, 400, 200, 300, 80
_PROJECTS = 5
_SENTENCES = 30  # twice of what may be; whatever lies beyond is a flood and not worth a look

_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]{1,300})\]\([^()\s]{0,2000}\)")
_BOLD = re.compile(r"\*\*|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
_LINE_MARK = re.compile(r"^(?:#{1,6}\s+|[-*+•▪◦‣⁃–]\s+|\d{1,2}[.)]\s+|>\s+)+")
_THEME = re.compile(r"^(?:theme\s*:\s*)+", re.IGNORECASE)


def with_plain_texts(comment: Comment, ground: Ground) -> Comment:
    """Return the comment without marks, mentions and control characters; texts that held nothing else are gone."""
    del ground
    return _without_empty(_changed(comment, lambda text, _: plain(text)))


def without_secrets(comment: Comment, ground: Ground) -> Comment:
    """Return the comment without anything that looks like a key, or is one of our own."""
    return _changed(comment, lambda text, _: redacted(text, ground.private.secrets))


def without_foreign_links(comment: Comment, ground: Ground) -> Comment:
    """Return the comment with every link replaced that was neither posted nor read."""
    return _changed(comment, lambda text, _: without_links(text, ground.links))


def within_lengths(comment: Comment, ground: Ground) -> Comment:
    """Return the comment with its texts cut to what a message holds, and with few enough projects."""
    del ground
    few = {
        "tldr": comment.tldr[:_SENTENCES],
        "summary": comment.summary[:_SENTENCES],
        "projects": comment.projects[:_PROJECTS],
    }
    return _changed(comment.model_copy(update=few), _cut)


def plain(text: str) -> str:
    """Return one line of text without control characters, Markdown marks and Slack tokens."""
    spaced = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    text = _MARKDOWN_LINK.sub(r"\1", squeeze(defused(spaced)))
    return squeeze(_LINE_MARK.sub("", _BOLD.sub("", text)))


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:.!?") + "…"


# ---------------------------------------------------------------- every text of a comment

_Change = Callable[[str, int], str]
"""Takes a text and the characters that it may have."""


def _changed(comment: Comment, change: _Change) -> Comment:
    priority = comment.priority
    return comment.model_copy(
        update={
            "tldr": tuple(_changed_sentence(sentence, change) for sentence in comment.tldr),
            "summary": tuple(_changed_sentence(sentence, change) for sentence in comment.summary),
            "projects": tuple(_changed_note(note, change) for note in comment.projects),
            "priority": priority and priority.model_copy(update={"reason": change(priority.reason, _REASON)}),
        }
    )


def _changed_sentence(sentence: Sentence, change: _Change) -> Sentence:
    return sentence.model_copy(update={"text": change(sentence.text, _SENTENCE)})


def _changed_note(note: ProjectNote, change: _Change) -> ProjectNote:
    return note.model_copy(
        update={
            "theme": _THEME.sub("", change(note.theme, _NAME)),
            "project": change(note.project, _NAME),
            "relevance": change(note.relevance, _RELEVANCE),
            "why": change(note.why, _WHY),
        }
    )


def _without_empty(comment: Comment) -> Comment:
    return comment.model_copy(
        update={
            "tldr": tuple(sentence for sentence in comment.tldr if sentence.text),
            "summary": tuple(sentence for sentence in comment.summary if sentence.text),
            "priority": comment.priority if comment.priority and comment.priority.reason else None,
        }
    )
