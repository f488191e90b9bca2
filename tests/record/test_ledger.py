"""Jobs out of records: when one is over, how it ended, and whose fault that is."""

from typing import Any

import pytest

from executor.record.endings import Ended
from executor.record.ledger import Ledger
from tests.record.samples import KEY, a_job, a_record

Record = dict[str, object]
Changes = dict[str, Any]

FAILED: Changes = {"outcome": "script_failure", "reason": "script"}
HOST: Changes = {"outcome": "system_failure", "reason": "engine_away"}
POLICY: Changes = {"outcome": "build_failure", "reason": "policy"}
CANCELLED: Changes = {"outcome": "cancelled", "reason": "cancelled"}


def ended(*records: Record, ledger: Ledger | None = None) -> list[Ended]:
    """Return the jobs that are over after some records."""
    book = ledger or Ledger()
    return [each for record in records for each in book.note(record)]


def an_attempt(at: float = 100.0, **changes: object) -> list[Record]:
    """Return config and a prepare that ends in some way."""
    return [a_record("config", at, 0.1), a_record("prepare", at + 1, 2.0, **changes)]


def a_run(at: float, step: str, **changes: object) -> Record:
    return a_record("run", at, 0.5, step=step, **changes)


def cleanup(at: float, **changes: object) -> Record:
    return a_record("cleanup", at, 0.5, **changes)


def a_run_job(*runs: Record, **changes: object) -> list[Record]:
    """Return a job that was prepared, with the script's own step ending well unless it is given."""
    steps = [str(each["step"]) for each in runs]
    own = [] if "step_script" in steps else [a_run(110.0, "step_script")]
    return [*an_attempt(), a_run(105.0, "prepare_script"), *runs, *own, cleanup(120.0, **changes)]


def test_a_job_is_over_after_its_cleanup() -> None:
    """It is counted once, with what its script's step says."""
    assert ended(*a_job()) == [Ended(KEY, "script_failure", "script")]


@pytest.mark.parametrize(
    ("records", "result", "reason"),
    [
        (a_run_job(), "success", "none"),
        (a_run_job(a_run(111.0, "after_script", **FAILED)), "success", "none"),
        (a_run_job(a_run(111.0, "after_script", **FAILED), a_run(112.0, "archive_cache_on_failure")), "script_failure", "script"),
        (a_run_job(a_run(112.0, "upload_artifacts_on_failure")), "system_failure", "unknown"),
        (a_run_job(a_run(107.0, "step_script", **HOST), a_run(112.0, "upload_artifacts_on_failure")), "system_failure", "engine_away"),
        (a_run_job(a_run(112.0, "upload_artifacts_on_success", **FAILED)), "script_failure", "script"),
        (a_run_job(a_run(106.0, "get_sources", **FAILED), a_run(107.0, "get_sources")), "success", "none"),
        (a_run_job(a_run(106.0, "get_sources", **HOST)), "system_failure", "engine_away"),
        (a_run_job(a_run(107.0, "step_script", **HOST)), "system_failure", "engine_away"),
        (a_run_job(a_run(107.0, "step_script", **CANCELLED)), "canceled", "cancelled"),
        (a_run_job(a_run(107.0, "step_script", **CANCELLED), result="timedout"), "timeout", "cancelled"),
        (a_run_job(result="canceled"), "canceled", "cancelled"),
        (a_run_job(result="failed"), "system_failure", "unknown"),
        ([*an_attempt(), cleanup(104.0)], "canceled", "unknown"),
        ([*an_attempt(**POLICY), cleanup(104.0)], "script_failure", "policy"),
        ([*an_attempt(**CANCELLED), cleanup(104.0)], "canceled", "cancelled"),
    ],
)  # fmt: skip
def test_how_a_job_ends(records: list[Record], result: str, reason: str) -> None:
    """What counts is what gitlab-runner tells GitLab."""
    assert ended(*records) == [Ended(KEY, result, reason)]


def test_cleanup_that_fails_is_not_the_job() -> None:
    """gitlab-runner does not tell GitLab what becomes of cleanup."""
    assert ended(*a_run_job()[:-1], cleanup(120.0, **HOST)) == [Ended(KEY, "success", "none")]


def test_a_prepare_that_is_tried_again_is_one_job() -> None:
    """cleanup comes after each attempt, and the job goes on."""
    first = [*an_attempt(100.0, **HOST), cleanup(104.0)]
    second = [*an_attempt(110.0), a_run(115.0, "step_script"), cleanup(120.0)]

    assert ended(*first, *second) == [Ended(KEY, "success", "none")]


def test_three_attempts_are_all_that_there_are() -> None:
    """After the last one the job is over at once."""
    attempts = [
        each for at in (100.0, 110.0, 120.0) for each in (*an_attempt(at, **HOST), cleanup(at + 4))
    ]

    assert ended(*attempts[:-1]) == []
    assert ended(*attempts) == [Ended(KEY, "system_failure", "engine_away")]


@pytest.mark.parametrize(("clock", "over"), [(110.0, False), (170.0, True), (5.0, True)])
def test_an_attempt_after_which_nothing_comes(clock: float, *, over: bool) -> None:
    """The job was cancelled between two attempts, or the host has started again."""
    ledger = Ledger()
    ended(*an_attempt(100.0, **HOST), cleanup(104.0), ledger=ledger)

    found = list(ledger.settle(clock))

    assert found == ([Ended(KEY, "system_failure", "engine_away")] if over else [])
    assert list(ledger.settle(clock)) == []


@pytest.mark.parametrize(("clock", "over"), [(100000.0, False), (1e6, True), (5.0, True)])
def test_a_job_that_nobody_ends(clock: float, *, over: bool) -> None:
    """A script may take days; after a week, or another boot, its gitlab-runner is gone."""
    ledger = Ledger()
    ended(*an_attempt(), ledger=ledger)

    found = list(ledger.settle(clock))

    assert found == ([Ended(KEY, "system_failure", "gone")] if over else [])


def test_a_second_cleanup_is_no_second_job() -> None:
    """It may be called at any time and any number of times."""
    assert len(ended(*a_run_job(), cleanup(130.0), cleanup(140.0))) == 1


def test_the_book_goes_on_in_another_process() -> None:
    """What one process has noted, the next one takes up."""
    before, after = a_run_job()[:4], a_run_job()[4:]
    ledger = Ledger()
    ended(*before, ledger=ledger)

    assert ended(*after, ledger=Ledger.from_json(ledger.as_json())) == [
        Ended(KEY, "success", "none")
    ]


@pytest.mark.parametrize("said", [None, [], {"k": []}, {"k": ["x"] * 9}])
def test_a_book_that_is_none(said: object) -> None:
    """Whoever reads it begins with nothing then."""
    with pytest.raises((TypeError, ValueError)):
        Ledger.from_json(said)


def test_a_reason_of_a_later_version() -> None:
    """Labels are of a closed list."""
    strange = {"outcome": "system_failure", "reason": "of a later version"}

    assert ended(*a_run_job(a_run(107.0, "step_script", **strange))) == [
        Ended(KEY, "system_failure", "unknown")
    ]


def test_a_book_has_an_end() -> None:
    """Keys that never end do not fill the memory; the oldest job goes."""
    ledger = Ledger()
    found = ended(
        *(a_record("config", float(each), 0.1, key=f"k{each}") for each in range(1001)),
        ledger=ledger,
    )

    assert found == [Ended("k0", "system_failure", "gone")]
    assert len(ledger.jobs) == 1000


def test_a_record_of_no_job() -> None:
    """`reap` leaves records too."""
    assert ended(a_record("reap", 100.0, 1.0, key="")) == []
    assert ended(a_record("config", 100.0, 1.0, key="x" * 1000)) == []
