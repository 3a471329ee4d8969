"""Stage 1: what the link says."""

from technoshare.models import Evidence, Job
from technoshare.ports import Services
from technoshare.retrieval.reading import read
from technoshare.runner import stage


@stage("retrieval", span="retrieval.fetch_evidence", kind="RETRIEVER", timeout=90)
async def retrieve(services: Services, job: Job) -> Evidence:
    """Read the posted link through the adapter that knows its site."""
    return await read(job.url, services.fetcher, services.parser, services.projects)
