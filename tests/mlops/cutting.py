"""An `Upload` whose line is cut after so many writes, over any kind of address: the last one arrives unheard."""

from collections.abc import Callable
from typing import Any

import requests

from technoshare.mlops.upload import Upload


class Cut:
    """Stands before one of MLflow's clients and counts its calls with the others of the same upload."""

    def __init__(self, client: Any, calls: list[str], after: int) -> None:
        self._client, self._calls, self._after = client, calls, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            if len(self._calls) >= self._after:
                raise requests.ConnectionError("cut before")
            self._calls.append(name)
            answer = getattr(self._client, name)(*values, **named)
            if len(self._calls) >= self._after:
                raise requests.ConnectionError("cut behind")
            return answer

        return call


def cut(upload: Upload, *, after: int) -> None:
    """Let `after` more calls arrive; the last one's answer is lost, and nothing passes any more."""
    calls: list[str] = []
    upload._client = Cut(upload._client, calls, after)
    upload._traces = Cut(upload._traces, calls, after)
