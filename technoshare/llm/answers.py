"""What the model must answer: the shapes, their strict JSON schemas, and how its text becomes a value.

Shapes are checked here; counts and truth are judged later, by the stage and the gates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, ValidationError

from technoshare.models import Fact, FactKind, ProjectNote, ReadPriority, ReadWhen, Sentence

A = TypeVar("A", bound=BaseModel)

_KINDS = get_args(FactKind)
_LEVELS = get_args(ReadWhen)


def _known_kind(value: object) -> object:
    return value if value in _KINDS else "claim"


def _bare_id(value: object) -> object:
    """Models like to repeat an id with the brackets that it has in the prompt."""
    return value.strip("[]() \n") if isinstance(value, str) else value


def _known_level(value: object) -> object:
    """Be lenient about case and separators; whatever else it is, skimming is never wrong by much."""
    level = re.sub(r"[\s_-]+", " ", value.strip().lower()) if isinstance(value, str) else value
    return level if level in _LEVELS else "skim"


Id = Annotated[str, BeforeValidator(_bare_id)]
Ids = tuple[Id, ...]

# ---------------------------------------------------------------- stage A


class FactAnswer(BaseModel):
    """One fact as the model gave it."""

    kind: Annotated[FactKind, BeforeValidator(_known_kind)] = Field(
        default="claim", description="What sort of fact it is."
    )
    text: str = Field(description="The fact in one plain sentence of your own.")
    quote: str = Field(description="The words of the snippet that prove it, copied character by character.")
    snippet: Id = Field(description="The id of that snippet, such as s3.")


class FactsAnswer(BaseModel):
    """Answer of stage A."""

    facts: tuple[FactAnswer, ...] = Field(min_length=1)

    def items(self) -> tuple[Fact, ...]:
        """Return the facts with ids f1, f2, …; those without text or quote are left out."""
        kept = [fact for fact in self.facts if fact.text.strip() and fact.quote.strip()]
        return tuple(
            Fact(id=f"f{n}", kind=fact.kind, text=fact.text.strip(), quote=fact.quote.strip(), snippet=fact.snippet)
            for n, fact in enumerate(kept, start=1)
        )


# ---------------------------------------------------------------- stage B


class SentenceAnswer(BaseModel):
    """One sentence as the model gave it."""

    text: str = Field(description="Exactly one sentence.")
    facts: Ids = Field(default=(), description="The ids of the facts that it rests on, such as f3.")

    def sentence(self) -> Sentence:
        """Return the value."""
        return Sentence(text=self.text.strip(), facts=self.facts)


class ProjectAnswer(BaseModel):
    """What the link means for one project, as the model gave it."""

    theme: str = Field(description="The theme of that project exactly as listed, or none.")
    project: str = Field(default="", description="The name of that project exactly as listed; empty for none.")
    relevance: str = Field(description="One sentence: what in the link matters to the project.")
    why: str = Field(default="", description="One sentence: why it matters there.")
    facts: Ids = Field(default=(), description="The ids of the facts that this rests on.")

    def note(self) -> ProjectNote:
        """Return the value; a theme that repeats its label loses it."""
        return ProjectNote(
            theme=re.sub(r"^theme:\s*", "", self.theme.strip(), flags=re.IGNORECASE),
            project=self.project.strip(),
            relevance=self.relevance.strip(),
            why=self.why.strip(),
            facts=self.facts,
        )


class PriorityAnswer(BaseModel):
    """What to do with the page itself, as the model gave it."""

    level: Annotated[ReadWhen, BeforeValidator(_known_level)] = Field(
        default="skim", description="Whether a reader should read the page now, skim it, or only file it."
    )
    reason: str = Field(default="", description="One sentence: why.")
    facts: Ids = Field(default=(), description="The ids of the facts that the reason rests on.")

    def priority(self) -> ReadPriority | None:
        """Return the value; None without a reason, since a bare level helps nobody."""
        reason = self.reason.strip()
        return ReadPriority(level=self.level, reason=reason, facts=self.facts) if reason else None


class RepairAnswer(BaseModel):
    """Answer of stage B to a repair: what was not to be written anew may be empty."""

    tldr: tuple[SentenceAnswer, ...] = Field(default=(), description="Exactly 3 sentences.")
    summary: tuple[SentenceAnswer, ...] = Field(default=(), description="As many sentences as asked for.")
    projects: tuple[ProjectAnswer, ...] = Field(
        default=(), description="One item for each project that the link matters to."
    )
    priority: PriorityAnswer = Field(default_factory=PriorityAnswer)  # a default would have to stand in the schema


class CommentAnswer(RepairAnswer):
    """Answer of stage B."""

    tldr: tuple[SentenceAnswer, ...] = Field(min_length=1, description="Exactly 3 sentences.")
    summary: tuple[SentenceAnswer, ...] = Field(min_length=1, description="As many sentences as asked for.")
    projects: tuple[ProjectAnswer, ...] = Field(description="One item for each project that the link matters to.")


# ---------------------------------------------------------------- strict schemas

_UNSENT = ("title", "default", "minItems")  # minItems: not every server's strict mode takes it; we check it ourselves


def strict_schema(model: type[BaseModel]) -> dict[str, JsonValue]:
    """Return the model's JSON schema in the strict form: no other properties, and every property required."""
    schema: dict[str, JsonValue] = _strict(model.model_json_schema())
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _strict(value) for key, value in node.items() if not _unsent(key, value)}
    if kept.get("type") == "object":
        # The class's docstring speaks to us, not to the model.
        kept.pop("description", None)
        kept |= {"additionalProperties": False, "required": list(kept.get("properties", {}))}
    return kept


def _unsent(key: str, value: object) -> bool:
    """Tell a schema keyword that is left out from a property that only bears the same name."""
    return key in _UNSENT and not isinstance(value, dict)


def same_shape(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> bool:
    """Tell whether two schemas describe the same values, whatever their descriptions say."""
    return bool(_undescribed(one) == _undescribed(other))


def _undescribed(node: Any) -> Any:
    if isinstance(node, list):
        return [_undescribed(item) for item in node]
    if isinstance(node, Mapping):
        return {k: _undescribed(v) for k, v in node.items() if not (k == "description" and isinstance(v, str))}
    return node


# ---------------------------------------------------------------- from text to value

_THINKING = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_JSON = json.JSONDecoder(strict=False)  # a raw line break inside a string is a small sin


class Nonsense(Exception):
    """The text is not the answer that was asked for; `str` says what is wrong, in words for the model.

    `reason` says it to a person, `obstacle` to a program.
    """

    def __init__(self, told: str, reason: str, obstacle: str) -> None:
        super().__init__(told)
        self.reason = reason
        self.obstacle = obstacle


def parse_answer(text: str, answer: type[A]) -> A:
    """Return the first JSON object in `text`, validated; fences, prose and thoughts around it are skipped.

    Raises `Nonsense`.
    """
    visible = _THINKING.sub("", text).strip()
    if not visible:
        raise Nonsense("The answer is empty.", "the model gave an empty answer twice", "model_empty")
    start = visible.find("{")
    if start < 0:
        raise _not_json("There is no JSON object in the answer.")
    try:
        value, _ = _JSON.raw_decode(visible, start)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair would break everything that writes it
    except (ValueError, RecursionError) as error:
        raise _not_json(f"The JSON cannot be read: {error}") from error
    try:
        return answer.model_validate(value)
    except ValidationError as error:
        told = f"The JSON does not fit the schema: {_first_problems(error)}"
        raise Nonsense(told, "the model's answers did not have the form asked for", "model_wrong_schema") from error


def _not_json(told: str) -> Nonsense:
    return Nonsense(told, "the model's answers were not JSON", "model_bad_json")


def _first_problems(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)[:3]  # more than three hide the first
    return "; ".join(f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems)
