"""Opening a writer as the program does."""

import subprocess
import sys

import pytest

from technoshare.llm.cost import price
from technoshare.llm.opening import open_writer, split_address
from technoshare.llm.wire import provider_of
from technoshare.models import Usage
from technoshare.workspace.model import open_model_server
from tests.llm.samples import KEY, PROJECTS, PROMPTS, ROOT, KeptSpans, evidence

USED = Usage(input_tokens=1000, output_tokens=500, calls=1)
OPENAI = "https://api.openai.com/v1"


def writer_for(server, api, **changes):
    given = {"base_url": server.base_url, "api_key": KEY, "models": ["gpt-4o"], "last": None}
    return open_writer(api=api, prompts=PROMPTS, projects=PROJECTS, tracker=KeptSpans(), **given | changes)


@pytest.mark.parametrize(("api", "wire"), [("auto", "chat"), ("chat", "chat"), ("responses", "responses")])
async def test_the_setting_chooses_the_wire_and_a_server_without_keys_needs_none(api, wire, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-read")
    async with open_model_server() as server, writer_for(server, api, api_key=None) as writer:
        facts = await writer.facts(evidence(), tools=())
        assert writer.model == "gpt-4o"
        assert writer.models[0].wire.wire._server._client.api_key == "none"
        assert facts.usage.cost_usd > 0
        assert writer.models[0].tracker.spans[0].attributes["provider"] == "127.0.0.1"
        assert server.stats()["by_api"] == {wire: 1}


async def test_another_server_is_asked_when_the_first_is_not_there_and_never_sees_the_key():
    async with open_model_server() as server:
        given = writer_for(
            server, "auto", base_url="http://127.0.0.1:9/v1", models=["gpt-4o", f"ours@{server.base_url}"]
        )
        async with given as writer:
            facts = await writer.models[1].facts(evidence(), tools=())
            clients = [model.wire.wire._server._client for model in writer.models]
    assert [client.api_key for client in clients] == ["sk-samplekey0123456789", "none"]
    assert [model.model for model in writer.models] == ["gpt-4o", "ours"]
    assert facts.model == server.bodies[0]["model"] == "ours"
    assert [model.seconds for model in writer.models] == [85, 85]


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ("gpt-4o", ("gpt-4o", "")),
        ("qwen@http://127.0.0.1:8080/v1", ("qwen", "http://127.0.0.1:8080/v1")),
        ("@cf/meta/llama-4", ("@cf/meta/llama-4", "")),
        ("claude@20260101", ("claude@20260101", "")),
        ("@cf/x@https://h.example.org/v1", ("@cf/x", "https://h.example.org/v1")),
    ],
)
def test_a_model_may_stand_at_an_address_of_its_own(entry, parts):
    assert split_address(entry) == parts


async def test_a_spent_budget_stops_the_models_that_have_a_price_and_no_other(caplog):
    class Spent:
        limited = True
        charged = 0.0

        async def spent(self):
            return self.charged > 0

        async def charge(self, usd):
            self.charged += usd

    async with open_model_server() as server:
        budget = Spent()
        async with writer_for(server, "chat", models=["gpt-4o", "our-own-model"], budget=budget) as writer:
            first = await writer.facts(evidence(), tools=())
            second = await writer.facts(evidence(), tools=())
    assert (first.model, second.model) == ("gpt-4o", "our-own-model")
    assert budget.charged == pytest.approx(first.usage.cost_usd)
    assert second.remark == "because today's model budget is spent"
    assert "DAILY_BUDGET_USD does not limit our-own-model" in caplog.text
    assert "limit gpt-4o" not in caplog.text


def test_a_known_model_has_a_price_and_an_unknown_one_has_none():
    cost = price("gpt-4o", USED, OPENAI)
    assert (cost.input, cost.output) == pytest.approx((1000 * 2.5e-6, 500 * 10e-6))
    assert cost.total == pytest.approx(cost.input + cost.output)
    assert price("gpt-4o", USED, "http://127.0.0.1:4000/v1") == price("gpt-4o", USED, OPENAI)
    assert price("our-own-model", USED, "http://127.0.0.1:4000/v1") is None
    assert price("gpt-4o", Usage(calls=1), OPENAI) is None
    assert price("gpt-4o", Usage(input_tokens=1, output_tokens=1, cached_tokens=9), OPENAI) is None


def test_without_a_model_nobody_pays_for_importing_the_client():
    code = "import sys, technoshare.llm.opening, technoshare.llm.prompts; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        (OPENAI, "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://ours.openai.azure.com/openai/v1", "azure"),
        ("http://llm.example.org:8000/v1", "llm.example.org"),
        ("http://name:password@127.0.0.1:8000/v1", "127.0.0.1"),
    ],
)
def test_a_trace_names_who_ran_the_model(address, provider):
    assert provider_of(address) == provider
