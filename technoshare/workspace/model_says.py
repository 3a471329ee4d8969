"""What the scripted model says: sensible answers to this project's schemas, well-formed filling for any other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from technoshare.text import split_sentences

MOST_FACTS = 24
_USABLE = range(6, 41)  # words of a sentence worth quoting: below it is a heading, above it a list

_BLOCK = re.compile(r"^-+ begin of (?:page|facts) (\S+)\n(.*?)^-+ end of (?:page|facts) \1", re.DOTALL | re.MULTILINE)
_SNIPPET = re.compile(r"^\[(s\d+)\][^\n]*\n(.*?)(?=^\[s\d+\]|\Z)", re.DOTALL | re.MULTILINE)
_FACT = re.compile(r"^\[(f\d+)\] \(\w+\) (.+)$", re.MULTILINE)
_PROJECT = re.compile(r"^\s*- Theme: (.+?) \| Project: (.+?) \| .*\| Keywords: (.+)$", re.MULTILINE)
_BOUNDS = re.compile(r"(\d+) to (\d+) sentences")
_TITLE = re.compile(r"^Title: (.+)$", re.MULTILINE)

Value = Any
"""Anything that JSON can say."""


def answer(name: str, schema: Mapping[str, Value], prompt: str) -> Value:
    """Return a value that fits `schema`, made from the page or the facts in the prompt where there are any."""
    block = _BLOCK.search(prompt)
    if name == "facts" and block and (facts := _facts(block[2])):
        return {"facts": facts}
    if name == "comment" and block and (found := _FACT.findall(block[2])):
        return _comment(found, prompt)
    return fill(schema)


def unbound(prompt: str) -> str:
    """Return what is said without a schema: JSON where the prompt itself describes it."""
    block = _BLOCK.search(prompt)
    if "one JSON object" not in prompt or not block:
        return "I have what I need."
    found = _FACT.findall(block[2])
    return as_json(_comment(found, prompt) if found else {"facts": _facts(block[2])})


def query(prompt: str) -> str:
    """Return words to search for: the page's title, cut short."""
    title = _TITLE.search(prompt)
    return " ".join(title[1].split()[:6]) if title else "results"


# ---------------------------------------------------------------- our two schemas


def _facts(page: str) -> list[dict[str, str]]:
    found = [
        {
            "kind": "number" if re.search(r"\d", sentence) else "claim",
            "text": sentence,
            "quote": sentence,
            "snippet": id_,
        }
        for id_, text in _SNIPPET.findall(page)
        for sentence in _sentences(text)
    ]
    step = max(1, -(-len(found) // MOST_FACTS))  # evenly over the page rather than all from its beginning
    return found[::step]


def _sentences(text: str) -> list[str]:
    """Return whole sentences that stand on one line of the snippet and would stand alone."""
    return [
        sentence
        for line in text.splitlines()
        for sentence in split_sentences(line)
        if len(sentence.split()) in _USABLE
        and sentence[0].isupper()
        and sentence[-1] in ".!?"
        and split_sentences(sentence) == [sentence]
    ]


def _comment(facts: Sequence[tuple[str, str]], prompt: str) -> dict[str, Value]:
    bounds = _BOUNDS.search(prompt)
    least, most = (int(bounds[1]), int(bounds[2])) if bounds else (10, 15)
    later = facts[3:] if len(facts) >= least + 3 else facts
    return {
        "tldr": [_sentence(fact) for fact in _repeated(facts, 3)[:3]],
        "summary": [_sentence(fact) for fact in _repeated(later, least)[:most]],
        "projects": [_project(facts, prompt)],
        "priority": {"level": "skim", "reason": facts[0][1], "facts": [facts[0][0]]},
    }


def _repeated(facts: Sequence[tuple[str, str]], least: int) -> Sequence[tuple[str, str]]:
    """Return the facts, from the beginning again when they are too few: a count is asked for, so a count is given."""
    return list(facts) * -(-least // len(facts)) if len(facts) < least else facts


def _sentence(fact: tuple[str, str]) -> dict[str, Value]:
    return {"text": fact[1], "facts": [fact[0]]}


def _project(facts: Sequence[tuple[str, str]], prompt: str) -> dict[str, Value]:
    words = set(re.findall(r"\w+", " ".join(text for _, text in facts)))
    hits = [
        ([keyword for keyword in keywords.split(", ") if keyword in words], theme, project)
        for theme, project, keywords in _PROJECT.findall(prompt)
    ]
    shared, theme, project = max(hits, key=lambda hit: len(hit[0]), default=([], "", ""))
    if not shared:
        return {"theme": "none", "project": "", "relevance": "no link to our projects", "why": "", "facts": []}
    return {
        "theme": theme,
        "project": project,
        "relevance": f"The page speaks about {' and '.join(shared[:2])}, which {project} works on.",
        "why": f"It is worth comparing with what {project} does today.",
        "facts": [facts[0][0]],
    }


# ---------------------------------------------------------------- any schema


def fill(schema: Mapping[str, Value], text: str = "words", root: Mapping[str, Value] | None = None) -> Value:
    """Return a smallest value that fits `schema`; every free string is `text`."""
    root = schema if root is None else root
    if "$ref" in schema:
        return fill(_resolved(schema["$ref"], root), text, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return fill(schema[choice][0], text, root)
    return _typed(schema, text, root)


def _typed(schema: Mapping[str, Value], text: str, root: Mapping[str, Value]) -> Value:
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: fill(properties[name], text, root) for name in schema.get("required", properties)}
        case "array":
            return [fill(schema.get("items", {}), text, root) for _ in range(schema.get("minItems", 1))]
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", 0))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema, text)


def _string(schema: Mapping[str, Value], text: str) -> str:
    least = int(schema.get("minLength", 0))
    longer = text * -(-least // len(text)) if len(text) < least else text
    return longer[: schema.get("maxLength")]


def _resolved(ref: str, root: Mapping[str, Value]) -> Mapping[str, Value]:
    node: Value = root
    for part in ref.removeprefix("#/").split("/"):
        node = node[part]
    found: Mapping[str, Value] = node
    return found


def as_json(value: Value) -> str:
    """Return the value as a model would write it."""
    return json.dumps(value, ensure_ascii=False)
