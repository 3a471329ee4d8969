"""Whether a model server answers, found out by a question that costs nothing."""

from __future__ import annotations

import httpx2
from openai import AsyncOpenAI, NotFoundError

from technoshare.llm.bodies import object_in
from technoshare.llm.failures import failing


async def listed_models(base_url: str, api_key: str | None, *, seconds: float) -> frozenset[str]:
    """Return the names of the models that the server lists; none when it keeps no list. Raises `Failed`."""
    async with AsyncOpenAI(api_key=api_key or "none", base_url=base_url, max_retries=0, timeout=seconds) as client:
        with failing():
            try:
                answer = await client.get("/models", cast_to=httpx2.Response)
            except NotFoundError:
                return frozenset()
            listed = object_in(answer).get("data")
    models = listed if isinstance(listed, list) else []
    return frozenset(str(model["id"]) for model in models if isinstance(model, dict) and "id" in model)
