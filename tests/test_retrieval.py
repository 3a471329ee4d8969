"""Stage 1 reads the posted link with the team's projects in mind."""

import pytest

from technoshare.errors import Unusable
from technoshare.llm.extractive import Extractive
from technoshare.models import Project
from technoshare.ports import Services
from technoshare.retrieval.snippets import BUDGET
from technoshare.stages.retrieval import retrieve
from tests.retrieval.answers import PROSE, InlineParser, Spans, Web, page
from tests.retrieval.test_snippets import KITES, paragraphs
from tests.samples import JOB

NEAR = "A kite on a long tether pulled the ship for nine hours."
LONG = f"{paragraphs(400)}\n{NEAR}\n{paragraphs(100, 'other')}"


class Preview:
    """What Slack shows below the message."""

    async def of(self, job):
        return f"Kites: what Slack saw of {job.url}"


def read(text: str, *projects: Project, status: int = 200, **more):
    services = Services(
        fetcher=Web({JOB.url: page(text, kind="text/plain", status=status)}),
        parser=InlineParser(),
        writer=Extractive(projects),
        poster=None,
        tracker=Spans(),
        projects=projects,
        clock=lambda: 0.0,
        **more,
    )
    return retrieve(services, JOB)


async def test_of_a_long_text_what_matters_to_the_projects_is_read_and_the_coverage_says_so():
    assert len(LONG) > BUDGET
    evidence = await read(LONG, KITES)
    assert sum(len(snippet.text) for snippet in evidence.snippets) <= BUDGET
    assert evidence.coverage == "partial"
    assert any(NEAR in snippet.text for snippet in evidence.snippets)
    assert not any(NEAR in snippet.text for snippet in (await read(LONG)).snippets)


async def test_a_text_within_the_budget_is_read_whole():
    evidence = await read(PROSE, KITES)
    assert (evidence.coverage, evidence.snippets[-1].end) == ("full", len(PROSE))


async def test_where_nothing_can_be_read_the_reason_carries_what_slack_itself_shows():
    with pytest.raises(Unusable) as caught:
        await read("gone", status=404, previews=Preview())
    assert caught.value.obstacle == "not_found"
    assert caught.value.preview == f"Kites: what Slack saw of {JOB.url}"
    with pytest.raises(Unusable) as caught:
        await read("gone", status=404)
    assert caught.value.preview == ""
