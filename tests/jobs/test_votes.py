"""Votes on comments: whose count, what a second click does, and that none is lost on its way to MLflow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from technoshare.jobs.engine import open_engine
from technoshare.jobs.forgetting import drop_job
from technoshare.jobs.votes import SqliteVotes
from technoshare.models import Click, Vote
from tests.jobs.sample import NOW, a_job, a_receipt

JOB = a_job()
POST = "2.000"


class Heard:
    """Remembers the votes that it was told; `then` is what happens after the next one."""

    def __init__(self) -> None:
        self.votes: list[Vote] = []
        self.then = None

    async def vote(self, vote) -> None:
        self.votes.append(vote)
        if self.then is not None:
            then, self.then = self.then, None
            await then()


@pytest.fixture
async def engine(tmp_path):
    async with open_engine(f"sqlite:///{tmp_path}/jobs.db", clock=lambda: NOW) as engine:
        await engine.submit(JOB)
        await posted(engine, 0, POST)
        yield engine


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def votes(engine, heard) -> SqliteVotes:
    return SqliteVotes(engine.database, heard)


async def posted(engine, generation, ts):
    receipt = None if ts is None else a_receipt(ts).model_dump_json()
    insert = "insert into posts (token, job_id, at, receipt) values (?, ?, ?, ?)"
    await engine.database.execute(insert, (f"t{generation}", JOB.id, NOW, receipt))


async def retried(engine):
    await engine.database.execute("update jobs set state = 'done' where id = ?", (JOB.id,))
    assert await engine.retry(JOB.id)


def a_click(value="up", at=NOW, **changes) -> Click:
    click = Click(job_id=JOB.id, generation=0, channel="C1", ts=POST, user="U1", value=value, at=at)
    return click.model_copy(update=changes)


async def standing(engine):
    rows = await engine.database.execute("select user, generation, value from votes order by user, generation")
    return [tuple(row) for row in rows]


async def test_the_same_button_again_takes_a_vote_back_and_the_other_one_changes_it(votes):
    values = [(await votes.cast(a_click(value, NOW + n))).value for n, value in enumerate(["up", "down", "down", "up"])]
    assert values == ["up", "down", "none", "up"]


async def test_everybody_has_a_vote_of_their_own(engine, votes):
    await votes.cast(a_click())
    await votes.cast(a_click("down", user="U2"))
    assert await standing(engine) == [("U1", 0, "up"), ("U2", 0, "down")]


async def test_a_click_that_is_delivered_twice_or_late_takes_nothing_back(engine, votes):
    await votes.cast(a_click("up", NOW))
    assert await votes.cast(a_click("up", NOW)) is None
    await votes.cast(a_click("down", NOW + 5))
    assert await votes.cast(a_click("up", NOW)) is None
    assert await standing(engine) == [("U1", 0, "down")]


@pytest.mark.parametrize(
    "changes",
    [{"job_id": "ffffffffffff"}, {"channel": "C2"}, {"generation": 1}, {"ts": "9.000"}],
    ids=["a job that nobody knows", "another channel", "an attempt to come", "another message"],
)
async def test_a_button_that_is_not_under_a_comment_of_that_job_counts_for_nothing(engine, votes, changes):
    assert await votes.cast(a_click(**changes)) is None
    assert await standing(engine) == []


async def test_a_job_that_was_forgotten_takes_no_votes_any_more(engine, votes):
    await votes.cast(a_click())
    await drop_job(engine.database, JOB.id)
    assert await votes.cast(a_click("down", NOW + 1)) is None
    assert await standing(engine) == []


async def test_a_comment_whose_receipt_is_not_stored_yet_can_be_voted_on(engine, votes):
    await retried(engine)
    await posted(engine, 1, None)
    assert await votes.cast(a_click(generation=1, ts="3.000"))


async def test_each_comment_of_a_job_that_was_tried_again_has_its_own_votes(engine, votes):
    await votes.cast(a_click("down"))
    await retried(engine)
    await posted(engine, 1, "3.000")
    assert (await votes.cast(a_click("down", NOW + 1, generation=1, ts="3.000"))).value == "down"
    assert await standing(engine) == [("U1", 0, "down"), ("U1", 1, "down")]


async def test_a_reason_belongs_to_the_very_vote_that_it_was_asked_for(votes, heard):
    down = await votes.cast(a_click("down"))
    assert await votes.explain(down.model_copy(update={"reason": "wrong_facts"}))
    await votes.cast(a_click("up", NOW + 1))
    assert not await votes.explain(down.model_copy(update={"reason": "too late"}))
    await votes.hand_on()
    assert [(vote.value, vote.reason) for vote in heard.votes] == [("up", "")]


# ---------------------------------------------------------------- on the way to MLflow


async def test_what_is_new_is_handed_on_once_and_a_reason_makes_it_new_again(votes, heard):
    down = await votes.cast(a_click("down"))
    await votes.hand_on()
    await votes.hand_on()
    assert heard.votes == [down]
    explained = down.model_copy(update={"reason": "other: too slow"})
    await votes.explain(explained)
    await votes.hand_on()
    assert heard.votes == [down, explained]


async def test_a_vote_that_was_changed_or_taken_back_is_handed_on_again_without_the_old_reason(votes, heard):
    down = await votes.cast(a_click("down"))
    await votes.explain(down.model_copy(update={"reason": "other"}))
    for at, value in enumerate(["up", "up"], 1):
        await votes.hand_on()
        await votes.cast(a_click(value, NOW + at))
    await votes.hand_on()
    assert [(vote.value, vote.reason) for vote in heard.votes] == [("down", "other"), ("up", ""), ("none", "")]


async def test_a_process_that_dies_while_it_hands_on_leaves_the_vote_to_the_next_one(engine, votes, heard):
    async def die():
        raise MemoryError

    vote = await votes.cast(a_click())
    heard.then = die
    with pytest.raises(MemoryError):
        await votes.hand_on()
    await SqliteVotes(engine.database, heard).hand_on()
    assert heard.votes == [vote, vote]  # the same twice is the same


async def test_a_vote_that_changes_while_it_is_handed_on_is_handed_on_again(votes, heard):
    async def change():
        await votes.cast(a_click("down", NOW + 1))

    await votes.cast(a_click())
    heard.then = change
    await votes.hand_on()
    await votes.hand_on()
    assert [vote.value for vote in heard.votes] == ["up", "down"]


async def test_a_file_that_refuses_leaves_votes_for_later(engine, votes, heard, caplog):
    await votes.cast(a_click())
    await engine.database.execute("create trigger full before update on votes begin select raise(fail, 'full'); end")
    await votes.hand_on()
    assert "votes wait in the jobs file" in caplog.text


@settings(deadline=None, max_examples=40)  # each opens a file of its own
@given(
    clicks=st.lists(
        st.tuples(st.sampled_from(["U1", "U2"]), st.sampled_from(["up", "down"]), st.integers(0, 9)), max_size=12
    )
)
async def test_whatever_is_clicked_and_repeated_the_newest_click_decides(tmp_path_factory, clicks):
    """A person's clicks in the order of their times, each time once, toggled."""
    folder = tmp_path_factory.mktemp("votes")
    async with open_engine(f"sqlite:///{folder}/jobs.db", clock=lambda: NOW) as engine:
        await engine.submit(JOB)
        await posted(engine, 0, POST)
        votes = SqliteVotes(engine.database, Heard())
        expected: dict[str, tuple[int, str]] = {}
        for user, value, at in clicks:
            await votes.cast(a_click(value, NOW + at, user=user))
            last, stood = expected.get(user, (-1, "none"))
            if at > last:
                expected[user] = at, "none" if stood == value else value
        assert {user: value for user, _, value in await standing(engine)} == {u: v for u, (_, v) in expected.items()}
