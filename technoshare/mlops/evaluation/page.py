"""The HTML report: one file without scripts or addresses, to be opened from disk or as an MLflow artifact."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from math import ceil

from jinja2 import Environment, StrictUndefined

from technoshare.mlops.evaluation.outline import slices, speed, troubles
from technoshare.mlops.evaluation.results import ExampleResult, Report

_JINJA = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
"""Everything that a page or a model wrote is escaped on its way into the template."""
_PAGE = _JINJA.from_string(files("technoshare.mlops.evaluation").joinpath("report.html").read_text("utf-8"))

_TICKS = (1.0, 2.0, 5.0)


def page(report: Report) -> str:
    """Return the whole report as HTML."""
    results = report.results
    seconds = [epoch.seconds for example in results.examples for epoch in example.epochs]
    return _PAGE.render(
        verdict=report.verdict,
        results=results,
        before={ref.name: ref for ref in report.verdict.comparison.prompts_before},
        troubles=troubles(report),
        slices=slices(results),
        speed=speed(results),
        seconds=seconds,
        longest=rounded_up(max([0.1, *seconds])),
        costs=_costs(results.examples),
        started=datetime.fromtimestamp(results.started, UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def rounded_up(value: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten, for the end of an axis. Of nothing it is 0.1."""
    step = 0.1
    while True:
        for tick in _TICKS:
            if value <= tick * step:
                return round(tick * step, 6)
        step *= 10


def _costs(examples: tuple[ExampleResult, ...]) -> list[tuple[str, float, int]]:
    """Return id, USD and tokens of each example over all its epochs, the dearest first; nothing where none is known."""
    known = []
    for example in examples:
        usd = [epoch.usage.cost_usd for epoch in example.epochs if epoch.usage.cost_usd is not None]
        tokens = sum(epoch.usage.total_tokens or 0 for epoch in example.epochs)
        if usd or tokens:
            known.append((example.id, sum(usd), ceil(tokens)))
    return sorted(known, key=lambda one: (-one[1], -one[2]))
