"""A dataset's text with one more example, or with a file for one that had none; all else stays as it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import yaml
from pydantic import JsonValue

from technoshare.datafile import plain_value
from technoshare.errors import ConfigError

Entry = Mapping[str, JsonValue]

_WIDTH = 110


def new_dataset(name: str, entry: Entry) -> str:
    """Return the text of a dataset with one example."""
    return f"schema: technoshare.evalset/2\ndataset_name: {name}\nexamples:\n{item(entry)}"


def item(entry: Entry, indent: int = 2) -> str:
    """Return an example as lines of a YAML list."""
    return _indented(_dumped(entry), " " * indent + "- ", " " * (indent + 2))


def with_example(text: str, entry: Entry, *, name: str) -> str:
    """Return the text with the example at its end.

    Raises `ConfigError` that holds the lines for a text of a form that only a person can add to; `name` is the file's.
    """
    if _is_json(text):
        return _json_with(text, [entry], name)
    examples = _examples(text)
    if examples is None:
        raise _by_hand(name, item(entry))
    indent, end = examples.start_mark.column, examples.end_mark
    at = len(text) if end.index == len(text) else end.index - end.column
    before = text[:at] if text[:at].endswith("\n") else f"{text[:at]}\n"
    return _proved(before + item(entry, indent) + text[at:], text, [entry], name)


def with_file(text: str, example: str, more: Entry, *, name: str) -> str:
    """Return the text with `more` said about an example that stands in it; errors as in `with_example`."""
    if _is_json(text):
        return _json_with(text, [], name, {example: more})
    node = next((each for each in _items(text) if _id(each) == example), None)
    if node is None or node.flow_style:
        raise _by_hand(name, _dumped(more))
    first = node.value[0][1].end_mark
    at = text.index("\n", first.index) + 1 if "\n" in text[first.index :] else len(text)
    before = text[:at] if text[:at].endswith("\n") else f"{text[:at]}\n"
    pad = " " * node.start_mark.column
    return _proved(before + _indented(_dumped(more), pad, pad) + text[at:], text, [], name, {example: more})


# ---------------------------------------------------------------- the two forms


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _json_with(text: str, added: Sequence[Entry], name: str, more: Mapping[str, Entry] | None = None) -> str:
    return json.dumps(_edited(plain_value(text.encode(), name=name), added, more), indent=2, ensure_ascii=False) + "\n"


def _examples(text: str) -> yaml.SequenceNode | None:
    """Return where the examples stand as a list of lines."""
    root = yaml.compose(text, yaml.SafeLoader)  # in Python: only its marks count characters instead of bytes
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next((value for key, value in pairs if key.value == "examples"), None)
    return found if isinstance(found, yaml.SequenceNode) and not found.flow_style else None


def _items(text: str) -> list[yaml.MappingNode]:
    examples = _examples(text)
    return [each for each in (examples.value if examples else []) if isinstance(each, yaml.MappingNode) and each.value]


def _id(node: yaml.MappingNode) -> str:
    return next((str(value.value) for key, value in node.value if key.value == "id"), "")


def _dumped(entry: Entry) -> str:
    return yaml.safe_dump(dict(entry), sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)


def _indented(lines: str, first: str, others: str) -> str:
    return "".join(f"{others if number else first}{line}\n" for number, line in enumerate(lines.splitlines()))


# ---------------------------------------------------------------- the proof


def _proved(changed: str, text: str, added: Sequence[Entry], name: str, more: Mapping[str, Entry] | None = None) -> str:
    """Return the changed text when it says what the old one said and the addition, and nothing else."""
    try:
        says = plain_value(changed.encode(), name=name)
    except ConfigError:
        says = None
    if says != _edited(plain_value(text.encode(), name=name), added, more):
        raise _by_hand(name, *map(item, added), *map(_dumped, (more or {}).values()))
    return changed


def _edited(raw: JsonValue, added: Sequence[Entry], more: Mapping[str, Entry] | None) -> JsonValue:
    told = raw if isinstance(raw, dict) else {}
    examples = told.get("examples")
    old = [each for each in examples if isinstance(each, dict)] if isinstance(examples, list) else []
    grown = [each | dict((more or {}).get(str(each.get("id")), {})) for each in old]
    return told | {"examples": [*grown, *map(dict, added)]}


def _by_hand(name: str, *lines: str) -> ConfigError:
    return ConfigError(
        f"{name} is written in a form that only a person can add to; put this into it:\n{''.join(lines)}"
    )
