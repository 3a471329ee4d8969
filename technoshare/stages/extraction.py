"""Stage 2: the facts."""

import re
from collections.abc import Iterator

from technoshare.errors import Unusable
from technoshare.injection import orders_machines
from technoshare.models import Evidence, Fact, Facts, Snippet
from technoshare.ports import Services
from technoshare.retrieval.search import Search
from technoshare.runner import stage
from technoshare.text import contains_quote, normalise

SHORTEST_QUOTE = 3
"""Words."""
SHORTEST_UNSPACED = 6
"""Characters, in scripts without spaces between words."""
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


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
    """Yield the facts whose quote stands in a snippet, with that snippet's id, numbered anew, each once."""
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        key = (normalise(fact.text), normalise(fact.quote))
        if key not in seen and _proves(fact.quote) and (snippet := _holder(fact, snippets)) is not None:
            seen.add(key)
            yield fact.model_copy(update={"id": f"f{len(seen)}", "snippet": snippet.id})


def _proves(quote: str) -> bool:
    """Tell whether a quote says something: two words stand everywhere, and orders to AI tools are no facts."""
    long_enough = len(quote.split()) >= SHORTEST_QUOTE or len(_UNSPACED.findall(quote)) >= SHORTEST_UNSPACED
    return long_enough and not orders_machines(quote)


def _holder(fact: Fact, snippets: tuple[Snippet, ...]) -> Snippet | None:
    """Return the snippet that holds the fact's quote; the one that the fact names is asked first."""
    by_promise = sorted(snippets, key=lambda snippet: snippet.id != fact.snippet)
    return next((snippet for snippet in by_promise if contains_quote(fact.quote, snippet.text)), None)
