"""A finished job is kept once, in order, until MLflow has it."""

import asyncio

import pytest

from technoshare.mlops import spool as spool_module
from technoshare.mlops.record import JobRecord
from technoshare.mlops.spool import open_spool


def a_record(number: int, generation: int = 0) -> JobRecord:
    return JobRecord(job_id=f"{number:012x}", generation=generation)


@pytest.fixture
async def spool(tmp_path):
    async with open_spool(tmp_path / "spool.db") as opened:
        yield opened


def job_of(entry) -> str:
    return JobRecord.model_validate_json(entry.body).job_id


async def test_records_leave_in_the_order_in_which_they_came(spool):
    for n in (3, 1, 2):
        await spool.put(a_record(n))
    seen = []
    for _ in range(3):
        entry = await spool.next()
        seen.append(job_of(entry))
        await spool.delivered(entry.number)
    assert seen == [f"{n:012x}" for n in (3, 1, 2)]
    assert await spool.counts() == {"waiting": 0, "delivered": 3, "shelved": 0}


async def test_a_job_that_ends_twice_is_kept_once_even_after_its_delivery(spool):
    await spool.put(a_record(1))
    await spool.put(a_record(1))
    assert (await spool.counts())["waiting"] == 1
    await spool.delivered((await spool.next()).number)
    await spool.put(a_record(1))
    assert await spool.counts() == {"waiting": 0, "delivered": 1, "shelved": 0}
    await spool.put(a_record(1, generation=1))
    assert (await spool.counts())["waiting"] == 1


async def test_what_waits_is_still_there_after_a_restart_and_known_to_have_been_tried(tmp_path):
    async with open_spool(tmp_path / "spool.db") as spool:
        await spool.put(a_record(1))
        await spool.put(a_record(2))
        assert (await spool.next()).begun is False
    async with open_spool(tmp_path / "spool.db") as spool:
        first = await spool.next()
        assert (job_of(first), first.begun) == (a_record(1).job_id, True)
        await spool.delivered(first.number)
        assert (await spool.next()).begun is False


async def test_a_shelved_record_lets_the_next_one_pass_and_is_kept_with_its_reason(spool):
    await spool.put(a_record(1))
    await spool.put(a_record(2))
    await spool.shelve((await spool.next()).number, "too odd")
    assert job_of(await spool.next()) == a_record(2).job_id
    assert await spool.counts() == {"waiting": 1, "delivered": 0, "shelved": 1}


async def test_whoever_waits_for_a_record_wakes_up_when_one_comes_and_when_the_spool_closes(spool):
    waiting = asyncio.create_task(spool.next())
    await spool.counts()  # by now it has looked and found nothing
    await spool.put(a_record(1))
    entry = await waiting
    await spool.delivered(entry.number)
    waiting = asyncio.create_task(spool.next())
    await spool.counts()
    spool.close()
    assert await waiting is None


async def test_a_full_spool_takes_no_more_says_so_once_and_goes_on_when_there_is_room(spool, monkeypatch, caplog):
    monkeypatch.setattr(spool_module, "CAP", 2)
    for n in range(5):
        await spool.put(a_record(n))
    assert (await spool.counts())["waiting"] == 2
    assert [record.message for record in caplog.records if "full" in record.message] == [
        "2 jobs wait for MLflow: the spool is full, further jobs are not recorded"
    ]
    await spool.delivered((await spool.next()).number)
    await spool.put(a_record(9))
    assert (await spool.counts())["waiting"] == 2


async def test_deliveries_of_long_ago_are_forgotten_and_waiting_records_are_not(tmp_path):
    now = 1_790_000_000.0
    async with open_spool(tmp_path / "spool.db", clock=lambda: now) as spool:
        await spool.put(a_record(1))
        await spool.put(a_record(2))
        await spool.delivered((await spool.next()).number)
    async with open_spool(tmp_path / "spool.db", clock=lambda: now + 365 * 86_400) as spool:
        assert await spool.counts() == {"waiting": 1, "delivered": 0, "shelved": 0}


async def test_a_damaged_spool_is_kept_aside_and_keeps_no_bot_from_starting(tmp_path, caplog):
    path = tmp_path / "spool.db"
    async with open_spool(path) as spool:
        await spool.put(a_record(1))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)
    async with open_spool(path) as spool:
        await spool.put(a_record(2))
        assert job_of(await spool.next()) == a_record(2).job_id
    assert len(list(tmp_path.glob("spool.db.damaged-*"))) == 1
    assert "is damaged" in caplog.text
