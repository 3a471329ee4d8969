"""Questions on Stack Overflow and its sister sites: the question, the accepted and the top answers, each kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from pydantic import BaseModel
from yarl import URL

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.models import Evidence
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval.api import ask
from technoshare.retrieval.posts import Seconds, day, read_post
from technoshare.retrieval.snippets import cut_aside
from technoshare.retrieval.webpage import read_webpage
from technoshare.text import squeeze

NAME = "StackExchangeAdapter"

ANSWERS = 8
"""Answers that are read, by votes; further ones repeat them or are wrong."""

_API = "https://api.stackexchange.com/2.3/{}?site={}&filter=withbody"
_HOST = re.compile(
    r"(?:www\.)?((?:[a-z]{2}\.|meta\.)?stackoverflow\.com|(?:meta\.)?(?:superuser|serverfault|askubuntu)\.com|"
    r"(?:[a-z0-9-]+\.){1,2}stackexchange\.com|(?:meta\.)?mathoverflow\.net|stackapps\.com)"
)
_NOT_SITES = frozenset({"api.stackexchange.com", "data.stackexchange.com", "chat.stackexchange.com"})
_QUESTION = re.compile(r"/(?:questions|q)/([0-9]{1,12})(?:/[^/]*)?(?:/([0-9]{1,12}))?/?")
_ANSWER = re.compile(r"/a/([0-9]{1,12})(?:/[0-9]+)?/?")
_ANCHOR = re.compile(r"(?:answer-)?([0-9]{1,12})")


@dataclass(frozen=True)
class Link:
    """What a link means: a question, an answer to it, or an answer alone (`question` is 0 then)."""

    site: str
    question: int
    answer: int

    @property
    def home(self) -> str:
        """The question's page, by its shortest address where the question is known."""
        return f"https://{self.site}/{f'questions/{self.question}' if self.question else f'a/{self.answer}'}"


class _Person(BaseModel):
    display_name: str = "somebody"


class _Post(BaseModel):
    owner: _Person = _Person()
    score: int = 0
    body: str = ""

    def told(self, role: str) -> str:
        return f"{role} by {squeeze(unescape(self.owner.display_name))}, score {self.score}"


class Question(_Post):
    """The part of a question that is used."""

    question_id: int
    title: str
    tags: tuple[str, ...] = ()
    answer_count: int = 0
    creation_date: Seconds = 0
    last_activity_date: Seconds = 0
    closed_date: Seconds = 0
    content_license: str = ""

    def metadata(self) -> dict[str, str]:
        """Return what is known, under the names that replies use."""
        told = {
            "kind": "question",
            "score": str(self.score),
            "answers": str(self.answer_count),
            "state": "closed" if self.closed_date else "",
            "topics": " ".join(self.tags),
            "updated": day(self.last_activity_date),
            "licence": self.content_license,
        }
        return {name: value for name, value in told.items() if value}


class Answer(_Post):
    """The part of an answer that is used."""

    answer_id: int
    question_id: int
    is_accepted: bool = False


class _Questions(BaseModel):
    items: tuple[Question, ...] = ()


class _Answers(BaseModel):
    items: tuple[Answer, ...] = ()


def matches(url: str) -> bool:
    """Take a question or an answer on any site of the network; lists, tags and users are read as pages."""
    return _link(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the question, then the answer that the link names, the accepted one, and the others by votes.

    Where the API does not answer (300 calls a day) the page is read instead, and the coverage is `partial`. Raises
    `Unusable` for an unknown question, else as `read_webpage`.
    """
    link = _link(url) or Link("", 0, 0)
    try:
        question, answers = await _thread(link, fetcher)
    except (FetchError, Transient, Unusable) as trouble:
        if isinstance(trouble, Unusable) and trouble.obstacle == "not_found":
            raise
        return await _page(url, trouble, fetcher, parser)
    return await _evidence(url, Link(link.site, question.question_id, link.answer), question, answers, parser)


async def _page(url: str, trouble: Exception, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return the page; where programs may not see it, the API is asked again later (its quota comes back daily)."""
    try:
        page = await read_webpage(url, fetcher, parser, adapter=NAME)
    except Unusable as refused:
        if refused.obstacle in ("bot_wall", "forbidden"):
            raise Transient(f"{refused}, and {trouble}") from refused
        raise
    return page.model_copy(update={"coverage": "partial"})


async def _evidence(url: str, link: Link, question: Question, answers: tuple[Answer, ...], parser: Parser) -> Evidence:
    parts = [part for part in [await read_post(*post, parser) for post in _posts(link, question, answers)] if part]
    accepted = {"accepted": "yes"} if any(answer.is_accepted for answer in answers) else {}
    return Evidence(
        url=url,
        final_url=link.home,
        adapter=NAME,
        domain=link.site,
        title=squeeze(unescape(question.title)),
        authors=(squeeze(unescape(question.owner.display_name)),),
        published=day(question.creation_date),
        language=(parts[0].document.language if parts else "") or "en",
        coverage="full" if len(parts) > question.answer_count else "partial",
        snippets=await cut_aside(*parts),
        metadata=question.metadata() | accepted,
    )


def _posts(link: Link, question: Question, answers: tuple[Answer, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield title, address and HTML of each post, in the order in which a reader wants them."""
    yield question.told("Question"), link.home, question.body
    for answer in sorted(answers, key=lambda each: (each.answer_id != link.answer, not each.is_accepted, -each.score)):
        role = "Accepted answer" if answer.is_accepted else "Answer"
        yield answer.told(role), f"https://{link.site}/a/{answer.answer_id}", answer.body


def _link(url: str) -> Link | None:
    try:
        parsed = URL(url.strip())
    except ValueError:
        return None
    host = _HOST.fullmatch(parsed.host or "")
    if host is None or host[1] in _NOT_SITES:
        return None
    if found := _ANSWER.fullmatch(parsed.path):
        return Link(host[1], 0, int(found[1]))
    if found := _QUESTION.fullmatch(parsed.path):
        anchor = _ANCHOR.fullmatch(parsed.fragment)
        return Link(host[1], int(found[1]), int(found[2] or (anchor[1] if anchor else 0)))
    return None


# ---------------------------------------------------------------- the API


async def _thread(link: Link, fetcher: Fetcher) -> tuple[Question, tuple[Answer, ...]]:
    """Return the question and its best answers. Raises as `ask`, and `Unusable` for a question that is not there."""
    named = await _named(link, fetcher) if not link.question else ()
    about = f"questions/{named[0].question_id if named else link.question}"
    found = await ask(_API.format(about, link.site), _Questions, fetcher)
    if not found.items:
        raise _unknown(link)
    best = f"{_API.format(f'{about}/answers', link.site)}&sort=votes&order=desc&pagesize={ANSWERS}"
    answers = await ask(best, _Answers, fetcher)
    if link.question and link.answer and link.answer not in {answer.answer_id for answer in answers.items}:
        named = await _named(link, fetcher)
    known = {answer.answer_id: answer for answer in (*named, *answers.items)}
    return found.items[0], tuple(known.values())


async def _named(link: Link, fetcher: Fetcher) -> tuple[Answer, ...]:
    """Return the answer that the link names. Raises `Unusable` when there is none and the question is unknown too."""
    answers = (await ask(_API.format(f"answers/{link.answer}", link.site), _Answers, fetcher)).items
    if not answers and not link.question:
        raise _unknown(link)
    return answers[:1]


def _unknown(link: Link) -> Unusable:
    thing = f"question {link.question}" if link.question else f"answer {link.answer}"
    return Unusable(f"{link.site} has no {thing}, or it was deleted", obstacle="not_found")
