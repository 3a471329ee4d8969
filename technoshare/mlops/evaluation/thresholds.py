"""`evalsets/thresholds.yaml`: what an evaluation must reach, by mode. The one place where the gate's numbers stand."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from technoshare.datafile import load_value
from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.results import OVERALL, Mode
from technoshare.models import Value


class Require(Value):
    """Without these there is no verdict."""

    max_errors: int = Field(default=0, ge=0)
    """Epochs that could not be evaluated; they count as failed in any case."""
    min_examples: dict[str, int] = Field(default={})
    """Dataset name → fewest examples: a set that lost its hard examples must not pass."""


class Regression(Value):
    """When the results are worse than the blessed baseline."""

    method: Literal["exact", "paired_bootstrap"] = "exact"
    """exact: any example that passed and fails now. paired_bootstrap: surely and noticeably fewer epochs pass."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """One-sided."""
    min_effect: float = Field(default=0.05, ge=0, le=1)
    """Smallest drop of the share of passed epochs that counts, even if it is sure."""


class Limits(Value):
    """What an evaluation may take."""

    usd: float | None = Field(default=None, gt=0)
    """Once it is spent no model is asked any more, and there is no verdict."""
    p95_seconds: float | None = Field(default=None, gt=0)
    """Of an epoch; slower is below the gate."""


class ModeThresholds(Value):
    """What one mode must reach."""

    epochs: int = Field(default=1, ge=1, le=25)
    floors: dict[str, float] = Field(default={OVERALL: 1.0})
    """Scorer, or `overall_pass_rate` → lowest rate."""
    regression: Regression = Regression()
    limits: Limits = Limits()


class Thresholds(Value):
    """The file."""

    schema_: Literal["technoshare.thresholds/1"] = Field(default="technoshare.thresholds/1", alias="schema")
    require: Require = Require()
    modes: dict[Mode, ModeThresholds]


def load_thresholds(path: Path) -> Thresholds:
    """Read the file. Raises `ConfigError` that names it and what is wrong in it."""
    thresholds = load_value(path, Thresholds)
    if missing := {"embedded", "replay", "live"} - thresholds.modes.keys():
        raise ConfigError(f"{path}: modes: {min(missing)} is missing")
    return thresholds
