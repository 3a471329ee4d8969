"""Stage 2: the facts."""

from collections.abc import Iterator

from technoshare.errors import Unusable
from technoshare.models import Evidence, Fact, Facts, Snippet
from technoshare.ports import Services
from technoshare.retrieval.search import Search
from technoshare.runner import stage
from technoshare.text import contains_quote


@stage("stage_a", span="stage_a.run", kind="LLM", timeout=180)
async def extract(services: Services, evidence: Evidence) -> Facts:
    """Facts found in the evidence, each with a verbatim quote and where it stands; a fact without one is dropped.

    Raises `Unusable` when no fact is left.
    """
    search = Search(evidence, services.fetcher, services.parser, services.tracker)
    told = await services.writer.facts(evidence, tools=(search.tool(),))
    items = tuple(_verified(told.items, evidence.snippets + search.found))
    if not items:
        raise Unusable("no statement of the page could be confirmed", obstacle="no_facts")
    return told.model_copy(
        update={
            "items": items,
            "dropped": told.dropped + len(told.items) - len(items),
            "found": search.found,
            "tool_calls": search.calls,
            "sources": tuple(dict.fromkeys((evidence.final_url, *search.sources))),
        }
    )


def _verified(facts: tuple[Fact, ...], snippets: tuple[Snippet, ...]) -> Iterator[Fact]:
    """Yield the facts whose quote stands in a snippet, with that snippet's id, numbered anew."""
    number = 0
    for fact in facts:
        if (snippet := _holder(fact, snippets)) is not None:
            number += 1
            yield fact.model_copy(update={"id": f"f{number}", "snippet": snippet.id})


def _holder(fact: Fact, snippets: tuple[Snippet, ...]) -> Snippet | None:
    """Return the snippet that holds the fact's quote; the one that the fact names is asked first."""
    by_promise = sorted(snippets, key=lambda snippet: snippet.id != fact.snippet)
    return next((snippet for snippet in by_promise if contains_quote(fact.quote, snippet.text)), None)
