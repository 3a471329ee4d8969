"""What models may cost in a day."""

import pytest

from technoshare.jobs.engine import open_engine
from technoshare.jobs.spending import SqliteBudget

NOON = 1_795_608_000.0  # 25 November 2026, 12:00 UTC


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'jobs.db'}"


async def test_a_budget_is_spent_when_the_calls_have_cost_as_much(url):
    async with open_engine(url) as engine:
        budget = SqliteBudget(engine.database, 0.10, lambda: NOON)
        assert not await budget.spent()
        await budget.charge(0.06)
        assert not await budget.spent()
        await budget.charge(0.06)
        assert await budget.spent()


async def test_what_was_spent_outlives_the_process_and_the_next_day_begins_anew(url):
    async with open_engine(url) as engine:
        await SqliteBudget(engine.database, 1.0, lambda: NOON).charge(1.0)
    async with open_engine(url) as engine:
        assert await SqliteBudget(engine.database, 1.0, lambda: NOON + 12 * 3600 - 1).spent()
        assert not await SqliteBudget(engine.database, 1.0, lambda: NOON + 12 * 3600).spent()


async def test_a_budget_of_nothing_is_spent_from_the_beginning(url):
    async with open_engine(url) as engine:
        assert await SqliteBudget(engine.database, 0.0, lambda: NOON).spent()


async def test_a_file_that_refuses_the_note_does_not_stop_the_comment(url, caplog):
    async with open_engine(url) as engine:
        await engine.database.execute("drop table spending")
        await SqliteBudget(engine.database, 1.0, lambda: NOON).charge(0.5)
    assert "0.5000 US dollars are not counted" in caplog.text
