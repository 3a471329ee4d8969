"""A link → a snapshot for an evaluation: read once over the network, and proved to read the same frozen."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from technoshare.datafile import load_value, read_bytes
from technoshare.errors import ConfigError, Unusable
from technoshare.mlops.evaluation.dataset import Dataset, sha256
from technoshare.mlops.evaluation.editing import Entry, new_dataset, with_example, with_file
from technoshare.models import Evidence, Job
from technoshare.ports import Fetcher, Services
from technoshare.quality.secrets import redacted
from technoshare.retrieval.frozen import FrozenFetcher, RecordingFetcher, Snapshot, without_keys, yaml_of
from technoshare.retrieval.urls import canonical_url
from technoshare.stages.retrieval import retrieve

_NO_LICENCE = frozenset({"", "?", "-", "n/a", "none", "null", "tbd", "todo", "unknown", "unlicensed", "unclear"})
_LONGEST_ID = 60
_LARGE = 1_000_000


class Reading(NamedTuple):
    """What reading a link came to: evidence, or the reason why there is none."""

    evidence: Evidence | None
    reason: str = ""
    obstacle: str = ""


class Capture(NamedTuple):
    """A snapshot, and what is read from it."""

    snapshot: Snapshot
    reading: Reading

    def told(self) -> str:
        """Return in a line what was kept and what is read from it."""
        count, read = len(self.snapshot.exchanges), self.reading.evidence
        words = f"{read.words:,} words, coverage {read.coverage}" if read else f"no comment: {self.reading.reason}"
        return f"{count} {'answer' if count == 1 else 'answers'}, {words}"

    @property
    def warning(self) -> str:
        """What a person should know before this becomes a yardstick; empty when there is nothing."""
        read = self.reading.evidence
        if read is None:
            return "the example expects this very failure; if it came from your network, remove both"
        if read.obstacle:
            return f"something stands before the page ({read.obstacle}), so only a part of it was kept"
        size = sum(len(exchange.page().body) for exchange in self.snapshot.exchanges)
        return f"it has {size / 1_000_000:.1f} MB, and stays in the repository for good" if size > _LARGE else ""


def require_licence(licence: str) -> str:
    """Return the licence that permits to keep a copy. Raises `ConfigError` where that is none to look up."""
    told = licence.strip()
    if told.lower() in _NO_LICENCE:
        raise ConfigError(
            "a frozen page is a copy, so its licence must be named: an SPDX name such as CC-BY-4.0, `own work`, or "
            "`by permission of …`; a page without one can only be evaluated live"
        )
    return told


def id_of(url: str) -> str:
    """Return an id for an example that nobody named: host and path, `blog-example-org-retries`."""
    parts = urlsplit(url)
    words = re.sub(r"[^a-z0-9]+", "-", f"{parts.hostname}{parts.path}".lower().removeprefix("www.")).strip("-")
    return words[:_LONGEST_ID].rstrip("-") or "page"


async def capture(url: str, services: Services, *, licence: str, source: str = "") -> Capture:
    """Read `url` through its adapter and keep every answer on the way.

    Raises `Unusable` when no site answered, `Transient` when asking later may help, and `ConfigError` when the address
    holds a key or the page reads differently once it is frozen.
    """
    if without_keys(url) != url:
        raise ConfigError("the address holds what is named like a key, and a dataset is for everybody; use one without")
    recorder = RecordingFetcher(services.fetcher, partial(redacted, own=services.private.secrets))
    reading = await _read(url, services, recorder)
    now = datetime.fromtimestamp(int(services.clock()), UTC)
    snapshot = recorder.snapshot(url, captured_at=now, source=source or url, licence=require_licence(licence))
    if snapshot is None:
        raise Unusable(reading.reason, obstacle=reading.obstacle)
    if await _read(url, services, FrozenFetcher([snapshot])) != reading:
        raise ConfigError(
            f"{url} reads differently once it is frozen, because not every answer could be kept; try again"
        )
    return Capture(snapshot, reading)


async def _read(url: str, services: Services, fetcher: Fetcher) -> Reading:
    job = Job(
        key=f"freeze {url}", team="", channel="", ts="0", thread_ts="0", user="", url=url, received=services.clock()
    )
    try:
        return Reading(await retrieve(dataclasses.replace(services, fetcher=fetcher), job))
    except Unusable as why:
        return Reading(None, str(why), why.obstacle)


# ---------------------------------------------------------------- the files


class Place(NamedTuple):
    """Where a capture goes: its own file, and an example in the dataset; `known` where that stands there already."""

    dataset: Path
    id: str
    known: bool

    @property
    def file(self) -> Path:
        """The snapshot's path."""
        return self.dataset.parent / "snapshots" / f"{self.id}.yaml"

    def keep(self, captured: Capture) -> None:
        """Write the snapshot, then the example.

        Raises `ConfigError` when the snapshot's file exists, or with the lines for a dataset that only a person can
        add to.
        """
        text = yaml_of(captured.snapshot)
        _write_new(self.file, text)
        frozen: Entry = {"file": f"snapshots/{self.file.name}", "sha256": sha256(text.encode())}
        _replace(self.dataset, self._changed(captured, frozen))

    def _changed(self, captured: Capture, frozen: Entry) -> str:
        url, failed = captured.snapshot.url, captured.reading.obstacle
        expected: Entry = {"expect": {"outcome": "failed", "obstacle": failed}} if failed else {}
        if self.known:
            old = read_bytes(self.dataset).decode("utf-8-sig")
            return with_file(old, self.id, {"snapshot": dict(frozen)}, name=str(self.dataset))
        entry: Entry = {"id": self.id, "url": url, "slack_text": url, "snapshot": dict(frozen), **expected}
        if not self.dataset.exists():
            return new_dataset(self.dataset.stem, entry)
        return with_example(read_bytes(self.dataset).decode("utf-8-sig"), entry, name=str(self.dataset))


def placed(dataset: Path, url: str, name: str = "") -> Place:
    """Return where a capture of `url` goes, under the id `name` or one made of the address.

    Raises `ConfigError` when something stands there already, or the id is none.
    """
    examples = load_value(dataset, Dataset).examples if dataset.exists() else ()
    known = next((each for each in examples if canonical_url(each.url) == canonical_url(url)), None)
    if known and known.frozen:
        raise ConfigError(f"{dataset}: example {known.id} rests on {known.frozen.file}; remove both to freeze it anew")
    place = Place(dataset, known.id if known else name or id_of(url), known is not None)
    if not re.fullmatch(r"[a-z0-9_-]+", place.id):
        raise ConfigError(f"--id {place.id!r}: an id is made of a-z, 0-9, - and _")
    if not known and place.id in {each.id for each in examples}:
        raise ConfigError(f"{dataset}: there is an example {place.id}; choose another --id")
    if place.file.exists():
        raise _exists(place.file)
    return place


def _exists(file: Path) -> ConfigError:
    return ConfigError(f"{file} exists; remove it first, or choose another --id")


def _write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _beside(path, text)
    try:
        os.link(written, path)  # unlike a rename, it never takes the place of a file
    except FileExistsError as error:
        raise _exists(path) from error
    finally:
        written.unlink()


def _replace(path: Path, text: str) -> None:
    _beside(path, text).replace(path)


def _beside(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - it is a handle
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    written = Path(name)
    written.chmod(0o644)  # a temporary file is for its owner alone, a dataset is not
    return written
