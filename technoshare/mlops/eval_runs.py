"""Runs of the experiment `technoshare_eval`: evaluations, synced prompts, promotions. They are told apart by tags.

This module imports mlflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.entities import Run

from technoshare.mlops.evaluation.results import EXPERIMENT
from technoshare.mlops.refusals import translated
from technoshare.mlops.replay import Away, Rejected

_PAGE = 1000  # the most that a server gives at once
_NEWEST = ["attributes.start_time DESC"]


class EvalRuns:
    """Looks runs up and writes them. Every method raises `Away` when MLflow cannot be asked."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def find(self, wanted: str) -> tuple[Run, ...]:
        """Return all runs that fit a filter of MLflow's, the newest first."""
        found: list[Run] = []
        token = None
        with reached():
            experiment = self._client.get_experiment_by_name(EXPERIMENT)
            while experiment:
                page = self._client.search_runs([experiment.experiment_id], wanted, 1, _PAGE, _NEWEST, token)
                found += page
                if not (token := page.token):
                    break
        return tuple(found)

    def begin(self, name: str, tags: Mapping[str, str]) -> str:
        """Create a run that is under way; return its id."""
        with reached():
            run = self._client.create_run(self.experiment_id(), run_name=name, tags=dict(tags))
        return str(run.info.run_id)

    def put(self, run_id: str, path: str, text: str) -> None:
        """Write an artifact; an earlier one of this path is replaced."""
        with reached():
            self._client.log_text(run_id, text, path)

    def end(self, run_id: str) -> None:
        """Mark a run as complete."""
        with reached():
            self._client.set_terminated(run_id, "FINISHED")

    def experiment_id(self) -> str:
        """Return the experiment's id; it is created when it is not there."""
        with reached():
            found = self._client.get_experiment_by_name(EXPERIMENT)
            if found is None:
                return str(self._client.create_experiment(EXPERIMENT))
        if found.lifecycle_stage != "active":
            raise Away(f"its experiment {EXPERIMENT!r} is deleted; restore it")
        return str(found.experiment_id)


@contextmanager
def reached() -> Iterator[None]:
    """Turn whatever MLflow raises into `Away`: who asks for something has to hear why there is no answer."""
    try:
        with translated():
            yield
    except (Rejected, ValueError) as error:  # ValueError: an answer that is no JSON
        raise Away(str(error)) from error
