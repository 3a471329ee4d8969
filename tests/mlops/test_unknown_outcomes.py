"""Whatever the address, and wherever a delivery broke off: the next try completes it and doubles nothing."""

import pytest

from technoshare.mlops.entry import Forgetting
from technoshare.mlops.replay import Away
from technoshare.mlops.upload import Upload
from tests.mlops.cutting import cut
from tests.mlops.reading import assert_complete, everything, votes
from tests.mlops.sample import a_new_record, a_vote


@pytest.mark.parametrize("nth", [1, 3, 12, 19, 20])
def test_a_job(uri, experiment, nth):
    record, upload = a_new_record(passed=False), Upload(uri, experiment)
    cut(upload, after=nth)
    with pytest.raises(Away):
        upload.send(record, begun=False)
    Upload(uri, experiment).send(record, begun=True)
    assert_complete(uri, experiment, record)


@pytest.mark.parametrize("nth", [2, 3])
def test_a_vote(uri, experiment, nth):
    record, upload = a_new_record(), Upload(uri, experiment)
    upload.send(record, begun=False)
    upload.vote(a_vote(record, "down", reason="an earlier one"))
    cut(upload, after=nth)
    with pytest.raises(Away):
        upload.vote(a_vote(record))
    Upload(uri, experiment).vote(a_vote(record))
    assert votes(uri, record) == [("U1", True, None)]


@pytest.mark.parametrize("nth", [2, 4, 9])
def test_what_is_to_be_forgotten(uri, experiment, tmp_path, nth):
    record, other, upload = a_new_record(), a_new_record(), Upload(uri, experiment)
    for each in (record, other):
        upload.send(each, begun=False)
    cut(upload, after=nth)
    with pytest.raises(Away):
        upload.forget(Forgetting(job_id=record.job_id))
    Upload(uri, experiment).forget(Forgetting(job_id=record.job_id))
    assert record.runs[0].tags["target_url"] not in everything(uri, experiment, tmp_path)
    assert_complete(uri, experiment, other)
