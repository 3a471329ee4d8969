import hashlib
import json
import shutil

import pytest
import yaml

from technoshare.errors import ConfigError
from technoshare.llm.prompts import STAGE_A, STAGE_B, load_projects, load_prompts, projects_hash
from tests.llm.samples import ROOT

PROMPTS = ROOT / "prompts"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(PROMPTS, tmp_path / "prompts")
    return tmp_path / "prompts"


def change(path, edit):
    value = yaml.safe_load(path.read_text("utf-8"))
    edit(value)
    path.write_text(yaml.safe_dump(value), "utf-8")


def test_the_identity_of_a_prompt_can_be_computed_from_its_file_alone():
    book = load_prompts(PROMPTS)
    for name in (STAGE_A, STAGE_B):
        file = yaml.safe_load((PROMPTS / f"{name}.yaml").read_text("utf-8"))
        kept = {key: file[key] for key in ("template", "model_config", "response_format")}
        canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert book.get(name).ref.content_hash == hashlib.sha256(canonical.encode()).hexdigest()[:12]
        assert book.get(name).ref.version == "yaml"


def test_the_identity_changes_with_the_words_and_not_with_the_layout_or_the_description(folder):
    before = load_prompts(folder).get(STAGE_A).ref.content_hash
    change(folder / f"{STAGE_A}.yaml", lambda file: file.update(description="other words"))
    assert load_prompts(folder).get(STAGE_A).ref.content_hash == before
    change(folder / f"{STAGE_A}.yaml", lambda file: file["template"][0].update(content="{{projects}} changed"))
    assert load_prompts(folder).get(STAGE_A).ref.content_hash != before


def test_a_description_in_the_response_format_is_part_of_the_prompt_and_may_be_edited(folder):
    def edit(file):
        file["response_format"]["json_schema"]["schema"]["$defs"]["FactAnswer"]["properties"]["text"]["description"] = (
            "x"
        )

    before = load_prompts(folder).get(STAGE_A).ref.content_hash
    change(folder / f"{STAGE_A}.yaml", edit)
    assert load_prompts(folder).get(STAGE_A).ref.content_hash != before


def unknown_variable(file):
    file["template"][1]["content"] += "{{secrets}}"


def no_evidence(file):
    file["template"][1]["content"] = "{{nonce}}"


def open_braces(file):
    file["template"][0]["content"] += "{{"


def other_shape(file):
    file["response_format"]["json_schema"]["schema"]["properties"]["more"] = {"type": "string"}


def no_strict(file):
    file["response_format"]["json_schema"]["strict"] = False


def no_cap(file):
    file["model_config"] = {}


def odd_role(file):
    file["template"][0]["role"] = "developer"


def other_name(file):
    file["name"] = "stage_a"


def extra_field(file):
    file["author"] = "me"


def no_description(file):
    del file["description"]


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (unknown_variable, "{{secrets}}"),
        (no_evidence, "{{evidence}}"),
        (open_braces, "template[0].content"),
        (other_shape, "response_format"),
        (no_strict, "response_format.json_schema.strict"),
        (no_cap, "model_config.max_output_tokens"),
        (odd_role, "template.0.role"),
        (other_name, "name"),
        (extra_field, "author"),
        (no_description, "description"),
    ],
)
def test_a_broken_prompt_is_one_line_that_names_the_file_and_the_field(folder, edit, field):
    change(folder / f"{STAGE_A}.yaml", edit)
    with pytest.raises(ConfigError) as caught:
        load_prompts(folder)
    assert f"{STAGE_A}.yaml: " in str(caught.value)
    assert field in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"projects: [", "not valid YAML in line"),
        (b"projects: [{name: A}]", "projects.0.theme"),
        (b"projects: []", "projects"),
        (b"[1, 2]", "the file"),
        (b"", "the file"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"projects: [{name: A, theme: '', description: d}]", "projects[0].theme"),
        (b"projects: [{name: A, theme: None, description: d}]", "projects[0].theme"),
        (b"projects: [{name: A, theme: T, description: d, keyword: [x]}]", "projects.0.keyword"),
    ],
)
def test_a_broken_projects_file_is_one_line_that_names_the_field(tmp_path, content, told):
    path = tmp_path / "projects.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_projects(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_or_folder_is_named(tmp_path):
    for load in (load_prompts, load_projects):
        with pytest.raises(ConfigError, match="nowhere"):
            load(tmp_path / "nowhere")


def test_the_identity_of_the_projects_changes_with_any_of_them():
    projects = load_projects(PROMPTS / "projects.yaml")
    changed = (projects[0].model_copy(update={"description": "other"}), *projects[1:])
    assert len(projects_hash(projects)) == 12
    assert projects_hash(projects) != projects_hash(changed)
