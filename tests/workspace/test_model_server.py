"""The scripted model server, seen by a client that knows nothing of this project."""

import asyncio
import signal
import sys

import aiohttp
import pytest

from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.model_faults import NAMES
from technoshare.workspace.model_says import fill

STRICT = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}},
    "required": ["colour", "items"],
    "additionalProperties": False,
    "$defs": {
        "Item": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}
SEARCH = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "search", "parameters": SEARCH}}
ASK = [{"role": "user", "content": "Title: Tides and time\nhello"}]


@pytest.fixture
async def server():
    async with open_model_server() as opened:
        yield opened


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http, server, path, **body):
    async with http.post(f"{server.base_url}/{path}", json={"model": "m"} | body) as response:
        return response.status, await response.json()


def chat_format(schema):
    return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}


async def test_any_strict_schema_is_filled_over_both_apis(server, http):
    status, chat = await post(http, server, "chat/completions", messages=ASK, response_format=chat_format(STRICT))
    assert status == 200
    assert chat["choices"][0]["message"]["content"] == '{"colour": "red", "items": [{"name": "words"}]}'
    text = {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": STRICT}}
    status, answer = await post(http, server, "responses", input="hello", text=text)
    assert status == 200
    assert answer["output"][0]["content"][0]["text"] == chat["choices"][0]["message"]["content"]
    assert answer["usage"]["input_tokens"] == 2


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "minLength": 12}, "wordswordswords"),
        ({"type": "string", "maxLength": 2}, "wo"),
        ({"type": "array", "minItems": 3, "items": {"type": "integer", "minimum": 7}}, [7, 7, 7]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"const": 4}, 4),
        ({"type": ["boolean", "null"]}, True),
    ],
)
def test_lengths_bounds_and_choices_are_kept_when_filling(schema, value):
    assert fill(schema) == value


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"additionalProperties": True}, "additionalProperties"),
        ({"required": ["colour"]}, "required"),
        ({"type": "array", "items": {}}, "root"),
        ({"default": 1}, "default"),
    ],
)
async def test_a_schema_that_strict_mode_would_not_take_is_refused(server, http, change, told):
    status, body = await post(
        http, server, "chat/completions", messages=ASK, response_format=chat_format(STRICT | change)
    )
    assert status == 400
    assert told in body["error"]["message"]


async def test_tools_and_a_schema_in_one_request_are_refused(server, http):
    status, body = await post(
        http, server, "chat/completions", messages=ASK, tools=[CHAT_TOOL], response_format=chat_format(STRICT)
    )
    assert status == 400
    assert "one request" in body["error"]["message"]


async def test_a_tool_is_called_once_and_then_there_is_an_answer(server, http):
    _, first = await post(http, server, "chat/completions", messages=ASK, tools=[CHAT_TOOL])
    called = first["choices"][0]["message"]
    assert called["tool_calls"][0]["function"] == {"name": "search", "arguments": '{"query": "Tides and time"}'}
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "found"}
    _, second = await post(http, server, "chat/completions", messages=[*ASK, called, result], tools=[CHAT_TOOL])
    assert second["choices"][0]["finish_reason"] == "stop"
    status, _ = await post(http, server, "chat/completions", messages=[*ASK, called], tools=[CHAT_TOOL])
    assert status == 400  # a call without its result


async def test_a_function_call_without_its_reasoning_is_refused_as_openai_does(server, http):
    tool = {"type": "function", "name": "search", "parameters": SEARCH}
    _, first = await post(http, server, "responses", input=ASK, tools=[tool])
    reasoning, call = first["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "found"}
    status, _ = await post(http, server, "responses", input=[*ASK, call, result], tools=[tool])
    assert status == 400
    status, _ = await post(http, server, "responses", input=[*ASK, reasoning, call, result], tools=[tool])
    assert status == 200


async def test_faults_come_in_the_order_of_the_script_and_are_counted(server, http):
    async with http.post(
        server.base_url.removesuffix("/v1") + "/control", json={"faults": ["503", "quota"]}
    ) as response:
        assert (await response.json())["scripted"] == ["503", "quota"]
    statuses = [(await post(http, server, "chat/completions", messages=ASK))[0] for _ in range(3)]
    assert statuses == [503, 429, 200]
    async with http.get(server.base_url.removesuffix("/v1") + "/stats") as response:
        stats = await response.json()
    assert stats["requests"] == 3
    assert stats["by_fault"] == {"503": 1, "quota": 1}


async def test_a_fault_that_does_not_exist_is_refused_with_the_list_of_those_that_do(server, http):
    async with http.post(server.base_url.removesuffix("/v1") + "/control", json={"faults": ["flood"]}) as response:
        assert response.status == 400
        assert NAMES[0] in await response.text()


async def test_a_share_of_the_requests_fails_when_a_rate_is_set(http):
    async with open_model_server(Behaviour(fault_rate=0.5, rate_faults=("500",))) as server:
        statuses = [(await post(http, server, "chat/completions", messages=ASK))[0] for _ in range(40)]
    assert set(statuses) == {200, 500}


async def test_an_answer_can_be_held_back_and_let_go(server, http):
    server.hold("text")
    asking = asyncio.create_task(post(http, server, "chat/completions", messages=ASK))
    await server.until_held()
    assert server.stats()["in_flight"] == 1
    server.release()
    assert (await asking)[0] == 200
    assert server.stats()["in_flight"] == 0


@pytest.mark.parametrize("body", [{"messages": 3}, {"messages": [{}]}, {}, {"messages": ASK, "stream": True}])
async def test_what_is_not_a_request_is_refused_and_the_server_goes_on(server, http, body):
    assert (await post(http, server, "chat/completions", **body))[0] == 400
    assert (await post(http, server, "chat/completions", messages=ASK))[0] == 200


async def test_the_program_tells_its_address_in_one_line_and_ends_on_a_signal(http):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "technoshare.workspace.model", "--faults", "503", stdout=asyncio.subprocess.PIPE
    )
    try:
        line = (await process.stdout.readline()).decode().split()
        async with http.get(f"{line[-1]}/models") as response:
            assert (await response.json())["object"] == "list"
        async with http.post(f"{line[-1]}/responses", json={"model": "m", "input": "hello"}) as response:
            assert response.status == 503
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("wrong", ["port", "fault"])
async def test_a_taken_port_and_a_wrong_fault_are_one_clear_line(server, wrong):
    port = server.base_url.split(":")[2].removesuffix("/v1")
    arguments = {"port": ["--port", port], "fault": ["--faults", "flood"]}[wrong]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "technoshare.workspace.model", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 2
    assert told.count(b"\n") == 1
    assert told.startswith(b"model server: ")
