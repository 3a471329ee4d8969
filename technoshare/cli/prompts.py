"""`prompts`: from a file to the bot, and back."""

from __future__ import annotations

import argparse
import difflib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from technoshare.cli.command import Commands, command, group, who, with_json
from technoshare.errors import ConfigError
from technoshare.llm.prompts import PROMPTS, YamlPrompts, load_prompts
from technoshare.mlops.promotion import Record
from technoshare.mlops.prompt_book import FILES, LivePrompts
from technoshare.mlops.prompt_choice import YAML
from technoshare.mlops.prompt_version import NEVER, PROD, PromptVersion, chosen, readable
from technoshare.mlops.replay import Away, limit_mlflow
from technoshare.settings import Settings, forget_mlflow_environment


def add(commands: Commands) -> None:
    """Add the command and its actions."""
    actions = group(commands, "prompts", "bring prompts to MLflow, look at them, move what the bot uses")
    with_json(command(actions, "sync", _sync, "bring prompts/*.yaml into MLflow's prompt registry, as staging"))
    with_json(command(actions, "list", _list, "list versions and aliases, and what the bot uses"))
    diff = command(actions, "diff", _diff, "compare two texts of a prompt, with settings and schema")
    diff.add_argument("name", metavar="NAME", type=_named)
    diff.add_argument("one", metavar="A", nargs="?", default=PROD, help="version, alias or yaml (default: prod)")
    diff.add_argument("other", metavar="B", nargs="?", default=YAML, help="the same (default: yaml)")
    promote = command(actions, "promote", _promote, "let the bot use what passed its evaluation")
    promote.add_argument("--version", metavar="V", default="", help="version or alias (default: candidate, or staging)")
    promote.add_argument("--force", metavar="WHY", default="", help="without an evaluation; the reason is recorded")
    rollback = command(actions, "rollback", _rollback, "undo the last promotion; once more: the one before it")
    for moving in (promote, rollback):
        moving.add_argument("name", metavar="NAME", nargs="?", type=_named, help="only this prompt")
        with_json(moving)


def _named(text: str) -> str:
    """Return the name of the prompt that begins with `text`."""
    found = [name for name in PROMPTS if name.startswith(text)]
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(PROMPTS)}")
    return found[0]


# ---------------------------------------------------------------- actions


async def _sync(arguments: argparse.Namespace, settings: Settings) -> int:
    files = load_prompts(settings.prompts_dir)
    with _registry(settings) as registry:
        synced = [registry.sync(files.get(name)) for name in PROMPTS]
    if arguments.json:
        _dump([_line(version) | {"new": new} for version, new in synced])
        return 0
    for version, new in synced:
        told = f"version {version.version} ({version.content_hash}) is staging"
        print(f"{version.name}: {told}{'' if new else '; it was known'}")
    return 0


async def _list(arguments: argparse.Namespace, settings: Settings) -> int:
    files = load_prompts(settings.prompts_dir)
    live = LivePrompts(files, settings.data / "prompts-prod.json")
    with _registry(settings) as registry:
        live.look(registry)
        listed = [_listed(name, registry.versions(name), files, live) for name in PROMPTS]
    _dump(listed) if arguments.json else _show(listed)
    return 0


async def _diff(arguments: argparse.Namespace, settings: Settings) -> int:
    name, files = arguments.name, load_prompts(settings.prompts_dir)
    with _registry(settings) as registry:
        versions = registry.versions(name)

    def text(which: str) -> tuple[str, list[str]]:
        prompt = files.get(name) if which == YAML else chosen(versions, name, which).prompt()
        version = "" if prompt.ref.version == which else f" {prompt.ref.version}"
        return f"{which}{version} ({prompt.ref.content_hash})", readable(prompt).splitlines()

    (one, before), (other, after) = text(arguments.one), text(arguments.other)
    lines = list(difflib.unified_diff(before, after, one, other, lineterm=""))
    print("\n".join(lines) if lines else f"{name}: no difference between {one} and {other}")
    return 0


async def _promote(arguments: argparse.Namespace, settings: Settings) -> int:
    with _promotions(settings) as promotions:
        moved = promotions.promote(arguments.name, model=settings.model, which=arguments.version, force=arguments.force)
    return _told(arguments, moved)


async def _rollback(arguments: argparse.Namespace, settings: Settings) -> int:
    with _promotions(settings) as promotions:
        moved = promotions.rollback(arguments.name)
    return _told(arguments, moved)


# ---------------------------------------------------------------- MLflow


@contextmanager
def _registry(settings: Settings) -> Iterator[Any]:
    """Open the registry. Raises `ConfigError` when MLflow cannot be asked."""
    limit_mlflow()
    forget_mlflow_environment()
    uri = settings.mlflow_tracking_uri
    try:
        from technoshare.mlops.prompt_registry import PromptRegistry

        yield PromptRegistry(uri, time.time)
    except Away as away:
        raise ConfigError(f"MLflow at {uri} cannot be asked ({away}); is it running? (make mlflow)") from away


@contextmanager
def _promotions(settings: Settings) -> Iterator[Any]:
    with _registry(settings) as registry:
        from technoshare.mlops.promoting import Promotions

        files = load_prompts(settings.prompts_dir)
        yield Promotions(registry, files, settings.prompts_dir / "PROMOTIONS.jsonl", who(), time.time)


# ---------------------------------------------------------------- output


def _dump(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _line(version: PromptVersion) -> dict[str, Any]:
    return version.model_dump(include={"name", "version", "created", "aliases"}) | {
        "content_hash": version.content_hash
    }


def _listed(name: str, versions: Sequence[PromptVersion], files: YamlPrompts, live: LivePrompts) -> dict[str, Any]:
    current, file = live.get(name).ref, files.get(name).ref.content_hash
    same = next((one.version for one in versions if one.content_hash == file and not one.problem), None)
    return {
        "name": name,
        "current": {"version": current.version, "content_hash": current.content_hash, "from": live.place(name)},
        "versions": [
            _line(one) | {"current": one.version == current.version, "problem": one.problem} for one in versions
        ],
        "yaml": {"content_hash": file, "version": same, "current": live.place(name) == FILES},
    }


def _show(listed: Sequence[dict[str, Any]]) -> None:
    for prompt in listed:
        print(prompt["name"])
        for one in prompt["versions"]:
            when = datetime.fromtimestamp(one["created"]).astimezone().strftime("%Y-%m-%d %H:%M")
            words = (", ".join(one["aliases"]), one["problem"] and f"cannot be used: {one['problem']}")
            _show_row(one["version"], one["content_hash"], when, words, current=one["current"])
        yaml = prompt["yaml"]
        same = f"= version {yaml['version']}" if yaml["version"] else "not synced"
        _show_row(YAML, yaml["content_hash"], "", (same,), current=yaml["current"])


def _show_row(version: str, content_hash: str, when: str, words: Sequence[str], *, current: bool) -> None:
    told = "  ".join(word for word in (*words, "← current" if current else "") if word)
    print(f"  {version:>4}  {content_hash}  {when:<16}  {told}".rstrip())


def _told(arguments: argparse.Namespace, moved: Sequence[Record]) -> int:
    if arguments.json:
        _dump([record.model_dump(mode="json", by_alias=True) for record in moved])
    elif not moved:
        print("nothing to promote: prod is what was synced last")
    for record in moved if not arguments.json else ():
        why = f"forced: {record.reason}" if record.forced else f"evaluation {record.evaluation_run or NEVER}"
        told = f"prod {record.from_} → {record.to}"
        print(f"{record.prompt_name}: {told}{f', {why}' if record.action == 'promote' else ''}")
    return 0
