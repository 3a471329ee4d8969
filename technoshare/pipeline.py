"""The story: five awaited stages, one reply."""

from technoshare.errors import Unusable
from technoshare.models import Apology, Job, Outcome, Reply, Reviewed
from technoshare.ports import Shares
from technoshare.runner import StageRunner
from technoshare.stages.composition import compose
from technoshare.stages.delivery import post
from technoshare.stages.extraction import extract
from technoshare.stages.retrieval import retrieve
from technoshare.stages.review import review


async def draft(run: StageRunner, job: Job) -> Reviewed:
    """Read the link and write a checked comment; also what evaluation and `technoshare comment` call."""
    evidence = await run(retrieve, job)
    facts = await run(extract, evidence)
    comment = await run(compose, evidence, facts)
    return await run(review, job, evidence, facts, comment)


async def answer(run: StageRunner, job: Job, shares: Shares) -> Outcome:
    """Answer the job in its thread, once, and return the outcome."""
    reply = await _reply(run, job, shares)
    await run(post, job, reply)
    return reply.outcome


async def _reply(run: StageRunner, job: Job, shares: Shares) -> Reply:
    try:
        return await shares.earlier(job) or await draft(run, job)
    except Unusable as why:
        return Apology(url=job.url, reason=str(why), obstacle=why.obstacle, unread=job.unread)
