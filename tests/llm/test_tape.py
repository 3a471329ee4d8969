import dataclasses
from contextlib import asynccontextmanager

import pytest

from technoshare.errors import ConfigError
from technoshare.llm.tape import Player, Taping, key_of, load_tape
from technoshare.llm.wire import Answer, Call, Failed, Message, Named, Request, ToolResult
from technoshare.models import Usage

SCHEMA = Named("facts", {"type": "object"})
ASKED = Request(
    model="m",
    turns=(
        Message("system", "be brief"),
        Answer("", "tool_calls", (Call("c1", "search", "{}"),)),
        ToolResult("c1", "r"),
    ),
    max_output_tokens=100,
    deadline=1.0,
    schema=SCHEMA,
)
TOLD = Answer(
    "yes", "stop", (Call("c2", "search", '{"q": 1}'),), Usage(input_tokens=3, output_tokens=4), "id-1", ({},), 2
)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"turns": ASKED.turns[:2]},
        {"turns": (Message("user", "be brief"), *ASKED.turns[1:])},
        {"turns": (ASKED.turns[0], Answer("", "tool_calls", (Call("c1", "search", '{"a": 1}'),)), ASKED.turns[2])},
        {"turns": (*ASKED.turns[:2], ToolResult("c1", "another page"))},
        {"max_output_tokens": 101},
        {"temperature": 0.2},
        {"schema": Named("facts", {"type": "object", "description": "new"})},
        {"schema": None},
        {"schema": None, "tools": (SCHEMA,)},
    ],
)
def test_whatever_the_model_is_sent_is_part_of_the_question(change):
    assert key_of(dataclasses.replace(ASKED, **change)) != key_of(ASKED)


def test_when_and_through_what_it_was_asked_is_not():
    echoed = dataclasses.replace(ASKED.turns[1], echo=({"role": "assistant"},), request_id="other", attempts=3)
    again = dataclasses.replace(ASKED, deadline=99.0, cache_key="x", turns=(ASKED.turns[0], echoed, ASKED.turns[2]))
    assert key_of(again) == key_of(ASKED)


class Wire:
    name = "chat"

    async def ask(self, request):
        return TOLD


async def recorded(path, times=1):
    taping = Taping()
    kept = [number async for number in _ask(taping, times)]
    taping.save(path, "m")
    return kept


async def _ask(taping, times):
    @asynccontextmanager
    async def open_wire(**server):
        yield Wire()

    async with taping.around(open_wire)(api="chat") as wire:
        for _ in range(times):
            yield await wire.ask(ASKED)


async def test_an_answer_comes_back_as_it_was_but_for_what_belongs_to_its_wire(tmp_path):
    assert await recorded(tmp_path / "tape.json") == [TOLD]
    player = Player(load_tape(tmp_path / "tape.json").answers)
    again = await player.ask(ASKED)
    assert again == dataclasses.replace(TOLD, request_id="", echo=(), attempts=1)


async def test_each_answer_is_given_once_and_a_miss_is_counted_and_raised(tmp_path):
    await recorded(tmp_path / "tape.json", times=2)
    player = Player(load_tape(tmp_path / "tape.json").answers)
    for _ in range(2):
        await player.ask(ASKED)
    with pytest.raises(Failed, match="not on the tape"):
        await player.ask(ASKED)
    assert player.misses == 1


async def test_a_folder_of_tapes_is_one_tape(tmp_path):
    for name in ("a.json", "b.json"):
        await recorded(tmp_path / name)
    assert [len(told) for told in load_tape(tmp_path).answers.values()] == [2]


def test_an_empty_folder_and_tapes_of_two_models_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no tape"):
        load_tape(tmp_path)
    for model in ("one", "two"):
        Taping().save(tmp_path / f"{model}.json", model)
    with pytest.raises(ConfigError, match="tapes of one, two"):
        load_tape(tmp_path)
