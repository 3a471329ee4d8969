"""Comments that people voted down → pending examples, each with what its job had read; a person reviews them.

Nobody's name, id or words come into a dataset: only the link, the evidence and the known words of the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from technoshare.buttons import REASONS, reasons_in
from technoshare.datafile import load_value, read_bytes
from technoshare.mlops.evaluation.dataset import Dataset, sha256
from technoshare.mlops.evaluation.editing import Entry, new_dataset, with_example
from technoshare.mlops.record import trace_id
from technoshare.models import Complaint
from technoshare.retrieval.frozen import without_keys
from technoshare.retrieval.urls import canonical_url


def id_of(complaint: Complaint) -> str:
    """Return the example's id: the same complaint has the same one for ever."""
    return f"feedback-{complaint.job_id}"


def add(dataset: Path, complaints: Iterable[Complaint], today: date) -> tuple[Complaint, ...]:
    """Write what is new as pending examples and return it; a job or page that the dataset knows changes nothing.

    An address with what is named like a key in it is left out: a dataset is for everybody.
    Raises `ConfigError` when the dataset cannot be read or added to.
    """
    examples = load_value(dataset, Dataset).examples if dataset.exists() else ()
    known = {example.id for example in examples} | {canonical_url(example.url) for example in examples}
    added = []
    for complaint in complaints:
        names = {id_of(complaint), canonical_url(complaint.url)}
        if not names & known and without_keys(complaint.url) == complaint.url:
            known |= names
            _write(dataset, complaint, today)
            added.append(complaint)
    return tuple(added)


def reasons_of(complaint: Complaint) -> tuple[str, ...]:
    """Return the known words of all its reasons, each once."""
    told = {word for reason in complaint.reasons for word in reasons_in(reason)}
    return tuple(word for word in REASONS if word in told)


def _write(dataset: Path, complaint: Complaint, today: date) -> None:
    """Write the evidence, then the example: a run that ends in between writes the same evidence again."""
    name = id_of(complaint)
    body = complaint.evidence.model_dump_json(indent=2) + "\n"
    file = dataset.parent / "evidence" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body, "utf-8")
    entry: Entry = {
        "id": name,
        "url": complaint.url,
        "status": "pending",
        "tags": ["feedback"],
        "origin": {
            "kind": "feedback",
            "job": complaint.job_id,
            "trace_id": trace_id(complaint.job_id, complaint.generation),
            "reason": ", ".join(reasons_of(complaint)),
            "added": today.isoformat(),
        },
        "evidence": {"file": f"evidence/{file.name}", "sha256": sha256(body.encode()), "licence": "unreviewed"},
    }
    if dataset.exists():
        text = with_example(read_bytes(dataset).decode("utf-8-sig"), entry, name=str(dataset))
    else:
        text = new_dataset(dataset.stem, entry)
    beside = dataset.with_name(f".{dataset.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(dataset)
