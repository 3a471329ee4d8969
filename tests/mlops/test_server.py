"""`make mlflow`: one clear line when it cannot start, nothing left behind when it ends."""

import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "technoshare.mlops.server"]


def processes_with(word: str) -> list[str]:
    """Command lines of all processes that contain `word`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has just ended
            continue
    return [line for line in lines if word in line]


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
