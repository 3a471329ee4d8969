"""MLflow's own pages show a person what the bot did; `python -m tests.observe ui --shots FOLDER` keeps pictures."""

import pytest

from tests.mlops.conftest import mlflow_server as mlflow_server  # noqa: PLC0414 - a fixture
from tests.observe import samples, ui

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(ui.CHROMIUM is None, reason="no chromium on this machine"),
]


async def test_a_person_finds_jobs_latencies_traces_and_evidence_in_mlflow(mlflow_server, tmp_path):
    await samples.record(tmp_path, mlflow_server, "a_morning")
    async with ui.open_browser() as browser:
        visit = await ui.visit(browser, mlflow_server, "a_morning")
    assert visit.outside == []
    assert visit.broken == []
