"""What the writer does with answers that no honest server gives: a wire that says exactly what a test wants."""

import json
from dataclasses import replace

import pytest

from technoshare.llm.conversation import MOST_CALLS
from technoshare.llm.wire import Answer, Call, Failed, Message, ToolResult
from technoshare.llm.writer import ModelWriter
from technoshare.models import Usage
from tests.llm.samples import PROJECTS, PROMPTS, KeptSpans, Searching, evidence

EVIDENCE = evidence()
FACTS = json.dumps({"facts": [{"kind": "claim", "text": "It works.", "quote": "works", "snippet": "s1"}]})
DONE = Answer(FACTS, "stop", usage=Usage(input_tokens=10, output_tokens=5, calls=1))


class Saying:
    """A wire with its answers in advance; it keeps the requests."""

    name = "saying"

    def __init__(self, *answers):
        self._answers = list(answers)
        self.requests = []

    async def ask(self, request):
        self.requests.append(request)
        return self._answers.pop(0)


def writer(wire, **changes):
    return ModelWriter(
        wire,
        model="m",
        prompts=PROMPTS,
        projects=PROJECTS,
        tracker=KeptSpans(),
        **changes,
    )


def calling(*calls, tokens=10):
    return Answer("", "tool_calls", calls, Usage(input_tokens=tokens, output_tokens=1, calls=1), echo=({"round": 1},))


def results(request):
    return [turn.text for turn in request.turns if isinstance(turn, ToolResult)]


async def test_facts_given_as_the_search_ends_save_the_last_call():
    wire = Saying(DONE)
    facts = await writer(wire).facts(EVIDENCE, tools=[Searching().tool()])
    assert [fact.text for fact in facts.items] == ["It works."]
    assert len(wire.requests) == 1


async def test_calls_of_one_round_are_answered_in_their_order_and_bad_ones_with_the_reason():
    search = Searching("found")
    good, bad, unknown = '{"query": "tides"}', '{"query": 3}', "{}"
    round_ = calling(Call("a", "search", good), Call("b", "search", bad), Call("c", "shell", unknown))
    wire = Saying(round_, DONE)
    await writer(wire).facts(EVIDENCE, tools=[search.tool()])
    asked = wire.requests[1]
    assert asked.turns[-4] == round_
    assert [turn.call_id for turn in asked.turns[-3:]] == ["a", "b", "c"]
    found, misfit, missing = results(asked)
    assert found == "found"
    assert "do not fit" in misfit
    assert "no tool 'shell'" in missing
    assert search.queries == ["tides"]


async def test_a_flood_of_calls_in_one_round_is_not_worked_off_but_each_gets_a_result():
    search = Searching()
    flood = calling(*[Call(str(n), "search", '{"query": "x"}') for n in range(100)])
    wire = Saying(flood, DONE)
    await writer(wire).facts(EVIDENCE, tools=[search.tool()])
    assert len(search.queries) == MOST_CALLS
    assert len(results(wire.requests[1])) == 100


async def test_a_search_that_has_cost_enough_is_ended():
    call = calling(Call("a", "search", '{"query": "x"}'), tokens=200_000)
    wire = Saying(call, DONE)
    await writer(wire).facts(EVIDENCE, tools=[Searching().tool()])
    assert not wire.requests[1].tools
    assert wire.requests[1].schema.name == "facts"


async def test_a_search_is_ended_too_where_the_server_counts_no_tokens():
    call = replace(calling(Call("a", "search", '{"query": "x"}')), usage=Usage(calls=1))
    long = evidence(("A long page. " * 40_000,))
    wire = Saying(call, call, DONE)
    await writer(wire).facts(long, tools=[Searching().tool()])
    assert not wire.requests[2].tools


async def test_a_giant_result_is_cut():
    wire = Saying(calling(Call("a", "search", '{"query": "x"}')), DONE)
    await writer(wire).facts(EVIDENCE, tools=[Searching("x" * 1_000_000).tool()])
    assert len(results(wire.requests[1])[0]) == 20_000


async def test_the_correction_shows_the_bad_answer_and_what_is_wrong_with_it():
    wire = Saying(replace(DONE, text='{"facts": "none"}'), DONE)
    facts = await writer(wire).facts(EVIDENCE, tools=())
    shown, wrong = wire.requests[1].turns[-2:]
    assert shown == Message("assistant", '{"facts": "none"}')
    assert "facts: Input should be" in wrong.content
    assert facts.usage == Usage(input_tokens=20, output_tokens=10, calls=2)


async def test_an_answer_that_was_cut_off_is_told_to_be_shorter():
    wire = Saying(replace(DONE, text=FACTS[:20], finish="length"), DONE)
    await writer(wire).facts(EVIDENCE, tools=())
    assert "too long" in wire.requests[1].turns[-1].content


async def test_usage_that_the_server_does_not_tell_is_unknown_and_not_zero():
    wire = Saying(replace(DONE, usage=Usage(calls=1)))
    facts = await writer(wire).facts(EVIDENCE, tools=())
    assert facts.usage == Usage(calls=1)
    assert facts.usage.total_tokens is None


async def test_all_calls_of_a_stage_share_one_deadline():
    wire = Saying(
        calling(Call("a", "search", '{"query": "x"}')), replace(DONE, text="no"), replace(DONE, text="no"), DONE
    )
    await writer(wire, clock=iter([1000.0]).__next__, seconds=170).facts(EVIDENCE, tools=[Searching().tool()])
    assert {request.deadline for request in wire.requests} == {1170.0}


async def test_a_refusal_in_the_middle_of_a_search_is_the_end():
    wire = Saying(Answer("No.", "refusal"))
    with pytest.raises(Failed, match="declined"):
        await writer(wire).facts(EVIDENCE, tools=[Searching().tool()])
