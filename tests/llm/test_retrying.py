"""Retries with a deadline; time is a number here, and sleeping moves it."""

import asyncio

import httpx2
import pytest
from openai import APIStatusError

from technoshare.errors import Transient, Unusable
from technoshare.llm.concessions import CHAT, conceded
from technoshare.llm.failures import failure_of, retry_after
from technoshare.llm.pace import Pace
from technoshare.llm.retrying import Retrying
from technoshare.llm.wire import Answer, Failed, Message, Named, Request, is_openai, wire_for

DONE = Answer(text="done", finish="stop")


class Scripted:
    """A wire that fails as told and answers in the end."""

    name = "scripted"

    def __init__(self, *failures):
        self.failures = list(failures)
        self.asked = 0

    async def ask(self, request):
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return DONE


class Time:
    def __init__(self):
        self.now = 1000.0
        self.pauses = []

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def request(seconds=170.0):
    return Request(model="m", turns=(Message("user", "hello"),), max_output_tokens=100, deadline=1000.0 + seconds)


def retrying(wire, time, jitter=1.0):
    return Retrying(wire, clock=time.clock, sleep=time.sleep, jitter=lambda: jitter)


def busy(after=None, again="now"):
    return Failed("busy", again=again, after=after)


async def test_pauses_double_and_the_answer_tells_how_many_attempts_it_took():
    wire, time = Scripted(busy(), busy(), busy()), Time()
    answer = await retrying(wire, time).ask(request())
    assert answer.attempts == 4
    assert time.pauses == [0.5, 1.0, 2.0]


async def test_pauses_are_fully_jittered():
    wire, time = Scripted(busy(), busy()), Time()
    await retrying(wire, time, jitter=0.25).ask(request())
    assert time.pauses == [0.125, 0.25]


async def test_four_attempts_are_enough():
    wire = Scripted(*[busy()] * 9)
    with pytest.raises(Failed):
        await retrying(wire, Time()).ask(request())
    assert wire.asked == 4


async def test_a_retry_after_that_fits_the_deadline_is_waited_for():
    wire, time = Scripted(busy(after=30)), Time()
    await retrying(wire, time, jitter=0.0).ask(request())
    assert time.pauses == [30]


async def test_a_retry_after_beyond_the_deadline_parks_the_job_for_so_long():
    wire, time = Scripted(busy(after=600)), Time()
    with pytest.raises(Failed) as caught:
        await retrying(wire, time).ask(request())
    parked = caught.value.for_job()
    assert isinstance(parked, Transient)
    assert parked.after == 600
    assert time.pauses == []


async def test_no_attempt_is_begun_that_could_not_be_finished():
    wire, time = Scripted(busy()), Time()
    with pytest.raises(Failed):
        await retrying(wire, time).ask(request(seconds=4))
    assert wire.asked == 1


@pytest.mark.parametrize(("again", "error"), [("later", Transient), ("never", Unusable)])
async def test_what_another_attempt_cannot_help_is_not_tried_again(again, error):
    wire = Scripted(busy(again=again))
    with pytest.raises(Failed) as caught:
        await retrying(wire, Time()).ask(request())
    assert wire.asked == 1
    assert type(caught.value.for_job()) is error


async def test_a_call_waits_for_room_in_the_servers_rate_limit_and_parks_the_job_when_that_is_too_late():
    wire, time = Scripted(), Time()
    pace = Pace(time.clock)
    limited = Retrying(wire, pace, clock=time.clock, sleep=time.sleep)
    pace.told("m", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s"})
    await limited.ask(request())
    assert time.pauses == [30]
    pace.told("m", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s"})
    with pytest.raises(Failed) as caught:
        await limited.ask(Request("m", (Message("user", "x"),), 100, deadline=time.now + 10))
    assert (caught.value.for_job().after, wire.asked) == (30, 1)


@pytest.mark.parametrize(
    ("header", "status", "again"), [("false", 503, "later"), ("true", 400, "now"), ("?", 503, "now")]
)
def test_a_server_that_says_whether_to_try_again_is_believed(header, status, again):
    asked = httpx2.Request("POST", "http://h/v1")
    response = httpx2.Response(status, request=asked, headers={"x-should-retry": header, "retry-after": "7"})
    failed = failure_of(APIStatusError("no", response=response, body=None))
    assert (failed.again, failed.after) == (again, 7)


@pytest.mark.parametrize("code", [400, None, "x" * 99, ["a"], {"a": 1}])
def test_a_code_of_any_type_is_survived(code):
    response = httpx2.Response(400, request=httpx2.Request("POST", "http://h/v1"))
    error = APIStatusError("no", response=response, body={"code": code, "type": code, "param": code})
    assert str(failure_of(error)) == "the model refused the request (400)"
    assert conceded(error, {"model": "m", "tools": []}, CHAT) is None


async def test_no_more_calls_are_in_flight_than_there_are_slots():
    class Counting:
        name = "counting"
        now = most = 0

        async def ask(self, request):
            self.now += 1
            self.most = max(self.most, self.now)
            for _ in range(3):
                await asyncio.sleep(0)
            self.now -= 1
            return DONE

    wire, time = Counting(), Time()
    limited = Retrying(wire, slots=asyncio.Semaphore(5), clock=time.clock, sleep=time.sleep)
    await asyncio.gather(*[limited.ask(request()) for _ in range(40)])
    assert wire.most == 5


def test_the_wait_a_server_asks_for_is_read_in_each_form():
    assert retry_after({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5
    assert retry_after({"retry-after": "9"}) == 9
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "nan"}) is None
    assert retry_after({"retry-after": "inf"}) is None
    assert retry_after({}) is None


@pytest.mark.parametrize(
    ("base_url", "wire"),
    [
        ("https://api.openai.com/v1", "responses"),
        ("https://eu.api.openai.com/v1", "responses"),
        ("https://ours.openai.azure.com/openai/v1/", "responses"),
        ("http://127.0.0.1:11434/v1", "chat"),
        ("https://api.openai.com.example.org/v1", "chat"),
        ("https://notapi.openai.com/v1", "chat"),
    ],
)
def test_auto_takes_responses_only_where_it_is_complete(base_url, wire):
    assert wire_for("auto", base_url) == wire
    assert wire_for("chat", base_url) == "chat"
    assert wire_for("responses", base_url) == "responses"
    assert is_openai(base_url) is (wire == "responses")


def test_tools_and_a_schema_in_one_request_cannot_even_be_written():
    named = Named("x", {})
    with pytest.raises(ValueError, match="one request"):
        Request(model="m", turns=(), max_output_tokens=1, deadline=0, tools=(named,), schema=named)
