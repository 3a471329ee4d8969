"""MLflow's errors as what the replay does about them. Imports mlflow: only for what `upload` uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.rest_store import RestStore

from technoshare.mlops.replay import Away, Rejected

REJECTED = frozenset({400, 409, 413, 422})
"""Answers that would be the same tomorrow. 401, 403, 404 are about the server or the experiment, not about an entry."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn MLflow's errors into `Away` and `Rejected`."""
    try:
        yield
    except MlflowException as error:
        status = error.get_http_status_code()  # type: ignore[no-untyped-call]  # mlflow's own gap
        told = _told(error)
        raise (Rejected(told) if status in REJECTED else Away(told)) from error
    except requests.HTTPError as error:  # artifacts
        status = 0 if error.response is None else error.response.status_code
        told = _told(error)
        raise (Rejected(told) if status in REJECTED else Away(told)) from error
    except (requests.RequestException, NotImplementedError) as error:
        # NotImplementedError: the server's version was asked for while it was away, and MLflow keeps that for good
        RestStore._get_server_version.cache_clear()  # noqa: SLF001 - there is no public way to ask again
        raise Away(_told(error)) from error


def _told(error: Exception) -> str:
    """Return what matters of an error: MLflow wraps its own in many words, and the network's in more."""
    root: BaseException = error
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    if isinstance(root, OSError):
        return root.strerror or str(root)
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def unknown(error: MlflowException) -> bool:
    """Tell whether MLflow is there and does not know what it was asked for."""
    return str(error.error_code) == "RESOURCE_DOES_NOT_EXIST"
