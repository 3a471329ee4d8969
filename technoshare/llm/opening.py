"""Opening the writer as the settings want it: one connection for each server, the models in their order."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from technoshare.llm.extractive import Extractive
from technoshare.llm.fallback import Fallback
from technoshare.llm.tape import NONCE, OpenWire, Tape
from technoshare.llm.wire import OPENAI_URL, Api, Wire, provider_of
from technoshare.llm.writer import STAGE_SECONDS, ModelWriter
from technoshare.models import Cost, Project, Usage
from technoshare.ports import Budget, PromptBook, Tracker, Unlimited

PriceOf = Callable[[str, Usage, str], Cost | None]

_log = logging.getLogger(__name__)
_A_CALL = Usage(input_tokens=1, output_tokens=1)


@asynccontextmanager
async def open_writer(  # noqa: PLR0913 - one argument per setting
    *,
    api: Api,
    base_url: str | None,
    api_key: str | None,
    models: Sequence[str],
    last: Extractive | None,
    prompts: PromptBook,
    projects: Sequence[Project],
    tracker: Tracker,
    language: str = "en",
    budget: Budget = Unlimited(),  # noqa: B008 - it has no state
    tape: Tape | None = None,
) -> AsyncIterator[Fallback]:
    """Open a writer that asks `models` in their order; the connections are closed at the end.

    A model is a name at `base_url` (OpenAI's when None), or `name@address` for another server, which is never sent
    the key. A `tape` records the models' answers, or gives recorded ones in their place.
    """
    open_wire, price = await asyncio.to_thread(_load)
    open_wire = tape.around(open_wire) if tape else open_wire
    wires: dict[str, Wire] = {}
    writers: list[ModelWriter] = []
    async with AsyncExitStack() as stack:
        for entry in models:
            name, elsewhere = split_address(entry)
            address = elsewhere or base_url or OPENAI_URL
            if address not in wires:
                key = None if elsewhere else api_key
                wires[address] = await stack.enter_async_context(open_wire(api=api, base_url=address, api_key=key))
            priced = partial(_price_at, price, address)
            writers.append(
                ModelWriter(
                    wires[address],
                    model=name,
                    prompts=prompts,
                    projects=projects,
                    tracker=tracker,
                    language=language,
                    price=priced,
                    provider=provider_of(address),
                    budget=budget if priced(name, _A_CALL) is not None else _uncounted(name, budget),
                    seconds=STAGE_SECONDS / len(models),  # a stage's time is shared, or the first could use it up
                    nonce=(lambda: NONCE) if tape else secrets.token_hex,
                )
            )
        yield Fallback(tuple(writers), last)


def split_address(entry: str) -> tuple[str, str]:
    """Return name and address of `name@address`; a name alone may hold an @ too."""
    name, _, address = entry.rpartition("@")
    return (name, address) if "://" in address and name else (entry, "")


def _price_at(price: PriceOf, address: str, model: str, usage: Usage) -> Cost | None:
    return price(model, usage, address)


def _uncounted(model: str, budget: Budget) -> Unlimited:
    """Return the budget of a model without a known price: a server of one's own is free, and nobody can tell."""
    if budget.limited:
        _log.warning("DAILY_BUDGET_USD does not limit %s: what it costs is not known", model)
    return Unlimited()


def _load() -> tuple[OpenWire, PriceOf]:
    """Import the client and the price list, which takes more than a second: nobody without a model pays for it."""
    from technoshare.llm.client import open_wire  # noqa: PLC0415 - see the docstring
    from technoshare.llm.cost import price  # noqa: PLC0415

    price("gpt-4o", _A_CALL, OPENAI_URL)  # reads the list, so that no call waits for it
    return open_wire, price
