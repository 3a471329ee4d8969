"""One model server over the openai client: JSON out and JSON in, minding what the server will not take."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
from openai import APIStatusError, AsyncOpenAI

from technoshare.llm.bodies import object_in
from technoshare.llm.concessions import Concession, adapted, conceded
from technoshare.llm.failures import failing
from technoshare.llm.pace import Pace
from technoshare.llm.wire import JsonObject


class Server:
    """Where requests of one API go. What a model here turned out not to take is not sent to it again."""

    def __init__(self, client: AsyncOpenAI, concessions: Sequence[Concession], pace: Pace) -> None:
        self._client = client
        self._concessions = concessions
        self._pace = pace
        self._made: dict[str, tuple[Concession, ...]] = {}

    async def post(self, path: str, payload: JsonObject) -> tuple[JsonObject, str]:
        """Return the answer's object and its request id. Raises `Failed`.

        There is no table of who can do what: a parameter that the server refuses by name is left out or replaced,
        and the request sent again. Only what has worked is remembered.
        """
        model = str(payload["model"])
        made = self._made.get(model, ())
        with failing():
            while True:
                try:
                    response = await self._send(path, adapted(payload, made))
                except APIStatusError as refusal:
                    self._pace.told(model, refusal.response.headers)
                    left = [one for one in self._concessions if one not in made]  # each once, so that there is an end
                    if (concession := conceded(refusal, adapted(payload, made), left)) is None:
                        raise
                    made = (*made, concession)
                else:
                    self._pace.told(model, response.headers)
                    self._made[model] = max(made, self._made.get(model, ()), key=len)
                    return object_in(response), response.headers.get("x-request-id", "")

    async def _send(self, path: str, payload: JsonObject) -> httpx2.Response:
        """Post as the vendor documents it for other endpoints (`docs/decisions/0004-model-calls-as-plain-json.md`)."""
        return await self._client.post(
            path, body=payload, cast_to=httpx2.Response, options={"security": {"bearer_auth": True}}
        )
