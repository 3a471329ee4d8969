"""The story: five awaited stages, one reply."""

from technoshare.errors import WITHDRAWN, Unusable
from technoshare.models import Apology, Evidence, Job, Outcome, Reply, Reviewed
from technoshare.ports import Messages, Shares
from technoshare.runner import StageRunner
from technoshare.stages.composition import compose
from technoshare.stages.delivery import post
from technoshare.stages.extraction import extract
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review


async def draft(run: StageRunner, job: Job) -> Reviewed:
    """Read the link and write a checked comment; also what evaluation and `technoshare comment` call."""
    return await comment_on(run, job, await run(retrieve, job))


async def comment_on(run: StageRunner, job: Job, evidence: Evidence) -> Reviewed:
    """Write a checked comment on what was read."""
    facts = await run(extract, evidence)
    comment = await run(compose, evidence, facts)
    return await run(review, job, evidence, facts, comment)


async def answer(run: StageRunner, job: Job, shares: Shares, messages: Messages) -> Outcome:
    """Answer the job in its thread, once, and return the outcome; whoever deletes the message wants no answer."""
    if await messages.withdrawn(job):
        return "withdrawn"
    reply = await _reply(run, job, shares)
    return await tell(run, job, reply, messages)


async def tell(run: StageRunner, job: Job, reply: Reply, messages: Messages) -> Outcome:
    """Post the reply, unless the message was deleted meanwhile: Slack would put it into the channel itself."""
    if await messages.withdrawn(job):
        return "withdrawn"
    try:
        await run(post, job, reply)
    except Unusable as why:
        if why.obstacle != WITHDRAWN:
            raise
        return "withdrawn"
    return reply.outcome


async def _reply(run: StageRunner, job: Job, shares: Shares) -> Reply:
    try:
        if shared := await shares.earlier(job):
            return shared
        evidence = await run(retrieve, job)
        return await shares.earlier(job, evidence.final_url) or await comment_on(run, job, evidence)
    except Unusable as why:
        return Apology.of(job, str(why), why.obstacle, why.preview)
