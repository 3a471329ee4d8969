"""Results and thresholds to judge, as small as they can be."""

from technoshare.mlops.evaluation.baseline import Baseline, BlessedExample
from technoshare.mlops.evaluation.results import Epoch, ExampleResult, Results
from technoshare.mlops.evaluation.thresholds import Thresholds

DECIDING = ("tldr_sentence_count", "schema_validity")
PROMPT = {"name": "stage_b_compose_reply", "version": "3", "content_hash": "ab12cd34ef56"}


def epoch(number=1, *, good=True, error="", comment="as it was", **scores):
    told = (
        dict.fromkeys(DECIDING, 1.0) | {"grounding": 1.0}
        if good
        else {**dict.fromkeys(DECIDING, 0.0), "grounding": 1.0}
    )
    return Epoch(number=number, scores={} if error else told | scores, error=error, comment=comment, seconds=1.0)


def example(name, epochs="+", one=None):
    """An example; each + is an epoch that passes and each - one that fails, or `one` is the only epoch."""
    told = [one] if one else [epoch(number, good=sign == "+") for number, sign in enumerate(epochs, start=1)]
    return ExampleResult(
        id=name, url=f"https://example.org/{name}", deciding=DECIDING, rates=("grounding",), epochs=tuple(told)
    )


def results(*examples, **changes):
    told = {
        "dataset_name": "own",
        "dataset_digest": "d1",
        "scorer_digest": "s1",
        "mode": "embedded",
        "model": "extractive",
        "started": 1_000.0,
        "seconds": 2.0,
        "epochs": len(examples[0].epochs) if examples else 1,
        "examples": examples,
    }
    return Results(**told | changes)


def thresholds(**changes):
    """The thresholds of all modes alike; a floor and the like may be given as a dictionary."""
    mode = {"floors": {"overall_pass_rate": 0.5}} | changes
    return Thresholds.model_validate({"modes": dict.fromkeys(("embedded", "replay", "live"), mode)})


def baseline(of, **changes):
    told = {
        "dataset_name": of.dataset_name,
        "dataset_digest": of.dataset_digest,
        "scorer_digest": of.scorer_digest,
        "mode": of.mode,
        "model": of.model,
        "app_version": "1",
        "blessed_at": "2026-11-01",
        "blessed_by": "somebody",
        "rates": {"overall_pass_rate": of.overall_pass_rate},
        "examples": {one.id: BlessedExample.of(one) for one in of.examples},
    }
    return Baseline(**told | changes)
