"""What a server refuses by name is left out or replaced, and not sent again."""

import httpx2
import pytest
from openai import APIStatusError

from technoshare.llm import concessions
from technoshare.llm.concessions import conceded
from technoshare.llm.wire import Failed
from technoshare.workspace.model import Behaviour, open_model_server
from tests.llm.samples import Searching, evidence, open_test_writer

EVIDENCE = evidence()

CHAT = {
    "model": "m",
    "max_tokens": 10,
    "temperature": 0.2,
    "tools": [{"type": "function", "function": {"name": "search", "strict": True}}],
}
FORMAT = {"model": "m", "max_tokens": 10, "response_format": {"type": "json_schema", "json_schema": {}}}


@pytest.mark.parametrize(
    ("api", "refused", "times"),
    [
        ("chat", "tools", 1),
        ("chat", "response_format", 2),  # a JSON object without a schema is tried in between
        ("chat", "response_format=json_schema", 1),
        ("chat", "max_tokens", 1),
        ("responses", "tools", 1),
        ("responses", "text", 2),
        ("responses", "text=json_schema", 1),
    ],
)
async def test_a_server_that_refuses_a_parameter_is_asked_without_it_from_then_on(api, refused, times):
    async with (
        open_model_server(Behaviour(refuses=(refused,))) as server,
        open_test_writer(server, api) as writer,
    ):
        for _ in range(2):
            facts = await writer.facts(EVIDENCE, tools=[Searching().tool()])
            assert (await writer.comment(EVIDENCE, facts)).summary
        assert server.stats()["by_fault"] == {"refused": times}


async def test_openais_own_parameters_are_given_up_one_after_the_other():
    refused = ("prompt_cache_key", "include", "store", "temperature")
    async with (
        open_model_server(Behaviour(refuses=refused)) as server,
        open_test_writer(server, "responses", full=True) as writer,
    ):
        await writer.facts(EVIDENCE, tools=[Searching().tool()])
        assert not {"store", "include", "prompt_cache_key"} & set(server.bodies[-1])


async def test_a_cap_on_the_output_is_renamed_and_never_dropped():
    async with open_model_server(Behaviour(refuses=("max_tokens", "max_completion_tokens"))) as server:
        async with open_test_writer(server, "chat") as writer:
            with pytest.raises(Failed, match="400"):
                await writer.facts(EVIDENCE, tools=())
        assert all({"max_tokens", "max_completion_tokens"} & set(body) for body in server.bodies)


# ---------------------------------------------------------------- how servers say it


def refusal(status, message, param=None):
    request = httpx2.Request("POST", "http://h/v1")
    error = {"message": message, "param": param}
    response = httpx2.Response(status, request=request, json={"error": error})
    return APIStatusError(message, response=response, body=error)


@pytest.mark.parametrize(
    ("status", "message", "param", "payload", "gone"),
    [
        (400, "gemma:2b does not support tools", None, CHAT, "tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice to be set', None, CHAT, "tools"),
        (400, "'response_format.type' must be 'json_schema' or 'text'", None, FORMAT, "json_schema"),
        (422, "Extra inputs are not permitted: body.temperature", None, CHAT, "temperature"),
        (400, "Unsupported value: only the default is supported.", "temperature", CHAT, "temperature"),
        (400, "Use 'max_completion_tokens' instead: 'max_tokens' is not supported.", "max_tokens", CHAT, "max_tokens'"),
        (400, "Unknown field.", "tools[0].function.strict", CHAT, "strict"),
    ],
)
def test_the_refusals_of_many_servers_are_understood(status, message, param, payload, gone):
    concession = conceded(refusal(status, message, param), payload, concessions.CHAT)
    assert gone in str(payload)
    assert gone not in str(concession.change(payload))


@pytest.mark.parametrize(
    ("status", "message", "param"),
    [
        (400, "messages[3].content is too long", "messages[3].content"),
        (400, "The arguments of tool_calls[0] are not JSON", "messages[4].tool_calls[0]"),
        (500, "tools are not supported", None),
        (400, "no", None),
        (429, "temperature not supported", "temperature"),
    ],
)
def test_a_refusal_of_something_else_changes_nothing(status, message, param):
    assert conceded(refusal(status, message, param), CHAT, concessions.CHAT) is None


def test_tools_of_a_model_that_reasons_are_asked_for_without_reasoning_in_chat():
    told = "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions."
    concession = conceded(refusal(400, told, "reasoning_effort"), CHAT, concessions.CHAT)
    assert concession.change(CHAT)["reasoning_effort"] == "none"
    assert not concession.fits(concession.change(CHAT))
