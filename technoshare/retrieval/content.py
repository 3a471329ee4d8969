"""Which blocks of a page are its content: a small forest of decision trees over `traits`.

Trained by `tools/train_content.py`; the file beside this module holds the trees (docs/decisions/0005).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from technoshare.retrieval.traits import Numbers

MODEL = Path(__file__).with_name("content_model.json")


class Forest(NamedTuple):
    """Trees as rows of nodes; a leaf is its own successor."""

    trait: NDArray[np.intp]
    limit: Numbers
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    value: Numbers
    depth: int
    start: float

    def likelihoods(self, rows: Numbers) -> Numbers:
        """Return for each row of traits how likely its block is content, from 0 to 1."""
        trees = np.arange(len(self.trait))
        nodes = np.zeros((len(rows), len(trees)), dtype=np.intp)
        for _ in range(self.depth):
            below = np.take_along_axis(rows, self.trait[trees, nodes], axis=1) <= self.limit[trees, nodes]
            nodes = np.where(below, self.left[trees, nodes], self.right[trees, nodes])
        score = self.start + self.value[trees, nodes].sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-score)))


@cache
def forest() -> Forest:
    """Return the trained forest, read once."""
    return forest_of(json.loads(MODEL.read_text("utf-8")))


def forest_of(told: Mapping[str, Any]) -> Forest:
    """Return the forest that the file's content tells."""
    columns = {name: np.array(told[name]) for name in ("trait", "limit", "left", "right", "value")}
    return Forest(depth=told["depth"], start=told["start"], **columns)
