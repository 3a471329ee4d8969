import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from technoshare.llm.answers import (
    CommentAnswer,
    FactsAnswer,
    Nonsense,
    PriorityAnswer,
    RepairAnswer,
    parse_answer,
    same_shape,
    strict_schema,
)
from technoshare.models import ReadPriority
from technoshare.workspace.model_protocol import Asked, BadRequest, check
from technoshare.workspace.model_says import fill

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
FACTS = st.fixed_dictionaries(
    {"facts": st.lists(st.fixed_dictionaries({"text": TEXT, "quote": TEXT, "snippet": TEXT}), min_size=1, max_size=3)}
)
FENCE = "```"


@given(FACTS, st.sampled_from(["", "Here you are:\n", "\n\n", f"{FENCE}json\n", f"{FENCE}\n"]), TEXT)
def test_an_answer_is_found_whatever_stands_around_it(value, before, after):
    bare = parse_answer(json.dumps(value), FactsAnswer)
    assert parse_answer(f"{before}{json.dumps(value, ensure_ascii=False)}\n{FENCE}{after}", FactsAnswer) == bare


def test_braces_inside_thoughts_are_not_the_answer():
    text = '<think>{"facts": []} maybe</think>{"facts": [{"text": "a", "quote": "b", "snippet": "s1"}]}'
    assert parse_answer(text, FactsAnswer).facts[0].text == "a"


@given(st.text())
def test_any_text_is_an_answer_or_nonsense_and_never_a_crash(text):
    with pytest.raises(Nonsense):
        parse_answer(text, CommentAnswer)


@pytest.mark.parametrize(
    "text",
    [
        '{"facts": ' + "[" * 100_000,
        '{"facts": ' * 100_000,
        '{"facts": [{"text": "\\ud800", "quote": "b", "snippet": "s1"}]}',
        '{"facts": [' + "9" * 5000 + "]}",
        '{"facts": []}',
        '{"facts": null}',
    ],
)
def test_hostile_json_is_nonsense_that_can_be_told_to_the_model(text):
    with pytest.raises(Nonsense) as caught:
        parse_answer(text, FactsAnswer)
    assert str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_unknown_kind_is_a_claim_and_an_id_loses_its_brackets():
    answer = parse_answer(
        '{"facts": [{"kind": "rumour", "text": " a ", "quote": "b", "snippet": "[s4]"}, '
        '{"kind": "date", "text": "c", "quote": " ", "snippet": "s1"}]}',
        FactsAnswer,
    )
    (fact,) = answer.items()
    assert (fact.kind, fact.text, fact.snippet) == ("claim", "a", "s4")


def test_a_theme_that_repeats_its_label_loses_it():
    answer = CommentAnswer.model_validate(
        {"tldr": [{"text": "a"}], "summary": [{"text": "b"}], "projects": [{"theme": "Theme: Data", "relevance": "c"}]}
    )
    assert answer.projects[0].note().theme == "Data"


@pytest.mark.parametrize(
    ("given", "level"),
    [("read now", "read now"), ("Read_Now", "read now"), (" FILE ", "file"), ("urgent!", "skim"), (7, "skim")],
)
def test_a_read_priority_is_one_of_three_levels_and_nothing_without_a_reason(given, level):
    answer = PriorityAnswer.model_validate({"level": given, "reason": " It is new. ", "facts": ["[f2]"]})
    assert answer.priority() == ReadPriority(level=level, reason="It is new.", facts=("f2",))
    assert PriorityAnswer.model_validate({"level": given, "reason": " "}).priority() is None


def test_an_answer_without_a_priority_is_still_a_comment_and_a_repair_may_leave_sections_out():
    bare = {"tldr": [{"text": "a"}], "summary": [{"text": "b"}], "projects": []}
    assert CommentAnswer.model_validate(bare).priority.priority() is None
    assert RepairAnswer.model_validate({"tldr": [], "summary": [{"text": "b"}]}).tldr == ()
    with pytest.raises(Nonsense):
        parse_answer(json.dumps(bare | {"tldr": []}), CommentAnswer)


@pytest.mark.parametrize("shape", [FactsAnswer, CommentAnswer, RepairAnswer])
def test_the_schemas_are_strict_and_what_fits_them_can_be_read(shape):
    schema = strict_schema(shape)
    check(Asked(model="m", prompt="", rounds=0, schema_name="x", schema=schema))
    assert shape.model_validate(fill(schema))


def test_a_schema_that_is_not_strict_would_be_refused():
    with pytest.raises(BadRequest):
        check(Asked(model="m", prompt="", rounds=0, schema_name="x", schema=FactsAnswer.model_json_schema()))


def test_a_repair_is_asked_for_in_the_same_shape():
    assert strict_schema(RepairAnswer)["properties"].keys() == strict_schema(CommentAnswer)["properties"].keys()


def test_only_descriptions_may_differ_between_schemas_of_the_same_shape():
    one = strict_schema(FactsAnswer)
    described = json.loads(json.dumps(one).replace("such as s3", "such as s12"))
    renamed = json.loads(json.dumps(one).replace('"quote"', '"proof"'))
    assert described != one
    assert same_shape(one, described)
    assert not same_shape(one, renamed)


def test_a_property_may_be_called_title_or_default():
    class Arguments(BaseModel):
        title: str
        default: int = 3

    assert strict_schema(Arguments)["required"] == ["title", "default"]
