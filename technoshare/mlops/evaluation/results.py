"""What an evaluation found, as `eval_results.json` holds it: examples × epochs, each with its scores and findings.

The denominator is what was to be run: whatever is missing or went wrong counts as failed. A `Report` is the results
with the gate's verdict on them: what `eval_results.json` holds and every other report is made from.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from technoshare.models import PromptRef, Usage, Value

Mode = Literal["embedded", "replay", "live"]
"""embedded: keyless engine, exact. replay: recorded model answers. live: a model is asked."""

OVERALL = "overall_pass_rate"
EXPERIMENT = "technoshare_eval"
"""MLflow's experiment of evaluations, prompt versions and promotions."""


class Finding(Value):
    """Why a scorer gave less than 1.0: what a person would write, and the texts that are wrong."""

    scorer: str
    message: str
    offending: tuple[str, ...] = ()


class Epoch(Value):
    """One run of one example; `error` is set when it could not be evaluated."""

    number: int
    scores: dict[str, float]
    """Scorer → 0.0 to 1.0; a scorer that is not here counts as 0."""
    findings: tuple[Finding, ...] = ()
    error: str = ""
    seconds: float = 0.0
    usage: Usage = Usage()
    comment: str = ""
    """The text form of what would have been posted."""
    trace_id: str = ""


class ExampleResult(Value):
    """One example with all its epochs; `deciding` names the scorers that must be 1.0."""

    id: str
    url: str
    tags: tuple[str, ...] = ()
    split: str = ""
    deciding: tuple[str, ...] = Field(min_length=1)
    rates: tuple[str, ...] = ()
    """The scorers beyond those that say something about this example."""
    epochs: tuple[Epoch, ...] = Field(min_length=1)

    def passes(self, epoch: Epoch) -> bool:
        """All deciding scorers at 1.0, and nothing went wrong."""
        return not epoch.error and all(epoch.scores.get(name) == 1.0 for name in self.deciding)

    @property
    def passed_epochs(self) -> int:
        """Number of epochs that passed."""
        return sum(map(self.passes, self.epochs))

    @property
    def share(self) -> float:
        """Share of the epochs that passed."""
        return self.passed_epochs / len(self.epochs)

    @property
    def passed(self) -> bool:
        """The majority of the epochs passed; half of them is no majority."""
        return self.share > 0.5

    @property
    def errors(self) -> int:
        """Number of epochs that could not be evaluated."""
        return sum(bool(epoch.error) for epoch in self.epochs)

    @property
    def pass_rate(self) -> float:
        """Share of deciding scorers at 1.0, over all epochs; an epoch with an error has none."""
        reached = [epoch.scores.get(name) == 1.0 and not epoch.error for epoch in self.epochs for name in self.deciding]
        return sum(reached) / len(reached)

    def score(self, scorer: str) -> float | None:
        """Return the mean over all epochs, a missing one as 0; None where the scorer says nothing about the example."""
        if scorer not in (*self.deciding, *self.rates):
            return None
        return sum(epoch.scores.get(scorer, 0.0) for epoch in self.epochs) / len(self.epochs)


class Results(Value):
    """Everything an evaluation found; what it means is decided in one place, `gate.judge`."""

    schema_: Literal["technoshare.results/2"] = Field(default="technoshare.results/2", alias="schema")
    dataset_name: str
    dataset_digest: str
    scorer_digest: str
    """Changes whenever a scorer or a bound does."""
    mode: Mode
    model: str
    prompts: tuple[PromptRef, ...] = ()
    """What the model was asked with; the keyless engine reads none."""
    part: str = ""
    """Which part was run, such as `--tag pdf` or `--epochs 1`; empty for all of it. A part cannot be blessed."""
    app_version: str = ""
    started: float
    """Unix seconds."""
    seconds: float
    epochs: int = Field(ge=1)
    examples: tuple[ExampleResult, ...]
    silent: tuple[str, ...] = ()
    """Scorers that were asked and say nothing about any example, such as themes where none is expected."""
    problems: tuple[str, ...] = ()
    """What went wrong outside any example, such as a scorer that lets bad comments pass: there is no verdict then."""

    @property
    def num_examples(self) -> int:
        """Examples of the dataset."""
        return len(self.examples)

    @property
    def passed_examples(self) -> int:
        """Number of examples that passed."""
        return sum(example.passed for example in self.examples)

    @property
    def failed_examples(self) -> int:
        """Number of the others."""
        return self.num_examples - self.passed_examples

    @property
    def overall_pass_rate(self) -> float:
        """Passed examples of all examples; nothing evaluated is 0."""
        return self.passed_examples / self.num_examples if self.examples else 0.0

    @property
    def errors(self) -> int:
        """Number of epochs, of all examples, that could not be evaluated."""
        return sum(example.errors for example in self.examples)

    @property
    def usage(self) -> Usage:
        """Of everything that was asked."""
        total = Usage()
        for example in self.examples:
            for epoch in example.epochs:
                total += epoch.usage
        return total

    @property
    def scorers(self) -> tuple[str, ...]:
        """The scorers that say something about any example: the deciding ones first."""
        deciding = (name for example in self.examples for name in example.deciding)
        rates = (name for example in self.examples for name in example.rates)
        return tuple(dict.fromkeys((*deciding, *rates)))

    def rate(self, scorer: str) -> float:
        """Return a scorer's mean over the examples that it says something about; `overall_pass_rate` is one too."""
        if scorer == OVERALL:
            return self.overall_pass_rate
        known = [score for example in self.examples if (score := example.score(scorer)) is not None]
        return sum(known) / len(known) if known else 0.0


# ---------------------------------------------------------------- the gate's verdict


class ScorerLine(Value):
    """A scorer over all examples. `low` and `high`: the 95 % interval of the rate, by examples."""

    scorer: str
    deciding: bool
    examples: int
    """Of how many it says something."""
    rate: float
    low: float
    high: float
    before: float | None = None
    """The blessed baseline's, where it can be compared."""
    floor: float | None = None
    """Below it the gate fails."""


class Change(Value):
    """An example that went over to the other side. Shares are of its epochs that passed."""

    id: str
    before: float
    now: float
    comment_before: str = ""
    """As it was blessed."""


class Comparison(Value):
    """The results beside the blessed baseline."""

    method: Literal["exact", "paired_bootstrap", "none"]
    reason: str = ""
    """With `none`: why nothing can be compared."""
    blessed_at: str = ""
    blessed_by: str = ""
    prompts_before: tuple[PromptRef, ...] = ()
    newly_failing: tuple[Change, ...] = ()
    newly_passing: tuple[Change, ...] = ()
    effect: float = 0.0
    """Mean change of the share of passed epochs; below 0 is worse."""
    low: float = 0.0
    high: float = 0.0
    """Its 90 % interval by paired bootstrap: with one-sided 95 % it is worse when `high` is below 0."""
    regressed: bool = False


class GateVerdict(Value):
    """What the gate decided, and why; the figures beside it are those that it decided on."""

    verdict: Literal["pass", "fail", "error"]
    reasons: tuple[str, ...] = ()
    """One sentence each, for whatever is not a pass."""
    remarks: tuple[str, ...] = ()
    """What a reader should know of a pass too: what the mode does not prove, what could not be compared."""
    overall_pass_rate: float
    total_examples: int
    passed_examples: int
    failed_examples: int
    errors: int
    low: float
    high: float
    """95 % Wilson interval of the pass rate."""
    lines: tuple[ScorerLine, ...] = ()
    comparison: Comparison = Comparison(method="none")

    @property
    def exit_code(self) -> int:
        """0 pass, 1 below the gate, 2 could not evaluate."""
        return {"pass": 0, "fail": 1, "error": 2}[self.verdict]


class Report(Value):
    """The content of `eval_results.json`."""

    verdict: GateVerdict
    results: Results
