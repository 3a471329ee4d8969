"""Any page, by its content type."""

from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.webpage import read_webpage

NAME = "GenericAdapter"


def matches(url: str) -> bool:  # noqa: ARG001 - the last adapter takes what is left
    """Every address is welcome here."""
    return True


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Read the page; errors as in `read_webpage`."""
    return await read_webpage(url, fetcher, parser, adapter=NAME)
