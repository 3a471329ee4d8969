"""A stage that somebody adds tomorrow is seen in MLflow although nothing in it knows MLflow."""

import asyncio
import uuid
from typing import Any, cast

from technoshare.memory import MemoryClaim
from technoshare.mlops.tracking import open_tracker
from technoshare.models import Record, Result
from technoshare.ports import JobTimes, Services
from technoshare.runner import StageRunner, stage
from tests.mlops import sample
from tests.observe.reading import read_experiment


class Translation(Result):
    """What the new stage makes."""

    text: str
    words: int

    def record(self) -> Record:
        """Say what is worth seeing."""
        return Record(
            tags={"to_language": "eo"},
            metrics={"words": float(self.words)},
            attributes={"words": self.words},
            artifacts={"translation.txt": self.text},
        )


@stage("translation", span="translation.run", kind="LLM", timeout=5)
async def translate(services: Services, text: str) -> Translation:
    """A stage of which no other module has heard."""
    with services.tracker.span("dictionary", "TOOL") as span:
        span.set(looked_up=2)
        await asyncio.sleep(0)
    return Translation(text=f"{text} — traduko", words=len(text.split()))


async def test_a_new_stage_gets_its_run_its_span_and_its_artifact(mlflow_server, tmp_path):
    experiment = f"new_stage_{uuid.uuid4().hex[:8]}"
    job = sample.a_job(7_000_000)
    async with open_tracker(
        uri=mlflow_server,
        experiment=experiment,
        tracking=True,
        tracing=True,
        spool=tmp_path / "mlflow-spool.db",
        app_version="0.1.0",
        projects_hash="5eed",
        busy=lambda: False,
    ) as tracker:
        claim = MemoryClaim(job)
        await StageRunner(services(tracker), claim)(translate, "two words")
        trails = {name: checkpoint.trail for name, checkpoint in (await claim.checkpoints()).items()}
        await tracker.record(job, JobTimes(job.received, job.received, None), trails, "success")
        async with asyncio.timeout(60):
            while not (await tracker.spool.counts())["delivered"]:  # noqa: ASYNC110 - nothing in the bot waits for it
                await asyncio.sleep(0.05)
    seen = await asyncio.to_thread(read_experiment, mlflow_server, experiment)
    (one,) = seen.jobs
    (run,) = one.nested
    assert (run.name, run.status) == ("translation", "FINISHED")
    assert run.tags.items() >= {"stage": "translation", "to_language": "eo"}.items()
    assert run.metrics["words"] == 2
    assert run.metrics["latency_seconds"] >= 0
    assert run.artifacts == {"translation.txt": "two words — traduko"}
    root, own, inner = one.traces[0].spans
    assert (own.name, own.kind, own.parent, own.attributes["words"]) == ("translation.run", "LLM", root.id, 2)
    assert (inner.name, inner.kind, inner.parent, inner.attributes["looked_up"]) == ("dictionary", "TOOL", own.id, 2)
    assert one.traces[0].source_run == one.parent.id


def services(tracker) -> Services:
    nobody = cast("Any", None)
    return Services(
        fetcher=nobody,
        parser=nobody,
        writer=nobody,
        poster=nobody,
        tracker=tracker,
        projects=(),
        clock=lambda: sample.START + 1,
    )
