"""`python -m tests.grounding`: how many planted errors the grounding check catches, and what it flags without need."""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from technoshare.quality.grounding import Grounds, ungrounded
from technoshare.text import split_sentences
from tests.grounding.planting import KINDS, LEAST_CAUGHT, Planted, planted
from tests.grounding.texts import MOST_SHARED, Text, read, shared

MOST_FLAGGED = 0.12
MOST_FLAGGED_VERBATIM = 0.01
MOST_FLAGGED_EDITED = 0.05


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.hits:>4} of {self.of:<4} {100 * self.share:5.1f} %"


def copies(texts: Iterable[Text]) -> list[str]:
    """Return the summaries that are too close to their source to count as paraphrases."""
    return [one for text in texts for one in text.summaries if shared(one, text.source) > MOST_SHARED]


def flagged(texts: Iterable[Text]) -> Rate:
    """Return how many honest summaries are flagged."""
    found = [ungrounded(summary, text.source) for text in texts for summary in text.summaries]
    return Rate(sum(map(bool, found)), len(found))


def missed(kind: str, texts: list[Text], seed: int = 0) -> tuple[Rate, list[Planted]]:
    """Return how many planted errors were caught, and those that were not."""
    errors = list(planted(kind, texts, seed))
    lost = [error for text, error in errors if not _caught(error, text)]
    return Rate(len(errors) - len(lost), len(errors)), lost


def _caught(error: Planted, text: Text) -> bool:
    return any(item in error.detail or error.detail in item for item in ungrounded(error.summary, text.source))


def flagged_stretches(sources: Iterable[str], *, edited: bool) -> tuple[Rate, list[str]]:
    """Return how many runs of three sentences of the sources are flagged, as they stand or lightly `edited`."""
    found, runs = [], 0
    for source in sources:
        grounds = Grounds(source)
        for run in _runs(source):
            runs += 1
            items = [finding.text for finding in grounds.findings(_edited(run) if edited else run) if not finding.soft]
            found += [f"{items} in {run[:200]!r}"] if items else []
    return Rate(len(found), runs), found


def _runs(source: str) -> Iterator[str]:
    sentences = split_sentences(source)
    for start in range(0, len(sentences) - 2, 3):
        yield " ".join(sentences[start : start + 3])


def _edited(run: str) -> str:
    """Say a little more in each sentence, so that none stands in the source as it is but all its details do."""
    return " ".join(re.sub(r"([.!?]*)$", r" as well\1", sentence) for sentence in split_sentences(run))


def _speed() -> Iterator[tuple[str, float]]:
    text = read()[0]
    filler = " ".join(one.body for one in read())
    summary, source = " ".join(" ".join(text.summaries).split()[:60]), " ".join(filler.split()[:2000])
    yield "60 words against 2,000 words, source read anew", _milliseconds(lambda: ungrounded(summary, source))
    long = (filler * 4)[:96_000]
    sentences = [sentence for one in read()[:8] for sentence in split_sentences(one.summaries[0])][:15]
    yield (
        "15 sentences one by one against 96,000 characters, source read once",
        _milliseconds(lambda: [grounds.findings(sentence) for grounds in [Grounds(long)] for sentence in sentences]),
    )


def _milliseconds(work) -> float:
    times = []
    for _ in range(7):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[3]


def _pages(folder: Path) -> Iterator[str]:
    """Yield the main texts of gzipped pages in a folder with an `index.json` that holds their addresses."""
    from technoshare.retrieval.extract import main_text  # noqa: PLC0415 - trafilatura takes a second to load

    for page in json.loads((folder / "index.json").read_text("utf-8")):
        with gzip.open(folder / page["file"], "rt", encoding="utf-8", errors="replace") as file:
            yield main_text(file.read(), page["url"])


def main() -> int:
    """Print the tables; return 0 when every bound holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.grounding", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=("tuned", "held out", "all"), default="all")
    parser.add_argument("--show", action="store_true", help="print what was missed or flagged without need")
    parser.add_argument(
        "--pages", type=Path, help="a folder of gzipped pages with an index.json, for the verbatim figure"
    )
    asked = parser.parse_args()
    everything = read()
    parts = {
        "tuned": [one for one in everything if not one.held_out],
        "held out": [one for one in everything if one.held_out],
        "all": everything,
    }
    good = not copies(everything)
    for copy in copies(everything):
        print("too close to its source:", copy)
    for part in parts if asked.part == "all" else (asked.part,):
        held = _print_part(part, parts[part], asked.seed, show=asked.show)
    good &= held  # the last part decides; the others show how far the check was tuned to what its author had read
    if asked.pages:
        good &= _print_stretches("real pages", list(_pages(asked.pages)), show=asked.show)
    for what, took in _speed():
        print(f"{what}: {took:.1f} ms")
    return 0 if good else 1


def _print_part(part: str, texts: list[Text], seed: int, *, show: bool) -> bool:
    print(f"\n{part}: {len(texts)} sources, {sum(len(text.summaries) for text in texts)} summaries")
    good = True
    for kind in KINDS:
        rate, lost = missed(kind, texts, seed)
        good &= _line(kind, rate, f"≥ {100 * LEAST_CAUGHT[kind]:.0f} %", good=rate.share >= LEAST_CAUGHT[kind])
        if show:
            for error in lost:
                print(f"      missed {error.detail!r} in {error.summary!r}")
    rate = flagged(texts)
    good &= _line("honest summary flagged", rate, f"≤ {100 * MOST_FLAGGED:.0f} %", good=rate.share <= MOST_FLAGGED)
    if show:
        for text in texts:
            for summary in text.summaries:
                if items := ungrounded(summary, text.source):
                    print(f"      flagged {items} in {summary!r}")
    return good & _print_stretches("", [text.body for text in texts], show=show)


def _print_stretches(part: str, sources: list[str], *, show: bool) -> bool:
    good = True
    if part:
        print(f"\n{part}: {len(sources)} sources")
    for edited in (False, True):
        rate, found = flagged_stretches(sources, edited=edited)
        bound = MOST_FLAGGED_VERBATIM if not edited else MOST_FLAGGED_EDITED
        good &= _line(
            "three sentences, " + ("edited" if edited else "verbatim"),
            rate,
            f"≤ {100 * bound:.0f} %",
            good=rate.share <= bound,
        )
        if show:
            for one in found:
                print("      flagged", one)
    return good


def _line(what: str, rate: Rate, bound: str, *, good: bool) -> bool:
    print(f"  {what:<28} {rate}  {bound:<8} {'' if good else 'FALLS SHORT'}")
    return good


if __name__ == "__main__":
    sys.exit(main())
