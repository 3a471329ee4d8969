"""Deterministic fixes before the checks: what a model or a page may not carry out is taken out, whoever wrote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from technoshare.models import Comment, Evidence, ProjectNote, Sentence, Snippet
from technoshare.text import defused, squeeze

LINK_REMOVED = "[link removed]"

# 18 sentences and 5 projects of these lengths, with header and footer, stay under the 13,000 characters of a message.
_SENTENCE, _RELEVANCE, _WHY, _NAME = 500, 400, 200, 80
_PROJECTS = 5

# Slack makes links of bare domains too. Two letters are countries, except these endings of file and module names.
_TLD = (
    r"(?:(?!js|ts|go|cs|vb|db|hs|kt|cu|md5)[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|dev|app|xyz|top|site|"
    r"online|shop|store|club|link|click|live|cloud|tech|page|blog|zip|mov|icu|vip|work|world|space|website|fun|pro|"
    r"mobi|news|wiki|group|team|one|zone|host|press|rocks|run|tools|network|systems|software|digital|agency|email|"
    r"support|help|chat|today|life|media|social|xn--[a-z0-9-]+)"
)
_LINK = re.compile(
    rf"""
    (?:\b[a-z][a-z0-9+.-]{{0,20}}://|\bwww\.|\bmailto:)[^\s<>"`|]+
    | (?<![\w@./-])(?:[\w.+-]{{1,64}}@)?(?:[^\W_](?:[\w-]*[^\W_])?\.)+{_TLD}(?![\w-]|\.\w)(?:[:/?\#][^\s<>"`|]*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BEHIND_A_LINK = ".,;:!?)]}'\"”’*_…"

_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]{1,300})\]\([^()\s]{0,2000}\)")
_BOLD = re.compile(r"\*\*|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
_LINE_MARK = re.compile(r"^(?:#{1,6}\s+|[-*+•▪◦‣⁃–]\s+|\d{1,2}[.)]\s+|>\s+)+")
_THEME = re.compile(r"^(?:theme\s*:\s*)+", re.IGNORECASE)


def clean(comment: Comment, evidence: Evidence, found: Sequence[Snippet] = ()) -> Comment:
    """Return the comment with plain text only: no control characters, markup, mentions, or links of its own.

    A link stays when it is the posted one or occurs, whole, in the evidence or in what the tool `found`. Sentences
    without text are gone, over-long ones end in “…”.
    """
    allowed = _links((*_readable(evidence), *(snippet.text for snippet in found)))
    allowed |= {evidence.url.rstrip("/"), evidence.final_url.rstrip("/"), evidence.domain}
    return comment.model_copy(
        update={
            "tldr": _sentences(comment.tldr, allowed),
            "summary": _sentences(comment.summary, allowed),
            "projects": tuple(_project(note, allowed) for note in comment.projects[:_PROJECTS]),
        }
    )


def plain(text: str) -> str:
    """Return one line of text without control characters, Markdown marks and Slack tokens."""
    spaced = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    text = _MARKDOWN_LINK.sub(r"\1", squeeze(defused(spaced)))
    return squeeze(_LINE_MARK.sub("", _BOLD.sub("", text)))


def without_links(text: str, allowed: frozenset[str]) -> str:
    """Return `text` with every link that is not in `allowed` replaced; bare domains and e-mail addresses count."""

    def judged(hit: re.Match[str]) -> str:
        link = hit[0].rstrip(_BEHIND_A_LINK)
        return hit[0] if link.rstrip("/") in allowed else LINK_REMOVED + hit[0][len(link) :]

    return _LINK.sub(judged, text)


def _links(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(hit[0].rstrip(_BEHIND_A_LINK).rstrip("/") for text in texts for hit in _LINK.finditer(text))


def _readable(evidence: Evidence) -> tuple[str, ...]:
    told = (text for _, text in evidence.metadata.known())
    return (evidence.title, *told, *(snippet.text for snippet in evidence.snippets))


def _sentences(sentences: Sequence[Sentence], allowed: frozenset[str]) -> tuple[Sentence, ...]:
    cleaned = (
        sentence.model_copy(update={"text": _fixed(sentence.text, allowed, _SENTENCE)}) for sentence in sentences
    )
    return tuple(sentence for sentence in cleaned if sentence.text)


def _project(note: ProjectNote, allowed: frozenset[str]) -> ProjectNote:
    return note.model_copy(
        update={
            "theme": _THEME.sub("", _fixed(note.theme, allowed, _NAME)),
            "project": _fixed(note.project, allowed, _NAME),
            "relevance": _fixed(note.relevance, allowed, _RELEVANCE),
            "why": _fixed(note.why, allowed, _WHY),
        }
    )


def _fixed(text: str, allowed: frozenset[str], limit: int) -> str:
    text = without_links(plain(text), allowed)
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:.!?") + "…"
