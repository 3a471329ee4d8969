"""`evalsets/baseline.json`: the blessed results that later ones are compared with. Only `eval bless` writes it.

Each dataset, mode and model has its own, so that blessing the live evaluation leaves the embedded one alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from technoshare.datafile import load_value
from technoshare.errors import TechnoShareError
from technoshare.mlops.evaluation.results import ExampleResult, Mode, Report, Results
from technoshare.models import PromptRef, Value


class NotBlessed(TechnoShareError):
    """The results cannot become a baseline; the message says why."""


class BlessedExample(Value):
    """How one example went."""

    passed_epochs: int
    epochs: int
    comment: str
    """Of the first epoch, so that a reader sees what changed."""

    @property
    def share(self) -> float:
        """Share of the epochs that passed."""
        return self.passed_epochs / self.epochs

    @classmethod
    def of(cls, example: ExampleResult) -> BlessedExample:
        """Return what is kept of an example."""
        first = example.epochs[0]
        return cls(passed_epochs=example.passed_epochs, epochs=len(example.epochs), comment=first.comment)


class Baseline(Value):
    """Blessed results, and what has to be equal for a comparison."""

    dataset_name: str
    dataset_digest: str
    scorer_digest: str
    mode: Mode
    model: str
    prompts: tuple[PromptRef, ...] = ()
    app_version: str
    blessed_at: str
    """ISO date."""
    blessed_by: str
    rates: dict[str, float]
    """Scorer, and `overall_pass_rate` → rate."""
    examples: dict[str, BlessedExample]

    @property
    def key(self) -> str:
        """What it is the baseline of."""
        return key_of(self.dataset_name, self.mode, self.model)


class Baselines(Value):
    """The file."""

    schema_: Literal["technoshare.baseline/1"] = Field(default="technoshare.baseline/1", alias="schema")
    baselines: dict[str, Baseline] = Field(default={})

    def of(self, results: Results) -> Baseline | None:
        """Return the baseline of the same dataset, mode and model; of another model rather than none."""
        exact = self.baselines.get(key_of(results.dataset_name, results.mode, results.model))
        near = (
            one
            for one in self.baselines.values()
            if (one.dataset_name, one.mode) == (results.dataset_name, results.mode)
        )
        return exact or next(near, None)


def key_of(dataset_name: str, mode: Mode, model: str) -> str:
    """Return under which name the baseline of an evaluation stands in the file."""
    return f"{dataset_name}/{mode}/{model}"


def load_baselines(path: Path) -> Baselines:
    """Read the file; one that is not there holds none. Raises `ConfigError` when it cannot be used."""
    return load_value(path, Baselines) if path.exists() else Baselines()


def bless(path: Path, report: Report, *, by: str, at: str) -> Baseline:
    """Make the report's results the baseline. Raises `NotBlessed` for a failed, errored or partial evaluation."""
    verdict, results = report.verdict, report.results
    if verdict.verdict != "pass":
        why = "could not be completed" if verdict.verdict == "error" else "did not pass"
        raise NotBlessed(f"only a passed evaluation can be blessed; this one {why}: {' '.join(verdict.reasons)}")
    if results.part:
        raise NotBlessed(f"only a whole evaluation can be blessed, not {results.part}")
    baseline = _baseline(results, by=by, at=at)
    standing = load_baselines(path).baselines
    told = Baselines(baselines=dict(sorted((standing | {baseline.key: baseline}).items())))
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(told.model_dump_json(indent=1, by_alias=True) + "\n", "utf-8")
    unfinished.replace(path)
    return baseline


def _baseline(results: Results, *, by: str, at: str) -> Baseline:
    rates = {name: results.rate(name) for name in results.scorers}
    return Baseline(
        dataset_name=results.dataset_name,
        dataset_digest=results.dataset_digest,
        scorer_digest=results.scorer_digest,
        mode=results.mode,
        model=results.model,
        prompts=results.prompts,
        app_version=results.app_version,
        blessed_at=at,
        blessed_by=by,
        rates={"overall_pass_rate": results.overall_pass_rate} | rates,
        examples={example.id: BlessedExample.of(example) for example in results.examples},
    )
