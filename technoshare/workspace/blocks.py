"""What Slack says to a message before it takes it: the rough rules of blocks and sizes."""

from collections.abc import Iterator

from technoshare.workspace.errors import ApiError
from technoshare.workspace.shapes import Json

MAX_BLOCKS = 50
MAX_TEXT = 40_000  # characters of `text`; Slack cuts or refuses longer ones
MAX_MARKDOWN = 12_000  # over all markdown blocks of a message, as documented
MAX_MESSAGE = 13_200  # measured by others on the live API, see the notes on msg_blocks_too_long

LIMITS = {"section": 3000, "header": 150}
"""Characters of a block's own text."""

ELEMENTS = {"context": 10, "actions": 25, "context_actions": 5}
"""Elements of a block."""

KINDS = frozenset(
    {"actions", "alert", "card", "carousel", "container", "context", "context_actions", "divider", "file", "header"}
    | {"image", "input", "markdown", "plan", "rich_text", "section", "table", "task_card", "video"}
)


def check_message(text: object, blocks: object, *, attachments: bool = False) -> list[Json]:
    """Return the blocks of a message that Slack would take. Raises `ApiError` with Slack's code otherwise."""
    if not isinstance(blocks, list | None):
        raise ApiError("invalid_blocks_format")
    checked = [_checked(block) for block in blocks or ()]
    if not checked and not text and not attachments:
        raise ApiError("no_text")
    if len(checked) > MAX_BLOCKS:
        raise ApiError("invalid_blocks")
    if len(str(text or "")) > MAX_TEXT or sum(_length(b) for b in checked if b["type"] == "markdown") > MAX_MARKDOWN:
        raise ApiError("msg_too_long")
    if sum(_length(block) for block in checked) > MAX_MESSAGE:
        raise ApiError("msg_blocks_too_long")
    return checked


def _checked(block: object) -> Json:
    if not isinstance(block, dict) or block.get("type") not in KINDS:
        raise ApiError("invalid_blocks")
    if problem := _problem(block):
        raise ApiError("invalid_blocks", detail=problem)
    return block


def _problem(block: Json) -> str:
    """Return what is wrong with one block, as far as TechnoShare's kinds of block go; empty when nothing is."""
    kind, elements, text = block["type"], block.get("elements", []), _own_text(block)
    wrong = {
        f"{kind} is too long": kind in LIMITS and len(text) > LIMITS[kind],
        f"{kind} has no text": kind in ("header", "markdown") and not text,
        "section has neither text nor fields": kind == "section" and not text and not block.get("fields"),
        f"{kind} has no elements": kind in (*ELEMENTS, "rich_text") and not elements,
        f"{kind} has too many elements": kind in ELEMENTS and len(elements) > ELEMENTS[kind],
        f"{kind} holds an empty text": "" in _texts(elements),
    }
    return next((problem for problem, found in wrong.items() if found), "")


def _own_text(block: Json) -> str:
    text = block.get("text", "")
    return str(text.get("text", "") if isinstance(text, dict) else text)


def _length(block: Json) -> int:
    return sum(len(text) for text in _texts(block))


def _texts(value: object) -> Iterator[str]:
    """Every text that a reader would see in a block."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                yield item
            else:
                yield from _texts(item)
