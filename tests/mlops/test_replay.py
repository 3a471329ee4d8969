"""The replay is patient with MLflow, polite to jobs, and never stuck on one record."""

import dataclasses
import logging
from itertools import chain, cycle

import pytest

from technoshare.mlops.entry import Entry, Forgetting
from technoshare.mlops.record import JobRecord
from technoshare.mlops.replay import LOOK, MOST_WAITS, Away, Missing, Rejected, Replay
from technoshare.models import Vote


class ListQueue:
    """A queue in memory that ends when it is empty."""

    def __init__(self, *numbers: int) -> None:
        self.entries = [an_entry(number) for number in numbers]
        self.done: list[int] = []
        self.shelf: dict[int, str] = {}
        self.errors: dict[int, str] = {}
        self.postponed: dict[int, tuple[float, str]] = {}

    def next(self) -> Entry | None:
        left = [entry for entry in self.entries if entry.number not in {*self.done, *self.shelf}]
        if not left:
            return None
        entry = min(left, key=lambda entry: self.postponed.get(entry.number, (0, ""))[0])
        self.entries[self.entries.index(entry)] = dataclasses.replace(entry, tries=entry.tries + 1)
        return entry

    def delivered(self, number: int) -> None:
        self.done.append(number)

    def failed(self, number: int, error: str) -> None:
        self.errors[number] = error

    def postpone(self, number: int, seconds: float, error: str) -> None:
        self.postponed[number] = (seconds, error)
        entry = next(entry for entry in self.entries if entry.number == number)
        self.entries[self.entries.index(entry)] = dataclasses.replace(entry, waits=entry.waits + 1)

    def shelve(self, number: int, error: str) -> None:
        self.shelf[number] = error


class ScriptedMlflow:
    """Raises what stands in its script, one line for each delivery, then takes everything."""

    def __init__(self, *script: Exception | None) -> None:
        self.script = list(script)
        self.tries: list[tuple[int, bool]] = []
        self.votes: list[Vote] = []
        self.forgotten: list[str] = []
        self.connections = 0

    def connect(self) -> "ScriptedMlflow":
        self.connections += 1
        return self

    def send(self, record: JobRecord, *, begun: bool) -> None:
        self.tries.append((record.generation, begun))
        self.follow_script()

    def vote(self, vote: Vote) -> None:
        self.votes.append(vote)
        self.follow_script()

    def forget(self, forgetting: Forgetting) -> None:
        self.forgotten.append(forgetting.job_id)
        self.follow_script()

    def follow_script(self) -> None:
        if self.script and (error := self.script.pop(0)):
            raise error


class Pauses:
    """Remembers how long it was asked to wait, and calls an end after `most` times."""

    def __init__(self, most: int = 1000) -> None:
        self.seconds: list[float] = []
        self.most = most

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) > self.most


def an_entry(number: int) -> Entry:
    body = JobRecord(job_id=f"{number:012x}", generation=number).model_dump_json()
    return Entry(number, "job", body, since=1000.0)


def a_vote_entry(number: int) -> Entry:
    vote = Vote(job_id=f"{number:012x}", generation=0, user="U1", value="up", at=1.0)
    return Entry(number, "vote", vote.model_dump_json(), since=1000.0)


def replay(queue: ListQueue, mlflow: ScriptedMlflow, pauses: Pauses, *, busy=lambda: False, cpu=lambda: 0.0) -> None:
    Replay(queue, mlflow.connect, pauses, busy, cpu, clock=lambda: 1000.0 + sum(pauses.seconds)).run()


def test_records_are_delivered_one_after_the_other_over_one_connection():
    queue, mlflow = ListQueue(1, 2, 3), ScriptedMlflow()
    replay(queue, mlflow, Pauses())
    assert queue.done == [1, 2, 3]
    assert mlflow.tries == [(1, False), (2, False), (3, False)]
    assert mlflow.connections == 1


def test_while_mlflow_is_away_it_is_asked_ever_more_rarely_and_the_log_says_so_twice(caplog):
    caplog.set_level(logging.INFO)
    queue, mlflow, pauses = ListQueue(1, 2), ScriptedMlflow(*[Away("refused")] * 8), Pauses()
    replay(queue, mlflow, pauses)
    assert [pause for pause in pauses.seconds if pause] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert queue.done == [1, 2]
    assert mlflow.tries[0] == (1, False)
    assert set(mlflow.tries[1:-1]) == {(1, True)}, "after an unknown outcome it must look before it writes"
    assert [record.message for record in caplog.records] == [
        "MLflow is away, jobs go on and their records wait: refused",
        "MLflow is back",
    ]


def test_a_record_that_mlflow_refuses_for_good_does_not_hold_up_the_others(caplog):
    queue, mlflow = ListQueue(1, 2), ScriptedMlflow(Rejected("400: no such thing"))
    replay(queue, mlflow, Pauses())
    assert queue.shelf == {1: "400: no such thing"}
    assert queue.done == [2]
    assert len(caplog.records) == 1


def test_every_kind_of_entry_goes_its_own_way():
    queue, mlflow = ListQueue(1), ScriptedMlflow()
    queue.entries += [a_vote_entry(2), Entry(3, "forget", '{"job_id": "0123456789ab"}', since=1000.0)]
    replay(queue, mlflow, Pauses())
    assert (mlflow.tries, [vote.job_id for vote in mlflow.votes]) == ([(1, False)], ["000000000002"])
    assert mlflow.forgotten == ["0123456789ab"]
    assert queue.done == [1, 2, 3]


def test_why_an_entry_still_waits_is_kept_with_it():
    queue = ListQueue(1)
    replay(queue, ScriptedMlflow(Away("refused"), KeyError("oh")), Pauses())
    assert queue.errors == {1: "KeyError: 'oh'"}


def test_a_vote_whose_trace_has_not_arrived_lets_the_others_pass_and_holds_up_nobody():
    queue, pauses = ListQueue(2, 3), Pauses()
    queue.entries.insert(0, a_vote_entry(1))
    replay(queue, ScriptedMlflow(Missing("no trace")), pauses)
    assert queue.done == [2, 3, 1]
    assert queue.postponed == {1: (5.0, "no trace")}
    assert not any(pauses.seconds)


def test_a_vote_whose_trace_never_comes_waits_for_a_day_and_is_shelved_with_its_reason():
    waited = 0.0

    class Patient(ListQueue):
        def postpone(self, number: int, seconds: float, error: str) -> None:
            nonlocal waited
            waited += seconds
            super().postpone(number, seconds, error)

    queue = Patient()
    queue.entries.append(a_vote_entry(1))
    replay(queue, ScriptedMlflow(*[Missing("no trace")] * (MOST_WAITS + 1)), Pauses())
    assert queue.shelf == {1: "no trace"}
    assert 86_400 < waited < 2 * 86_400


def test_a_record_in_the_shape_of_another_version_goes_to_the_shelf():
    queue = ListQueue(1, 2)
    queue.entries[0] = dataclasses.replace(queue.entries[0], body='{"shape": "unknown"}')
    replay(queue, ScriptedMlflow(), Pauses())
    assert list(queue.shelf) == [1]
    assert queue.done == [2]


def test_a_record_that_fails_in_an_unforeseen_way_is_tried_eight_times_and_shelved():
    queue, mlflow = ListQueue(1, 2), ScriptedMlflow(*[KeyError("oh")] * 8)
    replay(queue, mlflow, Pauses())
    assert mlflow.tries.count((1, True)) == 7
    assert queue.shelf == {1: "KeyError: 'oh'"}
    assert queue.done == [2]


def test_a_record_waits_while_jobs_run_but_a_minute_at_most():
    queue, mlflow, pauses = ListQueue(1, 2, 3), ScriptedMlflow(), Pauses()
    queue.entries[2] = dataclasses.replace(queue.entries[2], since=1030.0)
    replay(queue, mlflow, pauses, busy=lambda: True)
    assert queue.done == [1, 2, 3]
    assert sum(pauses.seconds) == pytest.approx(90), "the two that are a minute old at once, the young one later"


def test_a_calm_moment_under_steady_load_does_not_make_old_records_wait_anew():
    busy = iter([True] * 100 + [False] + [True] * 1000)
    pauses = Pauses()
    replay(ListQueue(*range(1, 20)), ScriptedMlflow(), pauses, busy=lambda: next(busy))
    assert sum(pauses.seconds) == pytest.approx(60)


def test_the_gap_between_two_jobs_that_follow_each_other_is_no_calm_moment():
    busy = chain([True, False, True], cycle([False]))
    pauses = Pauses()
    replay(ListQueue(1, 2), ScriptedMlflow(), pauses, busy=lambda: next(busy))
    assert pauses.seconds[:6] == [LOOK] * 6  # half a second until the last job is seen, then one without
    assert sum(pauses.seconds) == pytest.approx(1.5)


def test_a_clock_that_was_set_back_does_not_hold_a_record():
    queue, pauses = ListQueue(1), Pauses()
    queue.entries[0] = dataclasses.replace(queue.entries[0], since=9999.0)
    replay(queue, ScriptedMlflow(), pauses, busy=lambda: True)
    assert sum(pauses.seconds) == 0


def test_the_replay_uses_no_more_than_a_quarter_of_a_core():
    used = iter([10.0, 10.2, 20.0, 20.1])
    pauses = Pauses()
    replay(ListQueue(1, 2), ScriptedMlflow(), pauses, cpu=lambda: next(used))
    assert pauses.seconds == pytest.approx([0.6, 0.3])


@pytest.mark.parametrize(
    ("script", "busy"), [([Away("refused")] * 99, False), ([], True)], ids=["while MLflow is away", "while jobs run"]
)
def test_the_replay_ends_at_once_when_it_is_told_to(script, busy):
    queue, pauses = ListQueue(1), Pauses(most=2)
    replay(queue, ScriptedMlflow(*script), pauses, busy=lambda: busy)
    assert len(pauses.seconds) == 3
    assert queue.done == []
