"""Secrets never reach MLflow, in whatever text they stand; everything else does, as it was."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from technoshare.mlops.privacy import Privacy
from technoshare.mlops.record import JobRecord, record_of
from technoshare.mlops.scrubbing import scrubbed
from technoshare.models import Vote
from tests.mlops import planted, sample

OWN = 'our-own/pass"word\\ü'
TOKEN = "xoxb-1234567890-abcdefghij"
SHAPES = (
    TOKEN, "sk-proj-abcdefghijklmnopqrstuv", "ghp_abcdefghijklmnopqrst", "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
)  # fmt: skip


def a_record() -> JobRecord:
    job = sample.a_job(1)
    trails = sample.trails(job, passed=False)
    return record_of(job, sample.TIMES, trails, "degraded", app_version="0.1.0+3ac1cf4", projects_hash="5eed")


WHOLE = a_record().model_dump(mode="json")


def texts(value, path=()):
    """Yield the path of every text in a value, except where the program reads the text again."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from texts(inner, (*path, at))


READ_AGAIN = {"status", "kind"}
PLACES = [path for path in texts(WHOLE) if path[-1] not in READ_AGAIN]


def with_text(path, text: str) -> JobRecord:
    value = json.loads(json.dumps(WHOLE))
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = text
    return JobRecord.model_validate(value)


def test_a_record_without_secrets_stays_as_it_is():
    record = a_record()
    assert scrubbed(record, (OWN,)) == record
    assert scrubbed(record, (OWN,)).model_dump_json() == record.model_dump_json()


_AROUND = st.text(alphabet=" \n\t\"'{}[]:,/?&=<>|.–ü", max_size=5)


@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.sampled_from((*SHAPES, OWN)), _AROUND, _AROUND)
def test_a_secret_survives_in_no_text_of_a_record(path, secret, before, after):
    clean = scrubbed(with_text(path, f"{before}{secret}{after}"), (OWN,)).model_dump(mode="json")
    assert secret not in str(clean)
    assert json.dumps(secret)[1:-1] not in json.dumps(clean)


@settings(max_examples=200)
@given(
    st.recursive(
        st.sampled_from((*SHAPES, OWN, "plain", "-----BEGIN PRIVATE KEY-----\nMIIB")) | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("a", TOKEN)), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from((None, 2)),
)
def test_an_artifact_that_was_json_is_json_afterwards_and_holds_no_secret(value, indent):
    record = a_record()
    artifact = json.dumps({"answer": json.dumps(value), "value": value}, indent=indent)
    run = record.runs[1].model_copy(update={"artifacts": {"evidence.json": artifact}})
    clean = scrubbed(record.model_copy(update={"runs": (run,)}), (OWN,)).runs[0].artifacts["evidence.json"]
    told = json.loads(clean)
    json.loads(told["answer"])
    assert not [secret for secret in (*SHAPES, OWN, "MIIB") if secret in str(told) or json.dumps(secret)[1:-1] in clean]


@pytest.mark.parametrize(
    "text",
    [
        f'The model said: {{"key": "first line\\n{TOKEN}"}}',  # JSON within a sentence, its line end escaped
        f"see https://hooks.example.org/?token={TOKEN}",
        f"{json.dumps(OWN)} in a list",
    ],
)
def test_a_secret_is_found_within_json_within_text(text):
    clean = scrubbed(with_text(("trace", "response"), text), (OWN,)).trace.response
    assert TOKEN not in clean
    assert json.dumps(OWN)[1:-1] not in clean


def test_addresses_lose_their_credentials_everywhere():
    job = planted.a_job(1)
    record = record_of(job, sample.TIMES, planted.trails(job), "failed", app_version="0.1.0", projects_hash="5eed")
    clean = Privacy(secrets=(planted.OWN,)).scrub(record)
    told = clean.model_dump_json()
    assert [secret for secret in planted.SECRETS if secret in told or json.dumps(secret)[1:-1] in told] == []
    assert clean.runs[0].tags["target_url"] == "https://***@hostword.example/pathword?token=***&page=3"
    missing = [word for word in planted.CONTENT + planted.ADDRESSES if word not in told]
    assert not missing, "only secrets are taken out"


def test_a_secret_in_the_reason_of_a_vote_is_masked():
    vote = Vote(job_id="0123456789ab", generation=0, user="U7", value="down", reason=f"{TOKEN} leaks", at=1.0)
    assert Privacy().vote(vote).reason == "[secret removed] leaks"
