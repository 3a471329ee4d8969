"""What a person with access to MLflow can find: everything is read back from a real server and searched."""

import asyncio
import json
import uuid
from pathlib import Path

import pytest
from mlflow import MlflowClient

from technoshare.mlops.privacy import Privacy
from technoshare.mlops.tracking import open_tracker
from technoshare.models import ContentPolicy
from tests.mlops import planted, sample

FIRST = 3_000_000
OTHER = "C0PLANTED2"


def everything(uri: str, experiment: str, folder: Path, job_id: str) -> str:
    """Return all that MLflow holds of a job, as one text: runs, tags, artifacts, traces, spans, assessments."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment).experiment_id
    runs = client.search_runs([found], f"tags.job_id = '{job_id}'")
    traces = client.search_traces(locations=[found], filter_string=f"tag.job_id = '{job_id}'")
    assert (len(runs), len(traces)) == (6, 1)
    told = [json.dumps([run.to_dictionary() for run in runs], ensure_ascii=False)]
    told += [client.get_trace(trace.info.trace_id).to_json() for trace in traces]
    for run in runs:
        for file in client.list_artifacts(run.info.run_id):
            told.append(Path(client.download_artifacts(run.info.run_id, file.path, str(folder))).read_text("utf-8"))
            told.append(file.path)
    return "\n".join(told)


async def recorded(uri: str, experiment: str, folder: Path, policy: ContentPolicy, *jobs) -> None:
    """Let a bot's tracker record the jobs, and wait until MLflow has them."""
    async with open_tracker(
        uri=uri,
        experiment=experiment,
        tracking=True,
        tracing=True,
        spool=folder / "mlflow-spool.db",
        app_version="0.1.0+3ac1cf4",
        projects_hash="5eed",
        busy=lambda: False,
        privacy=Privacy(policy, (planted.OWN,)),
    ) as tracker:
        for job in jobs:
            await tracker.record(job, sample.TIMES, planted.trails(job), "failed")
        async with asyncio.timeout(120):
            while (await tracker.spool.counts())["delivered"] < len(jobs):  # noqa: ASYNC110 - nothing in the bot ever waits for it
                await asyncio.sleep(0.05)


def found(words, text: str) -> list[str]:
    return [word for word in words if word in text or json.dumps(word)[1:-1] in text]


LEFT = {
    "full": planted.CONTENT + planted.ADDRESSES,
    "metadata": planted.ADDRESSES,
    "none": (),
}


@pytest.mark.parametrize("mode", LEFT)
async def test_mlflow_holds_what_the_mode_allows_and_never_a_secret(mlflow_server, tmp_path, mode):
    experiment, job = f"technoshare_{uuid.uuid4().hex[:8]}", planted.a_job(FIRST + list(LEFT).index(mode))
    await recorded(mlflow_server, experiment, tmp_path, ContentPolicy(default=mode), job)
    told = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path, job.id)
    assert found(planted.SECRETS, told) == []
    assert found(planted.CONTENT + planted.ADDRESSES, told) == list(LEFT[mode])
    assert job.id in told
    assert "mood_score" in told
    assert ("sources.txt" in told) == (mode != "none")


async def test_a_channel_with_a_mode_of_its_own_is_told_less_of(mlflow_server, tmp_path):
    experiment = f"technoshare_{uuid.uuid4().hex[:8]}"
    open_, closed = planted.a_job(FIRST + 100), planted.a_job(FIRST + 101, OTHER)
    policy = ContentPolicy(default="full", channels={OTHER: "none"})
    await recorded(mlflow_server, experiment, tmp_path, policy, open_, closed)
    of_open = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path, open_.id)
    of_closed = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path, closed.id)
    assert found(planted.CONTENT, of_open) == list(planted.CONTENT)
    assert found(planted.CONTENT + planted.ADDRESSES, of_closed) == []


async def test_what_must_not_be_told_does_not_even_wait_in_the_spool(tmp_path):
    job = planted.a_job(FIRST + 200)
    async with open_tracker(
        uri="http://127.0.0.1:9", experiment="x", tracking=True, tracing=True, spool=tmp_path / "mlflow-spool.db",
        app_version="", projects_hash="", busy=lambda: True, privacy=Privacy(ContentPolicy(default="none"), (planted.OWN,)),
    ) as tracker:  # fmt: skip
        await tracker.record(job, sample.TIMES, planted.trails(job), "failed")
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()).decode("utf-8", "replace")
    assert job.id in kept
    assert found(planted.CONTENT + planted.ADDRESSES + planted.SECRETS, kept) == []
