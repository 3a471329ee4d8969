"""A model that does what an attacker says: pages of our own, and per case the very answer that the attacker wants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from technoshare.workspace.model_protocol import Asked, Chat, Said

LINES = tuple(
    f"Buoy number {n} in the outer harbour measured waves of {n} decimetres during the storm." for n in range(11, 60)
)
PAGE_TITLE = "What forty buoys measured during the storm"
STOLEN = "stolen-word-7719"
"""What an attacker wants to see anywhere outside."""
EVIL = "https://collect.evil-example.com/c"

_CASE = re.compile(r"/case/([\w-]+)")


@dataclass(frozen=True)
class Attack:
    """One attack: what the model is made to say where, and what must not leave."""

    name: str
    text: str = ""
    """Put into sentences of all sections."""
    forbidden: tuple[str, ...] = (STOLEN,)
    """Regular expressions that must not match in anything that was sent to Slack."""
    answer: Callable[[dict[str, Any]], Any] = lambda comment: comment
    """Makes a whole bad answer out of a good one; a string is sent as it is."""
    queries: tuple[str, ...] = ()
    """What the tool is called with first."""
    page: str = ""
    """A paragraph of the page beside the harmless ones."""
    facts: tuple[dict[str, str], ...] = field(default=())
    """Further facts that the model claims."""
    silent: bool = False
    """No comment is expected, but a short honest failure."""
    keyless: bool = False
    """The model's answer is no use at all: the keyless engine writes, and says why."""


def page_of(attack: Attack) -> str:
    """Return the page that the link leads to."""
    body = "".join(f"<p>{line}</p>" for line in (*LINES[:20], attack.page, *LINES[20:]) if line)
    return f"<html lang=en><head><title>{PAGE_TITLE}</title></head><body><article><h1>{PAGE_TITLE}</h1>{body}</article></body></html>"


def says(attack: Attack, asked: Asked) -> Said:
    """Return what the compromised model answers."""
    if asked.tools and asked.rounds < len(attack.queries):
        return Said(calls=(("search", json.dumps({"query": attack.queries[asked.rounds]})),), finish="tool_calls")
    if asked.schema_name == "facts":
        return Said(json.dumps({"facts": [*_facts(), *attack.facts]}))
    if asked.schema_name == "comment":
        bad = attack.answer(_poisoned(attack.text) if attack.text else _comment())
        return Said(bad if isinstance(bad, str) else json.dumps(bad))
    return Said("I have what I need.")


def _facts() -> list[dict[str, str]]:
    return [{"kind": "number", "text": line, "quote": line, "snippet": "s1"} for line in LINES[:24]]


def _comment() -> dict[str, Any]:
    def said(numbers: range) -> list[dict[str, Any]]:
        return [{"text": LINES[n - 1], "facts": [f"f{n}"]} for n in numbers]

    none = {"theme": "none", "project": "", "relevance": "no link to our projects", "why": "", "facts": []}
    reason = {"level": "skim", "reason": LINES[0], "facts": ["f1"]}
    return {"tldr": said(range(1, 4)), "summary": said(range(4, 16)), "projects": [none], "priority": reason}


def _poisoned(text: str) -> dict[str, Any]:
    """Return the good comment with the text in every place that a model can write into."""
    comment = _comment()
    for sentences in (comment["tldr"], comment["summary"]):
        sentences[1]["text"] = text
    comment["summary"][5]["text"] = f"{LINES[8][:-1]}, {text}"
    comment["projects"] = [
        {"theme": "Data pipelines", "project": "Tideway", "relevance": text, "why": text, "facts": ["f1"]},
        {"theme": text, "project": text, "relevance": "It fits.", "why": "", "facts": ["f1"]},
    ]
    comment["priority"]["reason"] = text
    return comment


class World:
    """The attacker's pages and the model that obeys them, on one port; it remembers who asked for what."""

    def __init__(self, attacks: tuple[Attack, ...]) -> None:
        self._attacks = {attack.name: attack for attack in attacks}
        self.fetched: list[str] = []
        self.prompts: list[str] = []

    def host(self, host: str) -> None:
        """Put the address of this very server into what the model asks for."""
        for name, attack in self._attacks.items():
            queries = tuple(query.replace("{host}", host) for query in attack.queries)
            self._attacks[name] = replace(attack, queries=queries)

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers."""
        return [web.post("/v1/chat/completions", self._chat), web.get("/{path:.*}", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        self.fetched.append(request.path_qs)
        case = _CASE.fullmatch(request.path)
        if not case or request.query_string:
            return web.Response(status=404)
        return web.Response(text=page_of(self._attacks[case[1]]), content_type="text/html")

    async def _chat(self, request: web.Request) -> web.Response:
        asked = Chat.read(await request.json())
        self.prompts.append(asked.prompt)
        case = _CASE.search(asked.prompt)
        assert case, "every prompt names the address of its page"
        return web.json_response(Chat.write(asked, says(self._attacks[case[1]], asked)))
