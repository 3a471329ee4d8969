"""Which language a text is in."""

import re

import py3langid

_TAG = re.compile(r"[A-Za-z]{2,3}(?=$|[-_])")
ENOUGH = 60
"""Characters; a guess from less is a coin toss."""
SAMPLE = 5_000


def language_of(text: str, declared: str = "") -> str:
    """Return an ISO 639-1 code: the primary part of the `declared` tag, else a guess, else empty."""
    if tag := _TAG.match(declared.strip()):
        return tag[0].lower()
    if len(text) < ENOUGH:
        return ""
    return str(py3langid.classify(text[:SAMPLE])[0])
