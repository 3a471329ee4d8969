"""A file's bytes → a document: prose, notebooks, code, or an honest reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.errors import Unusable
from technoshare.retrieval.github_text import LONGEST, code_document, file_document
from technoshare.retrieval.snippets import Part, cut
from tests.retrieval.answers import PROSE, SENTENCES, InlineParser


async def document(name, body):
    return await file_document(name, body if isinstance(body, bytes) else body.encode(), InlineParser())


def notebook(*cells, **more):
    return json.dumps({"cells": list(cells), "nbformat": 4, "metadata": {}} | more)


async def test_a_notebook_is_its_text_and_its_code_without_what_came_out():
    picture = f"![plot](data:image/png;base64,{'iVBORw0KGgo' * 900})"
    found = await document(
        "study.ipynb",
        notebook(
            {"cell_type": "markdown", "source": ["# Counters\n", f"{PROSE}\n", picture]},
            {
                "cell_type": "code",
                "source": "# measure\ntotal = sum(rows)\nprint('```')",
                "outputs": [{"text": "SECRET"}],
            },
            {"cell_type": "markdown", "source": "## Limits\n```\nnever closed"},
            {"cell_type": "code", "source": ["plot(total)"]},
            {"cell_type": "raw", "source": "latex"},
        ),
    )
    assert found.title == "Counters"
    assert [section.title for section in found.sections] == ["Counters", "Limits"]
    assert "total = sum(rows)" in found.text
    assert found.text.endswith("plot(total)")
    assert not any(word in found.text for word in ("SECRET", "iVBOR", "latex"))


async def test_a_notebook_of_the_old_format_is_read_too():
    cells = [{"cell_type": "heading", "source": "Counters"}, {"cell_type": "code", "input": ["total = 1"]}]
    found = await document("old.ipynb", json.dumps({"worksheets": [{"cells": cells}]}))
    assert found.text == "Counters\ntotal = 1"


@pytest.mark.parametrize("body", ["", "[]", '{"cells": 7}', '{"cells": [{"source": {}}]}', "[" * 100_000])
async def test_a_damaged_notebook_says_so(body):
    with pytest.raises(Unusable, match="damaged"):
        await document("study.ipynb", body)


@pytest.mark.parametrize("name", ["README", "notes.txt", "guide.RST", "a/b.markdown"])
async def test_prose_is_read_as_prose(name):
    found = await document(name, f"Guide\n=====\n\n{PROSE}")
    assert [section.title for section in found.sections] == ["Guide"]


async def test_a_web_page_in_a_repository_is_read_as_one():
    found = await document("index.html", f"<title>Fences</title><article><p>{PROSE}</p></article><script>x()</script>")
    assert "The scheduler keeps" in found.text
    assert "<p>" not in found.text


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("export default async function wake(table) {", "export default async function wake(table)"),
        ("pub(crate) fn wake<T>(table: T) {", "pub(crate) fn wake<T>(table: T)"),
        ("func (t *Table) Wake() error {", "func (t *Table) Wake() error"),
        ("public final class Fence extends Gate {", "public final class Fence extends Gate"),
        ("type Fence struct {", "type Fence struct"),
        ("interface Fence {", "interface Fence"),
    ],
)
def test_definitions_of_many_languages_open_sections(line, title):
    found = code_document(f"// {SENTENCES[0]}\n{line}\n  body\n}}\n")
    assert [section.title for section in found.sections] == ["", title]
    last = found.sections[-1]
    assert found.text[last.start : last.end].startswith(line)


def test_code_keeps_its_indentation_and_loses_what_nobody_sees():
    found = code_document("def wake():\r\n\tif x:\u200b\r\n        return '\u202eabc'  \n")
    assert found.text.startswith("def wake():\n\tif x:\n        return 'abc'\n")


def test_of_a_machine_made_file_the_beginning_is_read():
    found = code_document("x" * (LONGEST + 1))
    assert found.obstacle == "too_large"
    assert all(len(piece.text) <= 1_400 for piece in cut(Part("u", found)))


@given(st.text(st.sampled_from("def class\n\t {}\r\u2028\0x"), max_size=300))
def test_whatever_code_looks_like_its_pieces_stand_where_they_say(source):
    found = code_document(source)
    for piece in cut(Part("u", found)):
        assert piece.text == found.text[piece.start : piece.end]
