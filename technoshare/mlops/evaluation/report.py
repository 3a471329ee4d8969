"""Reports of an evaluation: `eval_results.json` is the evidence, the others are made from it; texts are quoted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.outline import Trouble, slices, speed, troubles
from technoshare.mlops.evaluation.page import page
from technoshare.mlops.evaluation.results import Epoch, ExampleResult, Report, ScorerLine
from technoshare.text import visible

MARKER = "<!-- technoshare eval -->"
"""First line of the Markdown: whoever keeps one comment on a pull request up to date finds it again by this."""

_VERDICTS = {"pass": "✅ PASS", "fail": "❌ FAIL", "error": "⚠️ COULD NOT EVALUATE"}
_SHOWN = 20
"""Examples told in full in the Markdown: GitHub takes 65,536 characters."""
_LONGEST = 300
"""Characters of an offending text."""


def write_reports(report: Report, results: Path) -> tuple[Path, ...]:
    """Write `results` (JSON) and, beside it, Markdown, JUnit and HTML; return their paths.

    Raises `ConfigError` when a file cannot be written.
    """
    texts = {
        results: report.model_dump_json(indent=2, by_alias=True) + "\n",
        results.with_name("eval_report.md"): markdown(report),
        results.with_name("eval_report.html"): page(report),
        results.with_name("eval_junit.xml"): junit(report),
    }
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
    return tuple(texts)


# ---------------------------------------------------------------- Markdown


def markdown(report: Report) -> str:
    """Return the comment for a pull request: the verdict first, then why, then everything else."""
    return "\n".join((MARKER, *_head(report), *_table(report), *_troubles(report), *_rest(report))) + "\n"


def _head(report: Report) -> Iterator[str]:
    verdict, results = report.verdict, report.results
    yield (
        f"## {_VERDICTS[verdict.verdict]} — {verdict.passed_examples} of {verdict.total_examples} examples "
        f"({verdict.overall_pass_rate:.0%}, 95 % interval {verdict.low:.0%}–{verdict.high:.0%})"
    )
    yield ""
    yield from (f"- **{_inline(reason)}**" for reason in verdict.reasons)
    yield from (f"- {_inline(remark)}" for remark in verdict.remarks)
    yield ""
    before = {ref.name: ref for ref in verdict.comparison.prompts_before}
    told = (
        f"`{results.mode}`",
        f"model {_code(results.model)}",
        f"{results.epochs} epoch{'s' if results.epochs > 1 else ''}",
        f"dataset {_code(results.dataset_name)} `{results.dataset_digest}`",
        f"scorers `{results.scorer_digest}`",
    )
    yield " · ".join(told)
    for ref in results.prompts:
        was = f"`{before[ref.name].content_hash}` → " if ref.name in before else ""
        yield f"- prompt {_code(ref.name)} version {_code(ref.version)}: {was}`{ref.content_hash}`"
    yield ""


def _table(report: Report) -> Iterator[str]:
    yield "| scorer | baseline | now | change | 95 % interval | floor | n |"
    yield "|---|---:|---:|---:|---|---:|---:|"
    for line in report.verdict.lines:
        name = f"**{line.scorer}**" if line.deciding else line.scorer
        change = "" if line.before is None else f"{line.rate - line.before:+.3f}"
        yield (
            f"| {name} | {_rate(line.before)} | {_rate(line.rate)}{_missed(line)} | {change} "
            f"| {line.low:.2f}–{line.high:.2f} | {_rate(line.floor)} | {line.examples} |"
        )
    yield ""
    yield "Bold: decides whether an example passes. The others decide through their floor only."
    yield ""


def _troubles(report: Report) -> Iterator[str]:
    found = troubles(report)
    newly = sum(trouble.change is not None for trouble in found)
    if found:
        yield f"### {len(found)} do not pass" + (f", {newly} of them passed in the baseline" if newly else "")
    for trouble in found[:_SHOWN]:
        yield from _trouble(trouble)
    if len(found) > _SHOWN:
        yield f"… and {len(found) - _SHOWN} more in `eval_report.html`"
    if passing := report.verdict.comparison.newly_passing:
        yield ""
        yield f"**Newly passing:** {', '.join(change.id for change in passing)}"
    yield ""


def _trouble(trouble: Trouble) -> Iterator[str]:
    yield ""
    yield f"#### {trouble.example.id}" + (" (passed before)" if trouble.change else "")
    if trouble.epoch.error:
        yield f"- could not be evaluated: {_code(trouble.epoch.error)}"
    for finding in trouble.findings:
        yield f"- `{finding.scorer}`: {_inline(finding.message)}"
        yield from (f"  - {_code(text)}" for text in finding.offending)
    if trouble.diff:
        yield from ("", *_fenced(trouble.diff, "diff"))


def _rest(report: Report) -> Iterator[str]:
    results = report.results
    took, cost = speed(results), results.usage
    told = [f"median {took.median:.2f} s", f"p95 {took.p95:.2f} s", f"{results.seconds:.0f} s in all"]
    told += [] if cost.total_tokens is None else [f"{cost.total_tokens:,} tokens"]
    told += [] if cost.cost_usd is None else [f"{cost.cost_usd:.4f} USD"]
    yield f"One run: {' · '.join(told)}"
    yield ""
    yield "<details><summary>By tag, and every example</summary>"
    yield ""
    yield from ("| tag | passed |", "|---|---:|")
    yield from (f"| {_inline(one.tag)} | {one.passed} of {one.total} |" for one in slices(results))
    yield from ("", "| example | epochs passed | seconds |", "|---|---:|---:|")
    for example in results.examples:
        seconds = sum(epoch.seconds for epoch in example.epochs) / len(example.epochs)
        mark = "✓" if example.passed else "✗"
        yield f"| {mark} {example.id} | {example.passed_epochs} of {len(example.epochs)} | {seconds:.2f} |"
    yield from ("", "</details>", "")
    yield 'Again, one example alone: `make eval ARGS="--only ID"`'


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.3f}"


def _missed(line: ScorerLine) -> str:
    return " ❌" if line.floor is not None and not line.rate >= line.floor else ""


def _inline(text: str) -> str:
    """Return one line in which nothing is Markdown, HTML or a mention."""
    clean = " ".join(visible(text).split())
    for sign in "\\`*_[]<>|#@~":
        clean = clean.replace(sign, f"&#{ord(sign)};")
    return clean


def _code(text: str) -> str:
    """Return one line of code, cut; the fence is longer than any run of backticks in it."""
    clean = " ".join(visible(text).split()).replace("|", "¦")
    short = clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}…"
    fence = _fence(short, 1)
    return f"{fence} {short} {fence}" if "`" in short else f"{fence}{short}{fence}"


def _fenced(lines: tuple[str, ...], language: str) -> Iterator[str]:
    fence = _fence("\n".join(lines), 3)
    yield from (f"{fence}{language}", *lines, fence)


def _fence(text: str, least: int) -> str:
    runs = "".join(sign if sign == "`" else " " for sign in text).split()
    return "`" * max([least, *(len(run) + 1 for run in runs)])


# ---------------------------------------------------------------- JUnit


def junit(report: Report) -> str:
    """Return one test case an example and deciding scorer; what could not be evaluated is an error, not a failure.

    A verdict that no example explains (a floor, a regression, a problem) is a test case of its own, `gate`.
    """
    results = report.results
    suite = Element("testsuite", name=results.dataset_name, time=f"{results.seconds:.3f}")
    for example in results.examples:
        for scorer in example.deciding:
            _case(suite, example, scorer)
    gate = SubElement(suite, "testcase", classname="gate", name="verdict", time="0")
    if report.verdict.verdict != "pass":
        kind = "error" if report.verdict.verdict == "error" else "failure"
        told = "\n".join(report.verdict.reasons)
        SubElement(gate, kind, message=_xml(told.partition("\n")[0])).text = _xml(told)
    counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    for attribute, path in counted.items():
        suite.set(attribute, str(len(suite.findall(path))))
    suites = Element("testsuites", suite.attrib)
    suites.append(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, "unicode") + "\n"


def _case(suite: Element, example: ExampleResult, scorer: str) -> None:
    seconds = sum(epoch.seconds for epoch in example.epochs) / len(example.deciding)
    case = SubElement(suite, "testcase", classname=example.id, name=scorer, time=f"{seconds:.3f}")
    errors = [epoch.error for epoch in example.epochs if epoch.error]
    short = [epoch for epoch in example.epochs if epoch.scores.get(scorer) != 1.0]
    if errors:
        SubElement(case, "error", message=_xml(errors[0])).text = _xml("\n".join(errors))
    elif 2 * len(short) >= len(example.epochs):  # no majority
        told = [text for epoch in short for text in _told(epoch, scorer)]
        message = told[0] if told else f"{scorer} is {example.score(scorer) or 0.0:.2f}"
        SubElement(case, "failure", message=_xml(message)).text = _xml("\n".join(told))


def _told(epoch: Epoch, scorer: str) -> Iterator[str]:
    for finding in epoch.findings:
        if finding.scorer == scorer:
            yield finding.message
            yield from (f"    {text}" for text in finding.offending)


def _xml(text: str) -> str:
    """Return the text without the characters that XML cannot hold."""
    return "".join(
        sign
        for sign in text
        if sign in "\t\n\r" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign > "\uffff"
    )
