"""Jobs at once do not end up in one another's runs; `python -m tests.observe jobs` does the same with 64."""

import pytest

from tests.observe.crowd import Crowd, observe


@pytest.mark.parametrize("crowd", [Crowd(links=16), Crowd(bots=2, links=6)], ids=["one bot", "two bots on one server"])
async def test_jobs_at_once_are_complete_and_unmixed(tmp_path, mlflow_server, crowd):
    count = await observe(crowd, tmp_path, mlflow_server, f"unmixed_{crowd.bots}")
    assert count.faults == ()
    assert len(count.seen.jobs) == crowd.bots * crowd.links
