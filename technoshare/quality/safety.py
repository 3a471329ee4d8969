"""What must never leave, whoever wrote it. The fixes take it out; these checks look again at what is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from technoshare.models import Project
from technoshare.quality.addresses import without_links
from technoshare.quality.case import FINE, Case, Finding, check, count
from technoshare.quality.sanitize import plain, with_plain_texts, without_foreign_links, without_secrets
from technoshare.quality.secrets import redacted
from technoshare.text import normalise

_LEAK_WORDS = 8
"""Words in a row that nobody writes twice by chance."""
_TOKEN = re.compile(r"<[!@#]|[@＠](?:channel|here|everyone)\b", re.IGNORECASE)
_ELEMENT = re.compile(
    r'"type": "(?:user|usergroup|channel|team|broadcast|date|color|image)"'
)  # quotes in texts are escaped
_WORD = re.compile(r"\w+")


@check("comment", "fix", fix=with_plain_texts)
def plain_text(case: Case) -> Finding:
    """Every text is one line of plain words: no Markdown, bullets, control or invisible characters."""
    marked = tuple(part.text for part in case.parts if plain(part.text) != part.text)
    return Finding((f"{count(len(marked), 'text')} with marks or control characters.",), marked) if marked else FINE


@check("comment", "block", fix=with_plain_texts)
def mentions(case: Case) -> Finding:
    """The reply notifies nobody: no mention, broadcast, date or labelled link, in the text form or in the blocks."""
    blocks = json.dumps(case.message.blocks, ensure_ascii=False)
    active = _TOKEN.search(case.message.text) or _TOKEN.search(blocks) or _ELEMENT.search(blocks)
    return Finding(("The message would notify somebody.",)) if active else FINE


@check("comment", "block", fix=without_secrets)
def secrets(case: Case) -> Finding:
    """No text holds a key, a token or a password of ours."""
    own = case.ground.private.secrets
    bad = [part for part in case.parts if redacted(part.text, own) != part.text]
    masked = tuple(redacted(part.text, own) for part in bad)  # failures.txt must not hold them either
    return Finding((f"{count(len(bad), 'text')} with something that looks like a key.",), masked) if bad else FINE


@check("comment", "block", fix=without_foreign_links)
def links(case: Case) -> Finding:
    """Every address, bare domains included, is the posted link or stands, whole, in what was read."""
    allowed = case.ground.links
    foreign = tuple(part.text for part in case.parts if without_links(part.text, allowed) != part.text)
    return Finding((f"{count(len(foreign), 'text')} with a link that was not read.",), foreign) if foreign else FINE


@check("comment", "block")
def prompt_leak(case: Case) -> Finding:
    """No eight words in a row come from our instructions or from the description of our projects."""
    ground = case.ground
    if not (private := _private_runs(ground.private.prompts, ground.projects)):
        return FINE
    leaking = [part for part in case.parts if private & _runs([part.text])]
    if not leaking:
        return FINE
    public = _runs(ground.texts)  # a page may say the same; who repeats the page leaks nothing
    told = tuple(part.text for part in leaking if (private - public) & _runs([part.text]))
    return Finding((f"{count(len(told))} of our own instructions or project descriptions.",), told) if told else FINE


@lru_cache(maxsize=8)
def _private_runs(prompts: tuple[str, ...], projects: tuple[Project, ...]) -> frozenset[tuple[str, ...]]:
    described = (text for project in projects for text in (project.description, " ".join(project.keywords)))
    return _runs([*prompts, *described])


def _runs(texts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = _WORD.findall(normalise(text))
        found.update(zip(*(words[start:] for start in range(_LEAK_WORDS)), strict=False))
    return frozenset(found)
