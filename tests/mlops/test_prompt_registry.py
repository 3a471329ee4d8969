"""Prompts in a real registry: each text once, whole, and told apart."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient

from technoshare.errors import ConfigError
from technoshare.llm.prompts import STAGE_A, STAGE_B, content_of
from technoshare.mlops.prompt_registry import PromptRegistry
from technoshare.mlops.prompt_version import Refusal, readable
from technoshare.mlops.replay import Away
from technoshare.models import PromptRef
from tests.mlops.breakable import open_road
from tests.mlops.prompt_samples import NOW, a_prompt, aliases, empty_registry, files


@pytest.fixture
def registry(uri) -> PromptRegistry:
    return empty_registry(uri)


def prompt_runs(registry: PromptRegistry, name: str = STAGE_B) -> list:
    return list(registry.runs.find(f"tags.kind = 'prompt' and tags.prompt_name = '{name}'"))


def test_the_same_text_makes_one_version_and_one_run_however_often_it_is_synced(registry):
    assert [registry.sync(a_prompt())[1] for _ in range(3)] == [True, False, False]
    (version,) = registry.versions(STAGE_B)
    assert (version.version, version.aliases) == ("1", ("staging",))
    (run,) = prompt_runs(registry)
    assert run.info.status == "FINISHED"


def test_the_run_of_a_text_says_what_it_is_and_holds_it_for_people(registry, tmp_path):
    prompt = a_prompt(words=" Straße, 日本.")
    registry.sync(prompt)
    (run,) = prompt_runs(registry)
    expected = {"prompt_name": STAGE_B, "content_hash": prompt.ref.content_hash, "source": "yaml"}
    assert run.data.tags.items() >= (expected | {"kind": "prompt", "timestamp": "2026-11-18T11:06:40Z"}).items()
    path = registry._client.download_artifacts(run.info.run_id, f"prompts/{STAGE_B}.txt", str(tmp_path))
    assert Path(path).read_text("utf-8") == readable(prompt)
    assert "Straße, 日本." in readable(prompt)
    assert '"max_output_tokens": 6000' in readable(prompt)
    tags = registry._client.get_prompt_version(STAGE_B, "1").tags
    assert tags.items() >= (expected | {"timestamp": "2026-11-18T11:06:40Z"}).items()


def test_a_changed_setting_alone_is_a_new_version(registry):
    registry.sync(a_prompt())
    registry.sync(a_prompt(temperature=0))
    assert aliases(registry) == {"staging": "2"}
    assert len(prompt_runs(registry)) == 2
    assert registry.sync(a_prompt(temperature=0.0)) == (registry.versions(STAGE_B)[0], False)


def test_an_old_text_that_comes_back_is_its_old_version_again(registry):
    for words, version in (("", "1"), (" New.", "2"), ("", "1")):
        registry.sync(a_prompt(words=words))
        assert aliases(registry) == {"staging": version}
    assert len(registry.versions(STAGE_B)) == 2


def test_the_prompts_of_both_stages_do_not_mix(registry):
    for name in (STAGE_A, STAGE_B):
        registry.sync(files().get(name))
    assert [len(registry.versions(name)) for name in (STAGE_A, STAGE_B)] == [1, 1]


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["{% if x %}{{ nonce }}{% endif %}", "{x}", "}}", "{# no #}", "'\"\\", "\r\n\t", "\0", " {{ nonce }} {% raw %}"]
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=any_text, temperature=st.none() | st.floats(0, 2), tokens=st.integers(100, 10**6))
def test_every_text_and_setting_comes_back_as_it_was(registry, text, temperature, tokens):
    words = text if "{{" not in text.replace("{{ nonce }}", "") else ""
    prompt = a_prompt(words=words, temperature=temperature, max_output_tokens=tokens)
    version, _ = registry.sync(prompt)
    back = version.prompt()
    assert content_of(back) == content_of(prompt)
    assert back.ref == PromptRef(name=STAGE_B, version=version.version, content_hash=prompt.ref.content_hash)
    registry.point(STAGE_B, "prod", version.version)
    assert registry.prod(STAGE_B).version.prompt() == back


def test_what_a_killed_sync_left_undone_is_done_by_the_next(mlflow_server):
    whole = empty_registry(mlflow_server)
    with open_road(mlflow_server) as road:
        for cut in range(100):
            prompt = a_prompt(words=f" Text {cut}.")
            road.cut(after=cut)
            try:
                PromptRegistry(road.url, lambda: NOW).sync(prompt)
            except Away:
                road.mend()
                PromptRegistry(road.url, lambda: NOW).sync(prompt)
            else:
                break
            hashes = [version.content_hash for version in whole.versions(STAGE_B)]
            assert hashes.count(prompt.ref.content_hash) == 1, f"cut after {cut} requests"
            runs = [run for run in prompt_runs(whole) if run.data.tags["content_hash"] == prompt.ref.content_hash]
            assert [run.info.status for run in runs] == ["FINISHED"], f"cut after {cut} requests"
            assert whole._client.list_artifacts(runs[0].info.run_id, "prompts")
            assert whole.find(STAGE_B, "staging").content_hash == prompt.ref.content_hash
    assert cut > 8, "a sync has that many requests that can be lost"


def test_a_version_that_was_changed_by_hand_is_named(registry, uri):
    registry.sync(a_prompt())
    MlflowClient(uri, uri).set_prompt_version_tag(STAGE_B, "1", "content_hash", "0123456789ab")
    with pytest.raises(ConfigError, match=r"stage_b_compose_reply version 1: was changed by hand: .*0123456789ab"):
        registry.sync(a_prompt())
    assert "changed by hand" in registry.versions(STAGE_B)[0].problem


def test_a_version_that_somebody_else_made_is_not_usable(registry, uri):
    registry.sync(a_prompt())
    client = MlflowClient(uri, uri)
    client.create_prompt_version(STAGE_B, "Say something about {{url}}.")
    assert "has no content_hash" in registry.find(STAGE_B, "2").problem
    assert not registry.find(STAGE_B, "1").problem


def test_a_text_that_passed_is_the_candidate_whatever_its_version_was_called(registry):
    registry.sync(a_prompt(words=" One."))
    registry.sync(a_prompt(words=" Two."))
    one = a_prompt(words=" One.").ref
    unknown = PromptRef(name=STAGE_A, version="yaml", content_hash="0123456789ab")
    assert registry.passed([one, unknown]) == (one.model_copy(update={"version": "1"}),)
    assert aliases(registry) == {"candidate": "1", "staging": "2"}


def test_prod_that_was_taken_away_is_told_from_one_that_never_was_or_was_lost(registry, uri):
    assert registry.prod(STAGE_B).withdrawn is False
    registry.sync(a_prompt())
    registry.point(STAGE_B, "prod", "1")
    assert registry.prod(STAGE_B).version.version == "1"
    MlflowClient(uri, uri).delete_prompt_alias(STAGE_B, "prod")
    assert (registry.prod(STAGE_B).version, registry.prod(STAGE_B).withdrawn) == (None, False)
    registry.point(STAGE_B, "prod", "none")
    assert (registry.prod(STAGE_B).version, registry.prod(STAGE_B).withdrawn) == (None, True)
    registry.point(STAGE_B, "prod", "1")
    assert registry.prod(STAGE_B).version.version == "1"


def test_a_version_or_alias_that_is_not_there_is_refused(registry):
    with pytest.raises(Refusal, match="has no prod"):
        registry.find(STAGE_B, "prod")
    with pytest.raises(Refusal, match="has no version 9"):
        registry.find(STAGE_B, "9")


def test_a_server_that_is_none_is_away(registry):
    away = PromptRegistry("http://127.0.0.1:1", lambda: NOW)
    for ask in (lambda: away.prod(STAGE_B), lambda: away.versions(STAGE_B), lambda: away.sync(a_prompt())):
        with pytest.raises(Away, match="Connection refused"):
            ask()
