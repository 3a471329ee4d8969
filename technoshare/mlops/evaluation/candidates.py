"""What becomes of the prompts that pass an evaluation."""

from __future__ import annotations

import time

from technoshare.mlops.evaluation.recording import answers
from technoshare.mlops.evaluation.results import Report
from technoshare.mlops.replay import Away, limit_mlflow
from technoshare.settings import forget_mlflow_environment


def make_candidates(report: Report, uri: str) -> str:
    """Point `candidate` at what passed a whole live evaluation; return what was done. Troubles are told, not raised."""
    results = report.results
    if results.mode != "live" or results.part or report.verdict.verdict != "pass" or not answers(uri):
        return ""
    forget_mlflow_environment()
    limit_mlflow()
    from technoshare.mlops.prompt_registry import PromptRegistry  # noqa: PLC0415 - it imports mlflow

    try:
        found = PromptRegistry(uri, time.time).passed(results.prompts)
    except Away as away:
        return f"No prompt became candidate: {away}"
    return " ".join(f"{ref.name} version {ref.version} is candidate." for ref in found)
