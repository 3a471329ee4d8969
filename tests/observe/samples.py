"""A morning in a channel, recorded by the real bot with a scripted model: what a person then looks at in MLflow."""

from __future__ import annotations

from pathlib import Path

from technoshare.workspace.model import Behaviour, open_model_server
from technoshare.workspace.server import open_workspace
from tests.bench.__main__ import open_pages
from tests.bot_process import comments, environment, running_bot
from tests.observe.files import until_delivered

BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
LINKS = (
    BLOG,
    "https://docs.example.org/courier/retry-policy",
    "https://github.com/technoshare-samples/ledgerline",
    "https://arxiv.org/abs/2611.99901",
    "https://notes.example.org/til/sqlite-user-version",
    "https://blog.example.org/2019/old-post",  # is gone: an apology
    f"{BLOG}?utm_source=mail",  # a duplicate
    "http://127.0.0.1:{port}/7",
)


async def record(folder: Path, mlflow: str, experiment: str) -> None:
    """Post the links one after the other; returns when MLflow has all of them."""
    async with (
        open_workspace() as workspace,
        open_pages() as port,
        open_model_server(Behaviour(latency=0.1, jitter=0.6)) as model,
    ):
        settings = environment(
            workspace,
            folder,
            FETCH_ALLOW_HOSTS=f"127.0.0.1:{port}",
            OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY="sk-test-0000",
            LLM_API="chat",
            MLFLOW_TRACKING_URI=mlflow,
            MLFLOW_EXPERIMENT_NAME=experiment,
            MLFLOW_ENABLE_TRACKING="true",
            MLFLOW_ENABLE_TRACING="true",
        )
        async with running_bot(settings) as bot:
            for link in LINKS:
                ts = workspace.say(f"worth a look: {link.format(port=port)}")
                await workspace.until(lambda ts=ts: comments(workspace, ts), timeout=60)
            await until_delivered(folder, len(LINKS), timeout=120)
            await bot.stop()
