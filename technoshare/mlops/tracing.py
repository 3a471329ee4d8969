"""Spans as plain data: recorded in memory, below the current one, at some microseconds each.

MLflow's own tracer is not used here; `docs/decisions/0002-own-spans.md` says why.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from pydantic import JsonValue

from technoshare.models import Job, Outcome, Span, SpanKind, Trail, Vote
from technoshare.ports import ActiveSpan, Health, JobTimes


def random_span_id() -> str:
    """Return 16 random hex digits."""
    return secrets.token_hex(8)


class OpenSpan:
    """A span while its block runs; it keeps its children, so a finished stage has its whole tree."""

    def __init__(self, span_id: str, parent: OpenSpan | None, name: str, kind: SpanKind, start: int) -> None:
        self.id = span_id
        self._parent = None if parent is None else parent.id
        self._name, self._kind, self._start = name, kind, start
        self._end: int | None = None
        self._failed = False
        self._attributes: dict[str, JsonValue] = {}
        self._inputs: JsonValue = None
        self._outputs: JsonValue = None
        self._children: list[OpenSpan] = []
        if parent is not None:
            parent.adopt(self)

    def adopt(self, child: OpenSpan) -> None:
        """Take a span that was opened inside this one."""
        self._children.append(child)

    def set(self, **attributes: JsonValue) -> None:
        """Add attributes."""
        self._attributes |= attributes

    def io(self, *, inputs: JsonValue = None, outputs: JsonValue = None) -> None:
        """Set what went in or came out; None leaves the earlier value."""
        self._inputs = self._inputs if inputs is None else inputs
        self._outputs = self._outputs if outputs is None else outputs

    def fail(self, message: str) -> None:
        """Mark the span as failed; the message becomes its attribute `error`."""
        self._failed = True
        self._attributes["error"] = message

    def close(self, end: int) -> None:
        """Note when the block ended."""
        self._end = end

    def finished(self) -> tuple[Span, ...]:
        """After the block: this span first, then its descendants. One that is still open is left out, with its own."""
        if self._end is None:
            return ()
        span = Span(
            id=self.id,
            parent=self._parent,
            name=self._name,
            kind=self._kind,
            start=self._start,
            end=max(self._start, self._end),  # the wall clock may step back
            status="error" if self._failed else "ok",
            attributes=self._attributes,
            inputs=self._inputs,
            outputs=self._outputs,
        )
        return span, *(inner for child in self._children for inner in child.finished())


_current: ContextVar[OpenSpan | None] = ContextVar("technoshare_span", default=None)


class Recorder:
    """Records spans. A task inherits the span that was open where it was created, so TaskGroups nest as they read."""

    def __init__(self, *, now: Callable[[], int] = time.time_ns, new_id: Callable[[], str] = random_span_id) -> None:
        self._now = now
        self._new_id = new_id

    @contextmanager
    def span(self, name: str, kind: SpanKind) -> Iterator[ActiveSpan]:
        """Open a span below the current one. An error that leaves the block marks it as failed, and goes on."""
        span = OpenSpan(self._new_id(), _current.get(), name, kind, self._now())
        token = _current.set(span)
        try:
            yield span
        except BaseException as error:
            span.fail(f"{type(error).__name__}: {error}")
            raise
        finally:
            _current.reset(token)
            span.close(self._now())


class SilentSpan:
    """A span that remembers nothing."""

    def set(self, **attributes: JsonValue) -> None:
        """Forget them."""

    def io(self, *, inputs: JsonValue = None, outputs: JsonValue = None) -> None:
        """Forget them."""

    def fail(self, message: str) -> None:
        """Forget it."""

    def finished(self) -> tuple[Span, ...]:
        """Return nothing."""
        return ()


class Untracked:
    """The tracker that observes nothing: for evaluation, the command line, and when MLflow is switched off."""

    def span(self, name: str, kind: SpanKind) -> AbstractContextManager[ActiveSpan]:
        """Return a block whose span remembers nothing."""
        del name, kind
        return nullcontext(SilentSpan())

    async def record(self, job: Job, times: JobTimes, trails: Mapping[str, Trail], outcome: Outcome) -> None:
        """Keep nothing."""

    async def vote(self, vote: Vote) -> None:
        """Keep nothing."""

    async def health(self) -> Health:
        """Say so."""
        return Health("MLflow: off")
