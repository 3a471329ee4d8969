"""What the commands print for people: tables and comments, with rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from technoshare import render
from technoshare.jobs.report import JobLine, JobReport
from technoshare.mlops.evaluation.runner import Results, Score
from technoshare.models import Evidence, Reviewed
from technoshare.text import squeeze

_OUT = Console(highlight=False)
_COLOURS = {"ready": "yellow", "running": "blue", "done": "green", "dead": "red"}
_ROWS = 50  # jobs of a list
_PREVIEW = 160  # characters of a snippet: two lines of a usual terminal


def show_evidence(evidence: Evidence) -> None:
    """Print what was read: a head with the source, then one row a snippet."""
    head = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    rows = (
        ("title", evidence.title),
        ("authors", ", ".join(evidence.authors)),
        ("published", evidence.published),
        ("address", evidence.final_url),
        ("adapter", evidence.adapter),
        ("coverage", f"{evidence.coverage}{f' ({evidence.obstacle})' if evidence.obstacle else ''}"),
        ("language", evidence.language),
        ("words", f"{evidence.words:,} in {len(evidence.snippets)} snippets"),
        *((f"· {name}", text) for name, text in evidence.metadata.known()),
    )
    for name, value in rows:
        if value:
            head.add_row(f"[dim]{escape(name)}[/dim]", escape(value))
    body = Table(box=box.SIMPLE_HEAD, expand=True)
    body.add_column("id", style="cyan", no_wrap=True)
    body.add_column("section", max_width=24)
    body.add_column("characters", justify="right", no_wrap=True, style="dim")
    body.add_column("text", ratio=1)
    for snippet in evidence.snippets:
        where = snippet.section or (f"page {snippet.page}" if snippet.page else "")
        text = squeeze(snippet.text)
        shown = text if len(text) <= _PREVIEW else text[: _PREVIEW - 1] + "…"
        body.add_row(snippet.id, escape(where), f"{snippet.start}–{snippet.end}", escape(shown))
    _OUT.print(head, body)


def show_comment(reviewed: Reviewed) -> None:
    """Print the comment's text form, then the checks."""
    _OUT.print(render.comment_text(reviewed), markup=False)
    _OUT.print()
    for verdict in reviewed.verdicts:
        mark = "[green]✓[/green]" if verdict.passed else "[red]✗[/red]"
        _OUT.print(f"{mark} {verdict.check}  [dim]{escape(verdict.message)}[/dim]")


def show_jobs(jobs: Sequence[JobLine]) -> None:
    """Print one row a job; of more than a screen or two only the first."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("job", "state", "received"):
        table.add_column(name, no_wrap=True)
    table.add_column("failures", justify="right")
    table.add_column("link", overflow="fold")
    table.add_column("outcome")
    for job in jobs[:_ROWS]:
        state = f"[{_COLOURS[job.state]}]{job.state}[/]"
        told = f"{job.outcome}{' · ' if job.outcome and job.error else ''}{job.error}"
        table.add_row(
            f"[cyan]{job.id}[/]", state, _when(job.received), str(job.failures), escape(job.url), escape(told)
        )
    _OUT.print(table if jobs else "no jobs")
    if len(jobs) > _ROWS:
        _OUT.print(f"and {len(jobs) - _ROWS} older ones; --json prints them all")


def show_job(job: JobReport) -> None:
    """Print what is known about one job: its head, its stages, its posts."""
    head = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    seconds = "" if job.finished is None else f" ({job.finished - job.received:.1f} s after the message)"
    rows = (
        ("job", job.id),
        ("link", job.url),
        ("message", f"{job.channel} {job.ts}"),
        ("state", f"{job.state}{f', {job.outcome}' if job.outcome else ''}{f': {job.error}' if job.error else ''}"),
        (
            "turns",
            f"{job.claims} claims, {job.failures} failures, {job.parks} parks, {job.interruptions} interruptions",
        ),
        ("retries", str(job.generation) if job.generation else ""),
        ("received", _when(job.received)),
        ("due", _when(job.run_at) if job.state == "ready" else ""),
        ("ended", _when(job.finished) + seconds if job.finished is not None else ""),
        *(
            ("post", f"{post.channel} {post.posted}" if post.posted else "it is not known whether it arrived")
            for post in job.posts
        ),
    )
    for name, value in rows:
        if value:
            head.add_row(f"[dim]{name}[/dim]", escape(value))
    _OUT.print(head)
    for stage in job.stages:
        mark = "[green]✓[/green]" if stage.status == "ok" else "[red]✗[/red]"
        _OUT.print(f"{mark} {stage.stage:<14} {stage.seconds:>7.2f} s  [dim]{escape(stage.error)}[/dim]")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def progress(total: int) -> Iterator[Callable[[Score], None]]:
    """Show a bar while the evaluation runs; yields what to call after each example."""
    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("examples", total=total)
        yield lambda _: bar.advance(task)


def show_results(results: Results, written: Path) -> None:
    """Print one row an example, what failed and why, and the verdict."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("example")
    table.add_column("checks passed", justify="right")
    table.add_column("what failed")
    for score in results.scores:
        good = sum(value == 1.0 for value in score.scores.values())
        why = score.error or "; ".join(score.messages)
        mark = "[green]" if score.passed else "[red]"
        table.add_row(f"{mark}{score.id}[/]", f"{good}/{len(score.scores)}", escape(why))
    _OUT.print(table)
    verdict = {0: "[green]PASS[/green]", 1: "[red]FAIL[/red]", 2: "[red]COULD NOT EVALUATE[/red]"}[results.exit_code]
    _OUT.print(
        f"{verdict}  {results.passed_examples} of {results.num_examples} examples, engine {results.model}, "
        f"dataset {results.dataset_name} {results.dataset_digest}; results in {written}"
    )
