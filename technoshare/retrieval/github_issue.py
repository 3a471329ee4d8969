"""Issues and pull requests on GitHub: what was asked, what was answered, what was changed; every voice apart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter

from technoshare.models import Evidence, Kind, Metadata
from technoshare.ports import Fetcher, Parser
from technoshare.retrieval import github_api
from technoshare.retrieval.github_api import (
    PLENTY,
    Api,
    GithubUrl,
    Person,
    evidence_of,
    from_page,
    login,
    one_section,
    place,
    said,
    written,
)
from technoshare.retrieval.github_changes import FILES, File, changes
from technoshare.retrieval.snippets import Part

NAME = github_api.NAME

_COMMENTS_READ = 30  # what people answered first; the API's own page size
_FORMS = ("issues", "pull")


class Label(BaseModel):
    """A label of an issue."""

    name: str


class Merge(BaseModel):
    """What only a pull request has."""

    merged_at: str | None = None


class Issue(BaseModel):
    """The part of the API's answer that is used; a pull request is an issue with changes."""

    number: int
    title: str
    html_url: GithubUrl
    state: str
    user: Person | None = None
    body: str | None = None
    created_at: str = ""
    updated_at: str = ""
    comments: int = 0
    labels: tuple[Label, ...] = ()
    pull_request: Merge | None = None

    @property
    def outcome(self) -> str:
        """Return `open`, `closed` or `merged`."""
        return "merged" if self.pull_request and self.pull_request.merged_at else self.state


class Comment(BaseModel):
    """A comment, or a review when it has a state."""

    html_url: GithubUrl
    user: Person | None = None
    body: str | None = None
    state: str = ""


@dataclass(frozen=True)
class Thread:
    """An issue with what was said to it and, of a pull request, changed; None is what the API did not give."""

    issue: Issue
    comments: Sequence[Comment] | None
    files: Sequence[File] | None
    reviews: Sequence[Comment] | None

    @property
    def is_whole(self) -> bool:
        """Tell whether all comments and files were read; a review is an extra."""
        return self.comments is not None and self.files is not None and self.issue.comments <= _COMMENTS_READ


_ISSUE, _COMMENTS = TypeAdapter(Issue), TypeAdapter(tuple[Comment, ...])


def matches(url: str) -> bool:
    """Take issues and pull requests with all their tabs, but not a single commit of one."""
    return _address(url) is not None


async def read(url: str, fetcher: Fetcher, parser: Parser) -> Evidence:
    """Return description, comments of people and, of a pull request, reviews and changed files.

    Where the API does not answer, the page is read instead. Raises `Unusable` for an unknown one, else as
    `read_webpage`.
    """
    repository, form, number = _address(url) or ("", "", "")
    api = Api(fetcher)
    kind: Kind = "pull request" if form == "pull" else "issue"
    missing = f"the {kind} was not found, or its repository is private"
    issue = await api.about(f"/repos/{repository}/issues/{number}", _ISSUE, missing=missing)
    if issue is None:
        return await from_page(url, kind, fetcher, parser)
    body = await written(issue.html_url, issue.body or "", parser, opening=f"Description by {login(issue.user)}")
    return await _evidence(url, repository, body, await _thread(repository, issue, api))


def _address(url: str) -> tuple[str, str, str] | None:
    """Return repository, form and number."""
    found = place(url)
    if found is None or len(found[1]) < 2:
        return None
    repository, (form, number, *tab) = found
    if form not in _FORMS or not (number.isascii() and number.isdigit()) or (tab[:1] == ["commits"] and len(tab) > 1):
        return None
    return repository, form, number


# ---------------------------------------------------------------- what is asked for


async def _thread(repository: str, issue: Issue, api: Api) -> Thread:
    path = f"/repos/{repository}/{{}}/{issue.number}"
    async with asyncio.TaskGroup() as all_three:
        comments = all_three.create_task(_comments(issue, path, api))
        files = all_three.create_task(_files(issue, path, api))
        reviews = all_three.create_task(_reviews(issue, path, api))
    return Thread(issue, comments.result(), files.result(), reviews.result())


async def _comments(issue: Issue, path: str, api: Api) -> Sequence[Comment] | None:
    if not issue.comments:
        return ()
    return await api.further(f"{path.format('issues')}/comments?per_page={_COMMENTS_READ}", _COMMENTS)


async def _files(issue: Issue, path: str, api: Api) -> Sequence[File] | None:
    if issue.pull_request is None:
        return ()
    return await api.further(f"{path.format('pulls')}/files?per_page=100", FILES)


async def _reviews(issue: Issue, path: str, api: Api) -> Sequence[Comment] | None:
    if issue.pull_request is None:
        return ()
    return await api.further(f"{path.format('pulls')}/reviews?per_page=30", _COMMENTS, least=PLENTY)


# ---------------------------------------------------------------- what was read


async def _evidence(url: str, repository: str, body: Part | None, thread: Thread) -> Evidence:
    issue, language = thread.issue, body.document.language if body else ""
    reviews = _of_people(thread.reviews)
    return await evidence_of(
        url,
        issue.html_url,
        (
            body,
            *[await _voice(comment, "Comment", language) for comment in _of_people(thread.comments)],
            *[await _voice(review, "Review", language) for review in reviews],
            Part(issue.html_url, one_section("Reviews", _verdicts(reviews), language="en")),
            *changes(f"{issue.html_url}/files", thread.files or ()),
        ),
        title=f"{repository}#{issue.number}: {issue.title}",
        author=login(issue.user),
        published=issue.created_at,
        coverage="full" if thread.is_whole else "partial",
        metadata=Metadata(
            kind="pull request" if issue.pull_request else "issue",
            state=issue.outcome,
            updated=issue.updated_at[:10],
            comments=issue.comments,
            labels=", ".join(label.name for label in issue.labels),
            parent=repository,
        ),
    )


async def _voice(comment: Comment, what: str, language: str) -> Part:
    return await said(comment.html_url, f"{what} by {login(comment.user)}", comment.body or "", language=language)


def _of_people(comments: Sequence[Comment] | None) -> Sequence[Comment]:
    return [comment for comment in comments or () if not (comment.user and comment.user.is_bot)]


_SAYS = {"APPROVED": "approved the changes", "CHANGES_REQUESTED": "asked for changes"}


def _verdicts(reviews: Sequence[Comment]) -> str:
    """Return one sentence for each reviewer who decided: the last decision counts."""
    last = {login(review.user): _SAYS[review.state] for review in reviews if review.state in _SAYS}
    return "\n".join(f"{name} {verdict}." for name, verdict in last.items())
