"""When an operator hears that comments became worse: once for each fall, whatever dies in between."""

import pytest

from technoshare.jobs.alerts import SqliteAlerts, down_rate, pass_rate
from technoshare.jobs.engine import open_engine
from technoshare.once import Once
from tests.jobs.sample import NOW, FakeTime, a_receipt


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def database(tmp_path):
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db") as engine:
        yield engine.database


@pytest.fixture
def alerts(database, time) -> SqliteAlerts:
    return watching(database, time)


def watching(database, time, **changes) -> SqliteAlerts:
    wanted = {"least": 0.8, "most": 0.3, "comments": 10, "votes": 10} | changes
    rates = (pass_rate(wanted["least"], wanted["comments"]), down_rate(wanted["most"], wanted["votes"]))
    return SqliteAlerts(database, time, rates)


async def commented(database, *outcomes):
    ((count,),) = await database.execute("select count(*) from shares")
    for number, outcome in enumerate(outcomes, count):
        await database.execute(
            "insert into shares (job_id, generation, channel, ts, thread_ts, user, url, identity, at, outcome)"
            " values (?, 0, 'C1', '1', '1', 'U1', 'u', 'u', ?, ?)",
            (f"job {number}", NOW + number, outcome),
        )


async def voted(database, *values):
    ((count,),) = await database.execute("select count(*) from votes")
    for number, value in enumerate(values, count):
        await database.execute(
            "insert into votes (job_id, generation, user, value, at) values ('j', 0, ?, ?, ?)",
            (f"U{number}", value, NOW + number),
        )


def good(count):
    return ("success",) * count


def bad(count):
    return ("degraded",) * count


async def said(alerts, time):
    """Post what is to be said, as the bot would, and return the lines."""
    lines = []
    for alert in await alerts.look():

        async def send(line=alert.line):
            lines.append(line)
            return a_receipt()

        await Once(alerts, time, time.sleep)(alert.token, send, nothing_found)
    return lines


async def nothing_found(at):
    return None


async def test_comments_that_pass_less_often_than_wanted_are_told_with_figures_and_where_to_look(
    database, alerts, time
):
    await commented(database, *good(7), *bad(3))
    (line,) = await said(alerts, time)
    assert line.startswith("3 of the last 10 comments (30 %) failed a check, more than the 20 % allowed")
    assert "technoshare jobs list" in line
    assert "\n" not in line


async def test_votes_that_are_down_too_often_are_told(database, alerts, time):
    await voted(database, *["up"] * 6, *["down"] * 4, *["none"] * 9)
    (line,) = await said(alerts, time)
    assert line.startswith("4 of the last 10 votes (40 %) are 👎, more than the 30 % allowed")
    assert "technoshare eval add --from-feedback" in line


async def test_exactly_what_is_allowed_is_no_alert(database, alerts, time):
    await commented(database, *good(8), *bad(2))
    await voted(database, *["up"] * 7, *["down"] * 3)
    assert await said(alerts, time) == []


async def test_only_the_latest_count_and_failures_duplicates_and_withdrawals_are_no_comments(database, alerts, time):
    await commented(database, *bad(30), *good(10), *["failed", "duplicate", "withdrawn", ""] * 5)
    assert await said(alerts, time) == []


async def test_too_few_comments_are_no_rate(database, alerts, time):
    await commented(database, *bad(4))
    assert await said(alerts, time) == []
    await commented(database, *bad(1))
    assert len(await said(alerts, time)) == 1


async def test_a_fall_is_told_once_and_again_only_after_a_real_recovery(database, alerts, time):
    told = []
    for outcomes in (bad(10), good(8), bad(3), good(10), bad(3)):  # 100, 20, 30 %: a wobble; 0, 30 %: a new fall
        await commented(database, *outcomes)
        told.append(len(await said(alerts, time)))
    assert told == [1, 0, 0, 0, 1]


async def test_a_bot_that_starts_anew_does_not_tell_again(database, alerts, time):
    await commented(database, *bad(10))
    assert len(await said(alerts, time)) == 1
    assert await said(watching(database, time), time) == []


async def test_a_bot_that_died_while_it_told_looks_before_it_tells_again(database, alerts, time):
    await commented(database, *bad(10))
    (alert,) = await alerts.look()
    looked = []

    async def die():
        raise MemoryError

    async def send():
        raise AssertionError("it stands there already")

    async def find(at):
        looked.append(at)
        return a_receipt()

    with pytest.raises(MemoryError):
        await Once(alerts, time, time.sleep)(alert.token, die, find)
    again = watching(database, time)
    (same,) = await again.look()
    assert same == alert
    await Once(again, time, time.sleep)(same.token, send, find)
    assert looked == [NOW]
    assert await again.look() == ()


async def test_a_fall_that_could_not_be_told_before_it_was_over_is_not_told(database, alerts, time):
    await commented(database, *bad(10))
    assert len(await alerts.look()) == 1
    await commented(database, *good(10))
    assert await alerts.look() == ()


async def test_the_latest_comments_are_found_without_reading_the_ledger(database):
    plan = await database.execute(f"explain query plan {pass_rate(0.8, 50).select}", {"window": 50})
    assert "USING COVERING INDEX shares_comments" in plan[0]["detail"]
    plan = await database.execute(f"explain query plan {down_rate(0.3, 20).select}", {"window": 20})
    assert "INDEX votes_latest" in plan[0]["detail"]
