"""One conversation with a model: tool rounds first, then one answer in a given shape, with one correction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from technoshare.llm.answers import Nonsense, parse_answer, strict_schema
from technoshare.llm.wire import Answer, Call, Failed, Message, Named, Request, ToolResult, Turn, Wire
from technoshare.models import Cost, Usage
from technoshare.ports import ActiveSpan, Budget, Tool, Tracker

A = TypeVar("A", bound=BaseModel)

Price = Callable[[str, Usage], Cost | None]
"""What one call of a model costs, None when unknown."""


def unpriced(model: str, usage: Usage) -> None:
    """Know no price."""
    del model, usage


REFUSAL = "model_refusal"
MOST_ROUNDS = 4  # a bad model calls tools without end
MOST_CALLS = 8  # in one round, for the same reason
MOST_TOOL_TOKENS = 150_000  # every round sends the evidence again (up to 25,000 tokens); this ends a greedy search
MOST_RESULT = 20_000  # characters of one tool result
MOST_ECHO = 20_000  # characters of a bad answer that the model is shown again


class Conversation:
    """Grows turn by turn; `usage` is the sum over all calls so far, also those whose answer was no use.

    Whatever it raises is `Failed` with that usage.
    """

    def __init__(  # noqa: PLR0913 - what belongs to the model that is asked
        self, wire: Wire, request: Request, tracker: Tracker, price: Price, budget: Budget, *, provider: str = ""
    ) -> None:
        self._wire = wire
        self._request = request
        self._tracker = tracker
        self._price = price
        self._budget = budget
        self._provider = provider
        self._searched = 0.0  # tokens of the tool rounds
        self.usage = Usage()

    async def use(self, tools: Sequence[Tool]) -> str:
        """Let the model call tools until it stops or has had enough; return its last words, which are not kept."""
        offered = tuple(Named(tool.name, strict_schema(tool.arguments), tool.description) for tool in tools)
        for _ in range(MOST_ROUNDS):
            asked = replace(self._request, tools=offered)
            answer = await self._ask(asked)
            if not answer.tool_calls:
                return answer.text
            self._add(answer, *await _results(tools, answer.tool_calls))
            self._searched += answer.usage.total_tokens or asked.tokens  # not every server counts
            if self._searched > MOST_TOOL_TOKENS:
                break
        return ""

    async def answer(self, shape: type[A], schema: Named) -> A:
        """Ask for an answer in `shape`; a bad one is corrected once, a second one is a failure."""
        answer = await self._ask(replace(self._request, schema=schema))
        try:
            return parse_answer(answer.text, shape)
        except Nonsense as problem:
            self._add(*_correction(answer, problem))
        answer = await self._ask(replace(self._request, schema=schema))
        try:
            return parse_answer(answer.text, shape)
        except Nonsense as problem:
            raise self._failed(_useless(answer, problem)) from problem

    def _add(self, *turns: Turn) -> None:
        self._request = replace(self._request, turns=self._request.turns + turns)

    async def _ask(self, request: Request) -> Answer:
        """Ask inside a span, within the budget, and count what it used."""
        if await self._budget.spent():
            raise self._failed(Failed("today's model budget is spent", again="never", obstacle="model_budget"))
        with self._tracker.span("llm.call", "LLM") as span:
            span.set(model=request.model, provider=self._provider, wire=self._wire.name)
            span.io(inputs=[_shown(turn) for turn in request.turns])
            try:
                answer = await self._wire.ask(request)
            except Failed as failed:
                span.fail(str(failed))
                self._failed(failed)
                raise
            await self._count(answer, span)
        if answer.finish == "refusal":
            raise self._failed(Failed("the model declined to answer", again="never", obstacle=REFUSAL))
        return answer

    def _failed(self, failed: Failed) -> Failed:
        failed.usage = self.usage
        return failed

    async def _count(self, answer: Answer, span: ActiveSpan) -> None:
        cost = self._price(self._request.model, answer.usage)
        usage = answer.usage.model_copy(update={"cost_usd": None if cost is None else cost.total})
        self.usage += usage
        span.io(outputs=_shown(answer))
        span.set(finish=answer.finish, attempts=answer.attempts, request_id=answer.request_id, **usage.metrics())
        if cost is not None:
            span.set(input_cost_usd=cost.input, output_cost_usd=cost.output)
            await self._budget.charge(cost.total)


def _useless(answer: Answer, problem: Nonsense) -> Failed:
    if answer.finish == "length":
        reason = "the model's answers were cut off at their length limit"
        return Failed(reason, again="never", obstacle="model_length")
    return Failed(problem.reason, again="never", obstacle=problem.obstacle)


def _correction(answer: Answer, problem: Nonsense) -> tuple[Message, Message]:
    wrong = f"The answer was cut off because it is too long. {problem}" if answer.finish == "length" else str(problem)
    return (
        Message("assistant", answer.text[:MOST_ECHO] or "(nothing)"),  # roles alternate, or some servers refuse
        Message("user", f"{wrong}\nAnswer again with one JSON object that fits the schema, and nothing else."),
    )


# ---------------------------------------------------------------- tools


async def _results(tools: Sequence[Tool], calls: Sequence[Call]) -> list[ToolResult]:
    """Run the calls of one round side by side. Every call gets a result, or the server refuses the next request."""
    known = {tool.name: tool for tool in tools}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_result(known.get(call.name), call)) for call in calls[:MOST_CALLS]]
    results = [task.result() for task in tasks]
    return results + [ToolResult(call.id, "Not done: too many calls at once.") for call in calls[MOST_CALLS:]]


async def _result(tool: Tool | None, call: Call) -> ToolResult:
    if tool is None:
        return ToolResult(call.id, f"There is no tool {call.name!r}.")
    try:
        arguments = tool.arguments.model_validate_json(call.arguments)
    except ValidationError as error:
        return ToolResult(call.id, f"The arguments do not fit: {error.errors(include_url=False)[0]['msg']}")
    return ToolResult(call.id, (await tool.call(arguments))[:MOST_RESULT])


# ---------------------------------------------------------------- for the trace


def _shown(turn: Turn) -> JsonValue:
    match turn:
        case Message():
            return {"role": turn.role, "content": turn.content}
        case ToolResult():
            return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
        case Answer():
            calls: list[JsonValue] = [{"name": call.name, "arguments": call.arguments} for call in turn.tool_calls]
            return {"role": "assistant", "content": turn.text} | ({"tool_calls": calls} if calls else {})
