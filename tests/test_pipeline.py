"""The product's promises, told by the pipeline alone: no Slack, no database, no MLflow."""

from pathlib import Path

import pytest

from technoshare import pipeline
from technoshare.errors import Transient, Unusable
from technoshare.llm.extractive import Extractive
from technoshare.memory import MemoryClaim
from technoshare.mlops.tracing import Untracked
from technoshare.models import AlreadyShared, Job, Receipt
from technoshare.ports import Services
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshot
from technoshare.retrieval.parser import open_parser
from technoshare.runner import StageRunner

SNAPSHOTS = Path(__file__).resolve().parent.parent / "evalsets" / "snapshots"
BLOG = "https://blog.example.org/2026/11/incremental-snapshots"
GONE = "https://blog.example.org/2019/old-post"


class Thread:
    """A poster that remembers what was posted."""

    def __init__(self):
        self.posts = []

    async def post(self, job, message):
        self.posts.append(message)
        return Receipt(channel=job.channel, thread_ts=job.thread_ts, ts=f"{len(self.posts)}.0", message=message)


class Ledger:
    """Knows one earlier share, or none; `led` is known only by where the link leads."""

    def __init__(self, earlier=None, led=None):
        self._earlier, self._led = earlier, led

    async def earlier(self, job, final_url=""):
        return self._led if final_url else self._earlier


class Standing:
    """The message stands, so many looks long."""

    def __init__(self, looks=99):
        self._looks = looks

    async def withdrawn(self, job):
        self._looks -= 1
        return self._looks < 0


class Counting(Extractive):
    """The keyless engine; counts what is paid for, and can be made to fail."""

    asked = 0
    trouble = None

    async def facts(self, evidence, *, tools=()):
        Counting.asked += 1
        return await super().facts(evidence)

    async def comment(self, evidence, facts, *, repair=None):
        if Counting.trouble:
            raise Counting.trouble
        return await super().comment(evidence, facts)


@pytest.fixture
async def services(monkeypatch):
    monkeypatch.setattr(Counting, "asked", 0)
    monkeypatch.setattr(Counting, "trouble", None)
    fetcher = FrozenFetcher([load_snapshot(path) for path in SNAPSHOTS.glob("*.yaml")])
    async with open_parser(processes=1) as parser:
        yield Services(
            fetcher=fetcher, parser=parser, writer=Counting(), poster=Thread(), tracker=Untracked(), projects=(),
            clock=lambda: 1_795_000_000.0,
        )  # fmt: skip


def job(url=BLOG):
    return Job(key=url, team="T1", channel="C1", ts="1.0", thread_ts="1.0", user="U1", url=url, received=0.0)


async def answer(services, claim, ledger=None, messages=None):
    return await pipeline.answer(StageRunner(services, claim), claim.job, ledger or Ledger(), messages or Standing())


async def test_a_link_ends_in_one_comment_with_its_three_sections(services):
    assert await answer(services, MemoryClaim(job())) == "success"
    (post,) = services.poster.posts
    assert all(label in post.text for label in ("TLDR", "Summary", "Projects", "Theme: "))


async def test_every_sentence_of_the_comment_stands_in_the_page(services):
    claim = MemoryClaim(job())
    await answer(services, claim)
    left = await claim.checkpoints()
    snippets = {snippet["id"]: snippet["text"] for snippet in left["retrieval"].result["snippets"]}
    facts = {fact["id"]: fact for fact in left["stage_a"].result["items"]}
    comment = left["stage_b"].result
    for sentence in (*comment["tldr"], *comment["summary"]):
        assert sentence["facts"]
        assert all(facts[name]["quote"] in snippets[facts[name]["snippet"]] for name in sentence["facts"])


async def test_the_five_stages_leave_their_trails_in_order(services):
    claim = MemoryClaim(job())
    await answer(services, claim)
    assert list(await claim.checkpoints()) == ["retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"]


async def test_a_page_that_cannot_be_read_ends_in_an_honest_reason(services):
    assert await answer(services, MemoryClaim(job(GONE))) == "failed"
    (post,) = services.poster.posts
    assert "404" in post.text
    assert "TLDR" not in post.text


async def test_a_page_that_was_shared_before_is_not_read_again(services):
    shared = AlreadyShared(user="U2", at=1_794_000_000.0, permalink="https://team.slack.com/archives/C1/p1")
    assert await answer(services, MemoryClaim(job()), Ledger(shared)) == "duplicate"
    (post,) = services.poster.posts
    assert shared.permalink in post.text
    assert Counting.asked == 0


async def test_a_link_that_leads_to_a_page_that_was_shared_before_costs_no_model(services):
    shared = AlreadyShared(user="U2", at=1_794_000_000.0, permalink="https://team.slack.com/archives/C1/p1")
    assert await answer(services, MemoryClaim(job()), Ledger(led=shared)) == "duplicate"
    (post,) = services.poster.posts
    assert shared.permalink in post.text
    assert Counting.asked == 0


async def test_what_was_paid_for_is_not_paid_for_again_after_an_interruption(services):
    claim = MemoryClaim(job())
    Counting.trouble = Transient("the model is busy")
    with pytest.raises(Transient):
        await answer(services, claim)
    assert services.poster.posts == []
    Counting.trouble = None
    assert await answer(services, claim) == "success"
    assert Counting.asked == 1
    assert len(services.poster.posts) == 1


async def test_a_job_that_is_taken_up_after_its_post_does_not_post_again(services):
    claim = MemoryClaim(job())
    await answer(services, claim)
    assert await answer(services, claim) == "success"
    assert len(services.poster.posts) == 1


async def test_a_model_without_a_usable_answer_ends_in_its_reason(services):
    Counting.trouble = Unusable("the model gave no usable answer")
    assert await answer(services, MemoryClaim(job())) == "failed"
    (post,) = services.poster.posts
    assert "the model gave no usable answer" in post.text
