"""A bot that is killed while it replays loses nothing, doubles nothing and mixes nothing up."""

import asyncio

from tests.mlops.killing import replay_under_kills
from tests.mlops.reading import assert_complete, votes


async def test_a_replay_that_is_killed_three_times_delivers_everything_once_and_linked(
    mlflow_server, experiment, tmp_path
):
    killed = await replay_under_kills(mlflow_server, experiment, tmp_path, records=24, kills=3)
    assert killed.kills == 3
    assert (len(killed.spool.waiting), len(killed.spool.shelved)) == (0, 0)
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, *killed.records)
    for record in killed.records:
        told = await asyncio.to_thread(votes, mlflow_server, record)
        assert told == ([("U1", True, None)] if record.job_id in killed.votes else [])
