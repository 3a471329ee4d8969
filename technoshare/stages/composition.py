"""Stage 3: the comment."""

from technoshare.models import Comment, Evidence, Facts
from technoshare.ports import Services
from technoshare.runner import stage


@stage("stage_b", span="stage_b.run", kind="LLM", timeout=180)
async def compose(services: Services, evidence: Evidence, facts: Facts) -> Comment:
    """TLDR, Summary and Projects, each sentence citing facts. No tools here."""
    return await services.writer.comment(evidence, facts)
