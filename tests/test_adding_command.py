"""`technoshare eval add --from-feedback`: a 👎 becomes an example that a person reviews."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from technoshare.cli import main
from technoshare.datafile import load_value
from technoshare.errors import ConfigError
from technoshare.jobs.engine import open_engine
from technoshare.jobs.report import complaints
from technoshare.mlops.evaluation.adding import add
from technoshare.mlops.evaluation.dataset import Dataset, evidence_of, load_dataset
from technoshare.mlops.record import trace_id
from tests.jobs.sample import NOW, a_job
from tests.samples import evidence

JOB, OTHER = a_job(1, url="https://example.org/1", text="look <@U123> https://example.org/1"), a_job(2)
WORDS = "Lin says the figure is wrong"


@pytest.fixture
async def file(tmp_path, monkeypatch):
    """A jobs file with two comments; the bot runs on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBS_URL", f"sqlite:///{tmp_path}/jobs.db")
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db") as engine:
        for job in (JOB, OTHER):
            await shared(engine, job)
        yield engine


async def shared(engine, job, read=None):
    read = read or evidence(url=job.url).model_dump_json()
    await engine.submit(job)
    await engine.database.execute(
        "insert into shares (job_id, generation, channel, ts, thread_ts, user, url, identity, at, outcome, evidence)"
        " values (?, 0, 'C1', '1', '1', 'U0POSTER', ?, 'i', ?, 'success', ?)",
        (job.id, job.url, NOW, read),
    )


async def voted(engine, job, value="down", *, user="U0VOTER", reason=""):
    await engine.database.execute(
        "insert or replace into votes (job_id, generation, user, value, reason, at) values (?, 0, ?, ?, ?, ?)",
        (job.id, user, value, reason, NOW),
    )


async def test_a_comment_that_was_voted_down_becomes_a_pending_example_with_what_its_job_had_read(
    file, tmp_path, capsys
):
    await voted(file, JOB, reason=f"wrong_facts, not_wanted: {WORDS}")
    await voted(file, JOB, user="U2", reason="wrong_facts")
    await voted(file, OTHER, "up")
    url = f"sqlite:///{tmp_path}/jobs.db"
    path = tmp_path / "evalsets" / "feedback.yaml"
    (added,) = add(path, complaints(url), date(2026, 11, 25))
    (example,) = load_value(path, Dataset).examples
    assert (example.id, example.url, example.status) == (f"feedback-{JOB.id}", JOB.url, "pending")
    assert example.origin.model_dump() == {
        "kind": "feedback",
        "job": JOB.id,
        "trace_id": trace_id(JOB.id, 0),
        "reason": "wrong_facts, not_wanted",
        "added": "2026-11-25",
    }
    assert example.evidence.licence == "unreviewed"
    assert evidence_of(example, path.parent) == added.evidence == evidence(url=JOB.url)


def test_the_command_says_what_to_review_beside_a_running_bot_and_adds_nothing_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBS_URL", f"sqlite:///{tmp_path}/jobs.db")

    async def life():
        async with open_engine(f"sqlite:///{tmp_path}/jobs.db") as engine:
            await shared(engine, JOB)
            await voted(engine, JOB, reason=f"wrong_facts: {WORDS}")
            return [await asyncio.to_thread(main, ["eval", "add", "--from-feedback"]) for _ in range(2)]

    assert asyncio.run(life()) == [0, 0]
    out = capsys.readouterr().out
    assert WORDS in out
    assert "remove `status: pending`" in out
    assert "nothing new; comments that stand voted down: 1" in out
    written = "".join(path.read_text() for path in (tmp_path / "evalsets").rglob("*.*"))
    for private in (WORDS, "U0VOTER", "U0POSTER", "U123", "C1"):
        assert private not in written


async def test_what_a_reviewer_wrote_stays_and_new_complaints_come_after_it(file, tmp_path):
    path, url = tmp_path / "evalsets" / "feedback.yaml", f"sqlite:///{tmp_path}/jobs.db"
    await voted(file, JOB)
    add(path, complaints(url), date(2026, 11, 25))
    reviewed = path.read_text().replace("    status: pending\n", "    # seen by Ada\n    expected_theme: platform\n")
    path.write_text(reviewed)
    await voted(file, OTHER)
    assert [each.job_id for each in add(path, complaints(url), date(2026, 11, 26))] == [OTHER.id]
    assert path.read_text().startswith(reviewed)
    first, second = load_dataset(path).examples
    assert (first.status, second.status) == ("ready", "pending")


async def test_examples_that_nobody_has_reviewed_are_not_evaluated(file, tmp_path):
    await voted(file, JOB)
    path = tmp_path / "evalsets" / "feedback.yaml"
    add(path, complaints(f"sqlite:///{tmp_path}/jobs.db"), date(2026, 11, 25))
    with pytest.raises(ConfigError, match="all examples are pending"):
        load_dataset(path)


async def test_a_page_shared_twice_is_one_example_and_a_vote_taken_back_is_none(file, tmp_path):
    twin = a_job(3, url=f"{JOB.url}?utm_source=x")
    await shared(file, twin)
    for job, value in ((JOB, "down"), (twin, "down"), (OTHER, "none")):
        await voted(file, job, value)
    path = tmp_path / "feedback.yaml"
    assert len(add(path, complaints(f"sqlite:///{tmp_path}/jobs.db"), date(2026, 11, 25))) == 1


async def test_an_address_with_a_key_and_evidence_of_another_version_are_left_out(file, tmp_path):
    secret = a_job(4, url="https://example.org/4?access_token=abcdefghijklmnop")
    await shared(file, secret)
    strange = a_job(5)
    await shared(file, strange, json.dumps({"written": "by another version"}))
    for job in (secret, strange):
        await voted(file, job)
    path = tmp_path / "feedback.yaml"
    assert add(path, complaints(f"sqlite:///{tmp_path}/jobs.db"), date(2026, 11, 25)) == ()
    assert not path.exists()


async def test_votes_are_read_without_writing_into_the_jobs_file(file, tmp_path):
    await voted(file, JOB)
    with closing(sqlite3.connect(f"file:{tmp_path}/jobs.db?mode=ro", uri=True)) as connection:
        before = connection.execute("pragma data_version").fetchone()
        assert len(complaints(f"sqlite:///{tmp_path}/jobs.db")) == 1
        assert connection.execute("pragma data_version").fetchone() == before
