"""Faults at random: how often, and that they end."""

import asyncio

import pytest

from technoshare.workspace.faults import Fault, Faults

POST = "chat.postMessage"


def test_a_share_of_the_calls_meets_each_fault_the_same_ones_every_time():
    def drawn():
        faults = Faults([])
        faults.at_random(POST, 0.05, Fault("rate_limit"))
        faults.at_random(POST, 0.02, Fault("drop_answer"))
        return [fault.kind if fault else "" for fault in (faults.next_for(POST) for _ in range(10_000))], faults.met

    kinds, met = drawn()
    assert 400 < kinds.count("rate_limit") < 600
    assert 150 < kinds.count("drop_answer") < 250
    assert (met["rate_limit"], met["drop_answer"]) == (kinds.count("rate_limit"), kinds.count("drop_answer"))
    assert drawn()[0] == kinds


def test_other_methods_and_a_calmed_one_meet_none():
    faults = Faults([])
    faults.at_random(POST, 1, Fault("rate_limit"))
    assert faults.next_for("reactions.add") is None
    assert faults.next_for(POST) is not None
    faults.drop_answer(POST)
    faults.calm()
    assert faults.next_for(POST) is None


def test_a_fault_that_was_set_comes_before_those_of_chance():
    faults = Faults([])
    faults.at_random(POST, 1, Fault("rate_limit"))
    faults.drop_answer(POST)
    assert [faults.next_for(POST).kind for _ in range(2)] == ["drop_answer", "rate_limit"]


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_nothing_and_all(share):
    with pytest.raises(ValueError, match="cannot fail so"):
        Faults([]).at_random(POST, share, Fault("rate_limit"))


def test_shares_of_one_method_make_no_more_than_all():
    faults = Faults([])
    faults.at_random(POST, 0.6, Fault("rate_limit"))
    with pytest.raises(ValueError, match="cannot fail so"):
        faults.at_random(POST, 0.6, Fault("drop_answer"))


async def test_sockets_are_told_to_go_again_and_again_also_after_one_that_has_gone():
    told, enough = [], asyncio.Event()

    class Socket:
        async def dismiss(self, reason):
            told.append(reason)
            if len(told) == 3:
                enough.set()
            raise ConnectionError

    telling = asyncio.create_task(Faults([Socket()]).disconnect_every(0.01))
    async with asyncio.timeout(10):
        await enough.wait()
    telling.cancel()
    assert set(told) == {"refresh_requested"}
