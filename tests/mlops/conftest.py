"""One real MLflow server for all tests: it needs some seconds to start."""

import os

import pytest

from technoshare.mlops.replay import ENVIRONMENT
from technoshare.mlops.server import running_server

os.environ |= ENVIRONMENT  # mlflow reads it when it is imported, which the tests do before the replay thread could


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory):
    """Address of the server."""
    folder = tmp_path_factory.mktemp("mlflow")
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts") as server:
        yield server.url
