"""A finished job, a vote, a wish to forget: kept once, in order, until MLflow has it."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from technoshare.mlops import spool as spool_module
from technoshare.mlops.entry import Forgetting
from technoshare.mlops.record import JobRecord, RunRecord
from technoshare.mlops.spool import MIGRATIONS, open_spool
from technoshare.models import Vote


def a_record(number: int, generation: int = 0) -> JobRecord:
    return JobRecord(job_id=f"{number:012x}", generation=generation)


def a_run(text: str) -> RunRecord:
    return RunRecord(key="job", name="job", start=0, end=1, status="FINISHED", tags={}, artifacts={"page.txt": text})


def a_vote(number: int, value: str = "up", *, at: float = 10.0, user: str = "U1", **more) -> Vote:
    return Vote(job_id=f"{number:012x}", generation=0, user=user, value=value, at=at, **more)


async def drained(spool) -> list:
    """Deliver everything that is due; return it."""
    items = []
    while (await spool.counts())["waiting"]:
        entry = await spool.next()
        items.append(entry.item())
        await spool.delivered(entry.number)
    return items


@pytest.fixture
async def spool(tmp_path):
    async with open_spool(tmp_path / "spool.db") as opened:
        yield opened


def job_of(entry) -> str:
    return entry.item().job_id


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
        assert (await spool.next()).tries == 0
    async with open_spool(tmp_path / "spool.db") as spool:
        first = await spool.next()
        assert (job_of(first), first.tries) == (a_record(1).job_id, 1)
        await spool.delivered(first.number)
        assert (await spool.next()).tries == 0


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


# ---------------------------------------------------------------- votes


async def test_a_vote_leaves_behind_its_job_and_a_changed_one_takes_the_place_of_the_first(spool):
    await spool.put(a_record(1))
    await spool.vote(a_vote(1, "up", at=1))
    await spool.vote(a_vote(1, "up", at=1, user="U2"))
    await spool.vote(a_vote(1, "down", at=2))
    assert await drained(spool) == [a_record(1), a_vote(1, "up", at=1, user="U2"), a_vote(1, "down", at=2)]
    await spool.vote(a_vote(1, "none", at=3))
    assert await drained(spool) == [a_vote(1, "none", at=3)]


async def test_an_old_vote_that_comes_again_does_not_undo_a_newer_one(spool):
    await spool.vote(a_vote(1, "down", at=2))
    await spool.vote(a_vote(1, "up", at=1))
    assert await drained(spool) == [a_vote(1, "down", at=2)]
    await spool.vote(a_vote(1, "up", at=1))
    assert await drained(spool) == []


async def test_a_vote_that_changes_while_it_is_delivered_is_delivered_again(spool):
    await spool.vote(a_vote(1, "up", at=1))
    under_way = await spool.next()
    await spool.vote(a_vote(1, "down", at=2))
    await spool.delivered(under_way.number)
    assert await drained(spool) == [a_vote(1, "down", at=2)]


async def test_a_postponed_entry_lets_the_others_pass_and_comes_back_by_itself(spool):
    await spool.vote(a_vote(1))
    await spool.vote(a_vote(2))
    first = await spool.next()
    await spool.postpone(first.number, 0.05, "no trace")
    second = await spool.next()
    assert second.item() == a_vote(2)
    await spool.delivered(second.number)
    again = await spool.next()
    assert (again.number, again.tries, again.waits) == (first.number, 1, 1)


async def test_what_is_taken_from_the_shelf_is_tried_again(spool):
    for n in (1, 2):
        await spool.put(a_record(n))
        await spool.shelve((await spool.next()).number, "too odd")
    assert await spool.unshelve(99) == 0
    assert await spool.unshelve(1) == 1
    assert await drained(spool) == [a_record(1)]
    assert await spool.unshelve() == 1
    assert await drained(spool) == [a_record(2)]


# ---------------------------------------------------------------- forgetting


async def test_a_forgotten_job_is_dropped_goes_first_and_never_comes_back(spool):
    await spool.put(a_record(2))
    for generation in (0, 1):
        await spool.put(a_record(1, generation))
    await spool.vote(a_vote(1))
    assert await spool.forget(a_record(1).job_id) == 3
    await spool.put(a_record(1, generation=2))
    await spool.vote(a_vote(1, at=99))
    assert await drained(spool) == [Forgetting(job_id=a_record(1).job_id), a_record(2)]
    await spool.put(a_record(1))
    assert await drained(spool) == []


async def test_a_record_that_is_forgotten_while_it_is_delivered_does_not_hide_the_order_to_forget_it(spool):
    await spool.put(a_record(1))
    under_way = await spool.next()
    await spool.forget(a_record(1).job_id)
    await spool.delivered(under_way.number)
    assert await drained(spool) == [Forgetting(job_id=a_record(1).job_id)]


async def test_forgetting_can_be_repeated_and_is_remembered_for_ever(tmp_path):
    now = 1_790_000_000.0
    async with open_spool(tmp_path / "spool.db", clock=lambda: now) as spool:
        await spool.forget(a_record(1).job_id)
        await drained(spool)
        await spool.forget(a_record(1).job_id)
        assert await drained(spool) == [Forgetting(job_id=a_record(1).job_id)]
    async with open_spool(tmp_path / "spool.db", clock=lambda: now + 365 * 86_400) as spool:
        await spool.put(a_record(1))
        assert await drained(spool) == []


async def test_no_byte_of_what_was_delivered_or_forgotten_stays_in_the_file(tmp_path):
    path = tmp_path / "spool.db"
    async with open_spool(path) as spool:
        for n in (1, 2):
            await spool.put(a_record(n).model_copy(update={"runs": (a_run("secret words " * 2000),)}))
        await spool.delivered((await spool.next()).number)
        await spool.vote(a_vote(2, reason="secret reasons"))
        await spool.forget(a_record(2).job_id)
        for file in tmp_path.iterdir():
            assert b"secret" not in file.read_bytes(), file.name


# ---------------------------------------------------------------- an older file


async def test_the_records_in_a_spool_of_the_first_version_are_still_delivered(tmp_path):
    path = tmp_path / "spool.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("pragma user_version = 1")
        for number, state, begun in ((1, "delivered", 1), (2, "waiting", 1), (3, "waiting", 0)):
            body = a_record(number).model_dump_json()
            old.execute(
                "insert into records values (?, ?, 0, ?, 5.0, ?, '', ?)",
                (number, a_record(number).job_id, state, begun, body),
            )
        old.commit()
    async with open_spool(path, clock=lambda: 6.0) as spool:
        assert await spool.counts() == {"waiting": 2, "delivered": 1, "shelved": 0}
        assert await spool.oldest() == 1.0
        first = await spool.next()
        assert (first.number, first.tries) == (2, 1)
        assert await drained(spool) == [a_record(2), a_record(3)]
        await spool.put(a_record(1))
        assert await drained(spool) == []
