"""What a reader sees and what is recorded of each kind of bad answer, over both wires."""

import pytest
import pytest_asyncio

from tests.llm.bad_answers import FROM_STAGE_B, KINDS, LASTING, MODEL, ONCE, end_of, open_reading

BEYOND_REPAIR = {"refusal", "quota", "stream", "too_long", "401", "404", "422"}
PARKING = {"429", "500", "503", "reset", "hang", "drip", "cut", "html", "not_json"}
PARKING |= {"error_body", "empty_body", "stream_cut", "stream_error"}
STAGES = {"retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"}

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one parser for all
kinds = pytest.mark.parametrize("fault", KINDS)


@pytest.fixture(params=["chat", "responses"])
def api(request):
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reading():
    async with open_reading() as parts:
        yield parts


@kinds
async def test_a_single_one_costs_a_reader_nothing_where_another_try_can_help(fault, api, reading):
    end = await end_of(fault, api, ONCE, reading)
    author = "extractive, no model, because " + KINDS[fault] if fault in BEYOND_REPAIR else MODEL
    assert end.line == f"Written by: {author}"
    assert (end.outcome, end.parks, set(end.statuses.values())) == ("success", 0, {"FINISHED"})
    assert end.tokens == end.told > 0


@kinds
async def test_a_lasting_one_ends_in_a_comment_by_the_keyless_engine_that_says_why(fault, api, reading):
    end = await end_of(fault, api, LASTING, reading)
    reason = KINDS[fault]
    assert end.line == ("Written by: gpt-4o" if not reason else f"Written by: extractive, no model, because {reason}")
    assert end.outcome == "success"
    assert end.statuses == dict.fromkeys(STAGES, "FINISHED")
    assert bool(end.parks) is (fault in PARKING)
    assert end.tags["stage_a"]["model"] == end.tags["stage_b"]["model"] == ("extractive" if reason else MODEL)
    assert end.tags["stage_a"].get("fallback", "") == (f"no model, because {reason}" if reason else "")
    assert end.tokens == end.told
    assert end.calls > 0


@kinds
async def test_one_that_begins_with_the_comment_keeps_the_models_facts_and_counts_both(fault, api, reading):
    end = await end_of(fault, api, FROM_STAGE_B, reading)
    reason = KINDS[fault]
    author = f"extractive, from gpt-4o's facts, because {reason}" if reason else MODEL
    assert end.line == f"Written by: {author}"
    assert end.tags["stage_a"]["model"] == MODEL
    assert end.tags["stage_b"]["model"] == ("extractive" if reason else MODEL)
    assert end.tokens == end.told > 0


async def test_what_a_parked_turn_had_paid_for_is_counted_with_the_turn_that_ends_the_stage(api, reading):
    end = await end_of("503", api, ("", ""), reading)  # after the search, of which the next turns know nothing
    assert end.parks > 0
    assert end.tags["stage_a"]["model"] == "extractive"
    assert end.tokens == end.told > 0


@pytest.mark.parametrize("fault", sorted(BEYOND_REPAIR | {"bad_json", "wrong_schema", "length", "empty"}))
async def test_without_the_keyless_engine_the_thread_gets_the_reason_and_mlflow_the_tokens(fault, api, reading):
    end = await end_of(fault, api, FROM_STAGE_B, reading, keyless=False)
    assert f": {KINDS[fault]}." in end.text
    assert end.outcome == "failed"
    assert end.statuses == {
        "retrieval": "FINISHED", "stage_a": "FINISHED", "stage_b": "FAILED", "slack_post": "FINISHED"
    }  # fmt: skip
    assert KINDS[fault] in end.tags["stage_b"]["error"]
    assert end.tokens == end.told > 0
