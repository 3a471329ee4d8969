"""What code knows about a page: typed, and nothing that a page may write there does any harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.models import LONGEST_METADATA, Evidence, Metadata
from tests.samples import evidence


def known(**told: object) -> dict[str, str]:
    return dict(Metadata.model_validate(told).known())


def test_the_texts_that_adapters_write_become_what_they_mean() -> None:
    read = Metadata.model_validate({"archived": "yes", "stars": "1204", "last_push": "2026-11-18", "state": "merged"})
    assert (read.archived, read.stars, read.last_push, read.state) == (True, 1204, "2026-11-18", "merged")


def test_people_read_what_is_known_in_one_order_whoever_wrote_it_in_which() -> None:
    assert list(known(stars="1204", version="v3", withdrawn="yes", kind="paper").items()) == [
        ("kind", "paper"),
        ("withdrawn", "yes"),
        ("version", "v3"),
        ("stars", "1,204"),
    ]


def test_nothing_is_different_from_zero() -> None:
    assert known(stars="0", comments=0, score=-3) == {"stars": "0", "comments": "0", "score": "-3"}
    assert known() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stars", "many"),
        ("stars", "-1"),
        ("stars", "9" * 5000),
        ("updated", "last Tuesday"),
        ("updated", "2026-11-20T09:00:00Z"),
        ("kind", "spaceship"),
        ("state", ["open"]),
        ("archived", "perhaps"),
        ("archived", ""),
        ("code", "javascript:alert(1)"),
        ("code", "https://a.example/ two"),
        ("licence", {"spdx": "MIT"}),
        ("licence", 7),
        ("weather", "fine"),
    ],
)
def test_what_is_not_what_it_should_be_is_left_out_and_the_rest_stays(name: str, value: object) -> None:
    assert known(**{name: value}, release="v1") == {"release": "v1"}


def test_a_value_is_one_line_and_not_a_book() -> None:
    read = Metadata(comment="nine pages,\n" + "two figures " * 1000)
    assert read.comment.startswith("nine pages, two figures")
    assert len(read.comment) == LONGEST_METADATA


@given(st.dictionaries(st.sampled_from(sorted(Metadata.model_fields)), st.text() | st.integers() | st.none()))
def test_whatever_a_page_says_it_validates_and_survives_a_checkpoint(told: dict[str, object]) -> None:
    read = Metadata.model_validate(told)
    assert Metadata.model_validate_json(read.model_dump_json()) == read
    assert all(isinstance(text, str) and text for _, text in read.known())


def test_a_checkpoint_of_the_time_when_metadata_was_a_dictionary_still_counts() -> None:
    old = evidence().model_dump(mode="json") | {"metadata": {"version": "v2", "withdrawn": "yes", "pages_read": "100"}}
    assert Evidence.model_validate(old).metadata == Metadata(version="v2", withdrawn=True)


def test_what_is_not_known_is_not_written_down() -> None:
    assert evidence(metadata=Metadata(stars=3)).model_dump(mode="json")["metadata"] == {"stars": 3}


def test_a_page_in_chinese_is_as_long_as_it_reads():
    page = evidence("传感器每天都会记录降雨量。" * 60)
    assert page.words >= 360
    assert page.summary_bounds[0] >= 9
