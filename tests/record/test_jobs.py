"""One job's records among those of many."""

import json
from pathlib import Path

import pytest

from executor.record.jobs import AmbiguousJob, job_records, records_of
from tests.record.samples import KEY, a_record


def spool(directory: Path, *found: dict[str, object]) -> str:
    """Return a spool with records."""
    lines = (f"{json.dumps(each, separators=(',', ':'))}\n" for each in found)
    (directory / "events.jsonl").write_text("".join(lines))
    return str(directory)


def test_only_the_jobs_own(tmp_path: Path) -> None:
    """Neither a number that contains another's, nor one that stands elsewhere."""
    mine, longer = a_record("config", 1, 1), a_record("config", 1, 1, job=47110)
    other = a_record("config", 1, 1, job=5, did=[{"job": 4711, "x": 0}])
    place = spool(tmp_path, longer, mine, other)

    assert job_records(place, 4711) == [mine]
    assert job_records(place, 4712) == []
    assert records_of(place, KEY) == [longer, mine, other]
    assert records_of(place, "4711") == []


def test_the_last_of_two_jobs_of_one_number(tmp_path: Path) -> None:
    """A GitLab that was set up again counts from the beginning."""
    first = a_record("config", 1, 1, gitlab="https://a")
    last = a_record("config", 9, 1, key="4711-other", gitlab="https://a/")

    assert job_records(spool(tmp_path, last, first), 4711) == [last]


def test_a_gitlab_that_is_not_known(tmp_path: Path) -> None:
    """Its records of config and prepare are gone with an older file."""
    known, unknown = a_record("config", 1, 1, gitlab="https://a"), a_record("run", 9, 1, key="x")
    place = spool(tmp_path, known, unknown)

    with pytest.raises(AmbiguousJob, match="one that is not known"):
        job_records(place, 4711)
    assert job_records(place, 4711, "https://a/") == [known]
