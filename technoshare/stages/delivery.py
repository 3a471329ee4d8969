"""Stage 5: the one post."""

from technoshare import render
from technoshare.models import Job, Receipt, Reply
from technoshare.ports import Services
from technoshare.runner import stage


@stage("slack_post", span="slack.post_message", kind="CHAIN", timeout=60)
async def post(services: Services, job: Job, reply: Reply) -> Receipt:
    """Post the reply into the job's thread; a second run finds the first one's receipt."""
    return await services.poster.post(job, render.message(reply))
