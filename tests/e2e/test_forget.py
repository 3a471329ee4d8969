"""`technoshare forget` beside the real bot and a real MLflow server: nothing of the job is left, its post stays."""

import asyncio
import sys

from technoshare.jobs.report import list_jobs
from technoshare.mlops.waiting import read_spool
from technoshare.workspace.server import open_workspace
from tests.bot_process import ROOT, comments, environment, running_bot
from tests.mlops.reading import everything

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
DOCS = "https://docs.example.org/courier/retry-policy"


async def commented(workspace, url: str) -> str:
    ts = workspace.say(url)
    await workspace.until(lambda: comments(workspace, ts), timeout=60)
    return ts


async def command(settings: dict[str, str], *arguments: str) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "technoshare.cli", *arguments,
        cwd=ROOT, env=settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await child.communicate()
    assert child.returncode == 0, told.decode()
    return told.decode()


async def test_a_job_is_forgotten_by_the_running_bot_its_files_and_mlflow(mlflow_server, tmp_path):
    data = tmp_path / "data"
    async with open_workspace() as workspace:
        on = {"MLFLOW_TRACKING_URI": mlflow_server, "MLFLOW_EXPERIMENT_NAME": "forgotten",
              "MLFLOW_ENABLE_TRACKING": "true", "MLFLOW_ENABLE_TRACING": "true"}  # fmt: skip
        settings = environment(workspace, data, **on)
        async with running_bot(settings) as bot:
            ts = await commented(workspace, BLOG)
            await commented(workspace, DOCS)
            async with asyncio.timeout(90):
                while read_spool(data / "mlflow-spool.db").delivered < 2:  # noqa: ASYNC110 - another process delivers
                    await asyncio.sleep(0.2)
            (job,) = (job.id for job in list_jobs(settings["JOBS_URL"]) if job.url == BLOG)
            told = await command(settings, "forget", job)
            async with asyncio.timeout(90):
                while read_spool(data / "mlflow-spool.db").waiting:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.2)
            files = b"".join(file.read_bytes() for file in data.iterdir() if file.is_file())
            assert len(comments(workspace, ts)) == 1
            assert await bot.stop() == 0
    assert f"{job}: its post stays in Slack: http" in told
    assert BLOG.encode() not in files
    assert DOCS.encode() in files
    left = await asyncio.to_thread(everything, mlflow_server, "forgotten", tmp_path)
    assert BLOG not in left
    assert DOCS in left
