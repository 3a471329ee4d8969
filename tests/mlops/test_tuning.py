"""`technoshare mlflow tune`: MLflow's SQLite file made fit, also beside a running server."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import requests

from technoshare.cli import main
from technoshare.errors import ConfigError
from technoshare.mlops import server, tuning
from technoshare.mlops.server import running_server
from tests.observe.tune import fill

SORT_BY_METRIC = """
explain query plan
select distinct runs.run_uuid, m.value from runs
left outer join (select value, run_uuid from latest_metrics where key = 'latency_seconds') as m
on runs.run_uuid = m.run_uuid where runs.experiment_id in (0) order by m.value desc limit 100
"""
"""The heart of what MLflow asks for when a table of runs is sorted by a metric."""


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A database with the tables that MLflow itself made."""
    folder = tmp_path_factory.mktemp("made")
    with running_server(port=0, db=folder / "mlflow.db", artifacts=folder / "mlartifacts"):
        pass
    return folder / "mlflow.db"


@pytest.fixture
def untuned(made, tmp_path, monkeypatch) -> Path:
    """The same as MLflow leaves it, with some runs; it lies in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("vacuum into ?", [str(path)])  # whole, even if the server was killed before it cleared up
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = delete")
    fill(path, 300)
    return path


def test_tuning_sets_wal_makes_statistics_and_keeps_every_run(untuned):
    tuned = tuning.tune(untuned)
    assert (tuned.before.journal, tuned.before.statistics, tuned.before.runs) == ("delete", 0, 1800)
    assert (tuned.after.journal, tuned.after.runs) == ("wal", 1800)
    assert tuned.after.statistics > 10
    assert tuning.look(untuned).statistics == tuned.after.statistics


def test_looking_changes_nothing(untuned):
    before = untuned.read_bytes()
    tuning.look(untuned)
    assert untuned.read_bytes() == before


def test_a_connection_that_is_open_already_sorts_by_the_new_statistics(untuned):
    with closing(sqlite3.connect(untuned, cached_statements=0)) as servers:
        assert not sorts_with_an_index(servers)
        tuning.tune(untuned)
        assert sorts_with_an_index(servers)


def test_it_does_so_too_when_there_were_statistics_of_an_emptier_file(untuned):
    tuning.tune(untuned)
    with closing(sqlite3.connect(untuned)) as early:
        early.execute("update sqlite_stat1 set stat = '1 1 1'")
        early.commit()
    with closing(sqlite3.connect(untuned, cached_statements=0)) as servers:
        assert not sorts_with_an_index(servers)
        tuning.tune(untuned)
        assert sorts_with_an_index(servers)


def sorts_with_an_index(connection: sqlite3.Connection) -> bool:
    """Whether each run's metric is looked up; else all metrics are read for each run."""
    connection.execute("select count(*) from runs").fetchall()  # explaining alone does not look for a new schema
    return any("SEARCH m USING AUTOMATIC" in row[-1] for row in connection.execute(SORT_BY_METRIC))


def test_a_server_that_runs_meanwhile_goes_on_and_takes_runs(untuned):
    with running_server(port=0, db=untuned, artifacts=untuned.parent / "mlartifacts") as started:
        tuning.tune(untuned)
        answer = requests.post(f"{started.url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}, timeout=30)
        assert answer.ok
        asked = {"experiment_ids": ["0"], "order_by": ["metrics.latency_seconds DESC"], "max_results": 50}
        found = requests.post(f"{started.url}/api/2.0/mlflow/runs/search", json=asked, timeout=30).json()["runs"]
    values = [
        next(metric["value"] for metric in run["data"]["metrics"] if metric["key"] == "latency_seconds")
        for run in found
    ]
    assert values == sorted(values, reverse=True)


def test_the_server_makes_the_statistics_itself_when_it_starts(untuned):
    with running_server(port=0, db=untuned, artifacts=untuned.parent / "mlartifacts"):
        assert tuning.look(untuned).statistics > 10
        assert tuning.look(untuned).journal == "wal"


class TwoDays:
    """A server's process that ends on its second day."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def wait(self, seconds: float) -> int:
        self.asked.append(seconds)
        if len(self.asked) == 1:
            raise subprocess.TimeoutExpired("mlflow", seconds)
        return 7


def test_a_server_that_runs_for_days_gets_fresh_statistics_each_day(untuned):
    process = TwoDays()
    assert server.wait(server.Server("http://127.0.0.1:9", process), untuned) == 7
    assert process.asked == [86_400.0, 86_400.0]
    assert tuning.look(untuned).statistics > 10


def test_a_day_on_which_the_file_cannot_be_had_does_not_end_the_server(tmp_path, capsys):
    assert server.wait(server.Server("http://127.0.0.1:9", TwoDays()), tmp_path / "gone.db") == 7
    assert "no fresh statistics today" in capsys.readouterr().err


def test_a_file_that_somebody_writes_to_for_long_is_told_in_one_line(untuned):
    with closing(sqlite3.connect(untuned)) as other:
        other.execute("begin exclusive")
        with pytest.raises(ConfigError, match=r"in use for more than 0\.1 s") as caught:
            tuning.tune(untuned, patience=0.1)
    assert "\n" not in str(caught.value)
    assert tuning.tune(untuned).after.journal == "wal"


def test_a_tuning_that_fails_in_the_middle_leaves_the_statistics_that_were_there(untuned):
    before = tuning.tune(untuned).after
    with closing(sqlite3.connect(untuned)) as reader:
        reader.execute("begin immediate")
        with pytest.raises(ConfigError):
            tuning.tune(untuned, patience=0.1)
    assert tuning.look(untuned).statistics == before.statistics


# ---------------------------------------------------------------- the command


def test_the_command_tells_what_it_found_and_what_it_changed(untuned, capsys):
    assert main(["mlflow", "tune"]) == 0
    told = capsys.readouterr().out
    assert all(words in told for words in ("mlflow.db: 1,800 runs", "MB", "delete → wal", "of 0 →", "done in"))


def test_the_command_for_programs(untuned, capsys):
    assert main(["mlflow", "tune", "--db", str(untuned), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["before"]["journal"], told["after"]["journal"], told["after"]["runs"]) == ("delete", "wal", 1800)


def test_the_file_of_the_tracking_uri_is_the_one_that_is_tuned(untuned, monkeypatch, capsys):
    other = untuned.rename(untuned.with_name("other.db"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}")
    assert main(["mlflow", "tune"]) == 0
    assert str(other) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("db", "words"),
    [
        ("nowhere.db", "does not exist"),
        ("postgresql://u:secret@db/mlflow", "needs no tuning"),
        ("http://u:secret@mlflow.example.org:5000", "is a server"),
        ("jobs.db", "is not a database of MLflow"),
        ("text.txt", "is not a database of MLflow"),
    ],
)
def test_whatever_is_not_mlflows_file_is_refused_in_one_line_and_left_alone(db, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("jobs.db")) as connection:
        connection.execute("create table jobs (id text)")
    Path("text.txt").write_text("certainly no database, but long enough to look like one at first sight" * 3)
    before = Path("jobs.db").read_bytes()
    assert main(["mlflow", "tune", "--db", db]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert "secret" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs.db", "text.txt"]
    assert Path("jobs.db").read_bytes() == before


def test_a_server_without_its_file_in_sight_is_told_where_to_tune(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["mlflow", "tune"]) == 2
    assert "where its file lies" in capsys.readouterr().err
