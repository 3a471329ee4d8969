"""What an evaluation found, as `eval_results.json` holds it: examples × epochs, each with its scores and findings.

The denominator is what was to be run: whatever is missing or went wrong counts as failed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from technoshare.models import PromptRef, Usage, Value

Mode = Literal["embedded", "replay", "live"]
"""embedded: keyless engine, exact. replay: recorded model answers. live: a model is asked."""


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
    deciding: tuple[str, ...] = Field(min_length=1)
    epochs: tuple[Epoch, ...] = Field(min_length=1)

    def passes(self, epoch: Epoch) -> bool:
        """All deciding scorers at 1.0, and nothing went wrong."""
        return not epoch.error and all(epoch.scores.get(name) == 1.0 for name in self.deciding)

    @property
    def passed_epochs(self) -> int:
        """Number of epochs that passed."""
        return sum(map(self.passes, self.epochs))

    @property
    def passed(self) -> bool:
        """The majority of the epochs passed; half of them is no majority."""
        return 2 * self.passed_epochs > len(self.epochs)

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
        """Return the mean over all epochs, a missing one as 0; None where no epoch has this scorer."""
        if not any(scorer in epoch.scores for epoch in self.epochs):
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
    app_version: str = ""
    started: float
    """Unix seconds."""
    seconds: float
    epochs: int = Field(ge=1)
    examples: tuple[ExampleResult, ...]
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
