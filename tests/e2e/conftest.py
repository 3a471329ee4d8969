from tests.mlops.conftest import mlflow_server as mlflow_server  # noqa: PLC0414 - the same session's server
