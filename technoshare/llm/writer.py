"""The writer that asks a language model."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pydantic import BaseModel, JsonValue

from technoshare.llm import material
from technoshare.llm.answers import CommentAnswer, FactsAnswer, Nonsense, RepairAnswer, parse_answer
from technoshare.llm.conversation import Conversation, Price, unpriced
from technoshare.llm.prompts import STAGE_A, STAGE_B
from technoshare.llm.wire import Message, Named, Request, Turn, Wire
from technoshare.models import Comment, Evidence, Facts, Project
from technoshare.ports import Budget, Prompt, PromptBook, Repair, Tool, Tracker, Unlimited

STAGE_SECONDS = 170.0
"""For all calls of a stage; its deadline is 180, so that the reason given is ours and not the clock's."""


@dataclass(frozen=True)
class ModelWriter:
    """Facts and comment by `model` over `wire`. Evidence travels as data between random delimiters.

    Raises `Failed`, which a `Fallback` understands.
    """

    wire: Wire
    model: str
    prompts: PromptBook
    projects: Sequence[Project]
    tracker: Tracker
    language: str = "en"
    price: Price = unpriced
    budget: Budget = field(default_factory=Unlimited)
    provider: str = ""
    """Who runs the model, for the trace."""
    seconds: float = STAGE_SECONDS
    clock: Callable[[], float] = time.monotonic
    nonce: Callable[[], str] = secrets.token_hex

    async def facts(self, evidence: Evidence, *, tools: Sequence[Tool]) -> Facts:
        """Facts as the model gave them: quotes and snippet ids are not verified."""
        prompt, nonce = self.prompts.get(STAGE_A), self.nonce()
        shown = material.show_evidence(evidence, nonce)
        messages = self._render(prompt, evidence, nonce, {"evidence": shown})
        talk = self._talk(prompt, messages)
        quoted = [_quoted(tool, nonce) for tool in tools]
        answer = _early_answer(await talk.use(quoted)) if quoted else None
        answer = answer or await talk.answer(FactsAnswer, _schema(prompt))
        return Facts(items=answer.items(), model=self.model, prompt=prompt.ref, usage=talk.usage)

    async def comment(self, evidence: Evidence, facts: Facts, *, repair: Repair | None = None) -> Comment:
        """TLDR, Summary and Projects from the facts alone; what no fact says cannot be said."""
        prompt, nonce = self.prompts.get(STAGE_B), self.nonce()
        least, most = evidence.summary_bounds
        shown = material.show_facts(facts.items, nonce)
        values = {"facts": shown, "least": str(least), "most": str(most)}
        messages = self._render(prompt, evidence, nonce, values)
        messages += _repair_turns(repair, nonce) if repair else ()
        talk = self._talk(prompt, messages)
        answer = await talk.answer(RepairAnswer if repair else CommentAnswer, _schema(prompt))
        return Comment(
            tldr=tuple(sentence.sentence() for sentence in answer.tldr),
            summary=tuple(sentence.sentence() for sentence in answer.summary),
            projects=tuple(project.note() for project in answer.projects),
            priority=answer.priority.priority(),
            model=self.model,
            prompt=prompt.ref,
            prompt_length=sum(len(message.content) for message in messages),
            usage=talk.usage,
        )

    def _render(self, prompt: Prompt, evidence: Evidence, nonce: str, values: Mapping[str, str]) -> tuple[Message, ...]:
        messages = prompt.render(
            nonce=nonce,
            source=material.show_source(evidence, nonce),
            projects=material.show_projects(self.projects),
            language=self.language,
            **values,
        )
        return tuple(Message(cast(Any, message["role"]), message["content"]) for message in messages)

    def _talk(self, prompt: Prompt, turns: tuple[Turn, ...]) -> Conversation:
        settings = prompt.model_config
        request = Request(
            model=self.model,
            turns=turns,
            max_output_tokens=cast(int, settings["max_output_tokens"]),
            temperature=cast("float | None", settings.get("temperature")),
            cache_key=prompt.ref.content_hash,
            deadline=self.clock() + self.seconds,
        )
        return Conversation(self.wire, request, self.tracker, self.price, self.budget, provider=self.provider)


def _quoted(tool: Tool, nonce: str) -> Tool:
    """Return the tool with its results made harmless, as the evidence is: they come from pages too."""

    async def call(arguments: BaseModel) -> str:
        return material.as_data(await tool.call(arguments), nonce)

    return replace(tool, call=call)


def _early_answer(text: str) -> FactsAnswer | None:
    """Return the facts when the model gave them already as it stopped searching: that saves the last call."""
    try:
        return parse_answer(text, FactsAnswer)
    except Nonsense:
        return None


def _schema(prompt: Prompt) -> Named:
    described = cast(Mapping[str, JsonValue], prompt.response_format["json_schema"])
    return Named(cast(str, described["name"]), cast(Mapping[str, JsonValue], described["schema"]))


def _repair_turns(repair: Repair, nonce: str) -> tuple[Message, ...]:
    """Show the model its comment, what the gates found in it, and which sections to write anew."""
    before = repair.comment.model_dump_json(include={"tldr", "summary", "projects", "priority"})
    return (
        Message("assistant", material.as_data(before, nonce)),
        Message("user", material.show_repair(repair, nonce)),
    )
