"""What is said of jobs."""

import pytest

from executor.commands.metrics.page.history import Told
from executor.commands.metrics.page.rows import (
    FETCHES,
    PREPARES,
    UNKNOWN,
    WAITS,
    now_rows,
    past_rows,
)
from tests.commands.metrics.page.samples import NOW, a_container, ended, going
from tests.record.samples import KEY, a_record


@pytest.mark.parametrize(
    ("calls", "phase"), [(1, PREPARES), (2, FETCHES), (3, "running scripts"), (4, "saving results")]
)
def test_the_phase_of_a_job(calls: int, phase: str) -> None:
    """The last call that ended tells which one goes on now."""
    (row,), silent = now_rows([going(calls)], [], NOW)

    assert (row.phase, silent, row.job, row.project) == (phase, 0, "4711", "42")
    assert row.since is not None
    assert row.began is not None
    assert row.began < row.since < NOW


def test_a_job_between_two_attempts() -> None:
    """gitlab-runner tries prepare again."""
    told = going(1)
    state = told.state._replace(cleaned=True)

    (row,), _ = now_rows([told._replace(state=state)], [], NOW)

    assert row.phase == WAITS


def test_a_sidecar() -> None:
    """Its image has the name that the job gave it, and the engine says how long it is up."""
    (row,), _ = now_rows([going()], [a_container("build"), a_container("dind")], NOW)

    assert row.sidecar == "docker:28-dind, up 8 seconds"


def test_a_job_of_which_no_record_tells() -> None:
    """Its containers do, as of a job of before an upgrade."""
    (row,), silent = now_rows([], [a_container("dind"), a_container("build")], NOW)

    assert (row.job, row.project, row.phase, row.is_told, silent) == (
        "4711",
        "42",
        UNKNOWN,
        False,
        0,
    )
    assert (row.since, row.began) == (None, 1795936100.0)


@pytest.mark.parametrize(
    ("later", "containers", "found"),
    [
        (60.0, [], (1, 0)),
        (7200.0, [], (0, 1)),
        (2 * 86400.0, [], (0, 0)),
        (86400.0, [a_container("build")], (1, 0)),
        (86400.0, None, (1, 0)),
    ],
)
def test_a_job_of_which_nothing_is_heard(
    later: float, containers: list[dict[str, object]] | None, found: tuple[int, int]
) -> None:
    """A script may run for a day; a job without containers does not, and is news for a day."""
    rows, silent = now_rows([going()], containers, NOW + later)

    assert (len(rows), silent) == found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://gitlab.example.com/a/b/-/jobs/1", True),
        ("http://gitlab/x", True),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
        ("", False),
    ],
)
def test_an_address_that_may_be_followed(url: str, *, shown: bool) -> None:
    """The job's payload has chosen it: it leads to a web server or nowhere."""
    container = a_container("build", **{"com.gitlab.gitlab-runner.job.url": url})

    (row,), _ = now_rows([going()], [container], NOW)

    assert row.url == (url if shown else "")


def test_a_job_that_is_over() -> None:
    """It has its result, whose fault that is, and a bar for each call."""
    (row,) = past_rows([ended()])

    assert (row.job, row.result, row.reason, row.fault) == (
        "4711",
        "script_failure",
        "script",
        "job author",
    )
    assert round(row.seconds, 2) == 6.0
    assert [(kind, name) for kind, name, _, _ in row.bars] == [
        ("config", "config"),
        ("prepare", "prepare"),
        ("step", "get_sources"),
        ("script", "build_script"),
        ("cleanup", "cleanup"),
    ]
    assert row.bars[0][2] == 0
    assert row.bars[-1][3] == 1
    assert all(0 <= begin <= end <= 1 for _, _, begin, end in row.bars)


def test_a_job_of_records_that_say_nothing() -> None:
    """Whatever stands in the spool, there is a row."""
    strange = a_record("run", float("nan"), -5.0, job=None, step=["x"], at="y")
    told = Told(KEY, (strange,), None, going().state)

    (past,), (now,) = past_rows([told]), now_rows([told], [], NOW)[0]

    assert (past.job, now.job, past.result) == ("", "", "")
    assert past_rows([Told(KEY, (), None, told.state)])[0].bars == ()
