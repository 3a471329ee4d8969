"""What the commands print for people: tables and comments, with rich."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from technoshare import render
from technoshare.jobs.report import JobLine, JobReport
from technoshare.mlops.evaluation.results import Epoch, ExampleResult, GateVerdict, Report
from technoshare.mlops.waiting import SpoolReport
from technoshare.models import Evidence, Reviewed, Snippet
from technoshare.text import duration, squeeze, visible

_OUT = Console(highlight=False)
_COLOURS = {"ready": "yellow", "running": "blue", "done": "green", "dead": "red"}
_ROWS = 50  # jobs of a list
_PREVIEW = 400  # characters of a snippet: a line of the widest terminal
_NARROW = 70  # columns
_SHOWN_TEXTS = 3  # of one finding; the report has all of them
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def show_evidence(evidence: Evidence, out: Console = _OUT) -> None:
    """Print what was read: the source and what is known about it, then one line a snippet below its address."""
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(style="dim", no_wrap=True)
    head.add_column(overflow="fold")
    rows = (
        ("authors", ", ".join(evidence.authors)),
        ("published", evidence.published),
        ("adapter", evidence.adapter),
        ("language", evidence.language),
        ("words", f"{evidence.words:,} in {_counted(len(evidence.snippets), 'snippet')}"),
        *((f"· {name}", value) for name, value in evidence.metadata.known()),
    )
    head.add_row("coverage", _coverage(evidence))
    for name, value in rows:
        if value:
            head.add_row(_told(name), _told(value))
    out.print(f"[bold]{_told(evidence.title) or 'no title'}[/bold]")
    out.print(_told(evidence.final_url), style="cyan", soft_wrap=True)
    out.print(head)
    _show_snippets(evidence.snippets, out)


def _coverage(evidence: Evidence) -> str:
    obstacle = f": {_told(evidence.obstacle.replace('_', ' '))}" if evidence.obstacle else ""
    return f"[{'green' if evidence.coverage == 'full' else 'yellow'}]{evidence.coverage}{obstacle}[/]"


def _show_snippets(snippets: Sequence[Snippet], out: Console) -> None:
    """Print id, section or page, characters and first words; a narrow terminal does without the characters."""
    narrow = out.width < _NARROW
    lines = [(one.id, _place(one), f"{one.start}–{one.end}", one.text[:_PREVIEW], one.source) for one in snippets]
    ids, places, spans = (max([0, *(cell_len(line[column]) for line in lines)]) for column in range(3))
    for source, of_source in groupby(lines, key=itemgetter(-1)):
        out.print(f"\n[dim]{_told(source)}[/dim]", soft_wrap=True)
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(style="cyan", width=ids)
        table.add_column(width=min(places, 20 if narrow else 28), no_wrap=True, overflow="ellipsis")
        if not narrow:
            table.add_column(style="dim", width=spans, justify="right")
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for name, place, span, text, _ in of_source:
            table.add_row(name, _told(place), *([] if narrow else [span]), _told(text))
        out.print(table)


def _place(snippet: Snippet) -> str:
    return snippet.section or (f"page {snippet.page}" if snippet.page else "")


def _told(text: str) -> str:
    """Return what a page says as one harmless line: no markup, and no escape sequence that a terminal would obey."""
    return escape(_CONTROL.sub("", squeeze(visible(text))))


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


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


def show_spool(spool: SpoolReport, now: float) -> None:
    """Print one line of figures, then one row for each entry that waits or lies on the shelf, with the last error."""
    age = "" if spool.oldest is None else f", the oldest for {duration(now - spool.oldest)}"
    _OUT.print(
        f"{len(spool.waiting)} wait for MLflow{age}; {len(spool.shelved)} on the shelf; "
        f"{spool.delivered} delivered in the last 30 days"
    )
    lines = (*spool.shelved, *spool.waiting)
    if not lines:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("number", "tries"):
        table.add_column(name, justify="right")
    for name in ("kind", "job", "state", "since"):
        table.add_column(name, no_wrap=True)
    table.add_column("last error", overflow="fold")
    for line in lines[:_ROWS]:
        state = "[red]shelved[/red]" if line.state == "shelved" else "[yellow]waiting[/yellow]"
        told = (str(line.number), str(line.tries), line.kind, f"[cyan]{line.job}[/]", state, _when(line.since))
        table.add_row(*told, escape(line.error))
    _OUT.print(table)
    if len(lines) > _ROWS:
        _OUT.print(f"and {len(lines) - _ROWS} more; --json prints them all")
    if spool.shelved:
        _OUT.print("`technoshare spool retry NUMBER` lets one from the shelf try again, `retry all` every one")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


# ---------------------------------------------------------------- evaluation


@contextmanager
def progress(total: int, told: str) -> Iterator[Callable[[Epoch], None]]:
    """Show a bar while an evaluation runs, or one plain line where nobody watches; yields what to call per epoch."""
    err = Console(stderr=True, highlight=False)
    if not err.is_terminal:
        err.print(f"evaluating: {told}, {_counted(total, 'run')}")
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(told, total=total)
        yield lambda _: bar.advance(task)


_VERDICTS = {"pass": "[green]PASS[/]", "fail": "[red]FAIL[/]", "error": "[red]COULD NOT EVALUATE[/]"}


def show_report(report: Report, written: Path, out: Console = _OUT) -> None:
    """Print what went wrong in which example, the scorers' rates, and the verdict with its reasons last."""
    verdict, results = report.verdict, report.results
    for example in results.examples:
        for epoch in () if example.passed and not example.errors else example.epochs:
            _show_epoch(example, epoch, out)
    if results.examples:
        out.print(_rates(verdict))
    for remark in verdict.remarks:
        out.print(f"[dim]{escape(remark)}[/]")
    for reason in verdict.reasons:
        out.print(f"[red]•[/] {escape(reason)}")
    writer = escape(results.model or "nobody wrote")
    out.print(
        f"{_VERDICTS[verdict.verdict]}  {verdict.passed_examples} of {_counted(verdict.total_examples, 'example')} "
        f"(95 %: {verdict.low:.2f} to {verdict.high:.2f}), {results.mode} mode, {writer}, dataset "
        f"{escape(results.dataset_name)} {results.dataset_digest}, {results.seconds:.1f} s; "
        f"results in {escape(str(written))}"
    )


def _show_epoch(example: ExampleResult, epoch: Epoch, out: Console) -> None:
    if epoch.error:
        out.print(f"[red]{example.id}[/]  {escape(epoch.error)}")
    told: set[str] = set()  # where there is no comment, every scorer says the same
    for finding in epoch.findings:
        if finding.scorer in example.deciding and finding.message not in told:
            told.add(finding.message)
            out.print(f"[red]{example.id}[/]  {finding.scorer}: {escape(finding.message)}")
            for text in finding.offending[:_SHOWN_TEXTS]:
                out.print(f"    [dim]{_told(text)}[/]")


def _rates(verdict: GateVerdict) -> Table:
    """Return the rates; of those that decide nothing only what is not perfect."""
    flawless = sum(line.rate == 1.0 and not line.deciding and line.floor is None for line in verdict.lines)
    table = Table(box=box.SIMPLE_HEAD, caption=f"and {flawless} more at 1.000" if flawless else None)
    table.add_column("scorer")
    for name in ("rate", "95 %", "before", "floor", "examples"):
        table.add_column(name, justify="right")
    for line in verdict.lines:
        if line.rate == 1.0 and not line.deciding and line.floor is None:
            continue
        low = line.floor is not None and line.rate < line.floor
        mark = "[red]" if low else "[bold]" if line.deciding else "[default]"
        before = "" if line.before is None else f"{line.before:.3f}"
        floor = "" if line.floor is None else f"{line.floor:g}"
        interval = f"{line.low:.2f}–{line.high:.2f}"
        table.add_row(f"{mark}{line.scorer}[/]", f"{line.rate:.3f}", interval, before, floor, str(line.examples))
    return table
