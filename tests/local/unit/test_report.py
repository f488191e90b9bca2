"""The closing table and the exit code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.report import exit_code, table, write_json, write_timeline
from executor.local.runner.outcome import Outcome, Result
from tests.record.samples import KEY, a_job

DONE = Outcome(
    "build",
    Result.SUCCESS,
    seconds=(
        ("config", 0.1),
        ("prepare", 1.0),
        ("get_sources", 0.5),
        ("build_script", 2.0),
        ("cleanup", 0.25),
    ),
)


def test_the_table_has_a_row_per_job() -> None:
    """A row has the seconds of each stage and the script's own part of run."""
    failed = Outcome("a-longer-name", Result.FAILED, is_allowed_to_fail=True, exit_code=3)
    skipped = Outcome("last", Result.SKIPPED, is_allowed_to_fail=True)
    assert table((DONE, failed, skipped)).splitlines() == [
        "job            result               config  prepare   run  cleanup  total  of run: build_script",
        "build          success                0.10     1.00  2.50     0.25   3.85                  2.00",
        "a-longer-name  failed (3), allowed    0.00     0.00  0.00     0.00   0.00                  0.00",
        "last           skipped",
    ]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([(Result.SUCCESS, False)], 0),
        ([(Result.SUCCESS, False), (Result.FAILED, True)], 0),
        ([(Result.FAILED, False), (Result.SKIPPED, False)], 1),
        ([(Result.CANCELED, False)], 1),
        ([(Result.TIMED_OUT, False)], 1),
        ([(Result.FAILED, False), (Result.SYSTEM_FAILURE, False)], 2),
        ([(Result.SYSTEM_FAILURE, True)], 0),
    ],
)
def test_the_exit_code_tells_whose_failure_it_is(
    results: list[tuple[Result, bool]], expected: int
) -> None:
    """A job that may fail does not count."""
    outcomes = tuple(Outcome("job", result, allowed) for result, allowed in results)
    assert expected == exit_code(outcomes)


def test_the_report_has_every_call(tmp_path: Path) -> None:
    """The JSON file lists the calls of each job with their seconds."""
    path = tmp_path / "report.json"
    write_json((DONE,), path)
    (job,) = json.loads(path.read_text())
    assert job["result"] == "success"
    assert job["calls"][3] == {"name": "build_script", "seconds": 2.0}


def test_the_picture_has_each_job_by_its_name(tmp_path: Path) -> None:
    """Those that left records: a job that did not run has none."""
    records = (f"{json.dumps(each)}\n" for each in a_job())
    (tmp_path / "events.jsonl").write_text("".join(records))
    done = replace(DONE, record=(str(tmp_path), KEY))
    skipped = Outcome("last", Result.SKIPPED)

    write_timeline((done, skipped, done), tmp_path / "jobs.svg")

    picture = (tmp_path / "jobs.svg").read_text()
    assert picture.count(">build: success, 6.0 s</text>") == 2
    assert "last" not in picture


@pytest.mark.parametrize("record", [("", ""), ("/nowhere", "x")])
def test_a_picture_of_nothing(tmp_path: Path, record: tuple[str, str]) -> None:
    """The sentence says why there is none."""
    with pytest.raises(LocalError, match=r"left no records|/nowhere: No such file"):
        write_timeline((replace(DONE, record=record),), tmp_path / "jobs.svg")

    assert not (tmp_path / "jobs.svg").exists()
