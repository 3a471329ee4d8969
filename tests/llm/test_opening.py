"""Opening a writer as the program does."""

import subprocess
import sys

import pytest

from technoshare.llm.cost import price
from technoshare.llm.opening import open_writer
from technoshare.models import Usage
from technoshare.workspace.model import open_model_server
from tests.llm.samples import PROJECTS, PROMPTS, ROOT, KeptSpans, evidence

USED = Usage(input_tokens=1000, output_tokens=500, calls=1)
OPENAI = "https://api.openai.com/v1"


def writer_for(server, api):
    return open_writer(
        api=api,
        base_url=server.base_url,
        api_key=None,
        models=["gpt-4o"],
        last=None,
        prompts=PROMPTS,
        projects=PROJECTS,
        tracker=KeptSpans(),
    )


@pytest.mark.parametrize(("api", "wire"), [("auto", "chat"), ("chat", "chat"), ("responses", "responses")])
async def test_the_setting_chooses_the_wire_and_a_server_without_keys_needs_none(api, wire, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-read")
    async with open_model_server() as server, writer_for(server, api) as writer:
        facts = await writer.facts(evidence(), tools=())
        assert writer.model == "gpt-4o"
        assert writer.models[0].wire.wire._server._client.api_key == "none"
        assert facts.usage.cost_usd > 0
        assert server.stats()["by_api"] == {wire: 1}


def test_a_known_model_has_a_price_and_an_unknown_one_has_none():
    assert price("gpt-4o", USED, OPENAI) == pytest.approx(1000 * 2.5e-6 + 500 * 10e-6)
    assert price("gpt-4o", USED, "http://127.0.0.1:4000/v1") == price("gpt-4o", USED, OPENAI)
    assert price("our-own-model", USED, "http://127.0.0.1:4000/v1") is None
    assert price("gpt-4o", Usage(calls=1), OPENAI) is None
    assert price("gpt-4o", Usage(input_tokens=1, output_tokens=1, cached_tokens=9), OPENAI) is None


def test_without_a_model_nobody_pays_for_importing_the_client():
    code = "import sys, technoshare.llm.opening, technoshare.llm.prompts; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
