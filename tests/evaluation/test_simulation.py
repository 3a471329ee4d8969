"""How sure the live gate is, by the committed thresholds; docs/evaluation.md has the whole table."""

from tests.evaluation.simulation import Design, alarms

DESIGN = Design(examples=40, epochs=3, spread=4.0)


def test_at_most_six_in_a_hundred_unchanged_evaluations_are_called_worse():
    assert alarms(DESIGN, drop=0.0, repetitions=600) <= 0.06


def test_a_drop_of_twenty_points_is_seen_nine_times_in_ten():
    assert alarms(DESIGN, drop=0.2, repetitions=200) >= 0.9
