"""MLflow's prompt registry: versions by content hash, aliases, and one run for each text that ever was.

This module imports mlflow, which takes 2 s. Every call blocks, by a few tens of milliseconds where MLflow is near and
5 s where it does not answer, and raises `Away` when MLflow cannot be asked. Neither the fluent API nor `load_prompt`
nor `register_prompt` is used: they ask for the process's own experiment, which is not ours.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.entities.model_registry import PromptVersion as Stored
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import PROMPT_EXPERIMENT_IDS_TAG_KEY
from mlflow.tracking._model_registry.client import ModelRegistryClient

from technoshare.llm.prompts import content_of
from technoshare.mlops.eval_runs import EvalRuns, reached
from technoshare.mlops.prompt_book import Prod
from technoshare.mlops.prompt_version import CANDIDATE, NEVER, PROD, STAGING, PromptVersion, chosen, iso, readable
from technoshare.mlops.refusals import unknown
from technoshare.mlops.replay import Away
from technoshare.models import PromptRef
from technoshare.ports import Clock, Prompt

_WITHDRAWN = "prod_withdrawn"
"""Tag of a prompt whose `prod` was taken away on purpose: without it, a `prod` that is gone is a loss."""


class PromptRegistry:
    """The registry of one MLflow server or database. `runs` are those of the evaluation experiment beside it."""

    def __init__(self, uri: str, clock: Clock) -> None:
        self.uri, self._clock = uri, clock
        with reached():
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            self._models = ModelRegistryClient(uri, uri)  # type: ignore[no-untyped-call]  # the only one that tells a prompt's aliases
        self.runs = EvalRuns(self._client)

    # ------------------------------------------------------------ reading

    def prod(self, name: str) -> Prod:
        """Return what the bot is to use, and the candidate that waits beside it."""
        registered = self._registered(name)
        if registered is None:
            return Prod(None)
        used, waiting = (registered.aliases.get(alias) for alias in (PROD, CANDIDATE))
        return Prod(
            version=None if used is None else self._read(name, used),
            withdrawn=used is None and registered.tags.get(_WITHDRAWN) == "yes",
            candidate=None if waiting in (None, used) else self._read(name, waiting),
        )

    def _read(self, name: str, version: str) -> PromptVersion:
        with reached():
            stored = self._client.get_prompt_version(name, version)
        if stored is None:  # MLflow's way to say that it could not read the answer
            raise Away(f"{name} version {version} cannot be read")
        return _version(stored)

    def versions(self, name: str) -> tuple[PromptVersion, ...]:
        """Return all versions with their aliases, the newest first."""
        registered = self._registered(name)
        if registered is None:
            return ()
        found: list[Stored] = []
        token = None
        with reached():
            while True:
                page = self._client.search_prompt_versions(name, page_token=token)
                found += page
                if not (token := page.token):
                    break
        aliases = {str(alias): str(version) for alias, version in registered.aliases.items()}
        return tuple(_version(one, tuple(a for a, v in aliases.items() if v == str(one.version))) for one in found)

    def find(self, name: str, which: str) -> PromptVersion:
        """Return the version with this number or alias. Raises `Refusal` when there is none."""
        return chosen(self.versions(name), name, which)

    def _registered(self, name: str) -> RegisteredModel | None:
        with reached():
            try:
                found: RegisteredModel = self._models.get_registered_model(name)  # type: ignore[no-untyped-call]  # mlflow's own gap
            except MlflowException as error:
                if unknown(error):
                    return None
                raise
        return found

    # ------------------------------------------------------------ writing

    def sync(self, prompt: Prompt) -> tuple[PromptVersion, bool]:
        """Make sure that this text has a version, a run and the alias `staging`; return it and whether it is new.

        Each part is looked for before it is made, so what a killed sync has left undone is done by the next. Raises
        `ConfigError` when the version that claims to hold this text was changed by hand.
        """
        known = self.versions(prompt.ref.name)
        version = _of_hash(known, prompt.ref)
        new = version is None
        if version is None:
            self._create(prompt, first=not known)
            version = _of_hash(self.versions(prompt.ref.name), prompt.ref)
        if version is None:
            raise Away(f"{prompt.ref.name} was stored and is not there")
        version.prompt()
        self._note(version)
        if STAGING not in version.aliases:
            self.point(version.name, STAGING, version.version)
        return version, new

    def passed(self, refs: Iterable[PromptRef]) -> tuple[PromptRef, ...]:
        """Point `candidate` at these texts, which passed a live evaluation; return those that the registry knows."""
        found = []
        for ref in refs:
            if version := _of_hash(self.versions(ref.name), ref):
                self.point(ref.name, CANDIDATE, version.version)
                found.append(ref.model_copy(update={"version": version.version}))
        return tuple(found)

    def point(self, name: str, alias: str, version: str) -> None:
        """Let an alias stand at `version`; `NEVER` takes it away."""
        with reached():
            if alias == PROD:
                self._client.set_prompt_tag(name, _WITHDRAWN, "yes" if version == NEVER else "no")
            if version == NEVER:
                self._client.delete_prompt_alias(name, alias)
            else:
                self._client.set_prompt_alias(name, alias, int(version))

    def _create(self, prompt: Prompt, *, first: bool) -> None:
        name, content = prompt.ref.name, content_of(prompt)
        shown_in = {PROMPT_EXPERIMENT_IDS_TAG_KEY: f",{self.runs.experiment_id()},"}  # the page of the experiment
        with reached():
            if first and self._registered(name) is None:
                self._client.create_prompt(name, tags=shown_in)
            self._client.create_prompt_version(name, tags=self._tags(prompt.ref), **content)

    def _note(self, version: PromptVersion) -> None:
        """Make sure that the text has its run, with the text as a file."""
        prompt = version.prompt()
        ref = prompt.ref
        runs = self.runs.find(
            f"tags.kind = 'prompt' and tags.prompt_name = '{ref.name}' and tags.content_hash = '{ref.content_hash}'"
        )
        if any(run.info.status == "FINISHED" for run in runs):
            return
        tags = {"kind": "prompt", "prompt_version": ref.version} | self._tags(ref)
        run_id = runs[0].info.run_id if runs else self.runs.begin(f"prompt {ref.name}", tags)
        self.runs.put(run_id, f"prompts/{ref.name}.txt", readable(prompt))
        self.runs.end(run_id)

    def _tags(self, ref: PromptRef) -> dict[str, str]:
        return {
            "prompt_name": ref.name,
            "content_hash": ref.content_hash,
            "source": "yaml",
            "timestamp": iso(self._clock()),
        }


def _of_hash(versions: Iterable[PromptVersion], ref: PromptRef) -> PromptVersion | None:
    """Return the version that holds this text; one that was changed by hand only where there is no other."""
    holding = [one for one in versions if ref.content_hash in (one.content_hash, one.promised_hash)]
    return min(holding, key=lambda one: one.content_hash != one.promised_hash, default=None)


def _version(stored: Stored, aliases: tuple[str, ...] = ()) -> PromptVersion:
    return PromptVersion(
        name=stored.name,
        version=str(stored.version),
        content={
            "template": stored.template,
            "model_config": stored.model_config,
            "response_format": stored.response_format,
        },
        promised_hash=stored.tags.get("content_hash", ""),
        created=stored.creation_timestamp / 1000,
        aliases=aliases,
    )
