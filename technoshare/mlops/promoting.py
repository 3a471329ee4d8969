"""Moving `prod`: promote what passed its evaluation, roll back what disappoints, and leave a record of both."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from technoshare.errors import ConfigError
from technoshare.llm.prompts import PROMPTS
from technoshare.mlops.promotion import PROMPT_TAG, Evaluation, Record, happened, qualifying, undoable
from technoshare.mlops.prompt_registry import PromptRegistry
from technoshare.mlops.prompt_version import (
    CANDIDATE,
    NEVER,
    PROD,
    STAGING,
    PromptVersion,
    Refusal,
    chosen,
    iso,
    with_alias,
)
from technoshare.ports import Clock, PromptBook

logger = logging.getLogger("technoshare.mlops")

Versions = tuple[PromptVersion, ...]


@dataclass(frozen=True)
class Promotions:
    """Moves `prod` in the name of `who`. Every method raises `Refusal`, and `Away` when MLflow cannot be asked.

    `files` are the prompts of prompts/, which are live where `prod` never existed. `log` is a file to which each record
    is appended; the run in MLflow is the record that counts.
    """

    registry: PromptRegistry
    files: PromptBook
    log: Path
    who: str
    clock: Clock

    def promote(self, name: str | None, *, model: str, which: str = "", force: str = "") -> tuple[Record, ...]:
        """Move `prod` of one prompt, or of all together, to `which` version or alias; return what was moved.

        Without `which` it is the candidate, or else what was synced last. The evaluation must have passed with `model`
        and with the very texts that are live afterwards; `force` is the reason for doing without.
        """
        names = [name] if name else PROMPTS
        known = self._known()
        moving = _to_move(known, names, which)
        if not moving:
            return ()
        for to in moving.values():
            _check(to)
        live = {each: self._live_hash(each, known[each]) for each in PROMPTS}
        live |= {each: to.content_hash for each, to in moving.items()}
        return self._move("promote", known, moving, self._evaluation(moving, live, model, force), force)

    def rollback(self, name: str | None) -> tuple[Record, ...]:
        """Move `prod` back to where the last promotion that still stands found it; without a name, of all it moved."""
        known = self._known()
        records = self._records()
        tops = {each: _last(records, each, known[each]) for each in ([name] if name else PROMPTS)}
        newest = max((top.number for top in tops.values() if top), default=None)
        if newest is None:
            raise Refusal(f"{name or 'prompts'}: no promotion is left to roll back")
        moving: dict[str, PromptVersion | None] = {}
        for each, top in tops.items():
            if top and top.number == newest:
                moving[each] = _before(top, known[each])
        return self._move("rollback", known, moving, None, "")

    # ------------------------------------------------------------ parts

    def _known(self) -> dict[str, Versions]:
        return {name: self.registry.versions(name) for name in PROMPTS}

    def _live_hash(self, name: str, versions: Versions) -> str:
        prod = with_alias(versions, PROD)
        return prod.content_hash if prod else self.files.get(name).ref.content_hash

    def _evaluation(
        self, moving: Mapping[str, PromptVersion], live: Mapping[str, str], model: str, force: str
    ) -> Evaluation | None:
        name, to = next(iter(moving.items()))
        runs = self.registry.runs.find(f"tags.kind = 'evaluation' and tags.`{PROMPT_TAG}{name}` LIKE '%:{live[name]}'")
        evaluations = [Evaluation.of(run.info.run_id, run.data.tags, run.data.metrics) for run in runs]
        try:
            return qualifying(evaluations, live, model)
        except Refusal as refusal:
            if not force:
                told = f"{name} version {to.version} ({live[name]}) is not promoted: {refusal}"
                raise Refusal(told) from refusal
        return evaluations[0] if evaluations else None

    def _records(self) -> list[tuple[Record, bool]]:
        """Return all records, and of each whether it was completed; runs that somebody else tagged so are left out."""
        found = []
        for run in self.registry.runs.find("tags.kind = 'promotion'"):
            with suppress(ValidationError):
                found.append((Record.model_validate(run.data.tags), run.info.status == "FINISHED"))
        return found

    def _move(
        self,
        action: Literal["promote", "rollback"],
        known: Mapping[str, Versions],
        moving: Mapping[str, PromptVersion | None],
        evaluation: Evaluation | None,
        force: str,
    ) -> tuple[Record, ...]:
        """Begin the records, move the aliases, complete the records: a killed move can be told from one that was."""
        number = 1 + max((record.number for record, _ in self._records()), default=0)
        told = {} if evaluation is None else evaluation.model_dump(exclude={"run_id", "mode", "pass_rate", "hashes"})
        records = {}
        for name, to in moving.items():
            record = Record(
                number=number,
                action=action,
                prompt_name=name,
                from_=_prod(known[name]),
                to=to.version if to else NEVER,
                content_hash=to.content_hash if to else "",
                who=self.who,
                when=iso(self.clock()),
                evaluation_run=evaluation.run_id if evaluation else "",
                forced=bool(force),
                reason=force,
                **told,
            )
            records[self.registry.runs.begin(f"{action} {name}", record.tags())] = record
        for record in records.values():
            self.registry.point(record.prompt_name, PROD, record.to)
        for run_id, record in records.items():
            self.registry.runs.end(run_id)
            self._append(run_id, record)
        return tuple(records.values())

    def _append(self, run_id: str, record: Record) -> None:
        line = json.dumps(record.model_dump(mode="json", by_alias=True) | {"run": run_id}, ensure_ascii=False)
        try:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            logger.warning("%s: the promotion is recorded in MLflow only (%s)", self.log, error.strerror)


def _to_move(known: Mapping[str, Versions], names: Iterable[str], which: str) -> dict[str, PromptVersion]:
    """Return the versions that `prod` is to move to: of the candidates, or else of what was synced last."""
    for name in names:
        if which:
            chosen(known[name], name, which)
        elif not known[name]:
            raise Refusal(f"{name} has no version yet: run `technoshare prompts sync`")
    for alias in (which,) if which else (CANDIDATE, STAGING):
        found = {name: one for name in names for one in known[name] if alias == one.version or alias in one.aliases}
        if moving := {name: one for name, one in found.items() if PROD not in one.aliases}:
            return moving
    return {}


def _last(records: Iterable[tuple[Record, bool]], name: str, versions: Versions) -> Record | None:
    """Return the last promotion of a prompt that still stands."""
    own = [one for one in records if one[0].prompt_name == name]
    standing = undoable(happened(own, _prod(versions)))
    return standing[-1] if standing else None


def _before(top: Record, versions: Versions) -> PromptVersion | None:
    """Return what a promotion replaced, None for nothing. Raises `Refusal` when `prod` is not where it was left."""
    name, prod = top.prompt_name, _prod(versions)
    if top.to != prod:
        raise Refusal(f"{name}: prod is {prod}, the last record says {top.to}; it was moved by hand: promote instead")
    return None if top.from_ == NEVER else _check(chosen(versions, name, top.from_))


def _check(version: PromptVersion) -> PromptVersion:
    """Return the version, if the bot would use it."""
    try:
        version.prompt()
    except ConfigError as error:
        raise Refusal(str(error)) from error
    return version


def _prod(versions: Versions) -> str:
    found = with_alias(versions, PROD)
    return found.version if found else NEVER
