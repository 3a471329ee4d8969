"""Two bots that write to one server at the same moment, each from its own spool: nothing is mixed up."""

import asyncio

import pytest

from tests.mlops.reading import assert_complete, delivered, everything, votes
from tests.mlops.sample import a_vote, finish

JOBS = 6


@pytest.mark.parametrize("shared", [True, False], ids=["one experiment", "an experiment each"])
async def test_the_records_votes_and_forgettings_of_two_bots_stay_apart(
    mlflow_server, experiment, tracker_to, tmp_path, shared
):
    theirs = experiment if shared else f"{experiment}_theirs"
    async with (
        tracker_to(spool=tmp_path / "mine" / "spool.db") as one,
        tracker_to(spool=tmp_path / "theirs" / "spool.db", experiment=theirs) as two,
    ):
        told = [await finish(bot, passed=n % 2 > 0) for n in range(JOBS) for bot in (one, two)]
        for bot, record, user in ((one, told[2], "U1"), (two, told[3], "U2")):
            await bot.vote(a_vote(record, user=user))
        for bot in (one, two):
            await delivered(bot, JOBS + 1)
        await one.forget(told[0].job_id)
        await one.spool.forgotten(told[0].job_id)
    mine, others = told[2::2], told[1::2]
    if shared:
        await asyncio.to_thread(assert_complete, mlflow_server, experiment, *mine, *others)
    else:
        await asyncio.to_thread(assert_complete, mlflow_server, experiment, *mine)
        await asyncio.to_thread(assert_complete, mlflow_server, theirs, *others)
    assert told[0].runs[0].tags["target_url"] not in everything(mlflow_server, experiment, tmp_path)
    assert votes(mlflow_server, told[2]) == [("U1", True, None)]
    assert votes(mlflow_server, told[3]) == [("U2", True, None)]
