"""How a comment is written: nothing twice, no lead-ins, whole sentences, in the right language, short enough."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from technoshare.models import Sentence
from technoshare.quality.case import FINE, Case, Finding, check, count
from technoshare.quality.sanitize import within_lengths
from technoshare.text import normalise, opens_emptily

LONGEST_SECTION, LONGEST_TEXT = 3_000, 12_000
"""Characters of one section, and of the whole text form (DESIGN, section 8)."""

_ALIKE, _COPIED = 0.8, 0.85
"""Jaccard similarity of words from which on two sentences say the same, and one is a copy."""
_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"\d+")


@check("tldr")
def tldr_novelty(case: Case) -> Finding:
    """No TLDR sentence is copied from the Summary; only a source with fewer facts than sentences may say them twice."""
    least, _ = case.bounds
    if len(case.ground.facts.items) < len(case.comment.tldr) + least:
        return FINE
    summary = [sentence.text for sentence in case.comment.summary]
    copied = tuple(
        sentence.text
        for sentence in case.comment.tldr
        if any(_likeness(sentence.text, other) >= _COPIED for other in summary)
    )
    return Finding((f"{count(len(copied), 'TLDR sentence')} copied from the Summary.",), copied) if copied else FINE


@check("comment")
def redundancy(case: Case) -> Finding:
    """No two sentences of TLDR, and none of Summary, say the same."""
    twice = tuple(text for sentences in (case.comment.tldr, case.comment.summary) for text in _repeated(sentences))
    return Finding((f"{count(len(twice))} that only repeat another.",), twice) if twice else FINE


def _repeated(sentences: Sequence[Sentence]) -> Iterator[str]:
    """Yield the later one of two that are alike."""
    for (_, one), (_, other) in combinations(enumerate(sentences), 2):
        if _likeness(one.text, other.text) >= _ALIKE:
            yield other.text


def _likeness(one: str, other: str) -> float:
    """Return the share of words in common; sentences with different figures say different things."""
    one, other = normalise(one), normalise(other)
    if set(_FIGURE.findall(one)) != set(_FIGURE.findall(other)):
        return 0.0
    words, others = set(_WORD.findall(one)), set(_WORD.findall(other))
    return len(words & others) / len(words | others) if words | others else 0.0


# ---------------------------------------------------------------- lead-ins and ends

_WHOLE = re.compile(r"[.!?。！？؟।][\"'”’)\]»」』]*$")
_DANGLING = re.compile(
    r"(?:…|\.\.\.|[,;:(\[–—-]|\b(?:the|an?|and|or|because|than|its|their))[.\"'”]?$",
    re.IGNORECASE,
)
_PAIRS = (("(", ")"), ("[", "]"))


@check("comment")
def preamble(case: Case) -> Finding:
    """No sentence begins with a lead-in such as "This article discusses" or "In conclusion"; each says something."""
    led = tuple(part.text for part in case.prose if opens_emptily(part.text))
    return Finding((f"{count(len(led))} beginning with an empty lead-in.",), led) if led else FINE


@check("comment")
def cut_endings(case: Case) -> Finding:
    """Every sentence is whole: it ends in a full stop, not in the middle of a word, a bracket or a list."""
    cut = tuple(part.text for part in case.prose if _is_cut(part.text, whole=part.section in ("tldr", "summary")))
    return Finding((f"{count(len(cut))} broken off before the end.",), cut) if cut else FINE


def _is_cut(text: str, *, whole: bool) -> bool:
    open_pair = any(text.count(left) > text.count(right) for left, right in _PAIRS)
    return open_pair or bool(_DANGLING.search(text)) or (whole and not _WHOLE.search(text))


# ---------------------------------------------------------------- language

_FUNCTION_WORDS = {
    "en": "the of and to is in that was for with it are by as on from has have its this be an at which not they",
    "de": "der die das und ist nicht mit von für ein eine den dem des im auf sich auch werden wird sind bei oder zu",
    "fr": "le la les des est une dans pour qui que du et en sur par pas avec sont au aux cette ce ou plus",
    "es": "el la los las del que una por con para es en se no su como más un al lo y o son entre",
    "it": "il la le gli che di della è per con una del dei nel sono non si al dalla come più anche un lo",
    "pt": "o a os as do da que uma por com para é em se não um no na dos das como mais ao ou",
    "nl": "de het een van en is dat niet met voor op zijn te aan door om ook als bij worden wordt naar uit maar",
}
_COMMON = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_SCRIPTS = {
    "CYRILLIC": {"ru", "uk", "bg", "sr", "be", "mk"}, "CJK": {"zh", "ja"}, "HIRAGANA": {"ja"}, "KATAKANA": {"ja"},
    "HANGUL": {"ko"}, "ARABIC": {"ar", "fa", "ur"}, "HEBREW": {"he", "yi"}, "GREEK": {"el"}, "THAI": {"th"},
    "DEVANAGARI": {"hi", "mr", "ne"},
}  # fmt: skip
_ENOUGH_LETTERS = 80
"""Below it a text is too short to tell."""


@check("comment")
def language(case: Case) -> Finding:
    """TLDR and Summary are in the language that was asked for."""
    if case.extracted:  # the page's own words are in the page's own language
        return FINE
    text = " ".join(part.text for part in case.prose if part.section in ("tldr", "summary"))
    if sum(map(str.isalpha, text)) < _ENOUGH_LETTERS or not _other_language(text, case.language[:2].lower()):
        return FINE
    return Finding((f"The comment is not in the language asked for ({case.language}).",))


def _other_language(text: str, wanted: str) -> bool:
    scripts = Counter(unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha())
    script, _ = scripts.most_common(1)[0]
    written = {code for name, codes in _SCRIPTS.items() if name == script for code in codes}
    expected = {name for name, codes in _SCRIPTS.items() if wanted in codes}
    if written or expected:
        return script not in expected
    if wanted not in _COMMON:
        return False
    words = _WORD.findall(text.lower())
    hits = {code: sum(word in common for word in words) for code, common in _COMMON.items()}
    return max(hits.values()) >= 2 * hits[wanted] + 4  # a margin: short words are shared between languages


# ---------------------------------------------------------------- length and priority


@check("comment", fix=within_lengths)
def section_length(case: Case) -> Finding:
    """No section is longer than 3,000 characters, and the whole reply no longer than 12,000."""
    lengths = Counter[str]()
    for part in case.parts:
        lengths[part.section] += len(part.text) + 1
    long = [section for section, length in lengths.items() if length > LONGEST_SECTION]
    problems = [
        f"The section {section} is {lengths[section]:,} characters long; {LONGEST_SECTION:,} fit." for section in long
    ]
    if len(case.message.text) > LONGEST_TEXT:
        problems.append(f"The reply is {len(case.message.text):,} characters long; {LONGEST_TEXT:,} fit.")
    longest = (max((p.text for p in case.parts if p.section == section), key=len) for section in long)
    return Finding(tuple(problems), tuple(longest)) if problems else FINE


@check("priority")
def read_priority(case: Case) -> Finding:
    """It is said whether to read the page now, to skim it or only to file it, and why, in one sentence."""
    return FINE if case.comment.priority else Finding(("It is not said whether the page is worth reading.",))
