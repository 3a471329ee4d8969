"""Who plays which part: the whole cast on one screen."""

from __future__ import annotations

import dataclasses
import logging
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path

from technoshare.aside import aside
from technoshare.errors import ConfigError, Unusable
from technoshare.jobs.engine import open_engine
from technoshare.jobs.orders import Desk
from technoshare.jobs.spending import SqliteBudget
from technoshare.llm.extractive import Extractive
from technoshare.llm.opening import open_writer
from technoshare.llm.prompts import load_projects, load_prompts, projects_hash
from technoshare.llm.ranking import warm_up
from technoshare.llm.tape import Tape
from technoshare.mlops.privacy import Privacy
from technoshare.mlops.prompt_book import CandidatePrompts, LivePrompts
from technoshare.mlops.prompt_refresh import open_prompts
from technoshare.mlops.shadow import Shadows
from technoshare.mlops.tracing import Untracked
from technoshare.mlops.tracking import SpooledTracker, SwitchedOff, open_tracker
from technoshare.models import (
    EXTRACTIVE,
    Job,
    Message,
    Project,
    Receipt,
)
from technoshare.ports import Budget, Fetcher, Private, PromptBook, Services, Tracker, Unlimited, Writer
from technoshare.retrieval.cache import CachingFetcher
from technoshare.retrieval.etiquette import ConsiderateFetcher, SigningFetcher
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshot
from technoshare.retrieval.guard import Policy, exemptions
from technoshare.retrieval.pages import NoPages, Pages, open_pages
from technoshare.retrieval.parser import open_parser
from technoshare.settings import NOBODY, Settings
from technoshare.sqlite import Database

log = logging.getLogger("technoshare")


@asynccontextmanager
async def open_services(  # noqa: PLR0913 - whoever opens may bring each of them
    settings: Settings,
    tracker: Tracker | None = None,
    *,
    budget: Budget = Unlimited(),  # noqa: B008 - it has no state
    pages: Pages | NoPages = NoPages(),  # noqa: B008 - as above
    prompts: PromptBook | None = None,
    tape: Tape | None = None,
) -> AsyncIterator[Services]:
    """Everything a draft needs; without Slack, so that evaluation and the command line use it too.

    Only the bot has a cache: its file has one owner, and whoever reads by hand wants to see what is there now. Without
    `prompts` a model is asked with those of the files; a `tape` stands between the writer and its servers.
    """
    observed = tracker or Untracked()
    if prompts is None and settings.model != EXTRACTIVE:
        prompts = load_prompts(settings.prompts_dir)
    projects = load_projects(settings.projects_file)
    async with (
        open_parser() as parser,
        _open_network(settings, pages) as network,
        _open_writer(settings, projects, observed, budget=budget, prompts=prompts, tape=tape) as writer,
    ):
        yield Services(
            fetcher=_with_snapshots(network, settings.fetch_snapshots),
            parser=parser,
            writer=writer,
            poster=_Nowhere(),
            tracker=observed,
            projects=projects,
            clock=time.time,
            language=settings.comment_language,
            private=private_of(settings, prompts),
        )


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """What orders act on where no bot runs. Raises `ConfigError` when a file cannot be had."""
    async with (
        open_engine(settings.jobs_url) as engine,
        open_observation(settings, busy=lambda: False) as tracker,
        open_pages(settings.cache) as pages,
    ):
        yield Desk(engine, tracker, pages)


def single_job(url: str) -> Job:
    """Return a job for a link that nobody posted: for the command line."""
    now = time.time()
    return Job(key=f"cli {url}", team="", channel="", ts="0", thread_ts="0", user="", url=url, text=url, received=now)


# ---------------------------------------------------------------- parts


def private_of(settings: Settings, prompts: PromptBook | None) -> Private:
    """Return what no reply may repeat; without a model there is no prompt that could leak."""
    return Private(prompts=prompts.texts() if prompts else (), secrets=settings.secrets)


def open_book(settings: Settings) -> AbstractAsyncContextManager[LivePrompts | None]:
    """Open the promoted prompts of a bot; the keyless engine reads none, and with MLflow off nobody is asked."""
    if settings.model == EXTRACTIVE:
        return nullcontext()
    asked = settings.mlflow_enable_tracking or settings.mlflow_enable_tracing
    uri = settings.mlflow_tracking_uri if asked else None
    copy = settings.data / "prompts-prod.json"
    return open_prompts(settings.prompts_dir, copy, uri, time.time, seconds=settings.prompt_refresh_seconds)


@asynccontextmanager
async def _open_writer(  # noqa: PLR0913 - as `open_services`
    settings: Settings,
    projects: tuple[Project, ...],
    tracker: Tracker,
    *,
    budget: Budget,
    prompts: PromptBook | None,
    tape: Tape | None,
) -> AsyncIterator[Writer]:
    keyless = Extractive(projects)
    if prompts is None or settings.model == EXTRACTIVE:
        await aside(warm_up)
        yield keyless
        return
    key = settings.openai_api_key
    async with open_writer(
        api=settings.llm_api,
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key else None,
        models=settings.models,
        last=keyless if settings.extractive_at_last else None,
        prompts=prompts,
        projects=projects,
        tracker=tracker,
        language=settings.comment_language,
        budget=budget,
        tape=tape,
    ) as writer:
        yield writer


def budget_of(settings: Settings, database: Database) -> Budget:
    """Return what models may cost in a day, counted in the jobs file."""
    usd = settings.daily_budget_usd
    return Unlimited() if usd is None else SqliteBudget(database, usd, time.time)


def open_observation(
    settings: Settings, *, busy: Callable[[], bool]
) -> AbstractAsyncContextManager[SpooledTracker | SwitchedOff]:
    """Open the tracker; `busy` tells, from any thread, whether jobs are running."""
    return open_tracker(
        uri=settings.mlflow_tracking_uri,
        experiment=settings.mlflow_experiment_name,
        tracking=settings.mlflow_enable_tracking,
        tracing=settings.mlflow_enable_tracing,
        spool=settings.spool,
        app_version=app_version(),
        projects_hash=projects_hash(load_projects(settings.projects_file)),
        busy=busy,
        privacy=Privacy(settings.content, settings.secrets),
    )


@asynccontextmanager
async def _open_network(settings: Settings, pages: Pages | NoPages) -> AsyncIterator[Fetcher]:
    """Token → cache → manners → guard: the cache sees what goes out, and whatever it knows waits for nobody."""
    token = settings.github_token
    async with open_fetcher(settings.fetch_allow_hosts) as guarded:
        polite = ConsiderateFetcher(guarded)
        policy = Policy(exempt=exemptions(settings.fetch_allow_hosts))
        cached = CachingFetcher(polite, pages, policy, time.time)
        yield SigningFetcher(cached, token.get_secret_value()) if token else cached


def _with_snapshots(network: Fetcher, folder: Path | None) -> Fetcher:
    if folder is None:
        return network
    if not folder.is_dir():
        raise ConfigError(f"FETCH_SNAPSHOTS: {folder} is not a folder")
    return FrozenFetcher([load_snapshot(path) for path in sorted(folder.glob("*.yaml"))], otherwise=network)


@asynccontextmanager
async def open_shadows(
    settings: Settings,
    services: Services,
    tracker: SpooledTracker | SwitchedOff,
    prompts: LivePrompts | None,
    budget: Budget,
) -> AsyncIterator[Shadows | None]:
    """Open what tries candidates on live jobs; nothing where none is wanted, or nobody could compare them."""
    if not settings.shadow_share or prompts is None or isinstance(tracker, SwitchedOff):
        yield None
        return
    alone = settings.model_copy(update={"llm_fallbacks": (NOBODY,)})  # whoever steps in reads other prompts, or none
    candidates = CandidatePrompts(prompts)
    opened = _open_writer(alone, services.projects, tracker, budget=budget, prompts=candidates, tape=None)
    async with opened as writer:
        shadows = Shadows(
            dataclasses.replace(services, writer=writer), prompts.candidates, tracker, settings.shadow_share
        )
        try:
            yield shadows
        finally:
            await shadows.close()


class _Nowhere:
    """The poster of a draft that nobody posts."""

    async def post(self, job: Job, message: Message) -> Receipt:
        del message
        raise Unusable(f"job {job.id} has no Slack to post to")


def app_version() -> str:
    """Return the package's version, with the git commit where the bot runs from a checkout."""
    root = Path(__file__).resolve().parent.parent
    git = ("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    try:
        commit = subprocess.run(git, capture_output=True, text=True, check=True, timeout=5).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return version("technoshare")
    return f"{version('technoshare')}+{commit}"
