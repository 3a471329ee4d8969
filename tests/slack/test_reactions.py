"""👀 as a task of its own."""

import asyncio

import pytest

from technoshare.models import Job, JobId
from technoshare.slack.reactions import Signs, sign_of
from technoshare.slack.web import open_patient_client
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine, Messages

JOBS = [JobId("0123456789ab")]


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
async def client(workspace):
    async with open_patient_client(workspace.bot_token, workspace.api_url) as client:
        yield client


def a_sign(client, engine, *ends):
    return Signs(client, engine, Messages(*ends), clock=lambda: 7.0)


async def test_eyes_that_stand_already_count_as_the_first_sign(workspace, client):
    engine = Engine()
    sign = a_sign(client, engine)
    workspace.faults.refuse("reactions.add", error="already_reacted")
    sign.give(workspace.channel, workspace.say("hello"), JOBS)
    await sign.close()
    assert engine.signs == {JOBS[0]: 7.0}


async def test_eyes_that_slack_puts_off_do_not_put_off_the_end(workspace, client):
    engine = Engine()
    sign = a_sign(client, engine)
    workspace.faults.rate_limit("reactions.add", retry_after=3600)
    sign.give(workspace.channel, workspace.say("hello"), JOBS)
    await workspace.until(lambda: workspace.calls)
    await sign.close(patience=0)
    assert engine.signs == {}


async def test_after_the_end_no_eyes_begin(workspace, client):
    sign = a_sign(client, Engine())
    await sign.close()
    sign.give(workspace.channel, workspace.say("hello"), JOBS)
    assert workspace.calls == []


async def test_eyes_that_cannot_be_noted_are_one_line_in_the_log(workspace, client, caplog):
    class Full(Engine):
        async def signed(self, job_id, at):
            raise OSError("disk is full")

    sign = a_sign(client, Full())
    ts = workspace.say("hello")
    sign.give(workspace.channel, ts, JOBS)
    await sign.close()
    assert workspace.reactions(ts) == ["eyes"]
    assert "disk is full" in caplog.text


async def test_without_an_answer_there_is_a_line_and_no_sign(workspace, client, caplog):
    engine = Engine()
    client.base_url = "http://127.0.0.1:9/api/"
    sign = a_sign(client, engine)
    sign.give(workspace.channel, "1.0", JOBS)
    await sign.close()
    assert engine.signs == {}
    assert "no 👀" in caplog.text


# ---------------------------------------------------------------- the end


def a_job(workspace, ts, **changes):
    given = {"key": "k", "team": "T1", "user": "U1", "url": "https://example.org/", "received": 0.0}
    return Job(**given | {"channel": workspace.channel, "ts": ts, "thread_ts": ts} | changes)


@pytest.mark.parametrize(
    ("ends", "sign"),
    [
        (["success"], "white_check_mark"),
        (["degraded"], "white_check_mark"),
        (["duplicate"], "white_check_mark"),
        (["failed"], "warning"),
        (["success", "failed", "duplicate"], "warning"),
        (["success", None], None),
        (["failed", None], None),
        (["withdrawn"], None),
        (["withdrawn", "success"], "white_check_mark"),
        ([], None),
    ],
)
def test_the_worst_end_of_a_message_is_its_sign_once_all_its_links_ended(ends, sign):
    assert sign_of(ends) == sign


async def test_eyes_become_a_tick_and_a_repeated_end_changes_nothing(workspace, client, caplog):
    signs = a_sign(client, Engine(), "success")
    ts = workspace.say("hello")
    signs.give(workspace.channel, ts, JOBS)
    signs.end(a_job(workspace, ts))
    signs.end(a_job(workspace, ts))
    await signs.close()
    assert workspace.reactions(ts) == ["white_check_mark"]
    assert caplog.text == ""


async def test_eyes_that_slack_puts_off_never_come_after_the_tick(workspace, client):
    signs = a_sign(client, Engine(), "success")
    workspace.faults.rate_limit("reactions.add", retry_after=1)
    ts = workspace.say("hello")
    signs.give(workspace.channel, ts, JOBS)
    signs.end(a_job(workspace, ts))
    await signs.close()
    assert workspace.reactions(ts) == ["white_check_mark"]


async def test_eyes_stay_while_another_link_of_the_message_is_read(workspace, client):
    signs = a_sign(client, Engine(), "failed", None)
    ts = workspace.say("hello")
    signs.give(workspace.channel, ts, JOBS)
    signs.end(a_job(workspace, ts))
    await signs.close()
    assert workspace.reactions(ts) == ["eyes"]


async def test_a_new_attempt_turns_the_warning_into_eyes_and_its_end_into_a_tick(workspace, client):
    engine = Engine()
    ts = workspace.say("hello")
    failed = a_sign(client, engine, "failed")
    failed.end(a_job(workspace, ts))
    await failed.close()
    assert workspace.reactions(ts) == ["warning"]
    retried = a_sign(client, engine, "success")
    job = a_job(workspace, ts, generation=1)
    retried.again(job)
    await workspace.until(lambda: workspace.reactions(ts) == ["eyes"])
    retried.end(job)
    await retried.close()
    assert workspace.reactions(ts) == ["white_check_mark"]
    assert engine.signs == {job.id: 7.0}


async def test_a_message_that_is_gone_gets_no_sign(workspace, client, caplog):
    signs = a_sign(client, Engine(), "withdrawn")
    signs.end(a_job(workspace, "1.0"))
    await signs.close()
    assert [call.method for call in workspace.calls] == ["reactions.remove"]
    assert caplog.text == ""


async def test_a_link_that_was_cancelled_by_hand_loses_its_eyes(workspace, client):
    signs = a_sign(client, Engine(), "withdrawn")
    ts = workspace.say("hello")
    signs.give(workspace.channel, ts, JOBS)
    signs.end(a_job(workspace, ts))
    await signs.close()
    assert workspace.reactions(ts) == []


async def test_a_sign_that_slack_refuses_is_one_line_and_not_asked_for_again(workspace, client, caplog):
    messages = Messages("success")
    signs = Signs(client, Engine(), messages, clock=lambda: 7.0)
    ts = workspace.say("hello")
    workspace.faults.refuse("reactions.add", error="not_reactable")
    signs.end(a_job(workspace, ts))
    await signs.close()
    assert "no ✅" in caplog.text
    assert messages.signed == [(workspace.channel, ts)]


async def test_a_sign_that_a_crash_or_an_outage_ate_is_set_later(workspace, client):
    messages = Messages("success")
    ts = workspace.say("hello")
    messages.missing = [(workspace.channel, ts)]
    workspace.faults.server_error("reactions.add")
    for signed in ([], [(workspace.channel, ts)]):
        signs = Signs(client, Engine(), messages, clock=lambda: 7.0)
        mending = asyncio.create_task(signs.mend())
        await asyncio.sleep(0)
        await signs.close()
        mending.cancel()
        assert messages.signed == signed
    assert workspace.reactions(ts) == ["white_check_mark"]
