"""Which sentences of the evidence can stand alone in a comment, and what kind of fact each one states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from technoshare.injection import for_readers
from technoshare.models import Evidence, FactKind
from technoshare.text import count_words, normalise, opens_emptily, split_sentences, squeeze, visible


@dataclass(frozen=True)
class Candidate:
    """A usable sentence: as it is shown, verbatim in its snippet, and its place in reading order from 0."""

    text: str
    quote: str
    snippet: str
    position: int


_SHORTEST, _LONGEST = 5, 60  # words: below it is a heading or an exclamation, above a list without full stops
_LONGEST_TEXT = 450  # characters
_PLAIN_SHARE = 0.8  # share of letters and spaces; code and tables have less

_MARK = re.compile(
    r"^(?:(?:[-*+•▪◦‣⁃–—#>|]+|\(?\d{1,2}[.)]|\[\d+\])\s+|(?:abstract|summary|tl;?dr)\s*[:—–.-]\s*)+", re.IGNORECASE
)
_CITATION = re.compile(r"\s?\[\d{1,3}(?:[,–-]\s?\d{1,3})*\](?:\s+(?=[).,;]))?")  # means nothing without its list
_ENDS = re.compile(r"\S[.!…。！][\"'”’)\]]*$")
_STARTS = re.compile(r"^[\"'“‘(\[]?(?:[^\W\d_]*[A-Z0-9]|[^\W\da-z_])")
_CODE = re.compile(
    r"[{}\\|`]|\*\*|=>|->|::|==|\w\(\)|;\s|\s=\s|^\$ |^\d{4}-\d\d-\d\d|"
    r"^(?:import|from|def|return|const|let|var)\s|</?\w+>"
)
_BOILERPLATE = re.compile(
    r"cookies?\b.{0,40}\b(?:accept|use|consent|experience)|\bwe use cookies|\bsubscri(?:be|ption|bers?)\b|newsletter|"
    r"\bsign(?:ing)? (?:up|in)\b|\blog ?in\b|\bunsubscribe|all rights reserved|©|\bcopyright\b|privacy policy|"
    r"terms of (?:use|service)|\bclick (?:here|on|the)|\bread more\b|\bshare this\b|\bfollow (?:us|me)\b|"
    r"leave a (?:comment|reply)|enable javascript|\badvertis|thanks? (?:you )?for reading|table of contents|"
    r"\btext within this block\b|\b(?:related|recent) (?:posts|articles)|\bmin(?:ute)?s? read\b|patreon|"
    r"buy me a coffee|\bstar (?:us|it|this repo)|skip to (?:main )?content|your (?:e-?mail|inbox)|"
    r"view in browser|page not found|\baffiliate links?\b|^disclos(?:ure|aimer)\b|\bsponsored (?:by|post|content)\b",
    re.IGNORECASE,
)
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"))


def candidates(evidence: Evidence) -> list[Candidate]:
    """Return the usable sentences in reading order, each once."""
    found: list[Candidate] = []
    seen = {normalise(evidence.title)}
    for snippet in evidence.snippets:
        for quote in _quotes(for_readers(snippet.text), evidence.language):
            text = squeeze(_CITATION.sub("", visible(quote)))
            key = normalise(text)
            if key not in seen and usable(text, evidence.language):
                seen.add(key)
                found.append(Candidate(text, quote, snippet.id, len(found)))
    return found


def _quotes(text: str, language: str) -> Iterator[str]:
    for sentence in split_sentences(text, language):
        yield _MARK.sub("", sentence)


def usable(text: str, language: str = "en") -> bool:
    """Tell whether a sentence is whole, plain prose, of a readable length, and about something."""
    return (
        _SHORTEST <= count_words(text) <= _LONGEST
        and len(text) <= _LONGEST_TEXT
        and bool(_STARTS.match(text) and _ENDS.search(text))
        and all(text.count(left) == text.count(right) for left, right in _PAIRS)
        and text.count('"') % 2 == 0
        and not _CODE.search(text)
        and not _BOILERPLATE.search(text)
        and not opens_emptily(text)
        and sum(char.isalpha() or char == " " for char in text) >= _PLAIN_SHARE * len(text)
        and len(split_sentences(text, language)) == 1
    )


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_KIND_WORDS: tuple[tuple[FactKind, str], ...] = (
    ("licence", r"\blicen[cs]e[ds]?\b|\bGPL|\bApache[- ]2"),
    (
        "limitation",
        r"\b(?:cannot|can't|does not|doesn't|do not|not yet|fails?|limit(?:s|ed|ation)?|drawback|however)\b",
    ),
    ("result", r"\b(?:outperform|achiev|improv|reduc|faster|fewer|rose|fell)\w*\b.*\d|\d.*\b(?:faster|fewer|better)\b"),
    ("date", rf"\b(?:19|20)\d\d\b|\b(?:{_MONTHS}) \d"),
    ("number", r"\d"),
    ("method", r"\b(?:we (?:use|propose|introduce|present|built|train)|approach|method|algorithm|by using)\b"),
)
_KINDS = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _KIND_WORDS)


def kind_of(text: str) -> FactKind:
    """Guess what a sentence states; the first rule that fits wins."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "claim")
