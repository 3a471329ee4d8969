"""Moving `prod` in a real registry."""

import dataclasses
import json

import pytest
from mlflow import MlflowClient

from technoshare.llm.prompts import STAGE_A, STAGE_B
from technoshare.mlops.promoting import Promotions
from technoshare.mlops.prompt_registry import PromptRegistry
from technoshare.mlops.prompt_version import Refusal
from technoshare.mlops.replay import Away
from tests.mlops.breakable import open_road
from tests.mlops.prompt_samples import NOW, a_prompt, aliases, empty_registry, files, note_evaluation


@pytest.fixture
def registry(mlflow_server) -> PromptRegistry:
    return empty_registry(mlflow_server)


@pytest.fixture
def promotions(registry, tmp_path) -> Promotions:
    return promotions_of(registry, tmp_path)


def promotions_of(registry: PromptRegistry, folder) -> Promotions:
    return Promotions(registry, files(), folder / "PROMOTIONS.jsonl", "Ada", lambda: NOW)


def sync(registry: PromptRegistry, a: str = "", b: str = "") -> list:
    """Sync both prompts; return them."""
    book = files(a, b)
    prompts = [book.get(name) for name in (STAGE_A, STAGE_B)]
    for prompt in prompts:
        registry.sync(prompt)
    return prompts


def prod(registry: PromptRegistry) -> tuple[str | None, str | None]:
    return tuple(aliases(registry, name).get("prod") for name in (STAGE_A, STAGE_B))


def test_what_passed_together_is_promoted_together_and_both_records_say_why(registry, promotions):
    prompts = sync(registry)
    run_id = note_evaluation(registry, *prompts)
    records = promotions.promote(None, model="gpt-x")
    assert prod(registry) == ("1", "1")
    for record, prompt, run in zip(
        records, prompts, reversed(registry.runs.find("tags.kind = 'promotion'")), strict=True
    ):
        assert run.data.tags.items() >= record.tags().items()
        assert record.tags() == {
            "kind": "promotion",
            "number": "1",
            "action": "promote",
            "prompt_name": prompt.ref.name,
            "from": "none",
            "to": "1",
            "content_hash": prompt.ref.content_hash,
            "who": "Ada",
            "when": "2026-11-18T11:06:40Z",
            "evaluation_run": run_id,
            "dataset_name": "own",
            "dataset_digest": "d1g357",
            "model": "gpt-x",
            "verdict": "pass",
            "forced": "false",
            "reason": "",
        }
    lines = [json.loads(line) for line in promotions.log.read_text("utf-8").splitlines()]
    assert [(line["prompt_name"], line["from"], line["to"], line["who"]) for line in lines] == [
        (STAGE_A, "none", "1", "Ada"),
        (STAGE_B, "none", "1", "Ada"),
    ]
    assert promotions.promote(None, model="gpt-x") == ()
    assert len(promotions.log.read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"mode": "embedded", "model": "extractive"}, "mode embedded"),
        ({"model": "small"}, "evaluated with small"),
        ({"verdict": "fail"}, "newest evaluation failed"),
        ({f"prompt.{STAGE_A}": "3:0123456789ab"}, f"not evaluated together with {STAGE_A}"),
        ({f"prompt.{STAGE_B}": "yaml:0123456789ab"}, "not evaluated yet"),
    ],
)
def test_without_a_passing_evaluation_of_that_very_text_prod_stays(registry, promotions, tags, told):
    note_evaluation(registry, *sync(registry), **tags)
    with pytest.raises(Refusal, match=rf"{STAGE_B} version 1 \(\w+\) is not promoted: .*{told}"):
        promotions.promote(STAGE_B, model="gpt-x")
    assert prod(registry) == (None, None)
    assert not registry.runs.find("tags.kind = 'promotion'")
    assert not promotions.log.exists()


def test_one_prompt_is_promoted_only_with_the_other_that_stays_live(registry, promotions):
    a1, b1 = sync(registry)
    note_evaluation(registry, a1, b1)
    promotions.promote(None, model="gpt-x")
    a2, b2 = sync(registry, a=" New.", b=" New.")
    note_evaluation(registry, a2, b2)
    with pytest.raises(Refusal, match=f"not evaluated together with {STAGE_A} {a1.ref.content_hash}"):
        promotions.promote(STAGE_B, model="gpt-x")
    note_evaluation(registry, a1, b2)
    promotions.promote(STAGE_B, model="gpt-x")
    assert prod(registry) == ("1", "2")


def test_the_candidate_goes_before_what_was_synced_after_it(registry, promotions):
    one = sync(registry)
    note_evaluation(registry, *one)
    registry.passed([prompt.ref for prompt in one])
    sync(registry, b=" Not evaluated.")
    assert [record.to for record in promotions.promote(None, model="gpt-x")] == ["1", "1"]
    with pytest.raises(Refusal, match=r"version 2 .* not evaluated yet"):
        promotions.promote(None, model="gpt-x")


def test_a_forced_promotion_is_recorded_as_one(registry, promotions):
    sync(registry)
    (record,) = promotions.promote(STAGE_A, model="gpt-x", force="the model server is down, see #12")
    assert (record.forced, record.reason, record.evaluation_run) == (True, "the model server is down, see #12", "")
    assert prod(registry) == ("1", None)


def test_a_version_that_the_bot_would_refuse_cannot_even_be_forced(registry, promotions, mlflow_server):
    sync(registry)
    MlflowClient(mlflow_server, mlflow_server).set_prompt_version_tag(STAGE_B, "1", "content_hash", "0123456789ab")
    with pytest.raises(Refusal, match="changed by hand"):
        promotions.promote(STAGE_B, model="gpt-x", force="now")


def test_each_rollback_goes_one_promotion_further_back_and_in_the_end_to_nothing(registry, promotions):
    for words in ("", " Two.", " Three."):
        note_evaluation(registry, *sync(registry, b=words))
        promotions.promote(None, model="gpt-x")
    assert prod(registry) == ("1", "3")
    assert [record.tags()["to"] for record in promotions.rollback(None)] == ["2"]
    assert prod(registry) == ("1", "2")
    promotions.rollback(None)
    assert prod(registry) == ("1", "1")
    assert [record.to for record in promotions.rollback(None)] == ["none", "none"], "they came together"
    assert prod(registry) == (None, None)
    assert registry.prod(STAGE_B).withdrawn
    with pytest.raises(Refusal, match="no promotion is left"):
        promotions.rollback(None)
    promotions.promote(STAGE_B, model="gpt-x", force="again")
    assert [record.prompt_name for record in promotions.rollback(STAGE_B)] == [STAGE_B]


def test_a_prod_that_was_moved_by_hand_is_not_rolled_back(registry, promotions):
    sync(registry)
    promotions.promote(STAGE_B, model="gpt-x", force="first")
    sync(registry, b=" Two.")
    registry.point(STAGE_B, "prod", "2")
    with pytest.raises(Refusal, match="prod is 2, the last record says 1"):
        promotions.rollback(STAGE_B)


def test_a_run_of_somebody_else_in_the_experiment_disturbs_nothing(registry, promotions):
    registry.runs.begin("theirs", {"kind": "promotion"})
    sync(registry)
    promotions.promote(STAGE_B, model="gpt-x", force="first")
    assert promotions.rollback(None)[0].to == "none"


def test_a_promotion_that_was_killed_anywhere_is_finished_by_the_next_and_can_be_rolled_back(registry, promotions):
    registry.sync(a_prompt())
    with open_road(registry.uri) as road:
        over_the_road = dataclasses.replace(promotions, registry=PromptRegistry(road.url, lambda: NOW))
        over_the_road.promote(STAGE_B, model="gpt-x", which="1", force="first")
        writing = range(road.requests - 9, road.requests)  # what comes before only reads
        for cut in writing:
            version = registry.sync(a_prompt(words=f" Text {cut}."))[0].version
            road.cut(after=cut)
            with pytest.raises(Away):
                over_the_road.promote(STAGE_B, model="gpt-x", which=version, force="next")
            promotions.promote(STAGE_B, model="gpt-x", which=version, force="next")
            assert prod(registry) == (None, version), f"cut after {cut} requests"
            assert promotions.rollback(STAGE_B)[0].to == "1", f"cut after {cut} requests"
            road.mend()
    assert promotions.rollback(STAGE_B)[0].to == "none"
