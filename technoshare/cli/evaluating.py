"""What `eval run` and `eval bless` do; apart from `evaluation`, so that no other command pays for its imports."""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime

from technoshare import terminal
from technoshare.app import app_version, open_services
from technoshare.cli.command import who
from technoshare.datafile import load_value
from technoshare.errors import ConfigError, TechnoShareError
from technoshare.llm.prompts import PROMPTS
from technoshare.llm.tape import Taping
from technoshare.mlops.evaluation.baseline import NotBlessed, bless, load_baselines
from technoshare.mlops.evaluation.candidates import make_candidates
from technoshare.mlops.evaluation.dataset import load_dataset
from technoshare.mlops.evaluation.modes import SpendingCap, Writing, choose
from technoshare.mlops.evaluation.recording import record
from technoshare.mlops.evaluation.report import write_reports
from technoshare.mlops.evaluation.results import Mode, Report
from technoshare.mlops.evaluation.runner import Observer
from technoshare.mlops.evaluation.scorers import SCORERS, scorer_digest
from technoshare.mlops.evaluation.suite import Ended, Part, Suite, not_begun, run
from technoshare.mlops.evaluation.thresholds import load_thresholds
from technoshare.mlops.evaluation.trial import load_bad_comments
from technoshare.mlops.prompt_choice import YAML, asked_prompts
from technoshare.ports import PromptBook, Unlimited
from technoshare.settings import Settings, forget_mlflow_environment


class Misused(TechnoShareError):
    """The options do not fit together."""


async def evaluate(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the evaluation, write and record what came of it, and return the exit code. Raises `Misused`."""
    forget_mlflow_environment()
    ended = await _ended(arguments, settings)
    files = write_reports(ended.report, arguments.output)
    terminal.show_report(ended.report, arguments.output)
    if settings.mlflow_enable_tracking or settings.mlflow_enable_tracing:
        print(await asyncio.to_thread(record, ended, settings.mlflow_tracking_uri, files))
        if told := await asyncio.to_thread(make_candidates, ended.report, settings.mlflow_tracking_uri):
            print(told)
    return ended.report.verdict.exit_code


async def _ended(arguments: argparse.Namespace, settings: Settings) -> Ended:
    """Run the evaluation. A wrong file or setting is an end without a verdict, which the reports tell too."""
    mode: Mode = "embedded" if arguments.mode == "auto" else arguments.mode
    try:
        writing = choose(arguments.mode, settings, replay=arguments.replay, record=arguments.record)
        mode = writing.mode
        if arguments.record and mode != "live":
            raise Misused(f"--record keeps what a model answers, and in {mode} mode none is asked")
        return await _run(arguments, writing)
    except ConfigError as error:
        name = arguments.dataset.stem
        return not_begun(str(error), dataset_name=name, mode=mode, app_version=app_version(), now=time.time())


async def _run(arguments: argparse.Namespace, writing: Writing) -> Ended:
    if writing.mode == "embedded" and any(one != YAML for one in arguments.prompt):
        raise ConfigError("--prompt: the keyless engine reads no prompt; set OPENAI_API_KEY, or OPENAI_BASE_URL")
    uri = writing.settings.mlflow_tracking_uri
    prompts = None if writing.mode == "embedded" else asked_prompts(arguments.prompt, writing.settings.prompts_dir, uri)
    suite = _suite(arguments, writing, prompts)
    most = suite.thresholds.modes[writing.mode].limits.usd
    budget = SpendingCap(most) if most and writing.mode == "live" else Unlimited()
    opened = open_services(writing.settings, Observer(), budget=budget, prompts=prompts, tape=writing.tape)
    async with opened as services:
        total = suite.epochs * len(suite.part.of(suite.dataset))
        with terminal.progress(total, f"{writing.mode} mode, {services.writer.model}") as advance:
            ended = await run(suite, services, advance)
    if isinstance(writing.tape, Taping):
        writing.tape.save(arguments.record, ended.report.results.model)
    return ended


def _suite(arguments: argparse.Namespace, writing: Writing, prompts: PromptBook | None) -> Suite:
    thresholds = load_thresholds(arguments.thresholds)
    dataset = load_dataset(arguments.dataset, live=writing.mode == "live")
    asked = thresholds.modes[writing.mode].epochs
    epochs = arguments.epochs or asked
    fewer = epochs if epochs < asked else 0
    part = Part(only=tuple(arguments.only), tags=tuple(arguments.tag), split=arguments.split, epochs=fewer)
    unknown = set(arguments.only) - {example.id for example in dataset.examples}
    if unknown or not part.of(dataset):
        raise Misused(f"no example of {arguments.dataset} fits {', '.join(sorted(unknown)) or part}")
    return Suite(
        dataset=dataset,
        folder=arguments.dataset.parent,
        part=part,
        mode=writing.mode,
        epochs=epochs,
        thresholds=thresholds,
        baselines=load_baselines(arguments.baseline),
        bad_comments=load_bad_comments(arguments.bad_comments),
        prompts=tuple(prompts.get(name).ref for name in PROMPTS) if prompts else (),
        app_version=app_version(),
        scorers=SCORERS,
        late_problems=writing.problems,
    )


# ---------------------------------------------------------------- bless


def bless_last(arguments: argparse.Namespace) -> str:
    """Move the baseline to the last evaluation and say so. Raises `NotBlessed` when that is none to compare with."""
    report = load_value(arguments.output, Report)
    results = report.results
    dataset = load_dataset(arguments.dataset, live=results.mode == "live")
    if (results.dataset_digest, results.scorer_digest) != (dataset.digest, scorer_digest()):
        raise NotBlessed(f"{arguments.output} is about another dataset or other scorers: run the evaluation anew")
    today = datetime.now(UTC).date().isoformat()
    baseline = bless(arguments.baseline, report, by=who(), at=today)
    passed = f"{results.passed_examples} of {results.num_examples} examples"
    return f"{arguments.baseline}: {baseline.key} is blessed with {passed}"
