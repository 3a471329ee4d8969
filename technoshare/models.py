"""The nouns: frozen values that travel between stages, into checkpoints and out to MLflow.

Everything here is data (JSON both ways); collaborators live in `ports`. Sequences are tuples, so a value never
changes under a reader; a changed value is a `model_copy(update=…)`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NewType, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from technoshare.text import count_words

JobId = NewType("JobId", str)

FORGOTTEN = "forgotten"
"""The error of a job of which nothing but its id is left."""

JobState = Literal["ready", "running", "done", "dead"]
Outcome = Literal["success", "degraded", "failed", "duplicate", "withdrawn"]
Coverage = Literal["full", "partial", "abstract", "metadata", "none"]
SpanKind = Literal["RETRIEVER", "LLM", "TOOL", "CHAIN"]
FactKind = Literal[
    "claim", "method", "result", "number", "limitation", "date", "licence", "person", "organisation", "availability"
]
Severity = Literal["block", "repair", "fix", "warn"]
SectionName = Literal["comment", "tldr", "summary", "projects", "priority"]
"""What a verdict is about; `comment` is all of it."""
ReadWhen = Literal["read now", "skim", "file"]

ContentMode = Literal["full", "metadata", "none"]
"""How much of a job MLflow is told: everything, nothing that anybody wrote, not even addresses."""

EXTRACTIVE = "extractive"
"""The model name that the keyless engine reports everywhere."""

LONGEST_METADATA = 500
"""Characters of one value; more is text, and text belongs into snippets."""

FULL_LENGTH_WORDS = 400
"""From this many words of evidence on a Summary has 10 to 15 sentences (DESIGN, section 8)."""


class Value(BaseModel):
    """A frozen value without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---------------------------------------------------------------- what a job leaves behind


class Assessment(Value):
    """What a check says about the job: passed or not, or a rate; `rationale` is what a person would write about it."""

    name: str
    value: bool | float
    rationale: str = ""


class Record(Value):
    """What a stage's result adds to its nested run and span, and to the trace's assessments.

    Metrics are numbers, tags short text.
    """

    tags: dict[str, str] = {}
    metrics: dict[str, float] = {}
    attributes: dict[str, JsonValue] = {}
    artifacts: dict[str, str] = {}
    """File name → text."""
    assessments: tuple[Assessment, ...] = ()


class Span(Value):
    """One finished span. Ids are hex (16 digits), times are nanoseconds since the epoch."""

    id: str
    parent: str | None
    name: str
    kind: SpanKind
    start: int
    end: int
    status: Literal["ok", "error"] = "ok"
    attributes: dict[str, JsonValue] = {}
    inputs: JsonValue = None
    outputs: JsonValue = None


class Trail(Value):
    """How a stage went: what its nested MLflow run and its part of the trace are made from. Times: unix seconds."""

    started: float
    ended: float
    status: Literal["ok", "error"] = "ok"
    error: str = ""
    record: Record = Record()
    spans: tuple[Span, ...] = ()

    @property
    def seconds(self) -> float:
        """Wall-clock time of the stage."""
        return max(0.0, self.ended - self.started)


class Checkpoint(Value):
    """A stage's result and its trail in one row; a failed stage leaves a trail and no result."""

    result: JsonValue
    trail: Trail


class Result(Value):
    """What a stage returns."""

    def record(self) -> Record:
        """Return what this result contributes to tracking and tracing (see DESIGN, section 3)."""
        return Record()


class ContentPolicy(Value):
    """Which mode counts where."""

    default: ContentMode = "full"
    channels: dict[str, ContentMode] = {}

    def of(self, channel: str) -> ContentMode:
        """Return the channel's mode; where nobody knows the channel, the strictest one counts."""
        if channel:
            return self.channels.get(channel, self.default)
        modes: tuple[ContentMode, ...] = ("none", "metadata", "full")
        return next(mode for mode in modes if mode in (self.default, *self.channels.values()))


# ---------------------------------------------------------------- the job


class Job(Value):
    """One link of one Slack message, to be answered once in that message's thread."""

    key: str
    team: str
    channel: str
    ts: str
    """The message that holds the link."""
    thread_ts: str
    """Where the answer goes: the message itself, or the thread that it was broadcast from."""
    user: str
    url: str
    text: str = ""
    """The message as its author sees it."""
    unread: tuple[str, ...] = ()
    """Links of the same message beyond the limit, named in this job's reply instead of read."""
    received: float
    """Unix seconds when the event arrived."""
    generation: int = 0
    """Grows with each Retry or Write again; every generation has its own checkpoints."""

    @property
    def id(self) -> JobId:
        """12 hex digits, the same in every bot that sees the same link."""
        return JobId(hashlib.sha256(self.key.encode()).hexdigest()[:12])


class Submitted(Value):
    """Answer of `JobEngine.submit`: `fresh` is False when the key was known already."""

    job_id: JobId
    fresh: bool


# ---------------------------------------------------------------- retrieval


class Page(Value):
    """One HTTP answer, whatever its status. `url` is the final address, `body` is decompressed and capped."""

    url: str
    status: int
    headers: dict[str, str]
    """Lower-case names."""
    content_type: str
    """Without parameters, lower case; empty when the server named none."""
    body: bytes


class Snippet(Value):
    """A piece of evidence; `start` and `end` are character offsets in the extracted text of `source`."""

    id: str
    """`s1`, `s2`, … in reading order."""
    text: str
    source: str
    section: str = ""
    page: int | None = None
    start: int
    end: int


class Section(Value):
    """A stretch of a document's text under one heading, or one page of a PDF."""

    title: str = ""
    page: int | None = None
    start: int
    end: int


class Document(Value):
    """What the parser process makes of one body: main text and what the page says about itself."""

    text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    """Where each sentence starts and ends, as far as the parser process has looked already."""
    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    language: str = ""
    obstacle: str = ""
    """What stands between a reader and the text, as far as the body itself shows it."""
    metadata: dict[str, str] = {}


Kind = Literal[
    "repository", "issue", "pull request", "release", "file", "folder", "gist", "commit",
    "model", "dataset", "paper", "story", "question", "video", "article",
]  # fmt: skip
Day = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]
"""An ISO date, whole or not: `2026`, `2026-11`, `2026-11-23`."""
Count = Annotated[int, Field(ge=0, le=10**12)]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


class Metadata(Value):
    """What code, not the model, knows about a page; empty, None and False mean that nobody told.

    Adapters may write it as a dictionary of strings (`"yes"` for what is true). Names that are not known here, and
    values that are not what they should be, are left out: a page can say anything.
    """

    model_config = ConfigDict(extra="ignore")

    kind: Kind | None = None
    state: Literal["open", "closed", "merged"] | None = None
    withdrawn: bool = False
    archived: bool = False
    accepted: bool = False
    version: str = ""
    """The one that was read."""
    newest: str = ""
    """The newest version, where an older one was read."""
    updated: Day = ""
    release: str = ""
    released: Day = ""
    last_push: Day = ""
    licence: str = ""
    code: Address = ""
    """Where the code of a paper or model lies, by the page's own words."""
    homepage: str = ""
    language: str = ""
    """The programming language."""
    stars: Count | None = None
    likes: Count | None = None
    downloads: Count | None = None
    score: Annotated[int, Field(ge=-(10**12), le=10**12)] | None = None
    comments: Count | None = None
    answers: Count | None = None
    pages: Count | None = None
    duration: str = ""
    site: str = ""
    parent: str = ""
    """What this is a part or a copy of."""
    labels: str = ""
    topics: str = ""
    categories: str = ""
    journal: str = ""
    doi: str = ""
    comment: str = ""

    def known(self) -> Iterator[tuple[str, str]]:
        """Yield name and text of what is known, the most telling first, as replies, prompts and `read` show it."""
        for name, value in self.model_dump().items():
            yield name, "yes" if value is True else f"{value:,}" if isinstance(value, int) else value

    @field_validator("*", mode="wrap")
    @classmethod
    def _lenient(cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return validate(" ".join(value.split())[:LONGEST_METADATA] if isinstance(value, str) else value)
        except ValidationError:
            return cls.model_fields[str(info.field_name)].default

    @model_serializer(mode="wrap")
    def _told(self, dump: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        return {name: value for name, value in dump(self).items() if value not in ("", None) and value is not False}


class Evidence(Result):
    """What was read for a link, and how much of it."""

    url: str
    """As posted."""
    final_url: str
    """After redirects."""
    adapter: str
    """`ArxivAdapter`, `GithubAdapter`, `GenericAdapter`, …"""
    domain: str
    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    """ISO date as far as known: `2026`, `2026-11`, `2026-11-23`."""
    language: str = "en"
    coverage: Coverage
    obstacle: str = ""
    """Why it is not more: `login_wall`, `pay_wall`, `bot_wall`, `empty_page`, `not_found`, … or empty."""
    snippets: tuple[Snippet, ...]
    metadata: Metadata = Metadata()

    @property
    def words(self) -> int:
        """Number of words in all snippets, also of texts that write no spaces."""
        return sum(count_words(snippet.text) for snippet in self.snippets)

    @property
    def summary_bounds(self) -> tuple[int, int]:
        """Fewest and most Summary sentences that this much evidence allows."""
        return summary_bounds(self.words)

    def record(self) -> Record:
        """Tags, metric and artifact of the retrieval run."""
        tags = {"adapter_name": self.adapter, "domain": self.domain, "coverage": self.coverage}
        return Record(
            tags=tags | ({"obstacle": self.obstacle} if self.obstacle else {}),
            metrics={"snippet_count": len(self.snippets)},
            attributes={
                "url": self.url,
                "adapter": self.adapter,
                "domain": self.domain,
                "coverage": self.coverage,
                "snippet_count": len(self.snippets),
            },
            artifacts={"evidence.json": self.model_dump_json(indent=2)},
        )


def summary_bounds(words: int) -> tuple[int, int]:
    """Return the allowed number of Summary sentences for a source of so many words."""
    least = 10 if words >= FULL_LENGTH_WORDS else max(3, math.ceil(10 * words / FULL_LENGTH_WORDS))
    return least, 15


# ---------------------------------------------------------------- model work

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


# ---------------------------------------------------------------- gates and replies


class Verdict(Value):
    """How one check judged a comment: 1.0 or 0.0, or a rate; `message` is what a person would write about a failure."""

    check: str
    section: SectionName
    severity: Severity
    score: float
    passed: bool
    message: str = ""
    offending: tuple[str, ...] = ()
    """The texts that are wrong, as they stood in the comment."""
    expected: str = ""
    """What would have been right: the rule in one sentence."""


class Round(Value):
    """What the gates found before the text as posted: number 0 is the comment as written, 1 and 2 are repairs."""

    number: int
    failures: tuple[Verdict, ...]


class Source(Value):
    """What a reply says about where it comes from."""

    url: str
    title: str
    domain: str
    adapter: str
    coverage: Coverage
    obstacle: str = ""
    words: int
    published: str = ""
    authors: tuple[str, ...] = ()
    metadata: Metadata = Metadata()


class Reviewed(Result):
    """A comment as it may leave, with the verdicts on exactly this text and the notes that readers see."""

    kind: Literal["comment"] = "comment"
    comment: Comment
    source: Source
    verdicts: tuple[Verdict, ...]
    rounds: tuple[Round, ...] = ()
    """The comment as written, then each repair; only those in which a gate failed."""
    repairs: int = 0
    """How often the writer was asked again."""
    usage: Usage = Usage()
    """Of the repairs alone."""
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    job_id: JobId | None = None
    """None leaves the buttons for votes out."""
    generation: int = 0
    outcome: Literal["success", "degraded"]

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """Verdicts that did not pass."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    def record(self) -> Record:
        """Contract of the quality_gates run: the figures describe the text as posted, failures.txt every round."""
        total, failed = len(self.verdicts), len(self.failures)
        rate = (total - failed) / total if total else 0.0
        told = "".join((*map(_told, self.rounds), _told(Round(number=-1, failures=self.failures)) if failed else ""))
        return Record(
            metrics={
                "gate_total": total,
                "gate_failures": failed,
                "gate_pass_rate": rate,
                "gate_passed": float(failed == 0),
                "repair_rounds": self.repairs,
            }
            | {f"check_{verdict.check}": verdict.score for verdict in self.verdicts}
            | self.usage.metrics(),
            attributes={"gate_failures": failed, "gate_total": total, "gate_pass_rate": rate},
            artifacts={"failures.txt": told} if told else {},
            assessments=tuple(map(_assessment, self.verdicts)),
        )


def _assessment(verdict: Verdict) -> Assessment:
    """Return a verdict as the trace shows it: always yes or no, since MLflow sums a name's values."""
    return Assessment(name=verdict.check, value=verdict.passed, rationale=verdict.message)


_ROUNDS = {-1: "as posted", 0: "as written"}


def _told(round_: Round) -> str:
    """Return a round as failures.txt shows it: gate, section, severity, what is wrong, where, what is expected."""
    lines = [f"== {_ROUNDS.get(round_.number, f'after repair {round_.number}')}"]
    for verdict in round_.failures:
        lines.append(f"{verdict.check} ({verdict.section}, {verdict.severity}): {verdict.message}")
        lines += [f"    offending: {text}" for text in verdict.offending]
        lines += [f"    expected: {verdict.expected}"] if verdict.expected else []
    return "\n".join(lines) + "\n"


class AlreadyShared(Value):
    """The same page was shared in this channel before: one line instead of a second comment."""

    kind: Literal["already_shared"] = "already_shared"
    user: str
    at: float
    permalink: str
    unread: tuple[str, ...] = ()
    outcome: Literal["duplicate"] = "duplicate"


class Apology(Value):
    """A short honest failure: what could not be done, why, and which job a click on Retry takes up again."""

    kind: Literal["apology"] = "apology"
    url: str
    reason: str
    obstacle: str = ""
    preview: str = ""
    """What Slack's own preview says, where nothing could be read."""
    unread: tuple[str, ...] = ()
    job_id: JobId | None = None
    """None leaves the button out."""
    generation: int = 0
    """The job's own: a button works as long as the job is still of this one."""
    outcome: Literal["failed"] = "failed"

    @classmethod
    def of(cls, job: Job, reason: str, obstacle: str, preview: str = "") -> Apology:
        """Return the apology for a job that the pipeline could not answer."""
        return cls(
            url=job.url,
            reason=reason,
            obstacle=obstacle,
            preview=preview,
            unread=job.unread,
            job_id=job.id,
            generation=job.generation,
        )


Reply = Annotated[Reviewed | AlreadyShared | Apology, Field(discriminator="kind")]
"""What the post stage turns into one Slack message."""


class Message(Value):
    """What Slack is sent: the plain-text form and the blocks."""

    text: str
    blocks: tuple[dict[str, JsonValue], ...]


class Receipt(Result):
    """Proof of the one post."""

    channel: str
    thread_ts: str
    ts: str
    message: Message

    def record(self) -> Record:
        """Contract of the slack_post run."""
        return Record(artifacts={"slack_payload.json": self.model_dump_json(indent=2)})


class Share(Value):
    """A line of the ledger: which page was shared where, by whom, and what became of it."""

    job_id: JobId
    channel: str
    ts: str
    thread_ts: str
    user: str
    url: str
    final_url: str
    at: float
    outcome: Outcome
    reply_ts: str = ""
    evidence: Evidence | None = None
    comment: Comment | None = None


class Click(Value):
    """Somebody pressed 👍 or 👎 under a post, as Slack tells it; nothing in it is known to be true yet."""

    job_id: JobId
    generation: int
    channel: str
    ts: str
    """Of the post."""
    user: str
    value: Literal["up", "down"]
    at: float
    """Slack's own time of the click, unix seconds: one that is delivered twice has it twice."""


class Vote(Value):
    """What somebody thinks of a comment. One person has one vote on each: the last one counts."""

    job_id: JobId
    generation: int
    """Which of the job's comments: a Retry makes another one."""
    channel: str = ""
    """Where the comment stands: it decides whether MLflow is told the reason. Empty: the strictest rule counts."""
    user: str
    """Slack's user id, never a name."""
    value: Literal["up", "down", "none"]
    """`none` takes an earlier vote back."""
    reason: str = ""
    at: float
    """Unix seconds."""


class Complaint(Value):
    """A comment that somebody voted down, with what it was made from."""

    job_id: JobId
    generation: int
    url: str
    evidence: Evidence
    reasons: tuple[str, ...]
    """As they were kept, one for each 👎 that has one."""


class Alert(Value):
    """A line to be said once, since a rate fell below what is wanted."""

    token: str
    """Marks its one post."""
    line: str
