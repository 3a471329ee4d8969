"""Twenty kills in CI; `make crash` does 200. The loop is only worth something if it finds what it looks for."""

from tests.crash.loop import Plan, crash
from tests.crash.toll import Stages


async def test_nothing_is_lost_doubled_or_done_again_however_often_the_bot_is_killed(tmp_path):
    toll = await crash(Plan(kills=20), tmp_path, print)
    assert toll.events >= 120
    assert toll.clean, toll.table()


async def test_without_the_look_up_the_same_loop_finds_duplicate_comments(tmp_path):
    toll = await crash(Plan(kills=3, dropped=0.5, blind=True), tmp_path, print)
    assert toll.dropped
    assert toll.duplicates > 0, toll.table()
    assert not toll.clean


def test_a_stage_that_begins_again_counts_only_when_it_had_finished():
    stages = Stages()
    finished = {("0123456789ab", 0, "retrieval")}
    begins = "DEBUG technoshare.stages  begins: 0123456789ab 0 {}"
    stages.count(begins.format("retrieval"), finished=set())
    assert stages.again == []
    stages.count("\n".join(begins.format(name) for name in ("stage_a", "stage_b")), finished)
    stages.count(begins.format("stage_b"), finished)
    assert (stages.again, stages.in_flight) == ([], 1)
    stages.count(begins.format("retrieval"), finished)
    assert stages.again == [("0123456789ab", 0, "retrieval")]


def test_a_stage_that_begins_again_in_one_life_after_a_later_one_counts_too():
    stages = Stages()
    log = "\n".join(f"begins: 0123456789ab 0 {name}" for name in ("retrieval", "stage_a", "retrieval"))
    stages.count(log, finished=set())
    assert stages.again == [("0123456789ab", 0, "retrieval")]
