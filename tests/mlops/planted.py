"""A finished job with a word of its own in every place where content can stand, to be looked for afterwards."""

from technoshare.models import (
    Comment,
    Evidence,
    Fact,
    Facts,
    Job,
    Message,
    PromptRef,
    Receipt,
    Record,
    Reviewed,
    Round,
    Sentence,
    Snippet,
    Source,
    Trail,
    Verdict,
)
from tests.mlops import sample

OWN = 'own"pass word/7'
"""A secret setting's value, as awkward as values get."""
SECRET = "xoxb-1234567890-abcdefghij"  # no real one
SECRETS = (OWN, SECRET, "hunter2hunter2", "gr4nted")
ADDRESSES = ("hostword.example", "pathword")
CONTENT = (
    "pageword", "titleword", "messageword", "factword", "quoteword", "promptword", "answerword", "queryword",
    "commentword", "offendingword", "verdictword", "payloadword", "errorword", "tomorrowword",
)  # fmt: skip

URL = "https://name:hunter2hunter2@hostword.example/pathword?token=gr4nted&page=3"
CHANNEL = "C0PLANTED1"


def a_job(number: int, channel: str = CHANNEL) -> Job:
    text = f"messageword {URL} {OWN}"
    return sample.a_job(number, key=f"v1 T1 {channel} {number} {URL}", url=URL, text=text, channel=channel)


def trails(job: Job) -> dict[str, Trail]:
    recorder = sample.a_recorder()

    with recorder.span("retrieval.fetch_evidence", "RETRIEVER") as retrieval:
        retrieval.set(**evidence(job).record().attributes)

    with recorder.span("stage_a.run", "LLM") as stage_a:
        stage_a.set(**facts(job).record().attributes)
        with recorder.span("llm.call", "LLM") as call:
            call.set(
                model="gpt-4o", provider="openai", finish="stop", input_tokens=10, output_tokens=5, total_tokens=15
            )
            call.io(
                inputs=[{"role": "user", "content": f"promptword {SECRET}"}],
                outputs={"role": "assistant", "content": '{"facts": "answerword\\n' + SECRET + '"}'},
            )
        with recorder.span("search_tool_call", "TOOL") as tool:
            tool.set(query="queryword", content_length=12)
            tool.io(inputs="queryword", outputs="pageword")
            tool.fail("errorword could not be read")

    with recorder.span("quality_gates.validate", "CHAIN") as gates:
        gates.set(**reviewed(job).record().attributes)

    with recorder.span("tomorrow.run", "CHAIN") as tomorrow:
        tomorrow.set(mood="tomorrowword", mood_score=0.5, url={"said": "tomorrowword"}, outcome=["tomorrowword"])

    with recorder.span("slack.post_message", "CHAIN") as post:
        post.fail(f"ValidationError: input_value='errorword {OWN}'")

    new = Record(
        tags={"mood": "tomorrowword"}, metrics={"mood_score": 0.5}, artifacts={"mood.txt": f"tomorrowword {SECRET}"}
    )
    failed = Trail(
        started=sample.START + 5,
        ended=sample.START + 6,
        status="error",
        error="Unusable: errorword",
        record=receipt(job).record(),
        spans=post.finished(),
    )
    return {
        "retrieval": sample.a_trail(1, evidence(job).record(), retrieval),
        "stage_a": sample.a_trail(2, facts(job).record(), stage_a),
        "quality_gates": sample.a_trail(3, reviewed(job).record(), gates),
        "tomorrow": sample.a_trail(4, new, tomorrow),
        "slack_post": failed,
    }


def evidence(job: Job) -> Evidence:
    text = f"pageword and {SECRET}"
    return Evidence(
        url=job.url,
        final_url=job.url,
        adapter="GenericAdapter",
        domain="hostword.example",
        title="titleword",
        coverage="full",
        snippets=(Snippet(id="s1", text=text, source=job.url, start=0, end=len(text)),),
    )


def facts(job: Job) -> Facts:
    return Facts(
        items=(Fact(id="f1", kind="claim", text="factword", quote="quoteword", snippet="s1"),),
        sources=(job.url,),
        model="gpt-4o",
        prompt=PromptRef(name="stage_a_extract_facts", version="7", content_hash="0123456789ab"),
    )


def reviewed(job: Job) -> Reviewed:
    verdict = Verdict(
        check="grounding",
        section="summary",
        severity="repair",
        score=0.0,
        passed=False,
        message="verdictword is not in the evidence",
        offending=("offendingword",),
    )
    source = Source(url=job.url, title="titleword", domain="hostword.example", adapter="x", coverage="full", words=9)
    comment = Comment(tldr=(Sentence(text="commentword"),), summary=(), projects=(), model="gpt-4o")
    rounds = (Round(number=0, failures=(verdict,)),)
    return Reviewed(comment=comment, source=source, verdicts=(verdict,), rounds=rounds, outcome="degraded")


def receipt(job: Job) -> Receipt:
    said = Message(text=f"payloadword commentword {job.url}", blocks=({"type": "divider"},))
    return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts="1790000009.000100", message=said)
