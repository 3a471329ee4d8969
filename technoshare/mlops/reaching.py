"""Whether MLflow's server answers, and how our experiment stands there. Imports mlflow, which takes 2 s."""

from __future__ import annotations

import http.client
from typing import Literal

import requests

from technoshare.errors import TechnoShareError
from technoshare.mlops.replay import limit_mlflow
from technoshare.models import Value

limit_mlflow()  # before mlflow is imported, which reads some of it at once

from mlflow.exceptions import MlflowException  # noqa: E402 - see above
from mlflow.utils.credentials import get_default_host_creds  # noqa: E402
from mlflow.utils.rest_utils import http_request  # noqa: E402


class Reached(Value):
    """The server's version; the state of the experiment."""

    version: str
    experiment: Literal["active", "deleted", "missing"]


class Unreachable(TechnoShareError):
    """MLflow does not answer, or not as MLflow does."""


def reach(uri: str, experiment: str, *, seconds: float) -> Reached:
    """Ask the server at `uri`; it blocks for at most `seconds` a request. Raises `Unreachable`."""
    version = _get(uri, "/version", seconds)
    if version.status_code != http.client.OK:
        raise Unreachable(f"answers {version.status_code} {version.reason}")
    asked = _get(uri, "/api/2.0/mlflow/experiments/get-by-name", seconds, experiment_name=experiment)
    if asked.status_code == http.client.NOT_FOUND:
        return Reached(version=version.text[:40], experiment="missing")
    try:
        stage = asked.json()["experiment"]["lifecycle_stage"]
        return Reached(version=version.text[:40], experiment="active" if stage == "active" else "deleted")
    except (ValueError, LookupError, TypeError) as error:
        raise Unreachable(f"does not answer as MLflow does ({asked.status_code} {asked.reason})") from error


def _get(uri: str, endpoint: str, seconds: float, **params: str) -> requests.Response:
    creds = get_default_host_creds(uri)  # type: ignore[no-untyped-call]  # mlflow's own gap
    try:
        answer: requests.Response = http_request(  # type: ignore[no-untyped-call]  # as above
            creds, endpoint, "GET", max_retries=0, timeout=seconds, raise_on_status=False, params=params
        )
    except (MlflowException, requests.RequestException) as error:
        raise Unreachable("does not answer") from error
    return answer
