"""Up to where a channel was read back."""

import pytest

from technoshare.jobs.engine import open_engine
from technoshare.jobs.looks import SqliteLooks


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'jobs.db'}"


async def test_a_channel_that_was_never_read_back_has_no_time(url):
    async with open_engine(url) as engine:
        assert await SqliteLooks(engine.database).last("C1") is None


async def test_the_time_outlives_the_process_and_belongs_to_its_channel(url):
    async with open_engine(url) as engine:
        await SqliteLooks(engine.database).note("C1", 1_764_000_000.000123)
    async with open_engine(url) as engine:
        assert await SqliteLooks(engine.database).last("C1") == 1_764_000_000.000123
        assert await SqliteLooks(engine.database).last("C2") is None


async def test_the_time_never_goes_back(url):
    async with open_engine(url) as engine:
        looks = SqliteLooks(engine.database)
        for at in (2.0, 1.0, 3.0, 2.5):
            await looks.note("C1", at)
        assert await looks.last("C1") == 3.0
