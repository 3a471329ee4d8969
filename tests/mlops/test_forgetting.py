"""A job is forgotten also by an MLflow that is away when it is told, and never comes back."""

import asyncio

from technoshare.mlops import tracking
from tests.mlops.breakable import open_road
from tests.mlops.reading import assert_complete, delivered, everything
from tests.mlops.sample import a_new_job, a_vote, finish


async def test_a_delivered_job_is_forgotten_while_one_waits_for_the_answer(
    mlflow_server, experiment, tracker_to, tmp_path
):
    async with tracker_to() as tracker:
        record, other = await finish(tracker), await finish(tracker)
        await tracker.vote(a_vote(record, reason="secret reason"))
        await delivered(tracker, 3)
        assert await tracker.forget(record.job_id) == 0
        assert "has forgotten it" in await tracker.forgotten(record.job_id)
    left = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path)
    assert not any(words in left for words in (record.runs[0].tags["target_url"], "secret reason"))
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, other)


async def test_while_mlflow_is_away_the_order_waits_and_what_waited_never_arrives(
    mlflow_server, experiment, tracker_to, tmp_path, monkeypatch
):
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    job = a_new_job()
    url = job.url
    with open_road(mlflow_server) as road:
        async with tracker_to(uri=road.url) as tracker:
            first = await finish(tracker, job)
            await delivered(tracker, 1)
            road.cut()
            await finish(tracker, job.model_copy(update={"generation": 1}))
            await tracker.vote(a_vote(first))
            assert await asyncio.to_thread(road.refused.wait, 60)
            assert await tracker.forget(job.id) == 2
            assert "as soon as it can be reached" in await tracker.forgotten(job.id)
            other = await finish(tracker)
    async with tracker_to() as tracker:  # the next bot, and MLflow is back
        await tracker.spool.forgotten(job.id)
        for generation in range(3):
            await finish(tracker, job.model_copy(update={"generation": generation}))
        await delivered(tracker, 2)
    left = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path)
    assert url not in left
    await asyncio.to_thread(assert_complete, mlflow_server, experiment, other)
