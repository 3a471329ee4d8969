"""Evaluation examples: a YAML or JSON file, each example with what was frozen for it, checked before anything runs.

The plain format (`examples: id, url, slack_text, expected_theme, tags`) is taken as it is; evalsets/README.md tells the
rest. Paths are relative to the dataset's folder and stay inside it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import AliasChoices, BaseModel, Field, JsonValue, field_validator, model_validator

from technoshare.datafile import load_value, read_bytes, value_of
from technoshare.errors import ConfigError
from technoshare.models import Evidence, Value
from technoshare.retrieval.frozen import Snapshot
from technoshare.retrieval.urls import canonical_url

Shape = TypeVar("Shape", bound=BaseModel)

NO_THEME = "none"
"""The theme of a page that has nothing to do with any project."""


class Frozen(Value):
    """A file that an example rests on."""

    file: str = Field(min_length=1)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of the file's bytes. Only a path alone, in the plain format, may go without; a loaded example always has it."""
    licence: str = ""
    """For readers: the snapshot's own licence, and refused when it is another."""


class Bounds(Value):
    """Fewest and most sentences."""

    min: int = Field(ge=0)
    max: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class Expect(Value):
    """What a good run of this example looks like."""

    outcome: Literal["comment", "failed"] = "comment"
    obstacle: str = ""
    """With `failed`: the machine name of the reason."""
    themes: tuple[str, ...] = ()
    """Further themes that a person would accept beside `expected_theme`."""
    facts_any: tuple[str, ...] = ()
    """Details that a good comment mentions some of; how many is a rate."""
    facts_all: tuple[str, ...] = ()
    """Texts that must occur in the comment."""
    forbid: tuple[str, ...] = ()
    """Texts that must not."""
    tldr: Bounds | None = None
    summary: Bounds | None = None
    """Sentences, where they differ from what the length of the evidence asks for."""
    min_evidence_words: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        told = self.model_fields_set - {"outcome"}
        if self.outcome == "failed" and told - {"obstacle"}:
            raise ValueError(f"a failure has no comment, so {min(told - {'obstacle'})} would never be looked at")
        if self.outcome == "comment" and self.obstacle:
            raise ValueError("an obstacle belongs to outcome: failed")
        return self


class Origin(Value):
    """Where an example comes from."""

    kind: Literal["curated", "feedback"] = "curated"
    job: str = ""
    trace_id: str = ""
    reason: str = ""
    """What was wrong with the comment, in the voter's words."""
    added: str = ""
    """ISO date."""


class Example(Value):
    """One link to comment on. `snapshot` holds frozen HTTP exchanges, `evidence` what retrieval once made of them."""

    id: str = Field(pattern=r"^[a-z0-9_-]+$")  # becomes part of metric names
    url: str = Field(pattern=r"^https?://\S+$")
    slack_text: str = ""
    expected_theme: str = ""
    tags: tuple[str, ...] = ()
    split: str = Field(default="dev", pattern=r"^[a-z0-9_-]+$")
    """`test` is what nobody looks at while editing prompts."""
    status: Literal["ready", "pending"] = "ready"
    """A pending example waits for a person's review and is not run."""
    origin: Origin = Origin()
    snapshot: Frozen | None = None
    evidence: Frozen | None = None
    expect: Expect = Expect()

    @property
    def themes(self) -> tuple[str, ...]:
        """All themes that are right, the first one before others; empty when nobody said."""
        return tuple(dict.fromkeys(filter(None, (self.expected_theme, *self.expect.themes))))

    @property
    def frozen(self) -> Frozen | None:
        """The file that it rests on; None for an example that only a network can answer."""
        return self.snapshot or self.evidence

    def asked(self) -> dict[str, JsonValue]:
        """Return what decides how a run of it goes: not where its file lies, nor how it is tagged."""
        said = self.model_dump(
            mode="json", include={"id", "url", "slack_text", "expected_theme", "expect"}, exclude_defaults=True
        )
        return said | {"sha256": self.frozen.sha256 if self.frozen else ""}

    @field_validator("snapshot", "evidence", mode="before")
    @classmethod
    def _path_alone(cls, told: object) -> object:
        return {"file": told} if isinstance(told, str) else told

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.snapshot and self.evidence:
            raise ValueError("an example has either a snapshot or evidence")
        return self


class Dataset(Value):
    """A named list of examples with unique ids and links."""

    schema_: Literal["technoshare.evalset/1", "technoshare.evalset/2"] = Field("technoshare.evalset/1", alias="schema")
    """2 asks for the sha256 of every frozen file; 1 is the plain format."""
    dataset_name: str = Field(min_length=1, validation_alias=AliasChoices("dataset_name", "name"))
    examples: tuple[Example, ...] = Field(min_length=1)

    @property
    def ready(self) -> tuple[Example, ...]:
        """The examples that run; the others are pending."""
        return tuple(example for example in self.examples if example.status == "ready")

    @property
    def digest(self) -> str:
        """SHA256[:12] of what the ready examples ask, rest on and expect, in whatever order and form they stand."""
        asked = [example.asked() for example in sorted(self.ready, key=lambda example: example.id)]
        canonical = json.dumps({"name": self.dataset_name, "examples": asked}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for message in _complaints(self):
            raise ValueError(message)
        return self


def _complaints(dataset: Dataset) -> Iterator[str]:
    ids = Counter(example.id for example in dataset.examples)
    yield from (f"id {name!r} occurs twice" for name, count in ids.items() if count > 1)
    pages: dict[str, Example] = {}
    for example in dataset.examples:
        first = pages.setdefault(canonical_url(example.url), example)
        if first is not example:
            yield f"example {example.id}: url {example.url!r} occurs twice, see {first.id}"
        if dataset.schema_ == "technoshare.evalset/2" and example.frozen and not example.frozen.sha256:
            yield f"example {example.id}: {example.frozen.file} has no sha256"


# ---------------------------------------------------------------- the files


def load_dataset(path: Path, *, live: bool = False) -> Dataset:
    """Read a dataset and every file that it rests on. Raises `ConfigError`: one line with file, example and reason.

    Only `live` evaluation takes ready examples that nothing was frozen for.
    """
    dataset = load_value(path, Dataset)
    if not dataset.ready:
        raise ConfigError(f"{path}: all examples are pending; review them and remove their status")
    examples = tuple(_verified(path, example, live=live) for example in dataset.examples)
    return dataset.model_copy(update={"examples": examples})


def snapshot_of(example: Example, folder: Path) -> Snapshot:
    """Return the example's frozen exchanges. Raises `ConfigError` where they are missing or not what they were."""
    snapshot = _content(example.snapshot, folder, Snapshot)
    if example.snapshot and example.snapshot.licence not in ("", snapshot.licence):
        raise ConfigError(f"{example.snapshot.file} has the licence {snapshot.licence}, not {example.snapshot.licence}")
    return snapshot


def evidence_of(example: Example, folder: Path) -> Evidence:
    """Return the example's frozen evidence; errors as in `snapshot_of`."""
    return _content(example.evidence, folder, Evidence)


def _verified(path: Path, example: Example, *, live: bool) -> Example:
    """Return the example with the hash of its file."""
    if example.frozen is None:
        if example.status == "ready" and not live:
            advice = f"technoshare eval freeze {example.url} --id {example.id} --dataset {path} --licence …"
            raise ConfigError(
                f"{path}: example {example.id} has no snapshot, so only a live run takes it; run {advice}"
            )
        return example
    try:
        if example.snapshot:
            snapshot_of(example, path.parent)
            return example.model_copy(update={"snapshot": _sealed(example.snapshot, path.parent)})
        evidence_of(example, path.parent)
        return example.model_copy(update={"evidence": _sealed(example.frozen, path.parent)})
    except ConfigError as error:
        raise ConfigError(f"{path}: example {example.id}: {error}") from error


def _sealed(frozen: Frozen, folder: Path) -> Frozen:
    return frozen.model_copy(update={"sha256": frozen.sha256 or sha256(read_bytes(folder / frozen.file))})


def _content(frozen: Frozen | None, folder: Path, shape: type[Shape]) -> Shape:
    if frozen is None:
        raise ConfigError(f"nothing of the kind {shape.__name__.lower()} is frozen")
    body = read_bytes(_inside(folder, frozen.file))
    if frozen.sha256 not in ("", sha256(body)):
        raise ConfigError(
            f"{frozen.file} is not what was frozen; if the change is meant, write sha256: {sha256(body)} for it"
        )
    return value_of(body, shape, name=frozen.file)


def _inside(folder: Path, file: str) -> Path:
    """Return the path of a file below the folder. Raises `ConfigError` for any other, links that lead out included."""
    try:
        found = (folder / file).resolve()
        if found.is_relative_to(folder.resolve()):
            return found
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ConfigError(f"{file!r} is no path") from error
    raise ConfigError(f"{file} lies outside the dataset's folder")


def sha256(body: bytes) -> str:
    """Return the digest that a dataset names a file by: 64 hex digits."""
    return hashlib.sha256(body).hexdigest()
