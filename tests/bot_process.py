"""The real `python bot.py` as a child process, for end-to-end tests and benchmarks."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from technoshare.workspace.server import Workspace

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE")


class BotProcess:
    """A running bot; `log` grows with what it writes to standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[str] = []
        self._grown = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip())
            async with self._grown:
                self._grown.notify_all()
        async with self._grown:
            self._grown.notify_all()

    async def said(self, words: str, within: float = 30.0, *, since: int = 0) -> str:
        """Return the first log line from number `since` on that contains `words`; fails if the bot ends or stays silent."""

        def found() -> str | None:
            return next((line for line in self.log[since:] if words in line), None)

        async with asyncio.timeout(within), self._grown:
            await self._grown.wait_for(lambda: found() or self._reader.done() or self.process.stderr.at_eof())
        line = found()
        assert line, f"the bot never said {words!r}:\n" + "\n".join(self.log)
        return line

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        self.process.kill()
        await self.ended()

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), 60)
        await self._reader
        return code


def comments(workspace: Workspace, ts: str, channel: str | None = None) -> list[dict]:
    """What bots said in the thread of a message."""
    return [reply for reply in workspace.replies(ts, channel) if reply.get("bot_id")]


def environment(workspace: Workspace, folder: Path, **more: str) -> dict[str, str]:
    """What a bot needs to work against `workspace` and nothing of the machine's own settings."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
        "TECHNOSHARE_CHANNEL_ID": workspace.channel,
        "JOBS_URL": f"sqlite:///{folder / 'technoshare.db'}",
        "MLFLOW_ENABLE_TRACKING": "false",
        "MLFLOW_ENABLE_TRACING": "false",
        "FETCH_SNAPSHOTS": str(ROOT / "evalsets" / "snapshots"),
    } | more  # fmt: skip


@asynccontextmanager
async def running_bot(settings: dict[str, str], *, wait: str = "ready") -> AsyncIterator[BotProcess]:
    """Start `bot.py` and wait until its log says `wait`; whatever is left of it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "bot.py"), cwd=ROOT, env=settings, stderr=asyncio.subprocess.PIPE
    )
    bot = BotProcess(process)
    try:
        if wait:
            await bot.said(wait)
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
        await bot.ended()
