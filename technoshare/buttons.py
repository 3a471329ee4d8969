"""What people can press under our posts, and the form that asks for a reason: as Slack wants them, as plain data.

A button's value is the job's id, and its block's id ends in the generation that posted it: nothing else is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pydantic import JsonValue

Block = dict[str, JsonValue]

RETRY, VOTE, UP, DOWN, WHY = "retry", "vote", "vote-up", "vote-down", "why"
"""Actions of buttons; `vote` begins the block's id, `why` is the form's name."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "wrong_facts": "Wrong facts",
        "missed_point": "Missed the point",
        "wrong_project": "Wrong project or theme",
        "hard_to_read": "Too long or unclear",
        "not_wanted": "Should not have commented",
        "other": "Other",
    }
)
"""What can be wrong with a comment: the word that is kept, and what the form says."""

LONGEST_WORDS = 500
"""Characters of a reason in somebody's own words."""

CHOICE, WORDS = "reasons", "words"
"""The form's two inputs; each is the only element of a block of the same name."""

_BETWEEN, _OWN = ", ", ": "


def retry_button(job_id: str, generation: int) -> Block:
    """Return the button under an apology."""
    return _row(f"{RETRY}-{generation}", _button(RETRY, "Retry", job_id))


def vote_buttons(job_id: str, generation: int) -> Block:
    """Return the two buttons under a comment."""
    up, down = _button(UP, "👍 Helpful", job_id), _button(DOWN, "👎 Not helpful", job_id)
    return _row(f"{VOTE}-{generation}", up, down)


def reason_form(private: str) -> dict[str, JsonValue]:
    """Return the form that a 👎 opens; `private` comes back with it."""
    options: list[JsonValue] = [{"text": _plain(label), "value": value} for value, label in REASONS.items()]
    words: Block = {
        "type": "plain_text_input",
        "action_id": WORDS,
        "multiline": True,
        "max_length": LONGEST_WORDS,
        "placeholder": _plain("Which sentence, and what would be right?"),
    }
    return {
        "type": "modal",
        "callback_id": WHY,
        "private_metadata": private,
        "title": _plain("What was wrong?"),
        "submit": _plain("Send"),
        "close": _plain("Skip"),
        "blocks": [
            _input(CHOICE, "Choose all that apply", {"type": "checkboxes", "action_id": CHOICE, "options": options}),
            _input(WORDS, "In your own words", words, optional=True),
        ],
    }


def reason_of(chosen: Iterable[str], words: str) -> str:
    """Return the reason as it is kept: the known words, then the person's own; empty when there is neither."""
    wanted = set(chosen)
    known = _BETWEEN.join(value for value in REASONS if value in wanted) or ("other" if words else "")
    return f"{known}{_OWN}{words}" if words else known


def reasons_in(reason: str) -> tuple[str, ...]:
    """Return the known words in a reason that was kept."""
    return tuple(word for word in reason.partition(_OWN)[0].split(_BETWEEN) if word in REASONS)


def _row(block_id: str, *buttons: Block) -> Block:
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def _button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": _plain(label), "value": value}


def _input(name: str, label: str, element: Block, *, optional: bool = False) -> Block:
    return {"type": "input", "block_id": name, "label": _plain(label), "element": element, "optional": optional}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
