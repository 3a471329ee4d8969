"""Sentences, normalising, quotes: pure functions on text, shared by gates, scorers and the extractive engine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import sentencex

_SPACE = re.compile(r"\s+")
_ODD_SPACE = re.compile(r"[^\S ]")
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff\ufffe"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e01ef]"
)
"""Of the variation selectors only the one stays that makes a sign an emoji: a row of them carries a message."""
_SAME = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
                       "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "…": "..."})  # fmt: skip

# ---------------------------------------------------------------- sentences
# sentencex knows abbreviations, quotes and many languages, but not technical prose. So it is shown a mask of the same
# length in which the misleading characters look like letters, and only its cut points are used.

_STOPS = str.maketrans(dict.fromkeys(".!?", "x"))
_NO_STOP = re.compile(
    r"""
    `[^`\n]+`                                                   # a code span
    | \bhttps?://[^\s<>]*[^\s<>.,;:!?)\]}'"”’]                  # a URL without the punctuation behind it
    | (?<=\w)[.!?](?=\w)(?![a-z]\.|_+(?:\s|$))                # 3.11, Node.js, asyncio.TaskGroup; not U.S. or Ph.D.
    | (?<!\S)[.](?=[a-z]\w)                                      # .NET, .github
    | \b(?:figs?|eqs?|eqn|secs?|sect|ch|chap|tabs?|refs?|vols?|nos?|nr|n°|pp?|alg|thm|def|app|art|ver|v)
      \.(?=\s*[(\[]?\d)                                         # Fig. 3, Eq. (5)
    | \b(?:e\.g|i\.e|cf|vs|viz|w\.r\.t|approx|incl|excl|resp)\. # never the end of a sentence
    | \bal\.(?=\s*[(\[])                                        # et al. [3]
    """,
    re.IGNORECASE | re.VERBOSE,
)
_UNIT_SLASH = re.compile(r"(?<=\w)/(?=\w)")  # "5 req/s. Then": a lone "s." would pass for an initial
_CLOSED = re.compile(r"([.!?]+)((?:\*{1,3}|_{1,3}|\[\d+(?:[,–-] ?\d+)*\])+)(?=\s|$)")  # .**  ._  .[12]
_ASIDE = re.compile(
    r"((?:^|[.!?]\s)\s*\([A-Z“\"][^()]*?)([.!?]+)(\))(?=\s+[A-Z“\"(]|\s*$)"
)  # a whole sentence in parentheses
_BULLET = re.compile(r"(?:^|(?<=\s))[•⁃▪◦‣]\s*(?:\d{1,2}\.)?")
_NUMBER = re.compile(r"(?:^|(?<=\s))(\d{1,2}|[a-z])(?:\.\)|[.)])(?=\s+\S)")
_OPEN_END = re.compile(r"(?:,|\b(?:the|an?|of|on|in|to|and|or|with|for|by|from|at|as|is|are|that|which|our|we|its))$")


def split_sentences(text: str, language: str = "en") -> list[str]:
    """Return the sentences of `text` in order, each a verbatim stretch of it without white space at its ends.

    A line that visibly goes on in the next one is joined to it; items of a list inside a line come apart.
    Nothing but white space is lost.
    """
    pieces = [piece.strip() for line in _joined_lines(text) for piece in _split_line(line, language)]
    return [piece for piece in pieces if piece]


def _joined_lines(text: str) -> Iterator[str]:
    held: list[str] = []
    for line in text.splitlines(keepends=True):
        if held and not _goes_on(held[-1].strip(), line.strip()):
            yield "".join(held)
            held.clear()
        held.append(line)
    yield "".join(held)


def _goes_on(line: str, following: str) -> bool:
    """Tell whether a hard-wrapped sentence runs on; a line of one or two words is rather an item or a heading."""
    if not line or not following or line[-1] in ".!?:":
        return False
    return bool(_OPEN_END.search(line)) or (following[0].islower() and len(line.split()) >= 3)


@lru_cache(maxsize=4096)  # a job looks at the same sentences again in snippets, engine and checks: a third of its time
def _split_line(line: str, language: str) -> tuple[str, ...]:
    starts, mask = _list_items(line)
    pieces: list[str] = []
    for start, end in zip([0, *starts], [*starts, len(line)], strict=True):
        cuts = [hit["end_index"] for hit in sentencex.get_sentence_boundaries(language, _mask(mask[start:end]))]
        marks = [start, *(start + cut for cut in cuts), end]
        pieces += [line[a:b] for a, b in pairwise(marks)]
    return tuple(pieces)


def _mask(line: str) -> str:
    """Return `line`, character by character, with everything hidden that only looks like the end of a sentence."""
    line = _ODD_SPACE.sub(" ", line)
    line = _NO_STOP.sub(lambda hit: hit[0].translate(_STOPS), line)
    line = _ASIDE.sub(r"\1\3\2", line)
    return _CLOSED.sub(lambda hit: "x" * len(hit[2]) + hit[1], _UNIT_SLASH.sub("x", line))


def _list_items(line: str) -> tuple[list[int], str]:
    """Return where list items begin inside `line`, and `line` with the dots of their markers hidden."""
    markers = list(_BULLET.finditer(line)) or _numbered(line)
    starts = [marker.start() for marker in markers if marker.start()]
    ends = [0, *(marker.end() for marker in markers)]
    shown = [
        line[end : marker.start()] + marker[0].translate(_STOPS) for end, marker in zip(ends, markers, strict=False)
    ]
    return starts, "".join(shown) + line[ends[-1] :]


def _numbered(line: str) -> list[re.Match[str]]:
    """Return the markers 1. 2. 3. (or a. b. c.) that follow one another from the line's first word on."""
    found: list[re.Match[str]] = []
    for marker in _NUMBER.finditer(line):
        follows = found and _ordinal(marker[1]) == _ordinal(found[-1][1]) + 1
        if follows or (not found and not line[: marker.start()].strip()):
            found.append(marker)
    return found


def _ordinal(label: str) -> int:
    return int(label) if label.isdecimal() else ord(label)


# ---------------------------------------------------------------- words

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[\u0e00-\u0e7f]{1,5}|[^\s\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]+"
)
"""Chinese, Japanese and Thai write no spaces; two of their characters, or five Thai ones, make about one word."""


def count_words(text: str) -> int:
    """Return the number of words, also of a text that writes no spaces."""
    return len(_WORD.findall(text))


# ---------------------------------------------------------------- what Slack would act on

_TOKEN = re.compile(r"<(?:!|@[UWB]|#[CGD])[^<>\n]{0,200}>")
_LABELLED = re.compile(r"<[^<>|\s]{1,2000}\|([^<>\n]{0,500})>")
_BROADCAST = re.compile(r"[@＠]+(?=(?:channel|here|everyone)\b)", re.IGNORECASE)


def defused(text: str) -> str:
    """Return `text` without mention, broadcast and date tokens; a labelled link is only its label.

    Whatever the evidence says: a page may well contain such a token on purpose.
    """
    text = _LABELLED.sub(r"\1", visible(text))
    return _BROADCAST.sub("", _TOKEN.sub("[mention removed]", text))


# ---------------------------------------------------------------- wording

_PREAMBLE = re.compile(
    r"^(?:(?:this|the|the present|the following) "
    r"(?:article|page|(?:blog )?post|blog|paper|document|text|link|website|repository|summary|comment|author|piece)s?\b"
    r"[^.]{0,40}\b(?:discuss|describ|begin|explain|explor|cover|delve|talk|look|(?:provides?|gives?) an? overview)\w*|"
    r"in (?:conclusion|summary|short|a nutshell|this (?:article|post|paper|page)),?|to sum(?:mari[sz]e| up)|all in all|"
    r"here(?:'s| is| are) (?:a|an|the|your|my)\b|below (?:is|are)|(?:sure|certainly|of course)!|"
    r"(?:sure|certainly), here|as an ai\b|"
    r"i (?:cannot|can't|am unable|apologi[sz]e)|i'm sorry|tl;?dr\b|summary:|"
    r"it is (?:worth|important) (?:noting|to note))"
)


def opens_emptily(sentence: str) -> bool:
    """Tell whether a sentence begins with a lead-in that speaks about the text instead of its matter."""
    return bool(_PREAMBLE.match(normalise(sentence)))


# ---------------------------------------------------------------- comparing


def squeeze(text: str) -> str:
    """Return `text` on one line: every run of white space is one space."""
    return _SPACE.sub(" ", text).strip()


def visible(text: str) -> str:
    """Return `text` without soft hyphens, zero-width, bidirectional control, tag and fill characters."""
    return _INVISIBLE.sub("", text)


def normalise(text: str) -> str:
    """Return `text` for comparison: NFKC, case folded, typographic quotes and dashes plain, white space single."""
    plain = unicodedata.normalize("NFKC", visible(text).translate(_SAME))
    return squeeze(plain.translate(_SAME)).casefold()


def contains_quote(quote: str, text: str) -> bool:
    """Tell whether `quote` stands in `text`, whatever the quotes, dashes, case and white space look like."""
    wanted = normalise(quote)
    return bool(wanted) and wanted in normalise(text)


def duration(seconds: float) -> str:
    """Return it in the largest unit that leaves a number of two digits or so: 40 s, 12 min, 30 h, 9 days."""
    for size, unit, most in ((1, "s", 120), (60, "min", 7_200), (3600, "h", 172_800)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
