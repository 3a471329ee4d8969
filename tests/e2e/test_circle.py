"""The whole circle: edit a prompt, sync, evaluate, promote, watch, roll back; all of it real but the model."""

import asyncio
import json
import re
import shlex
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from technoshare.cli import main
from technoshare.llm.prompts import STAGE_A, STAGE_B, load_prompts
from technoshare.mlops.eval_runs import EXPERIMENT
from technoshare.workspace.model import open_model_server
from technoshare.workspace.server import open_workspace
from tests.bot_process import ROOT, BotProcess, running_bot
from tests.e2e.observed import LINKS, commented, job_of, recorded, settings
from tests.mlops.prompt_samples import empty_registry

JOBS = "circle"
"""The bot's experiment."""
EXAMPLES = ("blog-incremental-snapshots", "docs-retry-policy", "repo-ledgerline")

ASKED, WORSE = "a summary of {{least}} to {{most}} sentences", "a summary of 1 to 2 sentences"
"""What the prompt asks for, and an edit that a model follows into comments which are too short."""

REASON = "the evaluation set is being rebuilt"


def lay_out(folder: Path) -> None:
    """A project as a person has it: prompts, and an evaluation set of their own that is done in seconds."""
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    (folder / "evalsets").mkdir()
    own = yaml.safe_load((ROOT / "evalsets" / "technoshare_eval.yaml").read_text("utf-8"))
    examples = [example for example in own["examples"] if example["id"] in EXAMPLES]
    (folder / "evalsets" / "technoshare_eval.yaml").write_text(yaml.safe_dump({"name": "own", "examples": examples}))
    rules = yaml.safe_load((ROOT / "evalsets" / "thresholds.yaml").read_text("utf-8"))
    rules["modes"]["live"]["epochs"] = 1
    (folder / "evalsets" / "thresholds.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(ROOT / "evalsets" / "bad_comments.yaml", folder / "evalsets")
    (folder / "evalsets" / "snapshots").mkdir()
    for example in EXAMPLES:
        shutil.copy(ROOT / "evalsets" / "snapshots" / f"{example}.yaml", folder / "evalsets" / "snapshots")


@dataclass
class Circle:
    """A person at a terminal, and the bot that runs beside it all the time."""

    folder: Path
    uri: str
    workspace: object
    bot: BotProcess
    capsys: object
    links: list[str] = field(default_factory=lambda: list(LINKS))
    seen: int = 0
    """Lines of the bot's log that have been read."""
    comment: dict = field(default_factory=dict)
    """The newest."""
    typed: list[str] = field(default_factory=list)

    async def types(self, *words: str) -> tuple[int, str]:
        """Type a command; return its exit code and what it says."""
        job = job_of(self.comment) if self.comment else None
        self.typed.append(shlex.join(["technoshare", *("JOB" if word == job else word for word in words)]))
        code = await asyncio.to_thread(main, list(words))
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "prompts" / f"{STAGE_B}.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    async def uses(self, name: str, version: str) -> None:
        """Wait until the bot says that it uses this version now."""
        await self.bot.said(f"prompt {name}: version {version} (", since=self.seen)

    async def versions_of_a_comment(self) -> tuple[str, str]:
        """Share the next link; return the prompts with which MLflow says that it was commented on."""
        self.seen = len(self.bot.log)
        self.comment = await commented(self.workspace, self.links.pop())
        runs = await recorded(self.uri, JOBS, job_of(self.comment))
        tags = [runs[stage].data.tags for stage in ("stage_a", "stage_b")]
        assert [tag["prompt_name"] for tag in tags] == [STAGE_A, STAGE_B]
        return tuple(tag["prompt_version"] for tag in tags)

    async def aliases(self) -> dict[str, str]:
        """Return where the aliases of stage B's prompt stand, as `prompts list` has it."""
        listed = json.loads((await self.types("prompts", "list", "--json"))[1])
        return {alias: one["version"] for one in listed[1]["versions"] for alias in one["aliases"]}


@asynccontextmanager
async def open_circle(folder: Path, uri: str, capsys, monkeypatch):
    lay_out(folder)
    await asyncio.to_thread(empty_registry, uri)
    async with open_workspace() as workspace, open_model_server() as model:
        told = settings(workspace, model, folder, uri, JOBS)
        for name in ("OPENAI_BASE_URL", "LLM_MODEL", "MLFLOW_TRACKING_URI", "JOBS_URL", "PROMPTS_DIR"):
            monkeypatch.setenv(name, told[name])
        for name in ("OPENAI_API_KEY", "EVAL_REQUIRE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(folder)
        async with running_bot(told) as bot:
            yield Circle(folder, uri, workspace, bot, capsys)
            assert await bot.stop() == 0


async def test_a_prompt_goes_from_its_file_to_the_running_bot_and_back_and_each_step_is_on_record(
    tmp_path, mlflow_server, capsys, monkeypatch
):
    async with open_circle(tmp_path, mlflow_server, capsys, monkeypatch) as circle:
        first = await first_promotion(circle)
        await a_worse_edit(circle)
        third = await a_good_edit(circle)
        await the_way_back(circle)
        await the_way_around(circle)
    assert commands_of_the_guide() <= set(circle.typed)
    records_are_complete(tmp_path, mlflow_server, first, third)


async def first_promotion(circle: Circle) -> str:
    """Sync, evaluate, bless, promote; the bot, which knew no promotion, uses it. Returns the content hash."""
    await circle.bot.said(f"prompt {STAGE_B}: ")
    assert "from prompts/ (nothing promoted)" in next(line for line in circle.bot.log if f"prompt {STAGE_B}" in line)
    assert (await circle.types("prompts", "sync"))[1].count("is staging\n") == 2
    code, told = await circle.types("prompts", "promote")
    assert (code, "not evaluated yet" in told) == (1, True)
    code, told = await circle.types("eval", "run", "--prompt", "staging")
    assert code == 0, told
    assert f"{STAGE_A} version 1 is candidate. {STAGE_B} version 1 is candidate." in told
    code, told = await circle.types("eval", "bless")
    assert (code, "is blessed with 3 of 3 examples" in told) == (0, True)
    code, told = await circle.types("prompts", "promote")
    assert (code, told.count("prod none → 1, evaluation ")) == (0, 2)
    for name in (STAGE_A, STAGE_B):
        await circle.uses(name, "1")
    assert await circle.versions_of_a_comment() == ("1", "1")
    return load_prompts(circle.folder / "prompts").get(STAGE_B).ref.content_hash


async def a_worse_edit(circle: Circle) -> None:
    """It becomes staging, and no more."""
    circle.edit(ASKED, WORSE)
    told = (await circle.types("prompts", "diff", "stage_b"))[1]
    assert f"+Write the comment: a tldr of exactly 3 sentences, {WORSE}, projects," in told.splitlines()
    assert f"{STAGE_B}: version 2" in (await circle.types("prompts", "sync"))[1]
    code, told = await circle.types("eval", "run", "--prompt", "staging")
    assert code == 1, told
    report = json.loads((circle.folder / "eval_results.json").read_text("utf-8"))
    assert any("in the blessed baseline: -100.0%" in reason for reason in report["verdict"]["reasons"])
    code, told = await circle.types("prompts", "promote")
    assert code == 1
    assert f"{STAGE_B} version 2 (" in told
    assert "is not promoted: its newest evaluation failed with a pass rate of 0% (run " in told
    assert await circle.aliases() == {"prod": "1", "candidate": "1", "staging": "2"}
    code, told = await circle.types("replay", job_of(circle.comment), "--prompt", "staging")
    assert (code, "summary_sentence_count" in told) == (0, True)


async def a_good_edit(circle: Circle) -> str:
    """It becomes candidate, then what the bot uses, without a restart. Returns the content hash."""
    circle.edit(WORSE, f"{ASKED} for colleagues")
    assert f"{STAGE_B}: version 3" in (await circle.types("prompts", "sync"))[1]
    assert (await circle.types("eval", "run", "--prompt", "staging"))[0] == 0
    assert await circle.aliases() == {"prod": "1", "candidate": "3", "staging": "3"}
    code, told = await circle.types("prompts", "promote")
    assert (code, told.count("\n")) == (0, 1)
    assert f"{STAGE_B}: prod 1 → 3, evaluation " in told
    await circle.uses(STAGE_B, "3")
    assert await circle.versions_of_a_comment() == ("1", "3")
    return load_prompts(circle.folder / "prompts").get(STAGE_B).ref.content_hash


async def the_way_back(circle: Circle) -> None:
    """Somebody dislikes a comment; the bot gets the prompt from before, and the complaint becomes an example."""
    assert await circle.workspace.press(circle.comment["ts"], "vote-down")
    assert await circle.types("prompts", "rollback") == (0, f"{STAGE_B}: prod 3 → 1\n")
    await circle.uses(STAGE_B, "1")
    assert await circle.aliases() == {"prod": "1", "candidate": "3", "staging": "3"}
    disliked = f"feedback-{job_of(circle.comment)}"
    assert await circle.versions_of_a_comment() == ("1", "1")
    assert (await circle.types("eval", "add", "--from-feedback"))[1].startswith(disliked)
    (example,) = yaml.safe_load((circle.folder / "evalsets" / "feedback.yaml").read_text("utf-8"))["examples"]
    assert (example["id"], example["status"]) == (disliked, "pending")


async def the_way_around(circle: Circle) -> None:
    """Somebody promotes without an evaluation, which is recorded as such, and takes it back."""
    code, told = await circle.types("prompts", "promote", "stage_b", "--version", "3", "--force", REASON)
    assert (code, told) == (0, f"{STAGE_B}: prod 1 → 3, forced: {REASON}\n")
    assert await circle.types("prompts", "rollback") == (0, f"{STAGE_B}: prod 3 → 1\n")
    assert "← current" in (await circle.types("prompts", "list"))[1]


def commands_of_the_guide() -> set[str]:
    """What docs/PROMPTS.md tells people to type."""
    text = (ROOT / "docs" / "PROMPTS.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found = {shlex.join(shlex.split(line, comments=True)) for block in blocks for line in block.splitlines()}
    assert len(found) >= 10
    return found


# ---------------------------------------------------------------- records


def records_are_complete(folder: Path, uri: str, first: str, third: str) -> None:
    """Read back what the experiment and the file say about all that happened."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id

    def runs(kind: str) -> list[Run]:
        return client.search_runs([experiment], f"tags.kind = '{kind}'", order_by=["attributes.start_time ASC"])

    texts_are_kept(client, runs("prompt"), first, third)
    evaluations = runs("evaluation")
    evaluations_are_kept(client, evaluations, first, third)
    passed = [run.info.run_id for run in evaluations if run.data.tags["verdict"] == "pass"]
    moves = [
        ("promote", STAGE_A, "none", "1", passed[0]),
        ("promote", STAGE_B, "none", "1", passed[0]),
        ("promote", STAGE_B, "1", "3", passed[1]),
        ("rollback", STAGE_B, "3", "1", ""),
        ("promote", STAGE_B, "1", "3", passed[1]),
        ("rollback", STAGE_B, "3", "1", ""),
    ]
    lines = (folder / "prompts" / "PROMOTIONS.jsonl").read_text("utf-8").splitlines()
    for told in ([run.data.tags for run in runs("promotion")], list(map(json.loads, lines))):
        fields = ("action", "prompt_name", "from", "to", "evaluation_run")
        assert [tuple(move[name] for name in fields) for move in told] == moves
        assert [move["content_hash"] for move in told if move["prompt_name"] == STAGE_B] == [
            first,
            third,
            first,
            third,
            first,
        ]
        assert [move["model"] for move in told] == ["scripted", "scripted", "scripted", "", "scripted", ""]
        assert [move["reason"] for move in told] == ["", "", "", "", REASON, ""]
        assert all(move["who"] and move["when"] for move in told)
    assert {run.info.status for run in runs("promotion")} == {"FINISHED"}
    assert {json.loads(line)["run"] for line in lines} == {run.info.run_id for run in runs("promotion")}


def texts_are_kept(client: MlflowClient, texts: list[Run], first: str, third: str) -> None:
    """Each text that was ever synced has its run, tags and file."""
    told = [(run.data.tags["prompt_name"], run.data.tags["prompt_version"]) for run in texts]
    assert told == [(STAGE_A, "1"), (STAGE_B, "1"), (STAGE_B, "2"), (STAGE_B, "3")]
    assert [texts[1].data.tags["content_hash"], texts[3].data.tags["content_hash"]] == [first, third]
    for run, (name, _) in zip(texts, told, strict=True):
        assert run.data.tags["source"] == "yaml"
        assert run.data.tags["timestamp"]
        assert [file.path for file in client.list_artifacts(run.info.run_id, "prompts")] == [f"prompts/{name}.txt"]


def evaluations_are_kept(client: MlflowClient, evaluations: list[Run], first: str, third: str) -> None:
    """Each evaluation is a run with its verdict, what it evaluated, the contract's figures, and the report."""
    assert [run.data.tags["verdict"] for run in evaluations] == ["pass", "fail", "pass"]
    evaluated = [run.data.tags[f"prompt.{STAGE_B}"] for run in evaluations]
    assert [evaluated[0], evaluated[2]] == [f"1:{first}", f"3:{third}"]
    assert evaluated[1].startswith("2:")
    for run, rate in zip(evaluations, (1.0, 0.0, 1.0), strict=True):
        assert run.info.run_name == "eval_suite"
        assert run.data.params.items() >= {"dataset_name": "own", "num_examples": "3", "model": "scripted"}.items()
        assert run.data.metrics.items() >= {
            "overall_pass_rate": rate, "total_examples": 3, "passed_examples": 3 * rate, "failed_examples": 3 - 3 * rate,
        }.items()  # fmt: skip
        for example in EXAMPLES:
            assert run.data.metrics[f"{example}_summary_sentence_count"] == rate
            assert f"{example}_pass_rate" in run.data.metrics
        assert "eval_results.json" in {file.path for file in client.list_artifacts(run.info.run_id)}
