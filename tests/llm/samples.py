"""What the tests of this room share: evidence of our own writing, a tool, a tracker that keeps what it is told."""

from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from openai import AsyncOpenAI
from pydantic import BaseModel

from technoshare.llm.client import plain_wire
from technoshare.llm.pace import Pace
from technoshare.llm.prompts import load_projects, load_prompts
from technoshare.llm.retrying import Retrying
from technoshare.llm.writer import ModelWriter
from technoshare.models import Evidence, Snippet
from technoshare.ports import Tool

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-samplekey0123456789"
PROMPTS = load_prompts(ROOT / "prompts")
PROJECTS = load_projects(ROOT / "prompts" / "projects.yaml")

PARAGRAPHS = (
    """The harbour office moved its tide tables from paper to a small database in spring 2026. Nine clerks now enter the \
readings on tablets instead of copying them twice. The change cut the time for one table from 50 minutes to 8 minutes.""",
    """The database keeps every reading together with the name of the clerk who entered it. A nightly snapshot is copied \
to a second office across the bay. Readings that differ by more than 20 centimetres from the forecast are flagged.""",
    """The office warns that the tablets fail in heavy rain and that paper stays in the drawer for such days. Training \
took two weeks for each clerk. The source code is published under the MIT licence for other harbours.""",
)


def evidence(paragraphs=PARAGRAPHS, **changes):
    snippets = tuple(
        Snippet(
            id=f"s{n}", text=text, source="https://harbour.example.org/tides", section="Tides", start=0, end=len(text)
        )
        for n, text in enumerate(paragraphs, start=1)
    )
    known = {
        "url": "https://harbour.example.org/tides",
        "final_url": "https://harbour.example.org/tides",
        "adapter": "GenericAdapter",
        "domain": "harbour.example.org",
        "title": "Tide tables without paper",
        "coverage": "full",
        "snippets": snippets,
    }
    return Evidence(**known | changes)


class SearchArguments(BaseModel):
    query: str


class Searching:
    """A tool that remembers what it was asked."""

    def __init__(self, result="[s1] nothing more"):
        self.queries = []
        self._result = result

    async def _call(self, arguments):
        self.queries.append(arguments.query)
        return self._result

    def tool(self):
        return Tool("search", "Search the page.", SearchArguments, self._call)


class KeptSpan:
    def __init__(self, name):
        self.name, self.attributes, self.inputs, self.outputs, self.failure = name, {}, None, None, ""

    def set(self, **attributes):
        self.attributes |= attributes

    def io(self, *, inputs=None, outputs=None):
        self.inputs = inputs if inputs is not None else self.inputs
        self.outputs = outputs if outputs is not None else self.outputs

    def fail(self, message):
        self.failure = message

    def finished(self):
        return ()


class KeptSpans:
    """A tracker that keeps its spans in order."""

    def __init__(self):
        self.spans = []

    @contextmanager
    def span(self, name, kind):
        self.spans.append(KeptSpan(name))
        yield self.spans[-1]

    async def record(self, job, times, trails, outcome):
        raise AssertionError


async def no_wait(seconds):
    del seconds


@asynccontextmanager
async def open_test_writer(server, api, *, full=False, attempt_seconds=30.0, **changes):
    """A writer over the scripted server that never waits between attempts."""
    async with AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0) as client:
        pace = Pace()
        wire = Retrying(plain_wire(api, client, pace, full=full), pace, sleep=no_wait, attempt_seconds=attempt_seconds)
        collaborators = {
            "model": "gpt-4o",
            "prompts": PROMPTS,
            "projects": PROJECTS,
            "tracker": KeptSpans(),
        }
        yield ModelWriter(wire, **collaborators | changes)
