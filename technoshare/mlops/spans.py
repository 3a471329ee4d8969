"""A stage's spans in MLflow's vocabulary: model, tokens and cost under its own names, results and documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

from technoshare.models import EXTRACTIVE, USAGE_METRICS, Evidence, Span, Trail, Value

V = TypeVar("V", bound=Value)

_TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "cached_tokens": "cache_read_input_tokens",
}
_COSTS = {"input_cost_usd": "input_cost", "output_cost_usd": "output_cost", "cost_usd": "total_cost"}
"""Our name → MLflow's."""
_PRICED_BY_MLFLOW = frozenset({"openai", "azure"})
_ROUNDING = 1e-9
"""US dollars that a sum may differ by from its parts."""


def counted(trail: Trail) -> Trail:
    """Return the trail with no less usage than its calls tell: what a deadline cut off was paid for too."""
    told, metrics = _sums(trail.spans[1:]), trail.record.metrics
    more = {name: value for name, value in told.items() if name in USAGE_METRICS and value > metrics.get(name, 0.0)}
    return trail.model_copy(update={"record": trail.record.model_copy(update={"metrics": metrics | more})})


def stage_spans(trail: Trail) -> Iterable[Span]:
    """Yield the stage's spans; what the stage recorded completes its own span, the first."""
    for at, span in enumerate(trail.spans):
        if at:
            yield _with(span, _model(span) | _usage(span.attributes) | _cost(span.attributes))
        else:
            inputs, outputs = _content(trail)
            whole = _with(span, _model(span) | _usage(trail.record.metrics) | _rest(trail))
            yield whole.model_copy(update={"inputs": span.inputs or inputs, "outputs": span.outputs or outputs})


def rooted(spans: Iterable[Span], root: str) -> Iterable[Span]:
    """Hang what has no parent among them below `root`."""
    spans = tuple(spans)
    known = {span.id for span in spans}
    return (span if span.parent in known else span.model_copy(update={"parent": root}) for span in spans)


def parsed(kind: type[V], trail: Trail, artifact: str) -> V | None:
    """Return what an artifact holds; None where there is none, or an older version wrote it in another shape."""
    try:
        return kind.model_validate_json(trail.record.artifacts[artifact])
    except (KeyError, ValidationError):
        return None


def _with(span: Span, attributes: Mapping[str, JsonValue]) -> Span:
    return span.model_copy(update={"attributes": {**span.attributes, **attributes}})


# ---------------------------------------------------------------- tokens and money


def job_usage(trails: Iterable[Trail]) -> dict[str, dict[str, float]]:
    """Return tokens and cost of the whole job under MLflow's names for a trace.

    Told outright, because MLflow sums spans, and those of a stage's earlier tries are gone.
    """
    trails = tuple(trails)
    totals = _added(trail.record.metrics for trail in trails)
    calls = _sums(span for trail in trails for span in trail.spans[1:])
    parts = {name: value for name, value in calls.items() if name in ("input_cost_usd", "output_cost_usd")}
    if _explained(totals, calls):
        totals |= parts
    usage = {"mlflow.trace.tokenUsage": _renamed(totals, _TOKENS), "mlflow.trace.cost": _renamed(totals, _COSTS)}
    return {name: value for name, value in usage.items() if value}


def _explained(totals: Mapping[str, float], calls: Mapping[str, float]) -> bool:
    """Tell whether the calls account for the whole cost, so that it can be told apart by input and output."""
    return abs(totals.get("cost_usd", 0.0) - calls.get("cost_usd", 0.0)) < _ROUNDING


def _sums(spans: Iterable[Span]) -> dict[str, float]:
    return _added(span.attributes for span in spans)


def _added(figures: Iterable[Mapping[str, JsonValue] | Mapping[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in figures:
        for name in (*_TOKENS, *_COSTS):
            if isinstance(value := one.get(name), int | float):
                sums[name] = sums.get(name, 0) + (int(value) if name in _TOKENS else value)
    return sums


def _renamed(figures: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    return {name: figures[own] for own, name in names.items() if own in figures}


def _usage(figures: Mapping[str, JsonValue] | Mapping[str, float]) -> dict[str, JsonValue]:
    usage = _renamed(_added([figures]), _TOKENS)
    return {"mlflow.chat.tokenUsage": dict(usage)} if usage else {}


def _cost(figures: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what a call cost. Empty when unknown, or MLflow would take the list price of a model of like name."""
    cost = _renamed(_added([figures]), _COSTS)
    if not cost and (not _usage(figures) or figures.get("provider") in _PRICED_BY_MLFLOW):
        return {}
    return {"mlflow.llm.cost": dict(cost)}


def _rest(trail: Trail) -> dict[str, JsonValue]:
    """Return what a stage cost beyond its calls, so that a sum over all spans counts nothing twice."""
    figures, told = trail.record.metrics, _sums(trail.spans[1:])
    if not _usage(figures):
        return {}
    rest = figures.get("cost_usd", 0.0) - told.get("cost_usd", 0.0)
    cost: dict[str, JsonValue] = {"total_cost": rest} if rest > _ROUNDING else {}
    return {"mlflow.llm.cost": cost}


def _model(span: Span) -> dict[str, JsonValue]:
    model, provider = span.attributes.get("model"), span.attributes.get("provider")
    if span.kind != "LLM" or not model or model == EXTRACTIVE:
        return {}
    known: dict[str, JsonValue] = {"mlflow.llm.model": model, "mlflow.llm.provider": provider}
    return {name: value for name, value in known.items() if value}


# ---------------------------------------------------------------- what went in and came out


def _content(trail: Trail) -> tuple[JsonValue, JsonValue]:
    """Return input and output of a stage's span as far as its artifacts tell: they hold its result."""
    if (evidence := parsed(Evidence, trail, "evidence.json")) is not None:
        return {"url": evidence.url}, _documents(evidence)
    results: Sequence[str] = [text for name, text in trail.record.artifacts.items() if name.endswith(".json")]
    return None, from_json(results[0]) if results else None


def _documents(evidence: Evidence) -> list[JsonValue]:
    """Return the snippets in the shape that MLflow shows as retrieved documents."""
    return [
        {
            "page_content": snippet.text,
            "metadata": {"doc_uri": snippet.source, "section": snippet.section, "page": snippet.page},
            "id": snippet.id,
        }
        for snippet in evidence.snippets
    ]
