import hashlib
import json
import re
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from technoshare.cli import main
from technoshare.datafile import plain_value
from technoshare.errors import ConfigError
from technoshare.mlops.evaluation.dataset import load_dataset, snapshot_of
from technoshare.mlops.evaluation.editing import with_example, with_file
from technoshare.mlops.evaluation.freezing import id_of
from technoshare.retrieval.frozen import FrozenFetcher, yaml_of

WORDS = """The night train from the coast now carries its own weather station. Every carriage reports temperature and
humidity once a minute over the ordinary radio. The operator wanted to know why doors froze on some trips and not on
others. After one winter the answer was plain: wet air from the kitchen reached the vestibule whenever the third door
stood open. A rubber seal for four euros ended the failures on all twelve trains. The engineers published the readings of
the winter together with a small program that draws them. They also describe two sensors that lied for a month because a
cable ran beside the heater. Anybody who plans a similar trial should budget a week for wiring and a day for software."""
PAGE = f"<html><head><title>Doors that freeze</title></head><body><main><h1>Doors that freeze</h1>{{more}}{''.join(f'<p>{part}</p>' for part in WORDS.split('. '))}</main></body></html>"
TOKEN = "ghp_" + "a1B2" * 9


class Site(BaseHTTPRequestHandler):
    """Pages with what must not be kept in them: cookies, keys, signed addresses."""

    answers = 0

    def do_GET(self):
        type(self).answers += 1
        status, headers, body = 200, {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "visitor=12345"}, ""
        match self.path.partition("?")[0]:
            case "/old":
                status, headers = 301, {"Location": "/article?part=1&X-Amz-Signature=abcdef0123"}
            case "/article":
                body = PAGE.format(more="")
            case "/leaky":
                body = PAGE.format(more=f"<p>Our token is {TOKEN} and the page says so in a sentence.</p>")
            case "/fickle":
                body = PAGE.format(
                    more=f"<p>This page was shown {self.answers} times since this morning, they say.</p>"
                )
            case "/teaser":
                body = f"<html><head><title>Doors</title></head><body><article><p>{WORDS}</p><p>Subscribe to continue reading</p></article></body></html>"
            case "/busy":
                status, body = 503, "later"
            case _:
                status, body = 404, "<html><title>Not found</title><body>Not found</body></html>"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("FETCH_ALLOW_HOSTS", f"127.0.0.1:{server.server_port}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "projects.yaml").write_text(
        "projects: [{name: A, theme: T, description: d, keywords: [k]}]"
    )
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def freeze(url, *more, licence="CC-BY-4.0"):
    return main(["eval", "freeze", url, "--dataset", "own/set.yaml", "--licence", licence, *more])


def kept(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "projects.yaml")


# ---------------------------------------------------------------- the command, over real HTTP


def test_a_page_becomes_an_example_that_needs_no_network(site, tmp_path, capsys, monkeypatch):
    assert freeze(f"{site}/old", "--id", "doors", "--source", "the operator's blog") == 0
    assert "2 answers" in capsys.readouterr().out
    found = load_dataset(tmp_path / "own" / "set.yaml").examples[0]
    snapshot = snapshot_of(found, tmp_path / "own")
    assert (found.id, found.url, snapshot.licence, snapshot.source) == (
        "doors",
        f"{site}/old",
        "CC-BY-4.0",
        "the operator's blog",
    )
    assert found.snapshot.sha256 == hashlib.sha256((tmp_path / "own/snapshots/doors.yaml").read_bytes()).hexdigest()
    asked = Site.answers
    monkeypatch.setenv("FETCH_SNAPSHOTS", "own/snapshots")
    assert main(["read", f"{site}/old"]) == 0
    assert "Doors that freeze" in capsys.readouterr().out
    assert Site.answers == asked


def test_no_cookie_no_key_and_no_signed_address_is_kept(site, tmp_path):
    assert freeze(f"{site}/old", "--id", "old") == 0
    assert freeze(f"{site}/leaky", "--id", "leaky") == 0
    text = "".join((tmp_path / "own" / "snapshots" / f"{name}.yaml").read_text() for name in ("old", "leaky"))
    assert "Our token is [secret removed]" in text
    assert "/article?part=1" in text
    assert not any(secret in text for secret in ("visitor=12345", TOKEN, "abcdef0123", "Set-Cookie", "set-cookie"))


def test_an_address_that_holds_a_key_is_refused(site, tmp_path, capsys):
    assert freeze(f"{site}/article?access_token=abc") == 2
    assert "named like a key" in capsys.readouterr().err
    assert kept(tmp_path) == []


def test_a_page_that_is_not_there_is_kept_as_the_failure_that_it_is(site, tmp_path, capsys):
    assert freeze(f"{site}/nothing", "--id", "nothing") == 0
    assert "expects this very failure" in capsys.readouterr().out
    expected = load_dataset(tmp_path / "own" / "set.yaml").examples[0].expect
    assert (expected.outcome, expected.obstacle) == ("failed", "not_found")


def test_a_page_behind_a_wall_is_kept_with_a_warning(site, capsys):
    assert freeze(f"{site}/teaser", "--id", "teaser") == 0
    assert "pay_wall" in capsys.readouterr().out


def test_a_site_that_is_busy_leaves_nothing_behind(site, tmp_path, capsys):
    assert freeze(f"{site}/busy") == 1
    assert "503" in capsys.readouterr().err
    assert kept(tmp_path) == []


class Forgetful(FrozenFetcher):
    """Stands for every way in which frozen and live may differ."""

    async def get(self, url, *, headers=None, limit=None):
        page = await super().get(url, headers=headers, limit=limit)
        return page.model_copy(update={"body": page.body.replace(b"rubber", b"")})


def test_a_page_that_reads_differently_once_it_is_frozen_leaves_nothing_behind(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("technoshare.mlops.evaluation.freezing.FrozenFetcher", Forgetful)
    assert freeze(f"{site}/article") == 2
    assert "reads differently" in capsys.readouterr().err
    assert kept(tmp_path) == []


@pytest.mark.parametrize("licence", ["unknown", " ", "none", "?", "TODO"])
def test_a_licence_that_nobody_can_look_up_is_refused_before_anything_is_fetched(site, tmp_path, capsys, licence):
    asked = Site.answers
    assert freeze(f"{site}/article", licence=licence) == 2
    said = capsys.readouterr().err
    assert "CC-BY-4.0" in said
    assert said.count("\n") == 1
    assert (Site.answers, kept(tmp_path)) == (asked, [])


def test_nothing_is_overwritten_and_that_is_told_before_anything_is_fetched(site, tmp_path, capsys):
    assert freeze(f"{site}/article", "--id", "doors") == 0
    (tmp_path / "own" / "snapshots" / "mine.yaml").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "own").rglob("*.yaml")}
    asked = Site.answers
    for page, name, reason in (
        ("/article", "again", "doors rests on"),
        ("/leaky", "doors", "an example doors"),
        ("/leaky", "mine", "mine.yaml exists"),
    ):
        assert freeze(f"{site}{page}", "--id", name) == 2
        assert reason in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "own").rglob("*.yaml")} == before
    assert Site.answers == asked


def test_a_file_that_appears_meanwhile_is_not_overwritten(site, tmp_path, monkeypatch):
    file = tmp_path / "own" / "snapshots" / "doors.yaml"
    file.parent.mkdir(parents=True)

    def appears(snapshot):
        file.write_text("mine")
        return yaml_of(snapshot)

    monkeypatch.setattr("technoshare.mlops.evaluation.freezing.yaml_of", appears)
    assert freeze(f"{site}/article", "--id", "doors") == 2
    assert (file.read_text(), kept(tmp_path)) == ("mine", ["doors.yaml"])


def test_a_second_page_stands_after_the_first_and_comments_stay(site, tmp_path):
    assert freeze(f"{site}/article", "--id", "doors") == 0
    dataset = tmp_path / "own" / "set.yaml"
    dataset.write_text(dataset.read_text().replace("examples:", "# reviewed by Ines\nexamples:  # ours"))
    assert freeze(f"{site}/leaky", "--id", "leaky") == 0
    assert [each.id for each in load_dataset(dataset).examples] == ["doors", "leaky"]
    assert "# reviewed by Ines\nexamples:  # ours" in dataset.read_text()
    assert stat.S_IMODE(dataset.stat().st_mode) == 0o644


def test_an_example_without_a_snapshot_gets_one(site, tmp_path):
    dataset = tmp_path / "own" / "set.yaml"
    dataset.parent.mkdir()
    dataset.write_text(f"dataset_name: own\nexamples:\n- id: doors\n  url: {site}/article\n  tags: [rail]\n")
    with pytest.raises(ConfigError, match="technoshare eval freeze"):
        load_dataset(dataset)
    assert freeze(f"{site}/article") == 0
    assert load_dataset(dataset).examples[0].tags == ("rail",)


def test_a_dataset_that_only_a_person_can_add_to_is_left_alone_and_the_lines_are_told(site, tmp_path, capsys):
    dataset = tmp_path / "own" / "set.yaml"
    dataset.parent.mkdir()
    dataset.write_text(before := "{dataset_name: own, examples: [{id: a, url: 'https://a.org/'}]}  # one line\n")
    assert freeze(f"{site}/article", "--id", "doors") == 2
    lines = capsys.readouterr().err.partition("into it:\n")[2]
    assert dataset.read_text() == before
    dataset.write_text(f"dataset_name: own\nexamples:\n{lines}")
    assert load_dataset(dataset).examples[0].id == "doors"


def test_an_id_that_is_none_is_refused(site, capsys):
    assert freeze(f"{site}/article", "--id", "My Page") == 2
    assert "a-z" in capsys.readouterr().err


# ---------------------------------------------------------------- ids and the dataset's text


@given(path=st.text(st.characters(codec="utf-8"), max_size=100))
def test_every_address_makes_an_id(path):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", id_of(f"https://a.org/{path}"))


ENTRY = {"id": "new", "url": "https://a.org/new", "snapshot": {"file": "snapshots/new.yaml", "sha256": "0" * 64}}
FORMS = [
    "examples:\n- id: a\n  url: u\n",
    "examples:\n  - id: a\n    url: u",
    "examples:\n  - id: a\n    url: u\n\nname: own\n",
    "name: own\nexamples:\n    -   id: a\n        url: u\n    # the end\n",
    "name: own\r\nexamples:\r\n  - id: a\r\n    url: u\r\n",
    "examples:\n  - id: a\n    slack_text: |\n      many\n      lines\n    url: u\n",
    "examples:\n  - id: ä🚂\n    url: u\n---\n"[:-4],
    json.dumps({"examples": [{"id": "a", "url": "u"}]}),
]


@pytest.mark.parametrize("text", FORMS)
def test_a_dataset_in_any_usual_form_gets_the_example_and_nothing_else_changes(text):
    old = plain_value(text.encode(), name="set.yaml")
    new = plain_value(with_example(text, ENTRY, name="set.yaml").encode(), name="set.yaml")
    assert new == old | {"examples": [*old["examples"], ENTRY]}


@pytest.mark.parametrize("text", [form for form in FORMS if "ä" not in form])
def test_an_example_in_any_usual_form_gets_its_file(text):
    more = {"snapshot": {"file": "snapshots/a.yaml", "sha256": "0" * 64}}
    new = plain_value(with_file(text, "a", more, name="set.yaml").encode(), name="set.yaml")
    assert new["examples"] == [plain_value(text.encode(), name="x")["examples"][0] | more]


@pytest.mark.parametrize(
    "text", ["examples: [{id: a, url: u}]", "examples: &e\n- &a {id: a}\nmore: *a\n", "examples:\n"]
)
def test_a_form_that_only_a_person_can_add_to_is_left_alone_and_the_lines_are_told(text):
    with pytest.raises(ConfigError, match=r"snapshots/new\.yaml"):
        with_example(text, ENTRY, name="set.yaml")


_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@given(
    examples=st.lists(st.dictionaries(st.sampled_from(["slack_text", "url", "x"]), _TEXT, min_size=1), min_size=1),
    flow=st.sampled_from([None, False]),
    indent=st.sampled_from([2, 4]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_texts_a_dataset_holds_they_survive_an_addition(examples, flow, indent):
    text = yaml.safe_dump({"name": "own", "examples": examples}, default_flow_style=flow, indent=indent)
    try:
        changed = with_example(text, ENTRY, name="set.yaml")
    except ConfigError:
        return
    assert plain_value(changed.encode(), name="x") == {"name": "own", "examples": [*examples, ENTRY]}
