"""An evaluation in a real MLflow, over http and in a file; and MLflow in every kind of trouble."""

import json
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from technoshare import cli
from technoshare.cli.evaluating import _ended
from technoshare.llm.prompts import PROMPTS, load_prompts
from technoshare.mlops.evaluation import recording
from technoshare.mlops.evaluation.candidates import make_candidates
from technoshare.mlops.evaluation.recording import answers, record, run_record
from technoshare.mlops.evaluation.results import GateVerdict, Report
from technoshare.mlops.evaluation.suite import Ended
from technoshare.mlops.prompt_choice import asked_prompts
from technoshare.mlops.prompt_registry import PromptRegistry
from technoshare.settings import Settings
from tests.evaluation.samples import example, results
from tests.mlops.breakable import open_road

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
async def ended(tmp_path, monkeypatch) -> Ended:
    """A real evaluation of two examples: one with a comment, one with an honest failure."""
    monkeypatch.chdir(ROOT)
    for name in ("note-short.yaml", "gone-404.yaml"):
        shutil.copy(ROOT / "evalsets" / "snapshots" / name, tmp_path)
    note = {"id": "note", "url": "https://notes.example.org/til/sqlite-user-version", "snapshot": "note-short.yaml"}
    gone = {"id": "gone", "url": "https://blog.example.org/2019/old-post", "snapshot": "gone-404.yaml"}
    gone["expect"] = {"outcome": "failed"}
    (tmp_path / "set.yaml").write_text(yaml.safe_dump({"dataset_name": "own", "examples": [note, gone]}))
    words = ["eval", "--mode", "embedded", "--dataset", str(tmp_path / "set.yaml"), "--baseline", str(tmp_path / "b")]
    done = await _ended(cli._parsed(words), Settings(_env_file=None))
    (tmp_path / "eval_results.json").write_text(done.report.model_dump_json(by_alias=True))
    monkeypatch.chdir(tmp_path)
    return done


@pytest.fixture
def file(tmp_path):
    return tmp_path / "eval_results.json"


def verdict(told, value="pass"):
    return GateVerdict(
        verdict=value, overall_pass_rate=1.0, total_examples=1, passed_examples=1, failed_examples=0, errors=0,
        low=0.0, high=1.0,
    )  # fmt: skip


def found(uri, told):
    """The client, the experiment and the run that the sentence names."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("technoshare_eval").experiment_id
    return client, experiment, client.get_run(told.split(" run ")[1].split()[0])


# ---------------------------------------------------------------- what is there afterwards


def test_run_metrics_tags_report_and_traces_are_in_mlflow(ended, file, uri):
    told = record(ended, uri, [file])
    client, experiment, run = found(uri, told)
    assert run.info.run_id in told
    assert (run.info.run_name, run.info.status) == ("eval_suite", "FINISHED")
    assert run.data.params.items() >= {"dataset_name": "own", "num_examples": "2"}.items()
    own = ended.report.results
    wanted = {"mode": "embedded", "model": "extractive", "verdict": "pass", "dataset_name": "own"}
    wanted |= {"dataset_digest": own.dataset_digest, "scorer_digest": own.scorer_digest}
    assert run.data.tags.items() >= wanted.items()
    metrics = run.data.metrics
    assert (metrics["overall_pass_rate"], metrics["total_examples"], metrics["passed_examples"]) == (1.0, 2, 2)
    assert (metrics["failed_examples"], metrics["note_pass_rate"], metrics["note_slack_formatting"]) == (0, 1.0, 1.0)
    assert metrics["gone_expected_failure"] == 1.0
    if uri.startswith("http"):
        assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["eval_results.json"]
    traces = client.search_traces(
        locations=[experiment], filter_string=f"metadata.`mlflow.sourceRun` = '{run.info.run_id}'"
    )
    assert {trace.info.tags["example"] for trace in traces} == {"note", "gone"}
    note = client.get_trace(next(one.epochs[0].trace_id for one in own.examples if one.id == "note"))
    assert {span.name for span in note.data.spans} >= {"note", "retrieval.fetch_evidence", "quality_gates.validate"}
    scores = {one.name: one.value for one in note.info.assessments}
    assert scores == own.examples[0].epochs[0].scores
    assert "TLDR" in note.data.spans[0].outputs["reply"]


def test_the_prompts_are_tagged_with_version_and_hash():
    prompts = ({"name": "stage_a", "version": "3", "content_hash": "abc"},)
    told = results(example("a"), prompts=prompts)
    assert run_record(Report(verdict=verdict(told), results=told)).tags["prompt.stage_a"] == "3:abc"


def test_more_metrics_than_one_request_takes_arrive_whole(uri):
    told = results(*(example(f"e{number}") for number in range(300)))
    where = record(Ended(Report(verdict=verdict(told), results=told)), uri, [])
    assert len(found(uri, where)[2].data.metrics) > 1_200


def test_a_fresh_clone_without_a_server_has_its_evaluation_in_a_file(ended, file, tmp_path):
    told = record(ended, "http://127.0.0.1:9", [file])
    assert "sqlite:///mlflow.db" in told
    _, _, run = found(f"sqlite:///{tmp_path}/mlflow.db", told)
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert folder.is_relative_to(tmp_path / "mlartifacts")
    assert json.loads((folder / "eval_results.json").read_text())["verdict"]["verdict"] == "pass"


def test_a_part_of_the_dataset_is_not_recorded(ended):
    part = ended.report.results.model_copy(update={"part": "--only note"})
    told = record(Ended(ended.report.model_copy(update={"results": part})), "http://127.0.0.1:9", [])
    assert told == "Nothing is recorded in MLflow: only a whole evaluation is."


# ---------------------------------------------------------------- trouble


@pytest.fixture
def blackhole():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


class Broken(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(500)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def broken():
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("trouble", ["refused", "blackhole", "broken"])
def test_a_server_in_trouble_costs_a_moment_and_the_file_takes_over(trouble, request, ended, file, monkeypatch):
    monkeypatch.setattr(recording, "ANSWER_SECONDS", 0.2)
    uri = "http://127.0.0.1:9" if trouble == "refused" else request.getfixturevalue(trouble)
    assert not answers(uri)
    assert "Recorded in MLflow at sqlite:///mlflow.db" in record(ended, uri, [file])


def test_a_server_that_dies_in_the_middle_costs_the_record_there_and_not_the_one_in_the_file(
    ended, file, mlflow_server
):
    with open_road(mlflow_server) as road:
        road.cut(after=6)
        told = record(ended, road.url, [file])
    assert "Recorded in MLflow at sqlite:///mlflow.db" in told


def test_without_any_place_that_is_told_and_nothing_is_raised(ended, file):
    told = record(ended, "http://127.0.0.1:9", [file], fallback="sqlite:////dev/null/mlflow.db")
    assert told.startswith("Nothing is recorded in MLflow. sqlite:////dev/null")


def test_a_report_that_is_gone_is_told_and_nothing_is_raised(ended, tmp_path):
    assert "Nothing is recorded" in record(ended, "http://127.0.0.1:9", [tmp_path / "gone.json"])


# ---------------------------------------------------------------- prompts of the registry


@pytest.fixture
def registry(uri):
    registry = PromptRegistry(uri, lambda: 1_000.0)
    files = load_prompts(ROOT / "prompts")
    for name in PROMPTS:
        registry.sync(files.get(name))
    return registry


def live(refs, value="pass", **changes):
    told = results(example("a"), prompts=refs, mode="live", model="scripted", **changes)
    return Report(verdict=verdict(told, value), results=told)


def test_what_passed_live_becomes_candidate_and_nothing_else_does(registry, uri):
    book = asked_prompts(["staging"], ROOT / "prompts", uri)
    refs = tuple(book.get(name).ref for name in PROMPTS)
    assert all(ref.version.isdecimal() for ref in refs)
    for report in (live(refs, "fail"), live(refs, "error"), live(refs, part="--only a")):
        assert make_candidates(report, uri) == ""
    assert "is candidate" in make_candidates(live(refs), uri)
    assert [registry.find(name, "candidate").version for name in PROMPTS] == [ref.version for ref in refs]


def test_one_prompt_can_be_asked_for_by_its_version_beside_the_file_of_the_other(registry, uri):
    version = registry.find(PROMPTS[1], "staging").version
    book = asked_prompts([f"{PROMPTS[1]}={version}"], ROOT / "prompts", uri)
    assert [book.get(name).ref.version for name in PROMPTS] == ["yaml", version]
