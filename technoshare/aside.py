"""Work in Python that takes more than a moment, kept off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# One thread: a second one would not be faster, it would only take the interpreter lock from the event loop more often.
_LANE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")


async def aside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return `function(…)`, run in the one side thread; callers queue."""
    return await asyncio.get_running_loop().run_in_executor(_LANE, partial(function, *args, **kwargs))
