"""👀 as a task of its own."""

import pytest

from technoshare.models import JobId
from technoshare.slack.reactions import FirstSign
from technoshare.slack.web import open_patient_client
from technoshare.workspace.server import open_workspace
from tests.slack.sample import Engine

JOBS = [JobId("0123456789ab")]


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
async def client(workspace):
    async with open_patient_client(workspace.bot_token, workspace.api_url) as client:
        yield client


def a_sign(client, engine):
    return FirstSign(client, engine, clock=lambda: 7.0)


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
