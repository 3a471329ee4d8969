"""How fast a model may be asked by its server's own account; time is a number here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.llm.pace import LONGEST_TRUST, Pace


class Time:
    now = 100.0

    def __call__(self):
        return self.now


def told(pace, model="m", **figures):
    pace.told(model, {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in figures.items()})


def test_nobody_waits_for_a_server_that_says_nothing():
    assert Pace(Time()).wait("m", 1_000_000) == 0


def test_a_request_waits_until_there_is_room_again():
    time = Time()
    pace = Pace(time)
    told(pace, remaining_requests="1", reset_requests="12s")
    assert pace.wait("m", 10) == 0
    assert pace.wait("m", 10) == 12
    assert pace.wait("other", 10) == 0
    time.now += 12
    assert pace.wait("m", 10) == 0


def test_tokens_come_back_evenly_and_a_request_larger_than_the_limit_waits_for_a_full_bucket():
    time = Time()
    pace = Pace(time)
    told(pace, remaining_tokens="0", limit_tokens="60000", reset_tokens="1m0s")
    assert pace.wait("m", 15_000) == 15
    assert pace.wait("m", 1_000_000) == 60
    time.now += 15
    assert pace.wait("m", 15_000) == 0
    assert pace.wait("m", 15_000) > 0


def test_a_later_word_replaces_the_earlier_one():
    pace = Pace(Time())
    told(pace, remaining_requests="0", reset_requests="30s")
    told(pace, remaining_requests="5", reset_requests="30s")
    assert pace.wait("m", 10) == 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("6m0s", 60), ("20ms", 0.02), ("1m2.5s", 60), ("7", 7), ("1d", 60), ("0h0m3s", 3)]
)
def test_durations_are_read_in_each_form_and_believed_for_a_minute_at_most(text, seconds):
    pace = Pace(Time())
    told(pace, remaining_requests="0", reset_requests=text)
    assert pace.wait("m", 1) == pytest.approx(seconds)


@pytest.mark.parametrize("nonsense", ["", "-1", "nan", "inf", "soon", "1s2", "s", "9" * 400])
def test_figures_without_sense_hold_nobody_back(nonsense):
    pace = Pace(Time())
    told(pace, remaining_requests=nonsense, reset_requests="9s")
    told(pace, remaining_tokens=nonsense, reset_tokens="9s")
    assert pace.wait("m", 1) == 0
    told(pace, remaining_requests="0", reset_requests=nonsense)
    assert pace.wait("m", 1) <= LONGEST_TRUST


@given(st.dictionaries(st.sampled_from(["remaining", "reset", "limit"]), st.text(max_size=8)), st.floats(0, 1e9))
def test_no_header_makes_anybody_wait_longer_than_a_minute(figures, tokens):
    pace = Pace(Time())
    told(pace, **{f"{name}_tokens": value for name, value in figures.items()})
    assert 0 <= pace.wait("m", tokens) <= LONGEST_TRUST
