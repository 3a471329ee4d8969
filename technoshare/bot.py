"""The bot: what runs from its start to a signal, and what becomes of an answered job."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import JsonValue

from technoshare import pipeline
from technoshare.app import budget_of, open_book, open_observation, open_services, open_shadows, private_of
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
from technoshare.jobs.votes import SqliteVotes
from technoshare.models import (
    Apology,
    Checkpoint,
    Evidence,
    Job,
    Outcome,
    Receipt,
    Reviewed,
    Share,
)
from technoshare.once import Once
from technoshare.ports import Claim, Services, Writer
from technoshare.retrieval.cache import asked_again, read_for
from technoshare.retrieval.pages import open_pages
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
        open_observation(settings, busy=lambda: engine.busy) as tracker,
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
        open_book(settings) as prompts,
        open_services(
            settings, tracker, budget=(budget := budget_of(settings, engine.database)), pages=pages, prompts=prompts
        ) as services,
        open_shadows(settings, services, tracker, prompts, budget) as shadows,
    ):
        ledger = SqliteShares(engine.database, slack.permalink, time.time)

        async def answer(claim: Claim) -> None:
            private = private_of(settings, prompts)  # of the prompts as they are now
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
            if shadows:
                shadows.begin(claim.job, await claim.checkpoints())

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
