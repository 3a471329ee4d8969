"""One real MLflow server for all tests: it needs some seconds to start."""

import os
import uuid
from pathlib import Path

import pytest

from technoshare.mlops.replay import ENVIRONMENT
from technoshare.mlops.server import running_server
from technoshare.mlops.tracking import open_tracker

os.environ |= ENVIRONMENT  # mlflow reads it when it is imported, which the tests do before the replay thread could


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory):
    """Address of the server."""
    folder = tmp_path_factory.mktemp("mlflow")
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts") as server:
        yield server.url


@pytest.fixture(scope="session")
def direct_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("direct")


@pytest.fixture(params=["http", "sqlite"])
def uri(request, direct_folder, monkeypatch) -> str:
    """Every kind of address that a bot may be given: what holds for one holds for all."""
    if request.param == "http":
        return request.getfixturevalue("mlflow_server")
    monkeypatch.chdir(direct_folder)  # MLflow puts the artifacts of a bare database below the current folder
    return f"sqlite:///{direct_folder / 'mlflow.db'}"


@pytest.fixture
def experiment() -> str:
    """Name of an experiment that nobody else uses."""
    return f"technoshare_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def tracker_to(mlflow_server, experiment, tmp_path):
    """Open the tracker of a bot that keeps its spool in this test's folder; what is given replaces the usual."""

    def opened(**changes):
        settings = {
            "uri": mlflow_server,
            "experiment": experiment,
            "tracking": True,
            "tracing": True,
            "spool": tmp_path / "mlflow-spool.db",
            "app_version": "0.1.0",
            "projects_hash": "5eed",
            "busy": lambda: False,
        }
        return open_tracker(**(settings | changes))

    return opened
