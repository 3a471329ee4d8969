"""The rules of promotion, on plain values: which evaluation counts, and where a rollback leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import ConfigDict, Field

from technoshare.llm.opening import split_address
from technoshare.mlops.prompt_version import Refusal
from technoshare.models import EXTRACTIVE, Value

PROMPT_TAG = "prompt."
"""An evaluation says in the tag `prompt.<name>` what it evaluated: `<version>:<content_hash>`."""


# ---------------------------------------------------------------- evaluations


class Evaluation(Value):
    """What a run `eval_suite` says about itself."""

    run_id: str
    mode: str = ""
    model: str = ""
    verdict: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    pass_rate: float | None = None
    hashes: dict[str, str] = Field(default_factory=dict)
    """Prompt name → content hash."""

    @classmethod
    def of(cls, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]) -> Evaluation:
        """Return what a run's tags and metrics say."""
        known = {name: tags[name] for name in cls.model_fields if name in tags}
        hashes = {
            name.removeprefix(PROMPT_TAG): value.rpartition(":")[2]
            for name, value in tags.items()
            if name.startswith(PROMPT_TAG)
        }
        return cls.model_validate(
            known | {"run_id": run_id, "pass_rate": metrics.get("overall_pass_rate"), "hashes": hashes}
        )


def qualifying(evaluations: Sequence[Evaluation], live: Mapping[str, str], model: str) -> Evaluation:
    """Return the evaluation that allows the prompts `live` (name → hash) for `model`; `evaluations`: the newest first.

    Raises `Refusal` that says what is missing. The newest that came to a verdict decides: who asks again until it
    passes has to pass last.
    """
    if model == EXTRACTIVE:
        raise Refusal("no model is set here: set OPENAI_API_KEY or OPENAI_BASE_URL, and LLM_MODEL, as the bot has them")
    if not evaluations:
        raise Refusal("not evaluated yet: run `make eval PROMPT=staging` with the bot's model")
    asked = [one for one in evaluations if one.mode == "live"]
    if not asked:
        mode = evaluations[0].mode
        raise Refusal(f"only evaluated in mode {mode}, in which no model reads the prompt: evaluate it live")
    used = [one for one in asked if _name(one.model) == _name(model)]
    if not used:
        raise Refusal(f"evaluated with {asked[0].model}, the bot uses {model}: evaluate with that")
    together = [one for one in used if one.hashes == live]
    if not together:
        raise Refusal(f"not evaluated together with {_others(used[0].hashes, live)}: evaluate or promote them together")
    decided = [one for one in together if one.verdict in ("pass", "fail")]
    if not decided:
        raise Refusal(f"its evaluation came to no verdict (run {together[0].run_id})")
    if decided[0].verdict != "pass":
        rate = "" if decided[0].pass_rate is None else f" with a pass rate of {decided[0].pass_rate:.0%}"
        raise Refusal(f"its newest evaluation failed{rate} (run {decided[0].run_id})")
    return decided[0]


def _name(model: str) -> str:
    """Return the model's name without the address of its server, which no evaluation knows."""
    return split_address(model)[0]


def _others(evaluated: Mapping[str, str], live: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in live.items() if evaluated.get(name) != value)


# ---------------------------------------------------------------- records


class Record(Value):
    """One move of `prod`, as the tags of its run have it; versions are numbers, or `none`."""

    number: int
    """Counts the moves of all prompts; those that were moved together share it."""
    action: Literal["promote", "rollback"]
    prompt_name: str
    from_: str = Field(alias="from")
    to: str
    content_hash: str
    """Of `to`; empty for none."""
    who: str
    when: str
    """UTC, ISO 8601."""
    evaluation_run: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    model: str = ""
    verdict: str = ""
    forced: bool = False
    reason: str = ""
    """Why it was forced."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def tags(self) -> dict[str, str]:
        """Return the run's tags."""
        told = self.model_dump(mode="json", by_alias=True)
        return {"kind": "promotion"} | {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()
        }


def happened(records: Iterable[tuple[Record, bool]], prod: str) -> tuple[Record, ...]:
    """Return the moves of one prompt that took place, the oldest first.

    A record is written before its move and completed after it. One that is not complete (False) took place when the
    next record, or `prod` itself, stands where it led.
    """
    moves: list[Record] = []
    after = prod
    for record, complete in sorted(records, key=lambda one: one[0].number, reverse=True):
        if complete or after == record.to:
            moves.append(record)
            after = record.from_
    return tuple(reversed(moves))


def undoable(moves: Iterable[Record]) -> tuple[Record, ...]:
    """Return the promotions that no rollback has undone yet, the oldest first."""
    stack: list[Record] = []
    for record in moves:
        if record.action == "promote":
            stack.append(record)
        elif stack:
            stack.pop()
    return tuple(stack)
