"""What Slack would refuse about a message's blocks, found without asking Slack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

MOST_BLOCKS = 50
LONGEST_MESSAGE = 13_000
"""Characters over all blocks: Slack refuses a message from about 13,200 on."""
LONGEST_BLOCK = {
    "header": 150,
    "section": 3_000,
    "rich_text": 3_000,
    "context": 2_000,
    "divider": 0,
    "actions": 25 * 75,  # a button's text has at most 75
}
"""The kinds that this program writes, and the characters that one of them may hold."""
MOST_ELEMENTS = {"context": 10, "actions": 25}
LONGEST_BUTTON = {"text": 75, "action_id": 255, "value": 2_000}

_CONTAINERS = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
_LEAVES = {"text", "link", "plain_text", "mrkdwn"}
"""Leaves without the power to notify anybody: no user, usergroup, channel or broadcast element."""


def block_problems(blocks: Sequence[Mapping[str, JsonValue]]) -> tuple[str, ...]:
    """Return what is wrong with the blocks, one plain sentence each; nothing when Slack would take them."""
    return tuple(_problems(blocks))


def _problems(blocks: Sequence[Mapping[str, JsonValue]]) -> Iterator[str]:
    if not 1 <= len(blocks) <= MOST_BLOCKS:
        yield f"The message has {len(blocks)} blocks; Slack takes 1 to {MOST_BLOCKS}."
    lengths = [sum(len(text) for text in _texts(block)) for block in blocks]
    if sum(lengths) > LONGEST_MESSAGE:
        yield f"The message is {sum(lengths):,} characters long; Slack takes about {LONGEST_MESSAGE:,}."
    for block, length in zip(blocks, lengths, strict=True):
        yield from _block_problems(block, length)


def _block_problems(block: Mapping[str, JsonValue], length: int) -> Iterator[str]:
    kind = str(block.get("type"))
    if kind not in LONGEST_BLOCK:
        yield f"There is no block of type {kind!r} here."
        return
    if length > LONGEST_BLOCK[kind]:
        yield f"A {kind} block holds {length:,} characters; at most {LONGEST_BLOCK[kind]:,} fit."
    if kind == "divider":
        return
    elements = [block["text"]] if "text" in block else block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"A {kind} block is empty."
        return
    if len(elements) > (most := MOST_ELEMENTS.get(kind, len(elements))):
        article = "An" if kind == "actions" else "A"
        yield f"{article} {kind} block has {len(elements)} elements; Slack takes {most}."
    for element in elements:
        yield from _button_problems(element) if kind == "actions" else _element_problems(element)


def _button_problems(element: JsonValue) -> Iterator[str]:
    if not isinstance(element, dict) or element.get("type") != "button" or not element.get("action_id"):
        yield "An actions block holds something else than a button with an action."
        return
    label = element.get("text")
    if not isinstance(label, dict) or label.get("type") != "plain_text":  # Slack takes no other in a button
        yield "A button's text is not plain."
        return
    yield from _element_problems(label)
    for part, held in (element | {"text": label.get("text")}).items():
        if len(str(held)) > (most := LONGEST_BUTTON.get(part, len(str(held)))):
            yield f"A button's {part} is longer than {most} characters."


def _element_problems(element: JsonValue) -> Iterator[str]:
    if not isinstance(element, dict):
        yield "An element is not an object."
        return
    kind = element.get("type")
    inner = element.get("elements")
    if kind in _CONTAINERS and isinstance(inner, list) and inner:
        for child in inner:
            yield from _element_problems(child)
    elif kind not in _LEAVES:
        yield f"There is no element of type {kind!r} here, or it is empty."
    elif not str(element.get("text") or "").strip(" "):
        yield f"A {kind} element has no text."
    elif kind == "link" and not str(element.get("url")).lower().startswith(("http://", "https://")):
        yield "A link points to something else than a web page."


def _texts(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the text of every leaf, however deep."""
    if isinstance(value, Mapping):
        text = value.get("text")
        if isinstance(text, str):
            yield text
        else:
            yield from _texts(text)
        yield from _texts(value.get("elements"))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
