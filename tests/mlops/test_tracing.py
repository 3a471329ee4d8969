"""Spans are right wherever they are opened, and cost nothing where nobody looks."""

import asyncio
import itertools

import pytest

from technoshare.mlops.tracing import Recorder, Untracked


def a_recorder() -> Recorder:
    ids, ticks = itertools.count(1), itertools.count(100)
    return Recorder(now=lambda: next(ticks), new_id=lambda: f"{next(ids):016x}")


async def test_a_span_opened_in_a_child_task_belongs_to_the_stage_that_started_the_task():
    recorder = a_recorder()

    async def call(name: str) -> None:
        with recorder.span(name, "TOOL"):
            await asyncio.sleep(0)

    async def job(name: str):
        with recorder.span(name, "LLM") as stage:
            async with asyncio.TaskGroup() as group:
                for n in range(3):
                    group.create_task(call(f"{name}.{n}"))
        return stage.finished()

    for name, spans in zip("abc", await asyncio.gather(*(job(name) for name in "abc")), strict=True):
        assert [span.name for span in spans] == [name, f"{name}.0", f"{name}.1", f"{name}.2"]
        assert spans[0].parent is None
        assert {span.parent for span in spans[1:]} == {spans[0].id}


def test_a_stage_is_followed_by_its_descendants_and_spans_side_by_side_are_not_nested():
    recorder = a_recorder()
    with recorder.span("stage", "CHAIN") as stage:
        with recorder.span("first", "LLM"), recorder.span("inner", "TOOL"):
            pass
        with recorder.span("second", "LLM"):
            pass
    spans = {span.name: span for span in stage.finished()}
    assert list(spans) == ["stage", "first", "inner", "second"]
    assert spans["inner"].parent == spans["first"].id
    assert spans["second"].parent == spans["stage"].id
    assert spans["stage"].start < spans["first"].start <= spans["first"].end < spans["second"].start
    assert spans["second"].end < spans["stage"].end


def test_a_span_keeps_what_it_was_told():
    with a_recorder().span("stage", "LLM") as stage:
        stage.set(model="m", calls=1)
        stage.set(calls=2)
        stage.io(inputs="question")
        stage.io(outputs=["answer"])
    (span,) = stage.finished()
    assert span.attributes == {"model": "m", "calls": 2}
    assert (span.kind, span.inputs, span.outputs, span.status) == ("LLM", "question", ["answer"], "ok")


def test_an_error_that_leaves_a_span_marks_it_and_goes_on():
    recorder = a_recorder()
    with pytest.raises(ValueError, match="no"), recorder.span("stage", "CHAIN") as stage:
        raise ValueError("no")
    (span,) = stage.finished()
    assert span.status == "error"
    assert span.attributes["error"] == "ValueError: no"
    with recorder.span("next", "CHAIN") as following:
        pass
    assert following.finished()[0].parent is None


def test_a_span_that_is_still_open_when_its_stage_ends_is_left_out():
    recorder = a_recorder()
    with recorder.span("stage", "CHAIN") as stage:
        left_behind = recorder.span("late", "TOOL")
        left_behind.__enter__()
        late_is_open = stage.finished()
    assert late_is_open == ()
    assert [span.name for span in stage.finished()] == ["stage"]


def test_without_tracking_a_span_can_be_used_and_leaves_nothing():
    with Untracked().span("stage", "LLM") as span:
        span.set(model="m")
        span.io(inputs=1, outputs=2)
        span.fail("no")
    assert span.finished() == ()
