"""A candidate on live jobs: the real bot tries it beside what it posts, and MLflow alone sees it."""

import asyncio
import json
import shutil
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from technoshare.cli import main
from technoshare.llm.prompts import STAGE_A, STAGE_B, checked_prompt, content_of
from technoshare.mlops.waiting import read_spool
from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import ROOT, running_bot
from tests.e2e.observed import LINKS, commented, job_of, recorded, settings
from tests.mlops.prompt_samples import BASE, empty_registry
from tests.mlops.reading import everything

LINK = LINKS[0]


@pytest.fixture
def experiment() -> str:
    return f"shadow_{uuid.uuid4().hex[:8]}"


def candidate_waits(uri: str) -> None:
    """The prompts of the files are in use; a candidate waits that asks for a Summary which is too short."""
    registry = empty_registry(uri)
    for name in (STAGE_A, STAGE_B):
        registry.point(name, "prod", registry.sync(BASE.get(name))[0].version)
    asked = json.dumps(content_of(BASE.get(STAGE_B)))
    short = json.loads(asked.replace("{{least}} to {{most}} sentences", "1 to 2 sentences"))
    version, new = registry.sync(checked_prompt(STAGE_B, "yaml", short, "here"))
    assert new
    registry.point(STAGE_B, "candidate", version.version)


@asynccontextmanager
async def shadowing(folder: Path, uri: str, experiment: str, **more: str):
    """Run a bot that shadows every job; yields it with its workspace and its model server."""
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    await asyncio.to_thread(candidate_waits, uri)
    async with open_workspace() as workspace, open_model_server() as model:
        told = settings(workspace, model, folder, uri, experiment, SHADOW_SHARE="1", **more)
        async with running_bot(told) as bot:
            yield bot, workspace, model


def parents(uri: str, experiment: str, kind: str) -> list:
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment).experiment_id
    return client.search_runs([found], f"tags.kind = '{kind}'")


async def test_a_candidate_is_tried_beside_the_one_comment_compared_in_mlflow_and_forgotten_with_its_job(
    tmp_path, mlflow_server, experiment, monkeypatch
):
    async with shadowing(tmp_path, mlflow_server, experiment) as (bot, workspace, _):
        job = job_of(await commented(workspace, LINK))
        runs = await recorded(mlflow_server, experiment, job)
        tried = await recorded(mlflow_server, experiment, job, "shadow")
        posts = [call for call in workspace.calls if call.method == "chat.postMessage"]
        assert len(posts) == 1, "the shadow is not posted"
        job_is_unmixed(mlflow_server, experiment, runs)
        shadow_is_complete(mlflow_server, job, tried)
        traces_are_apart(mlflow_server, experiment, runs["job"], tried["shadow"])

        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("JOBS_URL", f"sqlite:///{tmp_path / 'data' / 'technoshare.db'}")
        assert await asyncio.to_thread(main, ["forget", job]) == 0
        async with asyncio.timeout(60):
            while read_spool(tmp_path / "data" / "mlflow-spool.db").waiting:  # noqa: ASYNC110 - the bot delivers
                await asyncio.sleep(0.2)
        left = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path)
        assert job in left, "only that there was something is left"
        assert not [word for word in (LINK, "Theme:", "diff.txt") if word in left]
        assert parents(mlflow_server, experiment, "shadow") == []
        assert await bot.stop() == 0


def job_is_unmixed(uri: str, experiment: str, runs: dict) -> None:
    """What the job did is one record, with the prompts in use, and so are its stages."""
    assert [run.info.run_id for run in parents(uri, experiment, "job")] == [runs["job"].info.run_id]
    assert set(runs) == {"job", "retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"}
    stages = {run.info.run_id for run in parents(uri, experiment, "stage")}
    assert stages == {run.info.run_id for stage, run in runs.items() if stage != "job"}
    assert runs["stage_b"].data.tags["prompt_version"] == "1"
    assert "gates_broken" not in runs["job"].data.metrics


def shadow_is_complete(uri: str, job: str, tried: dict) -> None:
    """The shadow has stages of its own, the candidate's version, and what became different."""
    shadow = tried["shadow"]
    assert shadow.info.run_name == f"shadow_{job}"
    assert set(tried) == {"shadow", "stage_a", "stage_b", "quality_gates"}
    assert [tried[stage].data.tags["prompt_version"] for stage in ("stage_a", "stage_b")] == ["1", "2"]
    assert shadow.data.metrics.items() >= {"gates_broken": 1.0, "gates_mended": 0.0, "same_text": 0.0}.items()
    client = MlflowClient(uri)
    assert {file.path for file in client.list_artifacts(shadow.info.run_id)} == {"comparison.json", "diff.txt"}
    told = json.loads(Path(client.download_artifacts(shadow.info.run_id, "comparison.json")).read_text("utf-8"))
    assert [gate["check"] for gate in told["gates"]] == ["summary_sentence_count"]


def traces_are_apart(uri: str, experiment: str, job, shadow) -> None:
    client = MlflowClient(uri)
    traces = client.search_traces(locations=[client.get_experiment_by_name(experiment).experiment_id])
    of_run = {trace.info.trace_metadata["mlflow.sourceRun"]: trace.info.tags["mlflow.traceName"] for trace in traces}
    assert of_run == {run.info.run_id: run.info.run_name for run in (job, shadow)}


async def test_with_metadata_only_the_figures_of_a_shadow_leave_and_none_of_its_words(
    tmp_path, mlflow_server, experiment
):
    async with shadowing(tmp_path, mlflow_server, experiment, MLFLOW_CONTENT="metadata") as (bot, workspace, model):
        job = job_of(await commented(workspace, LINK))
        tried = await recorded(mlflow_server, experiment, job, "shadow")
        assert tried["shadow"].data.metrics["gates_broken"] == 1.0
        assert MlflowClient(mlflow_server).list_artifacts(tried["shadow"].info.run_id) == []
        await recorded(mlflow_server, experiment, job)
        left = await asyncio.to_thread(everything, mlflow_server, experiment, tmp_path)
        assert not [words for words in sentences_asked_about(model) if words in left]
        assert await bot.stop() == 0


def sentences_asked_about(model) -> set[str]:
    """Every fact that the model was sent for a comment: whatever the job or its shadow wrote stands among them."""
    asked = " ".join(json.dumps(body, ensure_ascii=False) for body in model.bodies)
    found = {line.split(") ", 1)[-1] for line in asked.split("\\n") if line.startswith("[f")}
    assert len(found) > 10
    return found


async def test_a_bot_that_is_told_to_end_does_not_wait_for_a_shadow(tmp_path, mlflow_server, experiment):
    async with shadowing(tmp_path, mlflow_server, experiment) as (bot, workspace, model):
        model.hold("comment")
        sharing = asyncio.create_task(commented(workspace, LINK))
        await model.until_held()  # the job's own
        model.release()
        model.hold("comment")
        await recorded(mlflow_server, experiment, job_of(await sharing))
        await model.until_held()  # the shadow's, which nobody lets go
        assert await bot.stop() == 0
        assert parents(mlflow_server, experiment, "shadow") == []
