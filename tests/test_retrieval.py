"""Stage 1 reads the posted link with the team's projects in mind."""

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


def read(text: str, *projects: Project):
    services = Services(
        fetcher=Web({JOB.url: page(text, kind="text/plain")}),
        parser=InlineParser(),
        writer=Extractive(projects),
        poster=None,
        tracker=Spans(),
        projects=projects,
        clock=lambda: 0.0,
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
