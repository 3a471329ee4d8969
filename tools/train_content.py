"""Train `technoshare/retrieval/content_model.json` on pages with known main text, and say how well it generalises.

    python -m tools.train_content FOLDER             # cross-validated scores, then the model

FOLDER holds the two public page sets that docs/decisions/0005 names: `articles/` and `wcxb-dev/`. A block is content
when the truth has it; pages weigh the same however long they are. The scores are of pages that the model of their
fold has not seen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from technoshare.retrieval.blocks import Blocks
from technoshare.retrieval.content import MODEL, forest_of
from technoshare.retrieval.extract import Reading, article_text, is_article, reading_of, shown_tree
from technoshare.retrieval.traits import Numbers, names

FOLDS = 5
ARTICLES_WEIGHT = 0.6
"""Articles have a way of their own; here they only keep the forest from forgetting what one looks like."""
_WORD = re.compile(r"\w+")


class Example(NamedTuple):
    """A page with its known main text, measured and labelled."""

    name: str
    kind: str
    reading: Reading
    rows: Numbers
    truth: str
    labels: Numbers
    article: str
    """What the way of articles makes of it; empty for any other page."""


def main() -> None:
    """Print the cross-validated scores and write the model of all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    examples = [_example(*page) for page in _pages(parser.parse_args().folder)]
    for kind, score in _scores(examples).items():
        print(f"{kind:14} {score:.3f}")
    told = _told(_trained(examples)) | {"traits": names(examples[0].reading.blocks)}
    MODEL.write_text(json.dumps(told, separators=(",", ":")) + "\n")


def _pages(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    for name, row in json.loads((folder / "wcxb-dev/truth.json").read_text("utf-8")).items():
        html = _html(folder / f"wcxb-dev/{name}.html.gz")
        yield name, row["type"], row["url"], html, row["main_content"]
    for name, row in json.loads((folder / "articles/ground-truth.json").read_text("utf-8")).items():
        html = _html(folder / f"articles/html/{name}.html.gz")
        yield name, "articles", row.get("url", ""), html, row["articleBody"]


def _html(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


def _example(name: str, kind: str, url: str, html: str, truth: str) -> Example:
    tree, told = shown_tree(html), is_article(html, url)
    article = article_text(tree, url) if told else ""
    reading = reading_of(tree, url, is_article=told)
    rows = reading.traits() if reading.blocks.blocks else np.zeros((0, 0))
    return Example(name, kind, reading, rows, truth, np.array(list(_labels(reading.blocks, truth))), article)


def _labels(found: Blocks, truth: str) -> Iterator[bool]:
    """Yield whether the truth has each block; for one or two words the neighbours decide."""
    words = _words(truth)
    lines = {" ".join(_words(line)) for line in truth.splitlines()}
    triples = {tuple(words[at : at + 3]) for at in range(len(words) - 2)}
    flat = f" {' '.join(words)} "
    sure = [_label(_words(block.text), lines, triples, flat) for block in found.blocks]
    for at, label in enumerate(sure):
        near = [each for each in sure[max(0, at - 3) : at + 4] if each is not None]
        yield label if label is not None else 2 * sum(near) >= max(1, len(near))


def _label(words: list[str], lines: set[str], triples: set[tuple[str, ...]], flat: str) -> bool | None:
    text = " ".join(words)
    if not words or text in lines:
        return bool(words)
    if len(words) < 3:
        return None if f" {text} " in flat else False
    own = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return 2 * sum(each in triples for each in own) >= len(own)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _trained(examples: list[Example]) -> HistGradientBoostingClassifier:
    used = [each for each in examples if len(each.rows)]
    weights = [_weights(each) for each in used]
    model = HistGradientBoostingClassifier(
        max_iter=80, max_leaf_nodes=12, learning_rate=0.08, min_samples_leaf=60, l2_regularization=5, random_state=0
    )
    labels = np.concatenate([each.labels for each in used])
    return model.fit(np.vstack([each.rows for each in used]), labels, sample_weight=np.concatenate(weights))


def _weights(example: Example) -> Numbers:
    sizes = np.array([len(block.text.split()) for block in example.reading.blocks.blocks]) ** 0.7
    return np.asarray(sizes / sizes.sum() * 100 * (ARTICLES_WEIGHT if example.kind == "articles" else 1.0))


def _told(model: HistGradientBoostingClassifier) -> dict[str, object]:
    """Return the trees as plain numbers, all with as many nodes as the largest."""
    trees = [each[0].nodes for each in model._predictors]
    size = max(map(len, trees))

    def table(column: Callable[[np.ndarray], np.ndarray]) -> list[list[float]]:
        return [column(nodes).tolist() + [0] * (size - len(nodes)) for nodes in trees]

    def child(name: str) -> list[list[float]]:
        return table(lambda nodes: np.where(nodes["is_leaf"], np.arange(len(nodes)), nodes[name]))

    return {
        "start": float(model._baseline_prediction[0, 0]),
        "depth": int(max(nodes["depth"].max() for nodes in trees)),
        "trait": table(lambda nodes: nodes["feature_idx"] * (1 - nodes["is_leaf"])),
        "limit": table(lambda nodes: np.where(nodes["is_leaf"], 0.0, nodes["num_threshold"]).round(5)),
        "left": child("left"),
        "right": child("right"),
        "value": table(lambda nodes: np.where(nodes["is_leaf"], nodes["value"], 0.0).round(5)),
    }


def _scores(examples: list[Example]) -> dict[str, float]:
    """Return the mean word F1 by kind of page, each page judged by a forest that has not seen it."""
    scores = defaultdict(list)
    for fold in range(FOLDS):
        model = forest_of(_told(_trained([each for each in examples if _fold(each) != fold])))
        for example in (each for each in examples if _fold(each) == fold):
            scores[example.kind].append(_f1(example.article or example.reading.content(model), example.truth))
    means = {kind: statistics.mean(values) for kind, values in sorted(scores.items())}
    whole = [value for kind, values in scores.items() if kind != "articles" for value in values]
    return means | {"wcxb-dev": statistics.mean(whole)}


def _fold(example: Example) -> int:
    return int(md5(example.name.encode(), usedforsecurity=False).hexdigest(), 16) % FOLDS


def _f1(text: str, truth: str) -> float:
    wanted, found = Counter(_words(truth)), Counter(_words(text))
    hits = sum((wanted & found).values())
    return 2 * hits / (sum(wanted.values()) + sum(found.values())) if hits else 0.0


if __name__ == "__main__":
    main()
