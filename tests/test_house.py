"""Rules of the house that matter, kept by tests instead of paragraphs."""

import re
import subprocess
from pathlib import Path

import pytest

from technoshare.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "technoshare").rglob("*.py"))
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()
]  # fmt: skip


def _names(text: str) -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_every_setting_is_explained_in_the_example_file_and_nothing_else_is():
    known = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    assert _names((ROOT / ".env.example").read_text()) == known


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets


def test_every_row_of_the_failure_matrix_names_tests_that_exist():
    rows = [line for line in (ROOT / "docs" / "reliability.md").read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| fault")]
    assert len(rows) > 40
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.split(" | ")[-1])
        assert named, row
        for file, name in named:
            assert re.search(rf"^(?:async def |def |class ){name}\b", (ROOT / file).read_text(), re.MULTILINE), row


def test_only_settings_reads_the_environment():
    reading = {
        source.relative_to(ROOT).as_posix()
        for source in SOURCES
        if re.search(r"os\.(environ|getenv)", source.read_text())
    }
    # demo and parser hand an environment to children; mlops must clean up what mlflow reads behind our back
    assert reading <= {
        "technoshare/settings.py",
        "technoshare/demo.py",
        "technoshare/retrieval/parser.py",
        "technoshare/mlops/reaching.py",
        "technoshare/mlops/evaluation/recording.py",
        "technoshare/mlops/replay.py",
        "technoshare/mlops/server.py",
        "technoshare/mlops/tracking.py",
    }


def test_there_are_no_drawers_for_odds_and_ends():
    forbidden = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    assert not [source for source in SOURCES if source.stem in forbidden]


def test_nothing_is_imported_for_type_checkers_only():
    assert not [source for source in SOURCES if "TYPE_CHECKING" in source.read_text()]


def test_tests_use_no_mock_library():
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert not [path for path in tests if "unittest.mock" in path.read_text()]


@pytest.mark.parametrize(
    "pattern", [r"/work/(main|shared)", r"https?://[\w.]*pypi\.", r"registry\.npmjs", r"deb\.debian\.org"]
)
def test_no_committed_file_names_a_path_of_one_machine_or_a_registry(pattern):
    guilty = []
    for path in TRACKED:
        if path.is_file() and path != Path(__file__):
            text = path.read_text("utf-8", "ignore")
            guilty += [str(path)] if re.search(pattern, text) else []
    assert not guilty


def test_the_constraints_pin_versions_and_hold_no_address():
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line) for line in lines)
