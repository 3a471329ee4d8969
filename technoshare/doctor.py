"""Is everything there that a bot needs? One finding for each thing, with what to do about it.

Nothing is changed, nothing is posted, no model is paid. Each check stands alone: one that fails or
hangs spoils no other.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from technoshare.errors import ConfigError, TechnoShareError
from technoshare.jobs.control import socket_of
from technoshare.jobs.engine import file_of
from technoshare.jobs.health import LATE
from technoshare.jobs.report import list_jobs
from technoshare.llm.opening import split_address
from technoshare.llm.prompts import load_projects, load_prompts
from technoshare.llm.wire import OPENAI_URL, Failed
from technoshare.logs import scrub
from technoshare.mlops import tuning
from technoshare.mlops.waiting import read_spool
from technoshare.models import EXTRACTIVE, Value
from technoshare.settings import Settings
from technoshare.slack.preflight import known_bot, look_at, open_socket_url
from technoshare.slack.web import open_patient_client
from technoshare.text import duration

SECONDS = 10.0
"""The most that a check may take."""

ASKING = 4.0
"""Seconds for one answer of a server."""

MANY_RUNS = 5_000
"""From so many on, a database of MLflow without statistics sorts for minutes."""


class Finding(Value):
    """What a check found: `good`, `bad`, or `none` where there is nothing to judge; `advice` only when bad."""

    check: str
    state: Literal["good", "bad", "none"]
    told: str
    advice: str = ""


def good(check: str, told: str) -> Finding:
    """Return a finding of something that works."""
    return Finding(check=check, state="good", told=told)


def bad(check: str, told: str, advice: str = "") -> Finding:
    """Return a finding of something that does not."""
    return Finding(check=check, state="bad", told=told, advice=advice)


def nothing(check: str, told: str) -> Finding:
    """Return a finding of something that is off, or that cannot be judged from here."""
    return Finding(check=check, state="none", told=told)


Check = Callable[[Settings], AsyncIterator[Finding]]


async def examine(settings: Settings, *, seconds: float = SECONDS) -> tuple[Finding, ...]:
    """Run all checks at once; return what they found, in their order."""
    await asyncio.to_thread(_import_clients, settings)
    found = await asyncio.gather(*(_alone(name, check, settings, seconds) for name, check in CHECKS))
    return tuple(finding for findings in found for finding in findings)


def _import_clients(settings: Settings) -> None:
    """Import openai and mlflow where they are needed: it takes seconds that no check is to be charged with."""
    with suppress(ImportError):  # the check itself will tell
        if settings.model != EXTRACTIVE:
            import technoshare.llm.reaching  # noqa: PLC0415 - see above
        if settings.mlflow_tracking_uri.startswith("http"):
            import technoshare.mlops.reaching  # noqa: F401, PLC0415


async def _alone(name: str, check: Check, settings: Settings, seconds: float) -> list[Finding]:
    """Run one check; whatever it ends with is its last finding."""
    findings = []
    try:
        async with asyncio.timeout(seconds):
            async for finding in check(settings):
                findings.append(finding)  # noqa: PERF401 - those before an error count too
    except TimeoutError:
        findings.append(bad(name, f"no answer within {seconds:g} s"))
    except TechnoShareError as error:
        findings.append(bad(name, str(error)))
    except Exception as error:  # noqa: BLE001 - a check that cannot be made must not hide the others
        findings.append(bad(name, f"{type(error).__name__}: {error}", "this is a fault of the check; report it"))
    return [finding.model_copy(update={"told": scrub(finding.told)}) for finding in findings]


async def _settings(settings: Settings) -> AsyncIterator[Finding]:
    """Settings that cannot be read end the command before it begins, with their own line."""
    del settings
    read = ".env and " if os.path.isfile(".env") else ""  # noqa: PTH113, ASYNC240 - a look of microseconds
    yield good("settings", f"from {read}the environment")


# ---------------------------------------------------------------- Slack


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    bot_token, app_token = settings.slack()
    async with open_patient_client(bot_token, settings.slack_api_url) as client:
        bot = await known_bot(client)
        yield good("Slack bot token", f"@{bot['user']} in {bot['team']}, all scopes granted")
        try:
            await open_socket_url(client, app_token)
            yield good("Slack app token", "may open a socket")
        except ConfigError as error:
            yield bad("Slack app token", str(error))
        for channel in settings.channels:
            look = await look_at(client, channel, str(bot["user"]))
            yield bad("channel", f"{look.name}: {look.trouble}") if look.trouble else good("channel", look.name)


# ---------------------------------------------------------------- who writes


async def _model(settings: Settings) -> AsyncIterator[Finding]:
    if settings.model == EXTRACTIVE:
        why = "asked for" if settings.llm_model == EXTRACTIVE else "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set"
        yield nothing("model", f"the built-in extractive engine writes: {why}")
        return
    for entry in settings.models:
        name, elsewhere = split_address(entry)
        key = None if elsewhere or settings.openai_api_key is None else settings.openai_api_key.get_secret_value()
        yield await _listed(name, elsewhere or settings.openai_base_url or OPENAI_URL, key)


async def _listed(name: str, address: str, key: str | None) -> Finding:
    from technoshare.llm.reaching import listed_models  # noqa: PLC0415 - imported already, with openai

    try:
        models = await listed_models(address, key, seconds=ASKING)
    except Failed as failed:
        advice = "check OPENAI_BASE_URL and OPENAI_API_KEY; until then the next of LLM_FALLBACKS writes"
        return bad("model", f"{name} at {_shown(address)}: {failed}", advice)
    if name in models:
        return good("model", f"{name} at {_shown(address)}")
    told = "keeps no list of models" if not models else f"does not list it, but {', '.join(sorted(models)[:5])}"
    return nothing("model", f"{name}: {_shown(address)} {told}; `technoshare comment URL` tries it")


async def _prompts(settings: Settings) -> AsyncIterator[Finding]:
    if settings.model == EXTRACTIVE:
        yield nothing("prompts", "not used without a model")
    else:
        load_prompts(settings.prompts_dir)
        yield good("prompts", f"both in {settings.prompts_dir}")


async def _projects(settings: Settings) -> AsyncIterator[Finding]:
    projects = load_projects(settings.projects_file)
    yield good("projects", f"{len(projects)} in {settings.projects_file}")


# ---------------------------------------------------------------- files


async def _jobs(settings: Settings) -> AsyncIterator[Finding]:
    path = file_of(settings.jobs_url)
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        yield bad("data folder", f"{folder} is not writable", "let the bot's user own it, or move JOBS_URL")
    if not path.exists():
        yield nothing("jobs", f"{path} does not exist; the first start makes it")
        return
    waiting = len(list_jobs(settings.jobs_url, "ready"))
    if not os.access(path, os.W_OK):
        yield bad("jobs", f"{path} is not writable", "let the bot's user own it")
    owner = "a running bot has it" if await _answers(socket_of(path)) else "no bot runs"
    yield good("jobs", f"{path}: {waiting} wait; {owner}")


async def _answers(door: Path) -> bool:
    """Tell whether a bot listens. Its lock is not tried: a bot that starts just then would find it taken."""
    try:
        _, writer = await asyncio.open_unix_connection(door)
    except OSError:
        return False
    writer.close()
    return True


# ---------------------------------------------------------------- MLflow


async def _mlflow(settings: Settings) -> AsyncIterator[Finding]:
    uri, experiment = settings.mlflow_tracking_uri, settings.mlflow_experiment_name
    if not (settings.mlflow_enable_tracking or settings.mlflow_enable_tracing):
        yield nothing("MLflow", "switched off")
    elif uri.startswith("http"):
        yield await asyncio.to_thread(_reached, uri, experiment)
    elif uri.startswith("sqlite"):
        yield good("MLflow", f"writes straight into {tuning.file_of(uri)}")
    else:
        yield nothing("MLflow", f"{urlsplit(uri).scheme}: not looked at from here")


def _reached(uri: str, experiment: str) -> Finding:
    from technoshare.mlops.reaching import Unreachable, reach  # noqa: PLC0415 - imported already, with mlflow

    try:
        reached = reach(uri, experiment, seconds=ASKING)
    except Unreachable as why:
        advice = "start it (make mlflow) or set MLFLOW_TRACKING_URI; until then records wait in the spool"
        return bad("MLflow", f"{_shown(uri)} {why}", advice)
    if reached.experiment == "deleted":
        told = f"experiment {experiment} is deleted, records wait"
        return bad("MLflow", told, "restore it in the UI or set MLFLOW_EXPERIMENT_NAME")
    new = "" if reached.experiment == "active" else " (made with the first record)"
    return good("MLflow", f"{reached.version} at {_shown(uri)}, experiment {experiment}{new}")


async def _spool(settings: Settings) -> AsyncIterator[Finding]:
    spool = read_spool(settings.spool)
    told = f"{len(spool.waiting)} wait, {len(spool.shelved)} on the shelf, {spool.delivered} delivered"
    if spool.shelved:
        yield bad("spool", told, "`technoshare spool` says why; then technoshare spool retry all")
    elif spool.oldest is not None and (age := time.time() - spool.oldest) > LATE:
        yield bad("spool", f"{told}, the oldest for {duration(age)}", "is a bot running, and is MLflow there?")
    else:
        yield good("spool", told)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    path = tuning.file_behind(settings.mlflow_tracking_uri)
    if path is None or not path.exists():
        yield nothing("MLflow's file", "none in sight from here")
        return
    seen = tuning.look(path)
    told = f"{path}: {seen.runs:,} runs, {seen.bytes / 1e6:,.1f} MB"
    if seen.journal != "wal":
        yield bad("MLflow's file", f"{told}, no WAL: one slow page locks writers out", "technoshare mlflow tune")
    elif not seen.statistics and seen.runs > MANY_RUNS:
        yield bad("MLflow's file", f"{told}, no statistics: sorting takes minutes", "technoshare mlflow tune")
    else:
        yield good("MLflow's file", told)


def _shown(address: str) -> str:
    """Return the address without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", _settings),
    ("Slack", _slack),
    ("model", _model),
    ("prompts", _prompts),
    ("projects", _projects),
    ("jobs", _jobs),
    ("MLflow", _mlflow),
    ("spool", _spool),
    ("MLflow's file", _database),
)
"""In the order in which they are told."""
