"""`technoshare replay`: the comment of a job, written once more from what was read then."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from technoshare import pipeline
from technoshare.app import open_services
from technoshare.cli import main
from technoshare.jobs.engine import open_engine
from technoshare.jobs.shares import SqliteShares
from technoshare.mlops.comparison import compared
from technoshare.models import Share, Verdict
from technoshare.runner import StageRunner
from technoshare.settings import load_settings
from technoshare.workspace.model import open_model_server
from tests.jobs.sample import NOW, FakeTime, a_job
from tests.mlops.sample import a_job as a_told_job
from tests.mlops.sample import reviewed

ROOT = Path(__file__).resolve().parent.parent
BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
JOB = a_job(1, url=BLOG)


@pytest.fixture
async def file(tmp_path, monkeypatch) -> Path:
    """A jobs file in which the bot, without a model, has answered one link."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("technoshare.cli.replay._OUT", Console(highlight=False, width=160))
    monkeypatch.setenv("JOBS_URL", f"sqlite:///{tmp_path}/jobs.db")
    monkeypatch.setenv("FETCH_SNAPSHOTS", "evalsets/snapshots")
    monkeypatch.setenv("LLM_MODEL", "extractive")
    settings = load_settings()
    async with open_engine(settings.jobs_url) as engine, open_services(settings) as services:
        ledger = SqliteShares(engine.database, lambda *_: "", FakeTime())

        async def answer(claim) -> None:
            written = await pipeline.draft(StageRunner(services, claim), claim.job)
            evidence = (await claim.checkpoints())["retrieval"].result
            await ledger.add(
                Share(
                    job_id=JOB.id,
                    channel="C1",
                    ts=JOB.ts,
                    thread_ts=JOB.ts,
                    user="U1",
                    url=BLOG,
                    final_url=BLOG,
                    at=NOW,
                    outcome=written.outcome,
                    reply_ts="7.000",
                    evidence=evidence,
                    comment=written.comment,
                )
            )
            stopping.set()

        stopping = asyncio.Event()
        await engine.submit(JOB)
        await engine.submit(a_job(2))
        await engine.cancel(a_job(2).id)
        await engine.serve(answer, answer, workers=1, stopping=stopping, drain=20)
    monkeypatch.delenv("FETCH_SNAPSHOTS")  # from here on there is no network and no page
    return tmp_path / "jobs.db"


async def replay(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["replay", *arguments])


async def test_the_same_writer_on_the_same_evidence_writes_the_same(file, capsys):
    before = file.read_bytes()
    assert await replay(JOB.id) == 0
    shown = capsys.readouterr().out
    assert "the same text, word for word" in shown
    assert "all gates judge both alike" in shown
    assert file.read_bytes() == before


async def test_another_writer_is_compared_with_what_was_posted(file, capsys, monkeypatch):
    async with open_model_server() as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0000")
        assert await replay(JOB.id, "--model", "gpt-4o", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert await replay(JOB.id, "--model", "gpt-4o") == 0
        shown = capsys.readouterr().out
    assert told["model"] == told["comment"]["comment"]["model"] == "gpt-4o"
    assert any(line.startswith("+") for line in told["comparison"]["diff"])
    assert "- as posted, by extractive   + as replayed, by gpt-4o" in shown
    assert "\n-" in shown
    assert "\n+" in shown


async def test_what_the_model_wants_to_read_in_addition_is_not_fetched(file, capsys, monkeypatch):
    looked_up = []
    real = asyncio.BaseEventLoop.getaddrinfo
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lambda *a, **k: looked_up.append(a[1]) or real(*a, **k))
    monkeypatch.setattr("technoshare.workspace.model_says.query", lambda _: BLOG)
    async with open_model_server() as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0000")
        assert await replay(JOB.id, "--model", "gpt-4o", "--json") == 0
        assert model.requests() > 2  # the tool was called
    assert "blog.example.org" not in looked_up


async def test_a_model_without_a_key_is_one_line(file, capsys):
    assert await replay(JOB.id, "--model", "gpt-4o") == 2
    assert capsys.readouterr().err == (
        "technoshare: --model gpt-4o needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own\n"
    )


async def test_after_30_days_the_ledger_still_has_the_evidence(file, capsys):
    with sqlite3.connect(file) as connection:
        connection.execute("delete from checkpoints")
    assert await replay(JOB.id) == 0
    shown = capsys.readouterr().out
    assert "nothing is kept of what job" in shown
    assert "TLDR" in shown


@pytest.mark.parametrize(
    ("job", "told"), [("0123456789ab", "there is no job 0123456789ab"), (a_job(2).id, "has read nothing")]
)
async def test_a_job_that_never_read_anything_cannot_be_replayed(file, capsys, job, told):
    assert await replay(job) == 1
    assert told in capsys.readouterr().err


def test_a_comparison_names_the_gates_that_broke_and_those_that_were_mended():
    job = a_told_job()
    good, bad = reviewed(job), reviewed(job, passed=False)
    assert compared(good, bad).broken == ("tldr_sentence_count",)
    assert compared(bad, good).mended == ("tldr_sentence_count",)
    assert compared(good, good).gates == ()
    assert compared(good, bad).failures == 1


def test_a_gate_that_only_one_of_both_knew_is_neither_broken_nor_mended():
    job = a_told_job()
    extra = Verdict(check="newer", section="tldr", severity="warn", score=0.0, passed=False, message="no")
    newer = reviewed(job).model_copy(update={"verdicts": (*reviewed(job).verdicts, extra)})
    comparison = compared(reviewed(job), newer)
    assert [(gate.check, gate.before, gate.after) for gate in comparison.gates] == [("newer", None, False)]
    assert (comparison.broken, comparison.mended) == ((), ())
