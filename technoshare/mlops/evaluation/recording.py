"""An evaluation in MLflow: what is told about it, and where. Its troubles are a remark and never the verdict.

It goes to MLFLOW_TRACKING_URI if that answers, else into a file beside the reports, so that a fresh clone has it too.
"""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from technoshare.mlops.evaluation.results import EXPERIMENT, OVERALL, ExampleResult, Report, Results
from technoshare.mlops.evaluation.suite import Ended
from technoshare.mlops.record import RunRecord
from technoshare.mlops.replay import limit_mlflow

RUN = "eval_suite"
FALLBACK = "sqlite:///mlflow.db"
ANSWER_SECONDS = 5.0
"""For a server to say that it is there."""
QUIET = {
    "MLFLOW_MODEL_CATALOG_URI": "",  # writing into a file, MLflow would fetch a price list first
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # or it tells every table that it creates
}


def record(ended: Ended, uri: str, files: Sequence[Path], *, fallback: str = FALLBACK) -> str:
    """Write the evaluation to MLflow and return a sentence on where it is, or on why it is nowhere. It never raises."""
    if not ended.report.results.examples or ended.report.results.part:
        return "Nothing is recorded in MLflow: only a whole evaluation is."
    troubles = []
    started = time.monotonic()
    for target in _targets(uri, fallback):
        try:
            run_id = _write(ended, target, files)
        except Exception as error:  # noqa: BLE001 - whatever MLflow does, the verdict stands
            told = (str(error).splitlines() or [""])[0][:160]
            troubles.append(f"{target}: {type(error).__name__}: {told}")
        else:
            took = time.monotonic() - started
            return f"Recorded in MLflow at {target}, experiment {EXPERIMENT}, run {run_id} ({took:.1f} s)."
    return f"Nothing is recorded in MLflow. {'; '.join(troubles)}"


def _targets(uri: str, fallback: str) -> Iterator[str]:
    if answers(uri):
        yield uri
    if uri != fallback:
        yield fallback


def answers(uri: str) -> bool:
    """Tell whether an MLflow server says within 5 s that it is there; a file or a database needs no asking."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return True
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _write(ended: Ended, uri: str, files: Sequence[Path]) -> str:
    limit_mlflow()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from technoshare.mlops.evaluation.upload import Upload  # noqa: PLC0415 - it imports mlflow, which takes 2 s

    return Upload(uri, EXPERIMENT).send(run_record(ended.report), files, ended.traces, ended.report.results)


# ---------------------------------------------------------------- what is told


def run_record(report: Report) -> RunRecord:
    """Return the run: DESIGN's parameters and metrics, and the tags that promotion reads."""
    results = report.results
    return RunRecord(
        key=RUN,
        name=RUN,
        start=round(results.started * 1000),
        end=round((results.started + results.seconds) * 1000),
        status="FAILED" if report.verdict.verdict == "error" else "FINISHED",
        tags=_tags(report),
        params={
            "dataset_name": results.dataset_name,
            "num_examples": str(results.num_examples),
            "epochs": str(results.epochs),
            "mode": results.mode,
            "model": results.model,
            "app_version": results.app_version,
        },
        metrics=_metrics(results),
    )


def _tags(report: Report) -> dict[str, str]:
    results = report.results
    prompts = {f"prompt.{ref.name}": f"{ref.version}:{ref.content_hash}" for ref in results.prompts}
    commit = results.app_version.partition("+")[2]
    return prompts | {
        "kind": "evaluation",
        "mode": results.mode,
        "model": results.model,
        "verdict": report.verdict.verdict,
        "reasons": "\n".join(report.verdict.reasons)[:5_000],
        "dataset_name": results.dataset_name,
        "dataset_digest": results.dataset_digest,
        "scorer_digest": results.scorer_digest,
        "mlflow.source.name": "technoshare",
        "mlflow.source.git.commit": commit,
    }


def _metrics(results: Results) -> dict[str, float]:
    usage = results.usage.metrics()
    own = (metric for example in results.examples for metric in _example_metrics(example))
    rates = {name: results.rate(name) for name in results.scorers}
    return {
        **dict(own),
        **rates,
        **usage,
        "seconds": results.seconds,
        "errors": float(results.errors),
        OVERALL: results.overall_pass_rate,
        "total_examples": float(results.num_examples),
        "passed_examples": float(results.passed_examples),
        "failed_examples": float(results.failed_examples),
    }


def _example_metrics(example: ExampleResult) -> Iterator[tuple[str, float]]:
    yield f"{example.id}_pass_rate", example.pass_rate
    for name in (*example.deciding, *example.rates):
        yield f"{example.id}_{name}", example.score(name) or 0.0
