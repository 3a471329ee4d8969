import copy
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.dataset import Dataset, evidence_of, load_dataset, snapshot_of
from technoshare.models import Evidence, Snippet

ROOT = Path(__file__).resolve().parent.parent.parent
NOTE = ROOT / "evalsets" / "snapshots" / "note-short.yaml"
URL = "https://notes.example.org/til/sqlite-user-version"
EVIDENCE = Evidence(
    url=URL,
    final_url=URL,
    adapter="GenericAdapter",
    domain="notes.example.org",
    coverage="full",
    snippets=(Snippet(id="s1", text="A file knows its version.", source=URL, start=0, end=25),),
)


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def example(name="note", **changes):
    return {"id": name, "url": URL, "snapshot": {"file": "snapshots/note.yaml", "sha256": sha(NOTE)}} | changes


@pytest.fixture
def written(tmp_path):
    (tmp_path / "snapshots").mkdir()
    shutil.copy(NOTE, tmp_path / "snapshots" / "note.yaml")

    def write(*examples, name="set.yaml", **more):
        path = tmp_path / name
        whole = {"schema": "technoshare.evalset/2", "dataset_name": "own", "examples": list(examples)} | more
        path.write_text(json.dumps(whole) if path.suffix == ".json" else yaml.safe_dump(whole))
        return path

    return write


# ---------------------------------------------------------------- what is taken


def test_the_plain_format_is_taken_as_it_is(written, tmp_path):
    path = tmp_path / "plain.json"
    one = {"id": "a-1", "url": URL, "slack_text": f"look {URL}", "expected_theme": "Data pipelines", "tags": ["blog"]}
    path.write_text(json.dumps({"examples": [one], "name": "plain"}))
    found = load_dataset(path, live=True)
    assert (found.dataset_name, found.examples[0].themes, found.examples[0].split) == (
        "plain",
        ("Data pipelines",),
        "dev",
    )


def test_yaml_and_json_say_the_same(written):
    yaml_one, json_one = load_dataset(written(example())), load_dataset(written(example(), name="set.json"))
    assert yaml_one == json_one
    assert yaml_one.digest == json_one.digest


def test_a_snapshot_may_be_a_path_alone_in_the_plain_format_and_is_known_by_its_content_all_the_same(written):
    plain = load_dataset(written(example(snapshot="snapshots/note.yaml"), schema="technoshare.evalset/1"))
    assert plain.digest == load_dataset(written(example())).digest


def test_an_example_may_rest_on_evidence_instead_of_http(written, tmp_path):
    kept = tmp_path / "job.json"
    kept.write_text(EVIDENCE.model_dump_json())
    asked = example(evidence={"file": "job.json", "sha256": sha(kept)}, origin={"kind": "feedback", "job": "0" * 12})
    del asked["snapshot"]
    found = load_dataset(written(asked)).examples[0]
    assert evidence_of(found, tmp_path) == EVIDENCE


def test_a_pending_example_is_loaded_and_not_run(written):
    found = load_dataset(written(example(), {"id": "new", "url": f"{URL}/2", "status": "pending"}))
    assert [one.id for one in found.examples] == ["note", "new"]
    assert [one.id for one in found.ready] == ["note"]


def test_the_digest_tells_what_is_asked_and_not_how_it_is_written(written):
    two = example("two", url=f"{URL}/2")
    first = load_dataset(written(example(), two)).digest
    assert load_dataset(written(two, example(tags=["short"], origin={"kind": "curated"}))).digest == first
    pending = {"id": "new", "url": f"{URL}/3", "status": "pending"}
    assert load_dataset(written(example(), two, pending)).digest == first
    assert load_dataset(written(example(), two | {"expect": {"forbid": ["x"]}})).digest != first
    assert load_dataset(written(example(), two | {"slack_text": "so?"})).digest != first
    assert load_dataset(written(example())).digest != first


def test_another_snapshot_is_another_dataset(written, tmp_path):
    first = load_dataset(written(example())).digest
    snapshot = tmp_path / "snapshots" / "note.yaml"
    snapshot.write_text(snapshot.read_text() + "\n")
    changed = example(snapshot={"file": "snapshots/note.yaml", "sha256": sha(snapshot)})
    assert load_dataset(written(changed)).digest != first


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("examples", "complaint"),
    [
        ([], "at least 1"),
        ([example("Not Good")], "examples.Not Good.id: .*pattern"),
        ([example(), example(url=f"{URL}/2")], "id 'note' occurs twice"),
        ([example(), example("other")], "example other: url .* occurs twice, see note"),
        ([example(), example("other", url=f"{URL}?utm_source=x")], "example other: url .* occurs twice, see note"),
        ([example(colour="red")], "examples.note.colour: Extra inputs are not permitted"),
        ([{"id": "a"}], "examples.a.url: Field required"),
        ([example(url="ftp://a.org/x")], "examples.note.url"),
        ([example(snapshot="snapshots/note.yaml")], "example note: snapshots/note.yaml has no sha256"),
        ([example(snapshot={"file": "snapshots/note.yaml", "sha256": "0" * 64})], "example note: .*write sha256: "),
        ([example(snapshot={"file": "gone.yaml", "sha256": "0" * 64})], "example note: .*gone.yaml: No such file"),
        ([example(snapshot={"file": "snapshots", "sha256": "0" * 64})], "example note: .*snapshots: Is a directory"),
        ([example(snapshot={"file": "/etc/passwd", "sha256": "0" * 64})], "example note: /etc/passwd lies outside"),
        ([example(snapshot={"file": "../set.yaml", "sha256": "0" * 64})], "example note: ../set.yaml lies outside"),
        ([example(snapshot={"file": "a\0b", "sha256": "0" * 64})], "example note: .*is no path"),
        (
            [example(snapshot={"file": "snapshots/note.yaml", "sha256": sha(NOTE), "licence": "CC0"})],
            "example note: .*MIT, not CC0",
        ),
        ([example(evidence={"file": "a.json", "sha256": "0" * 64})], "either a snapshot or evidence"),
        ([{"id": "bare", "url": URL}], f"example bare has no snapshot.*technoshare eval freeze {URL} --id bare"),
        ([example(status="pending")], "all examples are pending"),
        ([example(expect={"outcome": "failed", "facts_all": ["x"]})], "facts_all would never be looked at"),
        ([example(expect={"obstacle": "pay_wall"})], "an obstacle belongs to outcome: failed"),
        ([example(expect={"summary": {"min": 5, "max": 3}})], "min 5 is more than max 3"),
    ],
)
def test_a_wrong_dataset_is_one_line_that_names_file_and_example(written, examples, complaint):
    with pytest.raises(ConfigError, match=complaint) as error:
        load_dataset(written(*examples))
    assert "set.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["licence", "source"])
def test_a_snapshot_without_licence_or_source_is_refused(written, tmp_path, missing):
    snapshot = tmp_path / "snapshots" / "note.yaml"
    content = yaml.safe_load(snapshot.read_text())
    del content[missing]
    snapshot.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=rf"set\.yaml: example note: snapshots/note\.yaml: {missing}: Field required"):
        load_dataset(written(example(snapshot={"file": "snapshots/note.yaml", "sha256": sha(snapshot)})))


def test_a_link_that_leads_out_of_the_folder_is_refused(written, tmp_path):
    (tmp_path / "out.yaml").symlink_to(NOTE)
    with pytest.raises(ConfigError, match="lies outside"):
        load_dataset(written(example(snapshot={"file": "out.yaml", "sha256": sha(NOTE)})))


def test_a_snapshot_that_changes_after_loading_is_noticed(written, tmp_path):
    found = load_dataset(written(example())).examples[0]
    (tmp_path / "snapshots" / "note.yaml").write_text(NOTE.read_text().replace("fifteen", "fifty"))
    with pytest.raises(ConfigError, match="not what was frozen"):
        snapshot_of(found, tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{: not yaml", "neither YAML nor JSON"),
        ("just words", "file: "),
        ("", "file: "),
        ("\x00", "neither YAML nor JSON"),
        (b"\xff\xfe\xfa", "neither YAML nor JSON"),
        ("dataset_name: 2026-99-99", "neither YAML nor JSON"),
        ("[" * 3000, "YAML|nested"),
        ("a: " * 3000, "neither YAML nor JSON"),
        ("dataset_name: own\ndataset_name: other\nexamples: []", "'dataset_name' stands twice"),
        ("? [a]\n: b", "neither YAML nor JSON"),
        ("x: &x !!python/object:os.system ls", "neither YAML nor JSON"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(tmp_path, text, complaint):
    path = tmp_path / "set.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=complaint) as error:
        load_dataset(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("place", ["dataset_name: own\nexamples: {}", "name: own\nexamples: [{{id: {}}}]", "name: {}"])
def test_aliases_that_would_unfold_to_billions_are_refused_at_once(tmp_path, place):
    levels = ", ".join(f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    path = tmp_path / "set.yaml"
    path.write_text(place.format(f"[&a0 [x], {levels}]"))
    with pytest.raises(ConfigError, match=r"set\.yaml"):
        load_dataset(path)


def test_a_dataset_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file"):
        load_dataset(tmp_path / "nowhere.yaml")


def complaint(path, *, live=False):
    """Return why the file is refused, empty when it is not."""
    try:
        assert isinstance(load_dataset(path, live=live), Dataset)
    except ConfigError as error:
        return str(error)
    return ""


_WORDS = st.sampled_from(["id", "url", "examples", "snapshot", "file", "sha256", "expect", "name", "schema", "x\ny"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=20
)


@given(body=st.binary(max_size=200) | _ANYTHING.map(lambda told: json.dumps(told).encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_is_a_dataset_or_one_clear_line(tmp_path, body):
    path = tmp_path / "set.yaml"
    path.write_bytes(body)
    said = complaint(path, live=True)
    assert not said or said.startswith(str(path))
    assert "\n" not in said


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_one_wrong_value_anywhere_in_a_good_dataset_is_never_an_unexpected_error(written, data):
    whole = [example(expect={"facts_any": ["a"], "summary": {"min": 1, "max": 2}}), example("two", url=f"{URL}/2")]
    target = copy.deepcopy(whole)
    place = data.draw(st.sampled_from(target))
    name = data.draw(st.sampled_from(sorted(place)))
    inner = place[name]
    if isinstance(inner, dict) and data.draw(st.booleans()):
        place, name = inner, data.draw(st.sampled_from(sorted(inner)))
    place[name] = data.draw(_ANYTHING)
    assert "\n" not in complaint(written(*target, name="set.json"))
