"""Which prompt a bot uses, told by a registry that answers as it is told."""

import json
import logging

import pytest

from technoshare.llm.prompts import STAGE_A, STAGE_B
from technoshare.mlops.prompt_book import CandidatePrompts, LivePrompts, Prod
from technoshare.mlops.prompt_refresh import Refresh
from technoshare.mlops.prompt_version import PromptVersion
from technoshare.mlops.replay import Away
from tests.mlops.prompt_samples import a_version, files


class ScriptedRegistry:
    """Answers with what was put there; a prompt of which nothing is known was never promoted."""

    def __init__(self, **prod) -> None:
        self.answers = {STAGE_A: Prod(None), STAGE_B: Prod(None)} | prod

    def prod(self, name: str) -> Prod:
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def says(self, answer) -> "ScriptedRegistry":
        self.answers[STAGE_B] = answer
        return self


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "data" / "prompts-prod.json"


@pytest.fixture(autouse=True)
def _every_word(caplog):
    caplog.set_level(logging.INFO)


def looked(copy, answer, *, edited: str = "") -> LivePrompts:
    """A bot's prompts after MLflow has answered once."""
    prompts = LivePrompts(files(b=edited), copy)
    prompts.look(ScriptedRegistry().says(answer))
    prompts.save()
    return prompts


def used(prompts: LivePrompts) -> str:
    return prompts.get(STAGE_B).ref.version


def test_where_nothing_was_ever_promoted_the_files_are_used_and_the_log_says_so(copy, caplog):
    prompts = looked(copy, Prod(None), edited=" My edit.")
    assert prompts.get(STAGE_B).messages[0][1].endswith(" My edit.")
    wanted = f"prompt {STAGE_B}: {prompts.get(STAGE_B).ref.content_hash} from prompts/ (nothing promoted)"
    assert wanted in caplog.messages
    assert not copy.exists()


def test_what_is_promoted_is_used_and_an_edited_file_is_not(copy, caplog):
    prompts = looked(copy, Prod(a_version("3")), edited=" My edit.")
    assert prompts.get(STAGE_B).messages[0][1].endswith(" Text 3.")
    assert f"prompt {STAGE_B}: version 3 ({a_version('3').content_hash}) from MLflow" in caplog.messages
    assert prompts.get(STAGE_A).ref.version == "yaml"


def test_while_mlflow_is_away_the_last_good_copy_is_used_and_an_edited_file_is_not(copy, caplog):
    looked(copy, Prod(a_version("3")))
    caplog.clear()
    prompts = LivePrompts(files(b=" My edit."), copy)
    with pytest.raises(Away):
        prompts.look(ScriptedRegistry().says(Away("no connection")))
    prompts.fall_back("MLflow is away")
    assert used(prompts) == "3"
    assert f"prompt {STAGE_B}: version 3 ({a_version('3').content_hash}) from the last good copy" in caplog.messages
    assert (
        f"prompt {STAGE_A}: {files().get(STAGE_A).ref.content_hash} from prompts/ (MLflow is away)" in caplog.messages
    )


def test_every_change_is_logged_once(copy, caplog):
    prompts = LivePrompts(files(), copy)
    for version in ("1", "1", "2", "2", "1"):
        prompts.look(ScriptedRegistry().says(Prod(a_version(version))))
    assert [message.split()[3] for message in caplog.messages if STAGE_B in message] == ["1", "2", "1"]


def of_another_program(edit) -> PromptVersion:
    """A version that was synced in good order by a program with other variables or another schema."""
    version = a_version("4")
    edit(version.content)
    return version.model_copy(update={"promised_hash": version.content_hash})


def another_variable(content):
    content["template"][0]["content"] += "{{secrets}}"


def another_schema(content):
    content["response_format"]["json_schema"]["schema"]["properties"]["more"] = {"type": "string"}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (of_another_program(another_variable), "unknown variable {{secrets}}"),
        (of_another_program(another_schema), "response_format: only its descriptions may differ"),
        (a_version("4").model_copy(update={"promised_hash": "0123456789ab"}), "was changed by hand"),
        (a_version("4").model_copy(update={"promised_hash": ""}), "has no content_hash"),
    ],
    ids=["variables", "schema", "hash", "foreign"],
)
def test_a_version_that_the_stage_cannot_use_is_refused_and_what_was_in_use_stays(copy, caplog, bad, told):
    prompts = looked(copy, Prod(a_version("3")))
    for _ in range(3):
        prompts.look(ScriptedRegistry().says(Prod(bad)))
    assert used(prompts) == "3"
    assert used(LivePrompts(files(), copy)) == "3"
    (warning,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert told in warning
    assert used(looked(copy, Prod(a_version("5")))) == "5"


def test_where_nothing_that_is_promoted_can_be_used_the_files_are(copy, caplog):
    prompts = looked(copy, Prod(of_another_program(another_schema)))
    assert used(prompts) == "yaml"
    assert "from prompts/ (nothing usable promoted)" in caplog.text


def test_a_copy_that_this_program_cannot_use_is_kept_for_the_one_that_can(copy):
    unusable = of_another_program(another_schema)
    copy.parent.mkdir()
    copy.write_text(f'{{"prompts": [{unusable.model_dump_json()}]}}', "utf-8")
    prompts = looked(copy, Prod(unusable))
    prompts.look(ScriptedRegistry(**{STAGE_A: Prod(a_version("1", STAGE_A))}).says(Prod(unusable)))
    prompts.save()
    kept = json.loads(copy.read_text("utf-8"))["prompts"]
    assert [(one["name"], one["version"]) for one in kept] == [(STAGE_B, "4"), (STAGE_A, "1")]


def test_after_a_rollback_to_nothing_the_files_are_used_again_also_by_the_next_start(copy):
    prompts = looked(copy, Prod(a_version("3")))
    prompts.look(ScriptedRegistry().says(Prod(None, withdrawn=True)))
    prompts.save()
    assert used(prompts) == "yaml"
    assert used(LivePrompts(files(), copy)) == "yaml"


def test_a_prod_that_was_lost_with_mlflows_database_is_not_forgotten(copy, caplog):
    prompts = looked(copy, Prod(a_version("3")), edited=" My edit.")
    prompts.look(ScriptedRegistry())
    prompts.save()
    assert used(prompts) == "3"
    assert used(LivePrompts(files(), copy)) == "3"
    assert caplog.text.count("gone from MLflow without a rollback") == 1


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"prompts": [{"name": "x"}]}', b"[]"])
def test_a_broken_copy_is_left_aside_and_written_anew(copy, caplog, content):
    copy.parent.mkdir()
    copy.write_bytes(content)
    assert used(LivePrompts(files(), copy)) == "yaml"
    assert "cannot be read" in caplog.text
    looked(copy, Prod(a_version("3")))
    assert used(LivePrompts(files(), copy)) == "3"


def test_a_prompt_of_a_newer_program_in_the_copy_is_passed_over(copy):
    looked(copy, Prod(a_version("3")))
    copy.write_text(copy.read_text("utf-8").replace(STAGE_B, "stage_c"), "utf-8")
    assert used(LivePrompts(files(), copy)) == "yaml"


def test_a_disk_that_takes_nothing_costs_the_copy_and_not_the_bot(copy, caplog):
    copy.parent.write_text("a file where the folder should be")
    prompts = looked(copy, Prod(a_version("3")))
    assert used(prompts) == "3"
    assert "cannot be written" in caplog.text


def test_both_prompts_change_at_once_or_not_at_all(copy):
    prompts = looked(copy, Prod(a_version("1")))
    registry = ScriptedRegistry(**{STAGE_A: Prod(a_version("2", STAGE_A)), STAGE_B: Away("no connection")})
    with pytest.raises(Away):
        prompts.look(registry)
    assert (prompts.get(STAGE_A).ref.version, used(prompts)) == ("yaml", "1")
    prompts.look(registry.says(Prod(a_version("2"))))
    assert (prompts.get(STAGE_A).ref.version, used(prompts)) == ("2", "2")


def test_what_no_reply_may_repeat_follows_the_prompts_in_use(copy):
    prompts = looked(copy, Prod(a_version("3")), edited=" My edit.")
    told = "\n".join(prompts.texts())
    assert "Text 3." in told
    assert "My edit." in told
    prompts.look(ScriptedRegistry().says(Prod(a_version("4"))))
    told = "\n".join(prompts.texts())
    assert "Text 4." in told
    assert "Text 3." not in told
    assert "{{" not in told


def test_whatever_a_registry_does_the_refreshing_goes_on(copy, caplog):
    script = [Away("no connection"), Away("no connection"), TypeError("surprise"), Prod(a_version("3"))]
    registry = ScriptedRegistry()
    looks = []

    def connect():
        return registry.says(script[len(looks)])

    def pause(seconds: float) -> bool:
        registry.says(script[len(looks)]) if len(looks) < len(script) else None
        return len(looks) == len(script)

    prompts = LivePrompts(files(), copy)
    Refresh(prompts, connect, pause, lambda: looks.append(used(prompts)), 30.0).run()
    assert looks == ["yaml", "yaml", "yaml", "3"]
    assert caplog.text.count("cannot be asked for prompts") == 1
    assert used(LivePrompts(files(), copy)) == "3"


# ---------------------------------------------------------------- candidates


def test_a_candidate_is_known_beside_what_is_in_use_and_changes_nothing_for_jobs(copy):
    prompts = looked(copy, Prod(a_version("3"), candidate=a_version("4")))
    assert used(prompts) == "3"
    candidates = prompts.candidates()
    assert candidates.get(STAGE_B).ref.version == "4"
    assert candidates.get(STAGE_A) == prompts.get(STAGE_A)
    assert CandidatePrompts(prompts).get(STAGE_B).ref.version == "4"
    assert any("Text 4." in text for text in CandidatePrompts(prompts).texts())


def test_there_is_no_candidate_once_it_is_what_is_in_use(copy):
    assert looked(copy, Prod(a_version("3"))).candidates() is None
    same = looked(copy, Prod(a_version("3"), candidate=a_version("3").model_copy(update={"version": "4"})))
    assert same.candidates() is None
    assert CandidatePrompts(same).get(STAGE_B) == same.get(STAGE_B)


def test_a_candidate_that_its_stage_cannot_use_is_left_alone(copy, caplog):
    prompts = looked(
        copy, Prod(a_version("3"), candidate=a_version("4").model_copy(update={"promised_hash": "0" * 12}))
    )
    assert prompts.candidates() is None
    assert "cannot be used" in caplog.text
