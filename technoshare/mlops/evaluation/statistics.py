"""The little statistics that the gate needs. Examples are the unit: epochs of one example are not independent."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959964
"""Of a two-sided 95 % interval."""
RESAMPLES = 4_000
"""At the edge of the interval this leaves an error of about a tenth of its width."""
SEED = 20261123
"""The same figures must give the same verdict, whoever computes it and however often."""


def wilson(rate: float, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate over so many examples; also 20 of 20 leaves room for doubt.

    For a mean of scores between 0 and 1 it is on the safe side: none varies more than what is either 0 or 1.
    """
    if number == 0:
        return 0.0, 1.0
    share = Z * Z / number
    middle = (rate + share / 2) / (1 + share)
    half = Z / (1 + share) * math.sqrt(rate * (1 - rate) / number + share / (4 * number))
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_bootstrap(differences: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the interval of the mean difference whose either side alone has the confidence, by resampling examples."""
    values = np.asarray(differences)
    drawn = np.random.default_rng(SEED).integers(0, len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [1 - confidence, confidence])
    return float(low), float(high)
