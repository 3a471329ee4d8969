"""What comes with status 200 in the place of an answer."""

import contextlib
import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.llm.bodies import object_in
from technoshare.llm.wire import Failed


def response(body, kind="application/json"):
    return httpx2.Response(200, content=body, headers={"content-type": kind})


def events(*values):
    return "".join(f"event: x\ndata: {value if isinstance(value, str) else json.dumps(value)}\n\n" for value in values)


def failed(body, kind="application/json"):
    with pytest.raises(Failed) as caught:
        object_in(response(body, kind))
    return caught.value


def test_an_answer_is_its_object():
    assert object_in(response('{"output": [], "error": null}')) == {"output": [], "error": None}


@pytest.mark.parametrize(
    ("body", "obstacle", "again"),
    [
        ("", "model_empty_body", "now"),
        (" \n", "model_empty_body", "now"),
        ("<!doctype html><p>Sign in", "model_web_page", "now"),
        ('{"choices": [', "model_not_json", "now"),
        ("[1]", "model_not_json", "now"),
        ("[" * 100_000, "model_not_json", "now"),
        ('{"error": {"message": "slow down", "code": 429}}', "model_busy", "now"),
        ('{"error": {"message": "pay", "code": "insufficient_quota"}}', "model_quota", "never"),
        ('{"error": "out of memory"}', "model_trouble", "now"),
        ('{"status": "failed", "error": {"code": "rate_limit_exceeded", "message": ""}}', "model_busy", "now"),
        ('{"error": {"code": "context_length_exceeded", "message": ""}}', "model_context", "never"),
    ],
)
def test_what_comes_instead_is_told_apart(body, obstacle, again):
    assert (failed(body).obstacle, failed(body).again) == (obstacle, again)


@pytest.mark.parametrize(
    ("body", "obstacle"),
    [
        (events({"choices": []}, "[DONE]"), "model_stream"),
        (
            events({"type": "response.output_text.delta"}, {"type": "response.completed", "response": {}}),
            "model_stream",
        ),
        (events({"choices": []}), "model_stream_cut"),
        ('data: {"choices": [{"del', "model_stream_cut"),
        (events({"choices": []}, {"error": {"message": "gone", "code": 503}}), "model_trouble"),
        (events({"type": "error", "code": "insufficient_quota", "message": ""}), "model_quota"),
        (events({"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded"}}}), "model_busy"),
    ],
)
def test_a_stream_is_whole_or_cut_or_holds_an_error(body, obstacle):
    assert failed(body, "text/event-stream; charset=utf-8").obstacle == obstacle
    assert failed(body).obstacle == obstacle  # whatever it calls itself


def test_a_servers_own_sentence_is_not_repeated_to_readers():
    told = str(failed('{"error": {"message": "key sk-abcdefgh12345678 is bad", "code": "Key sk-abcdefgh12345678!"}}'))
    assert told == "the model server is in trouble (500 in an answer)"


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/event-stream", ""]))
def test_no_body_is_worse_than_a_failure(body, kind):
    with contextlib.suppress(Failed):
        assert isinstance(object_in(response(body, kind)), dict)
