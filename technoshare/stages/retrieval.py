"""Stage 1: what the link says."""

from technoshare.errors import Unusable
from technoshare.models import Evidence, Job
from technoshare.ports import Services
from technoshare.retrieval.reading import read
from technoshare.runner import stage


@stage("retrieval", span="retrieval.fetch_evidence", kind="RETRIEVER", timeout=90)
async def retrieve(services: Services, job: Job) -> Evidence:
    """Read the posted link through the adapter that knows its site.

    Where nothing can be read, the reason carries what Slack's own preview says.
    """
    try:
        return await read(job.url, services.fetcher, services.parser, services.projects)
    except Unusable as why:
        preview = await services.previews.of(job)
        raise Unusable(str(why), obstacle=why.obstacle, preview=preview) from why
