"""A bot that asks the scripted model and is observed in MLflow, and what MLflow then tells about its jobs."""

import asyncio

from mlflow import MlflowClient
from mlflow.entities import Run

from technoshare.workspace.model import ModelServer
from technoshare.workspace.server import Workspace
from tests.bot_process import comments, environment

LINKS = (
    "https://blog.example.org/2026/11/incremental-snapshots",
    "https://docs.example.org/courier/retry-policy",
    "https://github.com/technoshare-samples/ledgerline",
)


def settings(
    workspace: Workspace, model: ModelServer, folder, uri: str, experiment: str, **more: str
) -> dict[str, str]:
    """What such a bot needs; it looks at once whether prompts were promoted."""
    return environment(
        workspace,
        folder / "data",
        OPENAI_BASE_URL=model.base_url,
        LLM_MODEL="scripted",
        MLFLOW_TRACKING_URI=uri,
        MLFLOW_EXPERIMENT_NAME=experiment,
        MLFLOW_ENABLE_TRACKING="true",
        MLFLOW_ENABLE_TRACING="true",
        PROMPTS_DIR=str(folder / "prompts"),
        PROMPT_REFRESH_SECONDS="0.2",
        **more,
    )


async def commented(workspace: Workspace, url: str) -> dict:
    """Share a link; return its one comment."""
    ts = workspace.say(url)
    await workspace.until(lambda: comments(workspace, ts), timeout=60)
    (comment,) = comments(workspace, ts)
    return comment


def job_of(comment: dict) -> str:
    """Id of the job that a comment answers."""
    return comment["metadata"]["event_payload"]["job_id"]


async def recorded(uri: str, experiment: str, job: str, kind: str = "job") -> dict[str, Run]:
    """Wait until MLflow has the job, or its shadow, as a whole; return its runs by stage, the parent as `kind`."""
    client = MlflowClient(uri)
    async with asyncio.timeout(60):
        while True:
            for found in client.search_experiments(filter_string=f"name = '{experiment}'"):
                runs = client.search_runs([found.experiment_id], f"tags.job_id = '{job}'")
                parent = next((run for run in runs if run.data.tags["kind"] == kind), None)
                if parent and parent.info.status == "FINISHED":
                    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
                    return {kind: parent} | {run.data.tags["stage"]: run for run in nested}
            await asyncio.sleep(0.2)  # another process works; MLflow cannot tell when it is done
