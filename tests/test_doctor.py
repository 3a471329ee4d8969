"""`technoshare doctor` against the local workspace and a real MLflow server, with each thing broken in turn."""

import asyncio
import contextlib
import json
import os
import socket
import sqlite3
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from pydantic import SecretStr

from technoshare import doctor
from technoshare.cli import main
from technoshare.doctor import Finding, bad, examine, good
from technoshare.jobs.control import open_control
from technoshare.jobs.engine import open_engine
from technoshare.jobs.orders import Desk
from technoshare.mlops.spool import open_spool
from technoshare.settings import Settings
from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.jobs.sample import a_job
from tests.mlops import sample
from tests.mlops.conftest import mlflow_server as mlflow_server  # noqa: PLC0414 - the same session's server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
"""Seconds for a check: a busy machine imports openai and mlflow slowly."""


@pytest.fixture
async def workspace():
    async with open_workspace() as workspace:
        yield workspace


@pytest.fixture
def healthy(workspace, mlflow_server, tmp_path, monkeypatch):
    """Settings with which everything is well; the current folder is an empty one."""
    monkeypatch.chdir(tmp_path)
    return Settings(
        slack_bot_token=SecretStr(workspace.bot_token),
        slack_app_token=SecretStr(workspace.app_token),
        channels=(workspace.channel,),
        slack_api_url=workspace.api_url,
        mlflow_tracking_uri=mlflow_server,
        jobs_url=f"sqlite:///{tmp_path / 'data' / 'technoshare.db'}",
        projects_file=ROOT / "prompts" / "projects.yaml",
        prompts_dir=ROOT / "prompts",
    )


async def found(settings: Settings, **changes) -> dict[str, Finding]:
    """What is found with some settings changed, by the name of the check."""
    findings = await examine(settings.model_copy(update=changes), seconds=PATIENCE)
    return {finding.check: finding for finding in findings}


async def only_bad(settings: Settings, check: str, **changes) -> Finding:
    """The one finding that is bad; that no other one is shows that the checks are independent."""
    findings = await found(settings, **changes)
    assert {name for name, finding in findings.items() if finding.state == "bad"} == {check}
    return findings[check]


async def test_all_is_well(healthy):
    findings = await found(healthy)
    assert {name: finding.state for name, finding in findings.items()} == {
        "settings": "good",
        "Slack bot token": "good",
        "Slack app token": "good",
        "channel": "good",
        "model": "none",
        "prompts": "none",
        "projects": "good",
        "jobs": "none",
        "MLflow": "good",
        "spool": "good",
        "MLflow's file": "none",
    }
    assert "extractive" in findings["model"].told
    assert findings["MLflow"].told.startswith("3.")


# ---------------------------------------------------------------- Slack


async def test_without_tokens_the_rest_is_still_looked_at(healthy):
    assert "SLACK_BOT_TOKEN is missing" in (await only_bad(healthy, "Slack", slack_bot_token=None)).told


async def test_a_bot_token_that_slack_refuses(healthy):
    finding = await only_bad(healthy, "Slack", slack_bot_token=SecretStr("xoxb-wrong"))
    assert "invalid_auth" in finding.told


async def test_an_app_token_that_slack_refuses(healthy):
    finding = await only_bad(healthy, "Slack app token", slack_app_token=SecretStr("xapp-wrong"))
    assert "invalid_auth" in finding.told


async def test_a_missing_scope(healthy, workspace):
    workspace.scopes = tuple(scope for scope in workspace.scopes if scope != "chat:write")
    assert "chat:write" in (await only_bad(healthy, "Slack")).told


async def test_a_slack_that_is_not_there(healthy):
    assert "SLACK_API_URL" in (await only_bad(healthy, "Slack", slack_api_url="http://127.0.0.1:9/api/")).told


@pytest.mark.parametrize(
    ("channel", "words"), [({"member": False}, "/invite @technoshare"), ({"external": True}, "another company")]
)
async def test_a_channel_whose_links_are_not_read(healthy, workspace, channel, words):
    other = workspace.add_channel("other", **channel)
    assert words in (await only_bad(healthy, "channel", channels=(other,))).told


async def test_a_channel_that_does_not_exist(healthy):
    assert "TECHNOSHARE_CHANNEL_ID" in (await only_bad(healthy, "channel", channels=("C0NOWHERE",))).told


# ---------------------------------------------------------------- model and files


@pytest.mark.parametrize(("model", "state", "words"), [("scripted", "good", ""), ("gpt-4o", "none", "but scripted")])
async def test_a_model_that_its_server_lists_and_one_that_it_does_not(healthy, model, state, words):
    async with open_model_server() as server:
        findings = await found(healthy, openai_base_url=server.base_url, llm_model=model)
    assert (findings["model"].state, findings["prompts"].state) == (state, "good")
    assert words in findings["model"].told


async def test_a_model_server_that_is_not_there(healthy):
    finding = await only_bad(healthy, "model", openai_base_url="http://127.0.0.1:9/v1")
    assert "cannot be reached" in finding.told
    assert "OPENAI_BASE_URL" in finding.advice


@pytest.mark.parametrize("missing", ["projects_file", "prompts_dir"])
async def test_a_file_of_prompts_or_projects_that_is_missing(healthy, missing, tmp_path):
    async with open_model_server() as server:
        changes = {missing: tmp_path / "nowhere", "openai_base_url": server.base_url}
        finding = await only_bad(healthy, "prompts" if missing == "prompts_dir" else "projects", **changes)
    assert "nowhere" in finding.told


# ---------------------------------------------------------------- jobs


async def test_jobs_of_a_running_bot(healthy):
    async with open_engine(healthy.jobs_url) as engine, open_control(Desk(engine)):
        await engine.submit(a_job())
        finding = (await found(healthy))["jobs"]
    assert finding.state == "good"
    assert "1 wait; a running bot has it" in finding.told


async def test_jobs_without_a_bot(healthy):
    async with open_engine(healthy.jobs_url):
        pass
    assert "0 wait; no bot runs" in (await found(healthy))["jobs"].told


async def test_a_damaged_jobs_file(healthy, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "technoshare.db").write_text("this was a database once, long ago, before the disk broke" * 9)
    assert "technoshare.db" in (await only_bad(healthy, "jobs")).told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written(healthy, tmp_path):
    (tmp_path / "data").mkdir(mode=0o500)
    assert "not writable" in (await only_bad(healthy, "data folder")).told


# ---------------------------------------------------------------- MLflow


async def test_an_mlflow_that_is_not_there(healthy):
    finding = await only_bad(healthy, "MLflow", mlflow_tracking_uri="http://robot:pass1234@127.0.0.1:9")
    assert finding.told == "http://127.0.0.1:9 does not answer"
    assert "make mlflow" in finding.advice


async def test_an_mlflow_that_never_answers_costs_seconds_and_no_other_check(healthy):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "does not answer" in (await only_bad(healthy, "MLflow", mlflow_tracking_uri=uri)).told


async def test_something_else_at_mlflows_address(healthy, workspace):
    finding = await only_bad(healthy, "MLflow", mlflow_tracking_uri=workspace.url.rstrip("/"))
    assert "answers 404" in finding.told


async def test_a_deleted_experiment(healthy, mlflow_server):
    client = MlflowClient(mlflow_server)
    client.delete_experiment(client.create_experiment("doctor_deleted"))
    finding = await only_bad(healthy, "MLflow", mlflow_experiment_name="doctor_deleted")
    assert "is deleted" in finding.told


async def test_a_new_experiment_is_no_fault(healthy):
    assert "made with the first record" in (await found(healthy, mlflow_experiment_name="doctor_new"))["MLflow"].told


async def test_mlflow_switched_off(healthy):
    findings = await found(healthy, mlflow_enable_tracking=False, mlflow_enable_tracing=False)
    assert (findings["MLflow"].state, findings["MLflow"].told) == ("none", "switched off")


async def test_a_file_of_mlflow_without_wal(healthy, tmp_path):
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table in ("alembic_version", "experiments", "runs"):
            connection.execute(f"create table {table} (id text)")
    finding = await only_bad(healthy, "MLflow's file", mlflow_tracking_uri=f"sqlite:///{path}")
    assert finding.advice == "technoshare mlflow tune"


@pytest.mark.parametrize(("hours", "state"), [(0, "good"), (1, "bad")])
async def test_records_that_wait_for_long(healthy, hours, state):
    async with open_spool(healthy.spool, clock=lambda: time.time() - 3600 * hours) as spool:
        await spool.put(sample.a_new_record())
    finding = (await found(healthy))["spool"]
    assert (finding.state, "1 wait" in finding.told) == (state, True)


async def test_a_record_on_the_shelf(healthy):
    async with open_spool(healthy.spool) as spool:
        await spool.put(sample.a_new_record())
        await spool.shelve((await spool.next()).number, "too long")
    assert "retry all" in (await only_bad(healthy, "spool")).advice


# ---------------------------------------------------------------- checks stand alone


async def test_a_check_that_hangs_or_breaks_spoils_no_other(healthy, monkeypatch):
    async def hangs(settings):
        yield good("first half", "done")
        await asyncio.Event().wait()

    async def breaks(settings):
        raise ZeroDivisionError("no idea")
        yield

    async def works(settings):
        yield good("works", "xoxb-1234-secret is masked")

    monkeypatch.setattr(doctor, "CHECKS", (("hangs", hangs), ("breaks", breaks), ("works", works)))
    findings = await examine(healthy, seconds=0.05)
    assert [(finding.check, finding.state) for finding in findings] == [
        ("first half", "good"),
        ("hangs", "bad"),
        ("breaks", "bad"),
        ("works", "good"),
    ]
    assert "no answer within 0.05 s" in findings[1].told
    assert "ZeroDivisionError: no idea" in findings[2].told
    assert "secret is" not in findings[3].told


# ---------------------------------------------------------------- the command


def test_the_command_ends_with_1_when_something_is_wrong_and_prints_no_secret(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SLACK_BOT_TOKEN": "xoxb-very-secret-1",
        "SLACK_APP_TOKEN": "xapp-very-secret-2",
        "TECHNOSHARE_CHANNEL_ID": "C0123",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "OPENAI_API_KEY": "sk-very-secret-3",
        "OPENAI_BASE_URL": "http://user:very-secret-4@127.0.0.1:9/v1",
        "MLFLOW_TRACKING_URI": "http://user:very-secret-5@127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    told = "".join(capsys.readouterr())
    assert "✗ Slack" in told
    assert "✗ MLflow" in told
    assert "→ start it" in told
    assert "very-secret" not in told


def test_the_command_ends_with_0_when_nothing_is_wrong(capsys, monkeypatch):
    async def nothing_wrong(settings):
        return (good("one", "fine"), doctor.nothing("two", "off"))

    monkeypatch.setattr(doctor, "examine", nothing_wrong)
    assert main(["doctor", "--json"]) == 0
    assert [finding["state"] for finding in json.loads(capsys.readouterr().out)] == ["good", "none"]


def test_a_bad_finding_alone_decides(monkeypatch, capsys):
    async def one_wrong(settings):
        return (good("one", "fine"), bad("two", "broken [link=x]", "mend it"))

    monkeypatch.setattr(doctor, "examine", one_wrong)
    assert main(["doctor"]) == 1
    assert "✗ two             broken [link=x]" in capsys.readouterr().out
