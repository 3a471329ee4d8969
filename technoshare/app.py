"""Who plays which part: the whole cast on one screen."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path

from pydantic import JsonValue

from technoshare import pipeline
from technoshare.aside import aside
from technoshare.errors import ConfigError, Unusable
from technoshare.jobs.alerts import SqliteAlerts, down_rate, pass_rate
from technoshare.jobs.control import open_control
from technoshare.jobs.engine import open_engine
from technoshare.jobs.health import tell_health
from technoshare.jobs.looks import SqliteLooks
from technoshare.jobs.messages import SqliteMessages
from technoshare.jobs.orders import Desk
from technoshare.jobs.pruning import prune_daily
from technoshare.jobs.shares import SqliteShares
from technoshare.jobs.spending import SqliteBudget
from technoshare.jobs.votes import SqliteVotes
from technoshare.llm.extractive import Extractive
from technoshare.llm.opening import open_writer
from technoshare.llm.prompts import load_projects, load_prompts, projects_hash
from technoshare.llm.ranking import warm_up
from technoshare.llm.tape import Tape
from technoshare.mlops.privacy import Privacy
from technoshare.mlops.prompt_refresh import open_prompts
from technoshare.mlops.tracing import Untracked
from technoshare.mlops.tracking import SpooledTracker, SwitchedOff, open_tracker
from technoshare.models import (
    EXTRACTIVE,
    Apology,
    Checkpoint,
    Evidence,
    Job,
    Message,
    Outcome,
    Project,
    Receipt,
    Reviewed,
    Share,
)
from technoshare.once import Once
from technoshare.ports import Budget, Claim, Fetcher, Private, PromptBook, Services, Tracker, Unlimited, Writer
from technoshare.retrieval.cache import CachingFetcher, asked_again, read_for
from technoshare.retrieval.etiquette import ConsiderateFetcher, SigningFetcher
from technoshare.retrieval.fetch import open_fetcher
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshot
from technoshare.retrieval.guard import Policy, exemptions
from technoshare.retrieval.pages import NoPages, Pages, open_pages
from technoshare.retrieval.parser import open_parser
from technoshare.runner import StageRunner
from technoshare.settings import Settings, forget_mlflow_environment
from technoshare.slack.connection import Slack, open_slack
from technoshare.sqlite import Database
from technoshare.stages.delivery import post
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review

log = logging.getLogger("technoshare")


async def run_bot(settings: Settings) -> None:
    """Answer links until SIGTERM or SIGINT: then stop intake, drain, hand back what is unfinished, and return.

    Raises `ConfigError` when a setting, a token or a file is wrong.
    """
    bot_token, app_token = settings.slack()
    forget_mlflow_environment()
    stopping = asyncio.Event()
    problems: list[ConfigError] = []

    def refused(problem: ConfigError) -> None:
        problems.append(problem)
        stopping.set()

    async with (
        open_engine(settings.jobs_url, replace_damaged=True) as engine,
        _open_tracker(settings, busy=lambda: engine.busy) as tracker,
        open_pages(settings.cache) as pages,
        open_slack(
            bot_token=bot_token,
            app_token=app_token,
            api_url=settings.slack_api_url,
            channels=settings.channels,
            engine=engine,
            looks=SqliteLooks(engine.database),
            votes=(votes := SqliteVotes(engine.database, tracker)),
            alert_channel=settings.alert_channel,
            look_back_a_day=engine.database.replaced,
            refused=refused,
            ambiguous=settings.slack_ambiguous,
            messages=(messages := SqliteMessages(engine.database, time.time)),
        ) as slack,
        open_control(Desk(engine, tracker, pages, slack.permalink)),
        # links are stored and acked while these take their seconds
        _open_prompts(settings) as prompts,
        open_services(
            settings, tracker, budget=_budget(settings, engine.database), pages=pages, prompts=prompts
        ) as services,
    ):
        ledger = SqliteShares(engine.database, slack.permalink, time.time)

        async def answer(claim: Claim) -> None:
            private = _private(settings, prompts)  # of the prompts as they are now
            own = dataclasses.replace(services, poster=slack.poster(claim), previews=slack.previews, private=private)
            asked_again.set(claim.job.generation > 0)
            read_for.set(claim.job.id)
            if claim.job.generation and (await claim.times()).first_sign is None:  # somebody asked for it again
                slack.signs.again(claim.job)
            try:
                outcome = await pipeline.answer(StageRunner(own, claim), claim.job, ledger, messages)
            except Unusable as why:  # Slack itself refuses the post: nobody is left to tell
                log.warning("job %s cannot be answered: %s", claim.job.id, why)
                outcome = "failed"
            await _finish(own, claim, ledger, outcome)
            slack.signs.end(claim.job)

        async def give_up(claim: Claim, reason: str) -> None:
            own = dataclasses.replace(services, poster=slack.poster(claim))
            reply = Apology.of(claim.job, reason, "gave_up")
            outcome = await pipeline.tell(StageRunner(own, claim), claim.job, reply, messages)
            await _finish(own, claim, ledger, outcome)
            slack.signs.end(claim.job)

        async with _signals(stopping), asyncio.TaskGroup() as group:
            announcing = group.create_task(_announce(slack, settings, services.writer))
            pruning = group.create_task(prune_daily(engine.database, time.time))
            telling = group.create_task(tell_health(engine.database, tracker, time.time))
            mending = group.create_task(slack.signs.mend())
            guarding = group.create_task(_guard(engine.database, refused))
            handing = group.create_task(votes.hand_on())  # what the last process did not come to
            alarming = group.create_task(_alarm(slack, settings, engine.database))
            group.create_task(_close_intake(slack, stopping))
            await engine.serve(
                answer, give_up, workers=settings.workers, stopping=stopping, drain=settings.drain_seconds
            )
            for task in (announcing, pruning, telling, mending, guarding, handing, alarming):
                task.cancel()
    if problems:  # the bot has ended in good order; what is stored waits for a token
        raise problems[0]


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
            private=_private(settings, prompts),
        )


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """What orders act on where no bot runs. Raises `ConfigError` when a file cannot be had."""
    async with (
        open_engine(settings.jobs_url) as engine,
        _open_tracker(settings, busy=lambda: False) as tracker,
        open_pages(settings.cache) as pages,
    ):
        yield Desk(engine, tracker, pages)


def single_job(url: str) -> Job:
    """Return a job for a link that nobody posted: for the command line."""
    now = time.time()
    return Job(key=f"cli {url}", team="", channel="", ts="0", thread_ts="0", user="", url=url, text=url, received=now)


# ---------------------------------------------------------------- parts


def _private(settings: Settings, prompts: PromptBook | None) -> Private:
    """Return what no reply may repeat; without a model there is no prompt that could leak."""
    return Private(prompts=prompts.texts() if prompts else (), secrets=settings.secrets)


def _open_prompts(settings: Settings) -> AbstractAsyncContextManager[PromptBook | None]:
    """Open the promoted prompts of a bot; the keyless engine reads none, and with MLflow off nobody is asked."""
    if settings.model == EXTRACTIVE:
        return nullcontext()
    asked = settings.mlflow_enable_tracking or settings.mlflow_enable_tracing
    uri = settings.mlflow_tracking_uri if asked else None
    return open_prompts(settings.prompts_dir, settings.data / "prompts-prod.json", uri, time.time)


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


def _budget(settings: Settings, database: Database) -> Budget:
    usd = settings.daily_budget_usd
    return Unlimited() if usd is None else SqliteBudget(database, usd, time.time)


def _open_tracker(
    settings: Settings, *, busy: Callable[[], bool]
) -> AbstractAsyncContextManager[SpooledTracker | SwitchedOff]:
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


class _Nowhere:
    """The poster of a draft that nobody posts."""

    async def post(self, job: Job, message: Message) -> Receipt:
        del message
        raise Unusable(f"job {job.id} has no Slack to post to")


async def _finish(services: Services, claim: Claim, ledger: SqliteShares, outcome: Outcome) -> None:
    """Complete the ledger, then hand the job's record to the tracker; both may be repeated after a crash."""
    checkpoints = await claim.checkpoints()
    await ledger.add(_share(claim.job, checkpoints, outcome))
    trails = {stage: checkpoint.trail for stage, checkpoint in checkpoints.items()}
    await services.tracker.record(claim.job, await claim.times(), trails, outcome)


def _share(job: Job, checkpoints: dict[str, Checkpoint], outcome: Outcome) -> Share:
    def result(stage: str) -> JsonValue:
        checkpoint = checkpoints.get(stage)
        return checkpoint.result if checkpoint else None

    read, let_out, posted = result(retrieve.name), result(review.name), result(post.name)
    evidence = Evidence.model_validate(read) if read else None
    return Share(
        job_id=job.id,
        channel=job.channel,
        ts=job.ts,
        thread_ts=job.thread_ts,
        user=job.user,
        url=job.url,
        final_url=evidence.final_url if evidence else job.url,
        at=job.received,
        outcome=outcome,
        reply_ts=Receipt.model_validate(posted).ts if posted else "",
        evidence=evidence,
        comment=Reviewed.model_validate(let_out).comment if let_out else None,
    )


async def _announce(slack: Slack, settings: Settings, writer: Writer) -> None:
    await slack.connected.wait()
    log.info("ready: %s listens in %s; %s writes", slack.name, ", ".join(settings.channels), writer.model)


async def _alarm(slack: Slack, settings: Settings, database: Database) -> None:
    """Tell the operator's channel, if there is one, when a rate has become bad."""
    if not settings.alert_channel:
        return
    rates = (
        pass_rate(settings.alert_pass_rate, settings.alert_comments),
        down_rate(settings.alert_down_rate, settings.alert_votes),
    )
    alerts = SqliteAlerts(database, time.time, rates)
    await slack.alarm(alerts, Once(alerts, time.time, asyncio.sleep)).watch()


async def _guard(database: Database, refused: Callable[[ConfigError], None]) -> None:
    """End the bot when its file turns out to be damaged: it can promise nothing any more, its next start can."""
    await database.damaged.wait()
    refused(ConfigError(f"{database.path} is damaged; the next start keeps it aside and begins a new one"))


async def _close_intake(slack: Slack, stopping: asyncio.Event) -> None:
    """When the bot is to end, close the socket first, while the workers still finish."""
    await stopping.wait()
    await slack.close_intake()


@asynccontextmanager
async def _signals(stopping: asyncio.Event) -> AsyncIterator[None]:
    """The first SIGTERM or SIGINT asks for an orderly end, the second ends at once."""
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def asked(name: str) -> None:
        if stopping.is_set() and main is not None:
            log.warning("%s again: ending at once", name)
            main.cancel()
        log.info("%s: no new links; jobs under way are finished first", name)
        stopping.set()

    names = (signal.SIGTERM, signal.SIGINT)
    for name in names:
        loop.add_signal_handler(name, asked, name.name)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)


def app_version() -> str:
    """Return the package's version, with the git commit where the bot runs from a checkout."""
    root = Path(__file__).resolve().parent.parent
    git = ("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    try:
        commit = subprocess.run(git, capture_output=True, text=True, check=True, timeout=5).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return version("technoshare")
    return f"{version('technoshare')}+{commit}"
