"""Which language a text is in."""

import re

import py3langid

_TAG = re.compile(r"([A-Za-z]{2,3})(?=$|[-_])")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
_OTHER_NAMES = {"iw": "he", "in": "id", "ji": "yi", "jp": "ja", "cn": "zh", "kr": "ko", "eng": "en", "deu": "de"}
"""Old codes and country codes that pages put into `lang`."""

ENOUGH = 60
"""Letters; a guess from less is a coin toss."""
SAMPLE = 5_000
CJK_SHARE = 0.15
"""Of the letters; a character is worth about two letters and a technical text is full of Latin names."""


def language_of(text: str, declared: str = "") -> str:
    """Return an ISO 639-1 code: the script where it tells, the primary part of the `declared` tag, a guess, or empty.

    A declared "en" is what templates say when nobody cared, so a text in another script outweighs it.
    """
    tag = _TAG.match(declared.strip())
    code = _OTHER_NAMES.get(tag[1].lower(), tag[1].lower()) if tag else ""
    script = _by_script(text[:SAMPLE])
    if script and code not in ("zh", "ja", "ko", "yue"):
        return script
    if code or len(text) < ENOUGH:
        return code
    return str(py3langid.classify(text[:SAMPLE])[0])


def _by_script(text: str) -> str:
    """Return `ja`, `ko` or `zh` when enough of the text is written so; a few characters are enough to tell."""
    letters = max(1, len(_LETTER.findall(text)))
    kana, han, hangul = (len(script.findall(text)) for script in (_KANA, _HAN, _HANGUL))
    if kana + han + hangul < CJK_SHARE * letters:
        return ""
    if hangul > kana + han:
        return "ko"
    return "ja" if kana > CJK_SHARE * (kana + han) else "zh"
