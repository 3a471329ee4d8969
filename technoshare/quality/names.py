"""Names in running text: which capitalised words are one, and in which other form a source may hold it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from technoshare.quality.vocabulary import COMMON, KNOWN, LANGUAGES, PEOPLES

_DEMONYM = re.compile(r"(?:ian|ians|ean|eans|an|ans|n|ns|ese|ish|i|is|ic|er|ers|a|ia|y|s|es|land|als?|os?)?")
_ENDING = re.compile(
    r"(?:ing|ed|ly|tion|tions|sion|sions|ments?|ness|ity|ities|ances?|ences?|isms?|ists?|ages?|ships?|wards?|wise|less|ful|able|ible|ous|ical|ics|ware|ers|ors|ism|ised|ized|ising|izing|ures?|ogy|ogies|ials?|ives?)"
)
_ENDINGS = [
    (ending, restored)
    for restored, endings in (
        ("", "s es ed d ing ly er ers or est r st"),
        ("e", "ed ing er est"),
        ("y", "ies ied ier iest"),
    )
    for ending in endings.split()
]
_LETTERS = str.maketrans(
    {"ø": "o", "ß": "ss", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'"}
)

_MARKS = re.compile(r"[\u0300-\u036f]")
_FOLDED = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")
_POSSESSIVE = re.compile(r"'(?:s|t|d|ll|re|ve|m)$")
_CONTRACTED = re.compile(r"(?:['’](?:s|t|d|ll|re|ve|m)?|n['’]t)$")
WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’](?=[^\W\d_]))*")
_BETWEEN = re.compile(r" |-| ?[&/] ?|['’.]| (?:of|of the|de|del|de la|la|van|von|van der|den|du|di) ")
_AFTER_AN_INITIAL = re.compile(r"\b(?:[A-Z]|Dr|Mr|Mrs|Ms|St|Prof)\. $")
_BREAK = re.compile(r"[.!?:;•*>#|\n(\[\"“„«—–][ \"“„(*_]*$|^[\s\"“„(*_•-]*$|\n\s*(?:\d+[.)]|[-*•])\s*$|^\s*\d+[.)]\s*$")


@dataclass(frozen=True)
class Name:
    """A capitalised word at characters `start` to `end` of a text."""

    start: int
    end: int
    word: str
    opens: bool
    """It stands where any word has a capital."""
    ordinary: bool
    """It is a common word, so only others beside it make it part of a name: “Red” in “Red Hat”."""


def folded(text: str) -> str:
    """Return `text` without case and accents, with plain apostrophes."""
    plain = text.casefold().translate(_LETTERS)
    return plain if plain.isascii() else _MARKS.sub("", unicodedata.normalize("NFKD", plain))


def words(text: str) -> Iterator[str]:
    """Yield the folded words of `text` without possessive endings; "AES-256" is two."""
    for word in _FOLDED.findall(folded(text)):
        yield _POSSESSIVE.sub("", word) if "'" in word else word


def names(text: str) -> Iterator[Name]:
    """Yield the words of `text` that may be names, whether or not a source would know them."""
    lower = {hit[0] for hit in WORD.finditer(text) if hit[0].islower()}
    for hit in WORD.finditer(text):
        word = _CONTRACTED.sub("", hit[0])
        simple = folded(word)
        if len(word) < 2 or word.islower() or simple in KNOWN or word.lower() in lower or _is_glued(hit, text):
            continue
        ordinary = (word.istitle() or word.isupper()) and _plain_word(simple)
        opens = word.istitle() and bool(_BREAK.search(text[max(0, hit.start() - 12) : hit.start()]))
        yield Name(hit.start(), hit.start() + len(word), word, opens, ordinary)


def _is_glued(hit: re.Match[str], text: str) -> bool:
    return text[max(0, hit.start() - 1) : hit.start()].isdigit() or not any(map(str.isupper, hit[0]))


def language(text: str) -> str:
    """Return "de", "other" or, in doubt, "en": where nouns have capitals, capitals tell little."""
    spoken = list(words(text))
    counts = {name: sum(word in known for word in spoken) for name, known in LANGUAGES.items()}
    return max(reversed(counts), key=counts.__getitem__)


def adjoin(text: str, one: Name, other: Name) -> bool:
    """Tell whether two names are parts of one, as in “University of Twente”."""
    between = text[one.end : other.start]
    return bool(_BETWEEN.fullmatch(between)) or bool(_AFTER_AN_INITIAL.search(text[one.start : other.start]))


def looks_plain(word: str) -> bool:
    """Tell whether a capitalised word at the start of a sentence is rather an ordinary one."""
    simple = folded(word)
    return bool(re.search(rf"^[a-z]{{2,}}{_ENDING.pattern}$", simple)) or _plain_word(simple)


def relatives(word: str) -> Iterator[str]:
    """Yield other folded forms of a folded name: singular, country and people, short and long."""
    yield word
    if place := PEOPLES.get(word):
        yield place
        yield from (name for name, of in PEOPLES.items() if of == place)
    for ending in ("s", "es", "n", "ns", "an", "ans", "ian", "ians"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            yield word.removesuffix(ending)
            yield word.removesuffix(ending) + "a"
    yield word + "s"


def kin(one: str, other: str) -> bool:
    """Tell whether two folded words share a long stem and differ in an ending of peoples, places or plurals."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    rest = max(len(one), len(other)) - shared
    return (
        shared >= 4 and rest <= shared and bool(_DEMONYM.fullmatch(one[shared:]) and _DEMONYM.fullmatch(other[shared:]))
    )


def initials(words_in_order: list[str]) -> str:
    """Return the first letters of words."""
    return "".join(word[0] for word in words_in_order if word)


def _plain_word(simple: str) -> bool:
    """Tell whether a folded word is a common one, or such a one with an ending."""
    return simple in COMMON or any(
        simple.removesuffix(ending) + restored in COMMON
        for ending, restored in _ENDINGS
        if simple.endswith(ending) and len(simple) >= len(ending) + 3
    )
