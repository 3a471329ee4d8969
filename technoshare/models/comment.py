"""What models, or the keyless engine, make of evidence: facts and the comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from technoshare.models.evidence import Snippet
from technoshare.models.record import Record, Result, Value

FactKind = Literal[
    "claim", "method", "result", "number", "limitation", "date", "licence", "person", "organisation", "availability"
]
ReadWhen = Literal["read now", "skim", "file"]
EXTRACTIVE = "extractive"
"""The model name that the keyless engine reports everywhere."""
Number = TypeVar("Number", int, float)


def _sum(a: Number | None, b: Number | None) -> Number | None:
    return b if a is None else a if b is None else a + b


class Cost(Value):
    """US dollars of one model call; `total` may hold more than input and output, such as a fee for each request."""

    input: float
    output: float
    total: float


class Usage(Value):
    """Tokens and money of one or more model calls; None means unknown, which is not 0."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    calls: int = 0

    @property
    def total_tokens(self) -> int | None:
        """Input plus output, None when the server told neither."""
        known = [n for n in (self.input_tokens, self.output_tokens) if n is not None]
        return sum(known) if known else None

    def __add__(self, other: Usage) -> Usage:
        """Sum; the known part survives an unknown one."""
        return Usage(
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            cost_usd=_sum(self.cost_usd, other.cost_usd),
            calls=self.calls + other.calls,
        )

    @classmethod
    def of(cls, metrics: Mapping[str, float]) -> Usage:
        """Return the usage that `metrics` of the contract's names tell."""
        counted = ("input_tokens", "output_tokens", "cached_tokens")
        tokens = {name: int(metrics[name]) for name in counted if name in metrics}
        return cls(**tokens, cost_usd=metrics.get("cost_usd"))

    def metrics(self) -> dict[str, float]:
        """Return the known figures under the contract's names."""
        named = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
            "cost_usd": self.cost_usd,
        }
        return {name: float(value) for name, value in named.items() if value is not None}


USAGE_METRICS = frozenset({"input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cost_usd"})
"""What turns of a stage that came to nothing add to the turn that ends it."""


class PromptRef(Value):
    """Which prompt a result came from: the registry's version ("yaml" where none is promoted) and SHA256[:12]."""

    name: str
    version: str
    content_hash: str

    def tags(self) -> dict[str, str]:
        """Return the contract's tags."""
        return {"prompt_name": self.name, "prompt_version": self.version, "content_hash": self.content_hash}


def _author_tags(model: str, remark: str, prompt: PromptRef | None) -> dict[str, str]:
    return {"model": model} | ({"fallback": remark} if remark else {}) | (prompt.tags() if prompt else {})


class ToolCall(Value):
    """One call that the model made: the tool's name, what it asked for, characters it got back."""

    name: str
    argument: str
    content_length: int


class Fact(Value):
    """One thing the evidence says: `quote` stands verbatim in snippet `snippet`."""

    id: str
    """`f1`, `f2`, …"""
    kind: FactKind
    text: str
    quote: str
    snippet: str


class Facts(Result):
    """What stage A found; facts whose quote is not in the evidence are gone and counted in `dropped`."""

    items: tuple[Fact, ...]
    dropped: int = 0
    found: tuple[Snippet, ...] = ()
    """Evidence that the tool added to what retrieval had read."""
    tool_calls: tuple[ToolCall, ...] = ()
    sources: tuple[str, ...] = ()
    """Addresses that the facts rest on."""
    model: str
    remark: str = ""
    """Why it is not the first choice that wrote, for the end of "Written by …"; empty when it is."""
    prompt: PromptRef | None = None
    usage: Usage = Usage()
    """Of everybody who tried."""

    def record(self) -> Record:
        """Contract of the stage_a run."""
        names = ",".join(call.name for call in self.tool_calls)
        return Record(
            tags=_author_tags(self.model, self.remark, self.prompt),
            metrics={
                "tool_call_count": len(self.tool_calls),
                "source_count": len(self.sources),
                "fact_count": len(self.items),
                "facts_dropped": self.dropped,
            }
            | self.usage.metrics(),
            attributes={
                "model": self.model,
                "tool_calls": names,
                "tool_call_count": len(self.tool_calls),
                "sources": ",".join(self.sources),
                "source_count": len(self.sources),
            },
            artifacts={
                "stage_a_facts.json": self.model_dump_json(indent=2),
                "sources.txt": "".join(f"{source}\n" for source in self.sources),
            },
        )


class Sentence(Value):
    """One sentence and the ids of the facts it rests on."""

    text: str
    facts: tuple[str, ...] = ()


class ProjectNote(Value):
    """What the link means for one of the team's projects; theme `none` says that it means nothing to any."""

    theme: str
    project: str = ""
    relevance: str
    why: str = ""
    facts: tuple[str, ...] = ()


NO_LINK = ProjectNote(theme="none", relevance="no link to our projects")
"""The one item of a comment that matters to none of our projects."""


class ReadPriority(Value):
    """What to do with the link itself, and why, in one sentence."""

    level: ReadWhen
    reason: str
    facts: tuple[str, ...] = ()


class Comment(Result):
    """What stage B wrote. Counts may be wrong here: the gates judge them."""

    tldr: tuple[Sentence, ...]
    summary: tuple[Sentence, ...]
    projects: tuple[ProjectNote, ...]
    priority: ReadPriority | None = None
    """None in comments of older versions, and where no honest reason was left."""
    model: str
    remark: str = ""
    """As in `Facts`."""
    prompt: PromptRef | None = None
    prompt_length: int = 0
    """Characters sent to the model; 0 for the extractive engine."""
    usage: Usage = Usage()
    """Of everybody who tried."""

    def record(self) -> Record:
        """Contract of the stage_b run."""
        return Record(
            tags=_author_tags(self.model, self.remark, self.prompt),
            metrics=self.usage.metrics(),
            attributes={"model": self.model, "prompt_length": self.prompt_length},
            artifacts={"stage_b_result.json": self.model_dump_json(indent=2)},
        )


class Project(Value):
    """One of the team's projects, from `prompts/projects.yaml`."""

    name: str
    theme: str
    description: str
    keywords: tuple[str, ...] = ()
