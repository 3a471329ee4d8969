"""Prompts of several texts, and registries that hold nothing yet."""

from mlflow import MlflowClient

from technoshare.llm.prompts import PROMPTS, STAGE_A, STAGE_B, YamlPrompts, checked_prompt, content_of, load_prompts
from technoshare.mlops.evaluation.results import EXPERIMENT
from technoshare.mlops.prompt_registry import PromptRegistry
from technoshare.mlops.prompt_version import PromptVersion
from technoshare.ports import Prompt
from tests.llm.samples import ROOT

NOW = 1_795_000_000.0
FOLDER = ROOT / "prompts"
BASE = load_prompts(FOLDER)


def a_prompt(name: str = STAGE_B, words: str = "", **settings) -> Prompt:
    """The prompt of the file with `words` at the end of its first message, and other settings."""
    content = content_of(BASE.get(name))
    content["template"][0]["content"] += words
    content["model_config"] |= settings
    return checked_prompt(name, "yaml", content, "here")


def files(a: str = "", b: str = "") -> YamlPrompts:
    """What prompts/ would hold."""
    return YamlPrompts({STAGE_A: a_prompt(STAGE_A, a), STAGE_B: a_prompt(STAGE_B, b)})


def a_version(version: str, name: str = STAGE_B) -> PromptVersion:
    """A version as the registry would give it."""
    prompt = a_prompt(name, f" Text {version}.")
    return PromptVersion(
        name=name, version=version, content=content_of(prompt), promised_hash=prompt.ref.content_hash, created=NOW
    )


def empty_registry(uri: str) -> PromptRegistry:
    """The registry, without what earlier tests left in it."""
    client = MlflowClient(uri, uri)
    for prompt in client.search_prompts():
        if prompt.name in PROMPTS:
            client.delete_prompt(prompt.name)
    if experiment := client.get_experiment_by_name(EXPERIMENT):
        for run in client.search_runs([experiment.experiment_id]):
            client.delete_run(run.info.run_id)
    return PromptRegistry(uri, lambda: NOW)


def aliases(registry: PromptRegistry, name: str = STAGE_B) -> dict[str, str]:
    return {alias: one.version for one in registry.versions(name) for alias in one.aliases}


def note_evaluation(registry: PromptRegistry, *prompts: Prompt, **tags: str) -> str:
    """What a live evaluation that passed leaves behind, or with other tags one that did not."""
    told = {
        "kind": "evaluation",
        "mode": "live",
        "model": "gpt-x",
        "verdict": "pass",
        "dataset_name": "own",
        "dataset_digest": "d1g357",
        "scorer_digest": "5c0ed1",
    }
    evaluated = {f"prompt.{prompt.ref.name}": f"yaml:{prompt.ref.content_hash}" for prompt in prompts}
    run_id = registry.runs.begin("eval_suite", told | evaluated | tags)
    registry.runs.end(run_id)
    return run_id
