"""The rules of promotion, without any MLflow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.mlops.promotion import Evaluation, Record, happened, qualifying, undoable
from technoshare.mlops.prompt_version import Refusal
from technoshare.models import EXTRACTIVE

LIVE = {"stage_a": "aaa", "stage_b": "bbb"}


def an_evaluation(**changed) -> Evaluation:
    told = {"run_id": "r1", "mode": "live", "model": "gpt-x", "verdict": "pass", "hashes": LIVE, "pass_rate": 0.9}
    return Evaluation.model_validate(told | changed)


def a_record(number: int, action: str, before: str, after: str) -> Record:
    return Record(
        number=number, action=action, prompt_name="p", from_=before, to=after, content_hash="h", who="me", when="now"
    )


def test_the_newest_evaluation_that_came_to_a_verdict_decides():
    good, bad, broken = an_evaluation(), an_evaluation(verdict="fail", run_id="r2"), an_evaluation(verdict="error")
    assert qualifying([good, bad], LIVE, "gpt-x") == good
    assert qualifying([broken, good], LIVE, "gpt-x") == good
    with pytest.raises(Refusal, match=r"its newest evaluation failed with a pass rate of 90% \(run r2\)"):
        qualifying([bad, good], LIVE, "gpt-x")


def test_the_address_of_a_model_server_is_no_part_of_the_models_name():
    assert qualifying([an_evaluation(model="qwen")], LIVE, "qwen@http://10.0.0.5:8000/v1")


@pytest.mark.parametrize(
    ("evaluations", "model", "told"),
    [
        ([], "gpt-x", "not evaluated yet"),
        ([an_evaluation(mode="embedded", model=EXTRACTIVE)], "gpt-x", "mode embedded, in which no model reads the"),
        ([an_evaluation(mode="replay")], "gpt-x", "mode replay"),
        ([an_evaluation(model="small")], "gpt-x", "evaluated with small, the bot uses gpt-x"),
        ([an_evaluation(hashes=LIVE | {"stage_a": "old"})], "gpt-x", "not evaluated together with stage_a aaa"),
        ([an_evaluation(hashes={"stage_b": "bbb"})], "gpt-x", "not evaluated together with stage_a aaa"),
        ([an_evaluation(verdict="error")], "gpt-x", "no verdict"),
        ([an_evaluation(verdict="")], "gpt-x", "no verdict"),
        ([an_evaluation(verdict="fail")], "gpt-x", "newest evaluation failed"),
        ([an_evaluation(model=EXTRACTIVE)], EXTRACTIVE, "no model is set here"),
    ],
)
def test_a_promotion_is_refused_with_the_reason(evaluations, model, told):
    with pytest.raises(Refusal, match=told):
        qualifying(evaluations, LIVE, model)


def test_an_evaluation_says_in_its_tags_what_it_evaluated():
    tags = {"kind": "evaluation", "mode": "live", "prompt.stage_a": "yaml:aaa", "prompt.stage_b": "7:bbb"}
    found = Evaluation.of("r1", tags, {"overall_pass_rate": 0.5})
    assert (found.hashes, found.pass_rate, found.verdict) == (LIVE, 0.5, "")


def test_a_record_comes_back_from_its_tags():
    record = a_record(3, "rollback", "2", "none").model_copy(update={"forced": True, "reason": "wörds"})
    tags = record.tags() | {"mlflow.user": "me"}
    assert tags["kind"] == "promotion"
    assert tags["from"] == "2"
    assert Record.model_validate(tags) == record


def test_a_move_that_was_killed_took_place_when_prod_stands_where_it_led():
    first, killed = a_record(1, "promote", "none", "1"), a_record(2, "promote", "1", "2")
    assert happened([(killed, False), (first, True)], "2") == (first, killed)
    assert happened([(killed, False), (first, True)], "1") == (first,)
    later = a_record(3, "promote", "1", "3")
    assert happened([(later, True), (killed, False), (first, True)], "3") == (first, later)
    later = a_record(3, "promote", "2", "3")
    assert happened([(later, True), (killed, False), (first, True)], "3") == (first, killed, later)


@given(st.lists(st.sampled_from(["promote", "rollback"]), max_size=30), st.data())
def test_each_rollback_leads_one_step_further_back(actions, data):
    """Against the plain model: a pile of what `prod` was."""
    prod, pile, records = "none", [], []
    for number, action in enumerate(actions, start=1):
        standing = undoable(happened(records, prod))
        assert [record.from_ for record in standing] == pile
        if action == "promote":
            new = str(number)
            pile.append(prod)
        elif standing:
            new = standing[-1].from_
            assert new == pile.pop()
        else:
            continue
        record = a_record(number, action, prod, new)
        killed_before_the_move = data.draw(st.booleans())
        if killed_before_the_move:
            records.append((record, False))
            if action == "promote":
                pile.pop()
            else:
                pile.append(new)
            continue
        records.append((record, data.draw(st.booleans())))
        prod = new
