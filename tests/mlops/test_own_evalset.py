"""The examples that this project is judged by: enough, varied, sound, and all our own."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from technoshare.app import open_services, single_job
from technoshare.errors import Unusable
from technoshare.llm.prompts import load_projects
from technoshare.mlops.evaluation.dataset import NO_THEME, load_dataset, snapshot_of
from technoshare.models import Evidence
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshots
from technoshare.settings import Settings
from technoshare.stages.retrieval import retrieve
from tools.seal_evalset import sealed
from tools.write_pdf import pdf_of

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "evalsets"
OWN = FOLDER / "technoshare_eval.yaml"
EXAMPLES = load_dataset(OWN).examples


@pytest.fixture(scope="module")
def readings():
    """What is read for each example, without a network: evidence, or the obstacle."""

    async def read():
        settings = Settings(_env_file=None, projects_file=ROOT / "prompts" / "projects.yaml", llm_model="extractive")
        async with open_services(settings) as services:
            return {example.id: await reading(example, services) for example in EXAMPLES}

    async def reading(example, services):
        fetcher = FrozenFetcher([snapshot_of(example, FOLDER)])
        try:
            return await retrieve(dataclasses.replace(services, fetcher=fetcher), single_job(example.url))
        except Unusable as why:
            return why.obstacle

    return asyncio.run(read())


def words(evidence):
    return " ".join(" ".join(snippet.text.split()) for snippet in evidence.snippets)


def test_there_are_at_least_forty_and_a_part_is_held_out_from_prompt_tuning():
    assert len(EXAMPLES) >= 40
    assert sum(example.split == "test" for example in EXAMPLES) >= 12
    assert {example.split for example in EXAMPLES} == {"dev", "test"}


def test_every_theme_is_one_that_the_sample_projects_have_and_each_occurs():
    known = {project.theme for project in load_projects(ROOT / "prompts" / "projects.yaml")} | {NO_THEME}
    used = {theme for example in EXAMPLES for theme in example.themes}
    assert used == known
    assert all(example.themes for example in EXAMPLES if example.expect.outcome == "comment")


KINDS = """
    arxiv withdrawn old-version github issue pull-request release file blog docs pdf two-column hackernews stackexchange
    wikipedia huggingface forum plain-text markdown note news benchmark table very-long injection hidden wall list
    failure unrelated cookie-banner comments lang:de lang:fr lang:ja lang:es
"""


@pytest.mark.parametrize("tag", KINDS.split())
def test_each_kind_of_page_is_among_them(tag):
    assert any(tag in example.tags for example in EXAMPLES)


def test_all_are_our_own_under_the_licence_of_the_code_and_small_enough_to_keep():
    snapshots = load_snapshots(FOLDER / "snapshots")
    assert {snapshot.licence for snapshot in snapshots} == {"MIT"}
    assert all(snapshot.source.startswith("written for TechnoShare") for snapshot in snapshots)
    assert len(snapshots) == len(EXAMPLES)
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_500_000


def test_each_page_is_read_or_refused_as_its_example_says(readings):
    refused = {name: reading for name, reading in readings.items() if not isinstance(reading, Evidence)}
    assert refused == {each.id: each.expect.obstacle for each in EXAMPLES if each.expect.outcome == "failed"}


def test_every_detail_that_a_comment_may_mention_was_read(readings):
    missing = [
        (example.id, fact)
        for example in EXAMPLES
        for fact in example.expect.facts_any
        if fact not in words(readings[example.id])
    ]
    assert not missing


def test_most_pages_are_long_enough_for_a_summary_of_ten_sentences(readings):
    read = [reading for reading in readings.values() if isinstance(reading, Evidence)]
    assert sum(evidence.summary_bounds[0] == 10 for evidence in read) > len(read) / 2


def test_the_languages_are_recognised(readings):
    told = {e.id: tag[5:] for e in EXAMPLES for tag in e.tags if tag.startswith("lang:")}
    assert {name: readings[name].language for name in told} == told


def test_a_pdf_of_two_columns_is_what_the_tool_writes_and_is_read_column_by_column(readings):
    example = next(each for each in EXAMPLES if each.id == "pdf-two-column-sensor")
    text = (FOLDER / "texts" / "pdf-sensor-paper.txt").read_text("utf-8")
    assert snapshot_of(example, FOLDER).exchanges[0].page().body == pdf_of(text, columns=2)
    assert "which every bee must walk. Two infrared diodes" in words(readings[example.id])


def test_sealing_writes_the_hashes_of_the_files_as_they_are_and_nothing_else():
    text = OWN.read_text("utf-8")
    assert sealed(text, FOLDER) == text
    first = EXAMPLES[0].snapshot.sha256
    assert sealed(text.replace(first, "0" * 64), FOLDER) == text
