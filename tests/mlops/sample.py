"""Finished jobs as the bot leaves them behind: real results of all five stages, with spans."""

import itertools

from technoshare.mlops.record import JobRecord, record_of
from technoshare.mlops.tracing import Recorder
from technoshare.models import (
    Comment,
    Evidence,
    Fact,
    Facts,
    Job,
    Message,
    ProjectNote,
    PromptRef,
    Receipt,
    Record,
    Reviewed,
    Sentence,
    Snippet,
    Source,
    ToolCall,
    Trail,
    Usage,
    Verdict,
    Vote,
)
from technoshare.ports import JobTimes

START = 1_790_000_000.0
"""Some day in 2026."""

URL = "https://blog.example.org/{number}/snapshots"
_numbers = itertools.count(1)

TIMES = JobTimes(received=START, claimed=START + 0.25, first_sign=START + 0.125)


def a_job(number: int = 1, **changes) -> Job:
    ts = f"{START + number:.6f}"
    job = Job(
        key=f"v1 T1 C024BE91L {ts} {URL.format(number=number)}",
        team="T1",
        channel="C024BE91L",
        ts=ts,
        thread_ts=ts,
        user="U7",
        url=URL.format(number=number),
        text=f"worth a look: {URL.format(number=number)}",
        received=START,
    )
    return job.model_copy(update=changes)


def a_new_job() -> Job:
    """A job that no other test has: they share a server, and a trace's id follows from its job."""
    return a_job(next(_numbers))


def a_new_record(*, passed: bool = True, job: Job | None = None) -> JobRecord:
    job = job or a_new_job()
    return recorded(job, trails(job, passed=passed), passed=passed)


def recorded(job: Job, told: dict[str, Trail], *, passed: bool) -> JobRecord:
    return record_of(job, TIMES, told, "success" if passed else "degraded", app_version="0.1.0", projects_hash="5eed")


async def finish(tracker, job: Job | None = None, *, passed: bool = True) -> JobRecord:
    """The job's end, as the bot reports it; returns what should arrive."""
    job = job or a_new_job()
    told = trails(job, passed=passed)
    record = recorded(job, told, passed=passed)
    await tracker.record(job, TIMES, told, record.runs[0].tags["outcome"])
    return record


def a_vote(record: JobRecord, value: str = "up", *, user: str = "U1", at: float = START, reason: str = "") -> Vote:
    return Vote(job_id=record.job_id, generation=record.generation, user=user, value=value, at=at, reason=reason)


def evidence(job: Job) -> Evidence:
    text = f"Copying {job.ts} gigabytes took forty minutes; the increments of the same night took three."
    return Evidence(
        url=job.url,
        final_url=job.url,
        adapter="GenericAdapter",
        domain="blog.example.org",
        title="Increments instead of copies – 増分",
        coverage="full",
        snippets=(
            Snippet(id="s1", text=text, source=job.url, section="Figures", start=0, end=len(text)),
            Snippet(id="s2", text="Two mistakes on the way.", source=job.url, start=100, end=124),
        ),
    )


def facts(job: Job) -> Facts:
    return Facts(
        items=(Fact(id="f1", kind="number", text="Three minutes.", quote="the same night took three", snippet="s1"),),
        tool_calls=(ToolCall(name="search", argument="increments", content_length=320),),
        sources=(job.url,),
        model="gpt-4o",
        prompt=PromptRef(name="stage_a_extract_facts", version="yaml", content_hash="0123456789ab"),
        usage=Usage(input_tokens=1200, output_tokens=300, cached_tokens=200, cost_usd=0.006, calls=2),
    )


def comment() -> Comment:
    return Comment(
        tldr=tuple(Sentence(text=f"Sentence {n}.", facts=("f1",)) for n in range(3)),
        summary=tuple(Sentence(text=f"Sentence {n}.", facts=("f1",)) for n in range(10)),
        projects=(ProjectNote(theme="none", relevance="no link to our projects"),),
        model="gpt-4o",
        prompt=PromptRef(name="stage_b_compose_reply", version="yaml", content_hash="ba9876543210"),
        prompt_length=4321,
        usage=Usage(input_tokens=900, output_tokens=400, cost_usd=0.0055, calls=1),
    )


def reviewed(job: Job, *, passed: bool = True) -> Reviewed:
    source = Source(
        url=job.url, title="t", domain="blog.example.org", adapter="GenericAdapter", coverage="full", words=900
    )
    verdicts = (
        Verdict(check="schema_validity", section="comment", severity="block", score=1.0, passed=True),
        Verdict(
            check="tldr_sentence_count",
            section="tldr",
            severity="repair",
            score=float(passed),
            passed=passed,
            message="" if passed else "4 sentences",
        ),
    )
    outcome = "success" if passed else "degraded"
    return Reviewed(comment=comment(), source=source, verdicts=verdicts, outcome=outcome)


def receipt(job: Job) -> Receipt:
    said = Message(text=f"TLDR\nabout {job.url}", blocks=({"type": "divider"},))
    return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts="1790000009.000100", message=said)


def trails(job: Job, *, passed: bool = True) -> dict[str, Trail]:
    """All five stages of a job that went well; stage n begins at second n and takes half a second."""
    recorder = a_recorder()

    with recorder.span("retrieval.fetch_evidence", "RETRIEVER") as span:
        span.set(**evidence(job).record().attributes)
    retrieval = a_trail(1, evidence(job).record(), span)

    with recorder.span("stage_a.run", "LLM") as span:
        span.set(**facts(job).record().attributes)
        with recorder.span("llm.call", "LLM") as call:
            call.set(model="gpt-4o", provider="openai", input_cost_usd=0.003, output_cost_usd=0.003)
            call.set(**facts(job).usage.metrics())
            call.io(inputs=[{"role": "user", "content": "find facts"}], outputs={"role": "assistant", "content": "{}"})
        with recorder.span("search_tool_call", "TOOL") as tool:
            tool.set(url=job.url, content_length=320)
            tool.io(inputs=job.url, outputs="[s1] …")
    stage_a = a_trail(2, facts(job).record(), span)

    with recorder.span("stage_b.run", "LLM") as span:
        span.set(**comment().record().attributes)
    stage_b = a_trail(3, comment().record(), span)

    with recorder.span("quality_gates.validate", "CHAIN") as span:
        span.set(**reviewed(job, passed=passed).record().attributes)
    gates = a_trail(4, reviewed(job, passed=passed).record(), span)

    with recorder.span("slack.post_message", "CHAIN") as span:
        pass
    post = a_trail(5, receipt(job).record(), span)
    return {"retrieval": retrieval, "stage_a": stage_a, "stage_b": stage_b, "quality_gates": gates, "slack_post": post}


def failed_trails(job: Job) -> dict[str, Trail]:
    """The page was not there: one failed stage, and the thread was told."""
    recorder = a_recorder()
    with recorder.span("retrieval.fetch_evidence", "RETRIEVER") as span:
        span.fail("Unusable: the page is gone (404)")
    retrieval = a_trail(1, Record(), span).model_copy(
        update={"status": "error", "error": "Unusable: the page is gone (404)"}
    )
    with recorder.span("slack.post_message", "CHAIN") as span:
        pass
    return {"retrieval": retrieval, "slack_post": a_trail(2, receipt(job).record(), span)}


def a_recorder() -> Recorder:
    """Spans a quarter of a second apart, from the first stage's second on."""
    ticks = itertools.count(round(START + 1) * 4)
    return Recorder(now=lambda: next(ticks) * 250_000_000)


def a_trail(second: int, record: Record, span) -> Trail:
    return Trail(started=START + second, ended=START + second + 0.5, record=record, spans=span.finished())
