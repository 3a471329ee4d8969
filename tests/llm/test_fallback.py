"""Who writes when the first choice does not: models in their order, then the keyless engine, which says why."""

import json

import pytest

from technoshare.errors import Transient, Unusable
from technoshare.llm.extractive import Extractive
from technoshare.llm.fallback import LONGEST_PARKING, PATIENCE, Fallback
from technoshare.llm.wire import Answer, Failed
from technoshare.llm.writer import ModelWriter
from technoshare.models import EXTRACTIVE, Cost, Usage, Verdict
from technoshare.ports import Repair
from tests.llm.samples import PROJECTS, PROMPTS, KeptSpans, evidence

EVIDENCE = evidence()
SHORT = evidence(("One whole sentence stands on this page.",))
FACTS = json.dumps({"facts": [{"kind": "claim", "text": "It works.", "quote": "works", "snippet": "s1"}] * 20})
SENTENCE = {"text": "It works.", "facts": ["f1"]}
COMMENT = json.dumps({"tldr": [SENTENCE] * 3, "summary": [SENTENCE] * 10, "projects": []})
USED = Usage(input_tokens=100, output_tokens=10, cost_usd=0.5, calls=1)
HALF_A_DOLLAR = Cost(input=0.3, output=0.2, total=0.5)

QUOTA = Failed("the model's account has no credit left (429)", again="never", obstacle="model_quota")
DOWN = Failed("the model cannot be reached", again="now", obstacle="model_unreachable")


def busy(after):
    return Failed("the model is busy (429)", again="now", after=after, obstacle="model_busy")


class Wire:
    """Answers or fails in turn; the last turn is repeated."""

    name = "scripted"

    def __init__(self, *turns):
        self._turns = list(turns)
        self.asked = 0

    async def ask(self, request):
        self.asked += 1
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        if turn == "good":
            turn = FACTS if request.schema.name == "facts" else COMMENT
        if isinstance(turn, Failed):
            raise Failed(str(turn), again=turn.again, after=turn.after, obstacle=turn.obstacle)
        return Answer(turn, "stop", usage=USED) if isinstance(turn, str) else turn


class Time:
    now = 0.0

    def __call__(self):
        return self.now


def writer_of(*wires, last=True, clock=None):
    models = tuple(
        ModelWriter(
            wire,
            model=f"model-{number}",
            prompts=PROMPTS,
            projects=PROJECTS,
            tracker=KeptSpans(),
            price=lambda _model, _usage: HALF_A_DOLLAR,
        )
        for number, wire in enumerate(wires, start=1)
    )
    return Fallback(models, Extractive() if last else None, clock=clock or Time(), jitter=lambda: 0.5)


async def both(writer):
    facts = await writer.facts(EVIDENCE, tools=())
    return facts, await writer.comment(EVIDENCE, facts)


async def test_where_all_goes_well_nobody_remarks_on_it():
    facts, comment = await both(writer_of(Wire("good"), Wire("good")))
    assert [(value.model, value.remark) for value in (facts, comment)] == [("model-1", "")] * 2


async def test_the_next_model_writes_both_when_the_first_cannot():
    first, second = Wire(QUOTA), Wire("good")
    facts, comment = await both(writer_of(first, second))
    remark = "because the model's account has no credit left (429)"
    assert [(value.model, value.remark) for value in (facts, comment)] == [("model-2", remark)] * 2
    assert facts.record().tags["fallback"] == comment.record().tags["fallback"] == remark
    assert first.asked == 1  # what failed for the facts is not asked for the comment


async def test_the_keyless_engine_writes_in_the_end_and_says_why():
    facts, comment = await both(writer_of(Wire(QUOTA)))
    assert facts.model == comment.model == EXTRACTIVE
    assert comment.remark == "no model, because the model's account has no credit left (429)"


async def test_a_model_that_fails_after_the_facts_leaves_them_to_the_keyless_engine():
    facts, comment = await both(writer_of(Wire("good", QUOTA)))
    assert (facts.model, comment.model) == ("model-1", EXTRACTIVE)
    assert comment.remark == "from model-1's facts, because the model's account has no credit left (429)"
    assert {id_ for sentence in comment.summary for id_ in sentence.facts} <= {fact.id for fact in facts.items}


async def test_what_failed_attempts_used_is_counted_whoever_wrote():
    facts, _ = await both(writer_of(Wire("no JSON"), Wire("good")))
    assert facts.model == "model-2"
    assert facts.usage == USED + USED + USED
    facts, _ = await both(writer_of(Wire("no JSON")))
    assert facts.model == EXTRACTIVE
    assert facts.record().metrics["total_tokens"] == 220


async def test_a_refusal_is_not_carried_from_model_to_model():
    second = Wire("good")
    facts = await writer_of(Wire(Answer("No.", "refusal", usage=USED)), second).facts(EVIDENCE, tools=())
    assert facts.model == EXTRACTIVE
    assert facts.remark == "no model, because the model declined to answer"
    assert second.asked == 0


async def test_without_the_keyless_engine_the_failure_is_told_with_what_it_cost():
    with pytest.raises(Unusable, match="were not JSON") as caught:
        await writer_of(Wire("no JSON"), last=False).facts(EVIDENCE, tools=())
    assert caught.value.obstacle == "model_bad_json"
    assert caught.value.metrics == {"input_tokens": 200, "output_tokens": 20, "total_tokens": 220, "cost_usd": 1.0}


async def test_a_page_too_short_for_the_keyless_engine_gets_both_reasons():
    with pytest.raises(Unusable, match=r"no credit left .* and the page has only 1 whole sentences"):
        await writer_of(Wire(QUOTA)).facts(SHORT, tools=())
    with pytest.raises(Transient, match="cannot be reached"):
        await writer_of(Wire(DOWN), clock=Time()).facts(SHORT, tools=())


# ---------------------------------------------------------------- waiting or not


async def test_a_model_that_was_heard_of_a_moment_ago_is_waited_for_and_not_for_long():
    time = Time()
    writer = writer_of(Wire(DOWN), clock=time)
    parked = 0
    while True:
        try:
            facts = await writer.facts(EVIDENCE, tools=())
        except Transient as late:
            parked += 1
            time.now += late.after
        else:
            break
    assert facts.remark == "no model, because the model cannot be reached"
    assert parked == 4
    assert time.now <= PATIENCE
    assert (await writer.facts(EVIDENCE, tools=())).model == EXTRACTIVE  # and the next job does not wait again


async def test_patience_begins_anew_once_the_model_has_answered():
    time = Time()
    writer = writer_of(Wire(DOWN, "good", DOWN), clock=time)
    with pytest.raises(Transient):
        await writer.facts(EVIDENCE, tools=())
    time.now += 1000
    assert (await writer.facts(EVIDENCE, tools=())).model == "model-1"
    with pytest.raises(Transient):
        await writer.facts(EVIDENCE, tools=())


async def test_a_hanging_model_has_used_up_the_patience_by_itself():
    time = Time()

    class Hanging:
        name = "hanging"

        async def ask(self, request):
            time.now += 170
            raise Failed("the model did not answer in time", again="now")

    assert (await writer_of(Hanging(), clock=time).facts(EVIDENCE, tools=())).model == EXTRACTIVE


async def test_nobody_waits_for_a_model_while_another_one_is_there():
    facts, _ = await both(writer_of(Wire(DOWN), Wire("good")))
    assert (facts.model, facts.remark) == ("model-2", "because the model cannot be reached")


async def test_a_server_may_ask_a_job_to_wait_for_minutes_but_not_for_ever():
    time = Time()
    writer = writer_of(Wire(busy(200)), clock=time)
    for _ in range(3):
        with pytest.raises(Transient) as caught:
            await writer.facts(EVIDENCE, tools=())
        assert caught.value.after == 200
        time.now += 200
    assert time.now <= LONGEST_PARKING
    assert (await writer.facts(EVIDENCE, tools=())).model == EXTRACTIVE
    assert (await writer_of(Wire(busy(86_400)), clock=Time()).facts(EVIDENCE, tools=())).model == EXTRACTIVE


async def test_without_the_keyless_engine_a_job_is_parked_for_as_long_as_the_server_asks():
    with pytest.raises(Transient) as caught:
        await writer_of(Wire(busy(7200)), last=False).facts(EVIDENCE, tools=())
    assert caught.value.after == 7200


# ---------------------------------------------------------------- repairs


async def test_a_repair_is_asked_of_the_author_and_falls_to_nobody_else():
    verdict = Verdict(check="x", section="tldr", severity="repair", score=0, passed=False, message="No.")
    first, second = Wire(QUOTA), Wire("good", "good", "good", QUOTA)
    writer = writer_of(first, second)
    facts, comment = await both(writer)
    again = await writer.comment(EVIDENCE, facts, repair=Repair(comment, (verdict,), ("tldr",), 1))
    assert (again.model, again.remark, first.asked) == ("model-2", comment.remark, 1)
    with pytest.raises(Unusable, match="no credit left"):
        await writer.comment(EVIDENCE, facts, repair=Repair(comment, (verdict,), ("tldr",), 1))
    keyless = writer_of(Wire(QUOTA))
    facts, comment = await both(keyless)
    assert (
        await keyless.comment(EVIDENCE, facts, repair=Repair(comment, (verdict,), ("tldr",), 1))
    ).model == EXTRACTIVE
