"""`make mlflow`: one clear line when it cannot start, nothing left behind when it ends."""

import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

COMMAND = [sys.executable, "-m", "technoshare.mlops.server"]


def processes_with(word: str) -> list[Path]:
    """All processes whose command line contains `word`."""
    return [path for path in Path("/proc").glob("[0-9]*") if word in command_of(path)]


def test_a_taken_port_is_one_clear_line_and_exit_code_2(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = subprocess.run([*COMMAND, "--port", port], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
    assert f"port {port} cannot be used" in told.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_one_clear_line_and_exit_code_2(tmp_path):
    (tmp_path / "mlflow.db").write_text("certainly not a database, but long enough to look like something")
    told = subprocess.run([*COMMAND, "--port", "0"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
    assert "mlflow.db" in told.stderr


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_it_is_one_worker_and_runs_no_jobs(mlflow_server):
    port = mlflow_server.rpartition(":")[2]
    (parent,) = processes_with(f"server --host 127.0.0.1 --port {port}")
    lines = [command_of(path) for path in Path("/proc").glob("[0-9]*") if group_of(path) == parent.name]
    assert len(lines) == 2, lines  # MLflow's command and its one worker; each consumer of jobs would be one more
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false" in (parent / "environ").read_text()


def command_of(path: Path) -> str:
    """The command line of a process; empty when it has just ended."""
    try:
        return (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def group_of(path: Path) -> str:
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()[2]
    except OSError:
        return ""


def test_artifacts_go_through_the_server_so_that_a_bot_needs_no_access_to_its_files(mlflow_server):
    client = MlflowClient(mlflow_server)
    run = client.create_run(client.create_experiment("through_the_server"))
    client.log_text(run.info.run_id, "as it was", "evidence.txt")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["evidence.txt"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_a_signal_ends_the_server_with_all_its_children(tmp_path):
    files = ["--db", str(tmp_path / "mlflow.db"), "--artifacts", str(tmp_path / "mlartifacts")]
    with subprocess.Popen([*COMMAND, "--port", "0", *files], stdout=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stdout if "answers at" in line)
        port = line.split("http://127.0.0.1:")[1].split()[0]
        assert len(processes_with(f"--port {port}")) >= 2, "the server and its worker"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not processes_with(f"--port {port}")
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    database.close()
