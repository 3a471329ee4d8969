"""One request over the openai client, JSON in and JSON out."""

from __future__ import annotations

import httpx2
from openai import AsyncOpenAI

from technoshare.llm.wire import JsonObject


async def post_json(client: AsyncOpenAI, path: str, payload: JsonObject) -> tuple[JsonObject, str]:
    """Return the answer's object and its request id. Raises the client's errors, and `ValueError` for no object.

    The typed methods walk through every field of request and answer, which takes as long as all the rest of a call;
    here both are checked by our own models. `client.post` is the vendor's documented way for that.
    """
    response = await client.post(
        path, body=payload, cast_to=httpx2.Response, options={"security": {"bearer_auth": True}}
    )
    answer = response.json()
    if not isinstance(answer, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 - the same to whoever catches it as broken JSON
    return answer, response.headers.get("x-request-id", "")
