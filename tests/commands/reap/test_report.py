"""What people and monitors read of a reap."""

import json
import re

import pytest

from executor.commands.reap.report import (
    Row,
    counted,
    exit_code,
    json_lines,
    plain,
    summary,
    table,
)
from executor.sweep.verdict import Verdict

COUNTS = {"containers": 3, "networks": 1}


def a_row(verdict: Verdict, reason: str, **more: object) -> Row:
    """Return the row of a job."""
    values: dict[str, object] = {
        "key": "12-abc",
        "job_id": "12",
        "project_id": "7",
        "counts": COUNTS,
        "verdict": verdict,
        "reason": reason,
        "detail": "",
        "waits": False,
        "age_seconds": 7300.0,
    }
    return Row(**{**values, **more})  # type: ignore[arg-type]


GO = a_row(Verdict.REMOVE, "owner-gone")
GONE = GO._replace(removed=True)
STUCK = GO._replace(left=("device is busy",))
LIVES = a_row(Verdict.KEEP, "owner-alive", key="13-abc")
DOUBTFUL = a_row(Verdict.UNDECIDED, "owner-unknown", key="14-abc")
WAITS = a_row(Verdict.UNDECIDED, "past-deadline", waits=True)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], 0),
        ([GONE, LIVES, DOUBTFUL], 0),
        ([GONE, GO], 1),
        ([STUCK], 1),
        ([LIVES, WAITS], 1),
    ],
)
def test_a_monitor_hears_of_what_is_left(rows: list[Row], code: int) -> None:
    """1 where something that must go is there, or is undecided in spite of its deadline."""
    assert exit_code(rows) == code
    assert json.loads(json_lines(rows, acted=True)[-1])["exit_code"] == code


def test_the_table_has_a_line_for_each_job() -> None:
    """Job, objects, verdict, age and reason stand in columns."""
    head, first, second = table([GO, LIVES])

    assert head.split() == ["JOB", "OBJECTS", "VERDICT", "AGE", "WHY"]
    assert re.split(r"\s{2,}", first) == [
        "12-abc",
        "3 containers, 1 network",
        "remove",
        "2 h",
        "its gitlab-runner has ended",
    ]
    assert second.endswith("keep     2 h  its gitlab-runner works on it")


def test_the_table_says_what_was_done() -> None:
    """A job that was removed says so, and one that stays says why, and what became of it in GitLab."""
    (_, gone, stuck) = table([GONE, STUCK._replace(ghost="ended", detail="more")])

    assert gone.endswith("removed  2 h  its gitlab-runner has ended")
    assert "its gitlab-runner has ended; more; in GitLab: ended; device is busy" in stuck


def test_no_rows_are_no_table() -> None:
    """Where nothing is there, a sentence says so, and no head stands over nothing."""
    assert table([]) == []
    assert summary([], acted=True) == "No objects of jobs are there."


@pytest.mark.parametrize(
    ("rows", "acted", "sentence"),
    [
        ([GO], False, "1 job can be removed with --yes."),
        ([GONE, GONE], True, "2 jobs were removed."),
        ([STUCK, LIVES], True, "1 job could not be removed, 1 job is in use."),
        ([GONE, DOUBTFUL, WAITS], True, "1 job was removed, 2 jobs are undecided."),
    ],
)
def test_the_summary(rows: list[Row], sentence: str, *, acted: bool) -> None:
    """One sentence counts the jobs by what became of them."""
    assert summary(rows, acted=acted) == sentence


def test_json_has_a_line_for_each_job_and_one_for_all() -> None:
    """Each line is an object by itself, and the last one counts."""
    first, last = map(json.loads, json_lines([GO], acted=False))

    assert first == {
        "job": "12-abc",
        "job_id": "12",
        "project_id": "7",
        "containers": 3,
        "networks": 1,
        "volumes": 0,
        "directories": 0,
        "verdict": "remove",
        "reason": "owner-gone",
        "detail": "",
        "age_seconds": 7300,
        "removed": False,
        "left": [],
        "ghost": "",
    }
    assert last == {
        "summary": True,
        "acted": False,
        "jobs": 1,
        "removed": 0,
        "kept": 0,
        "undecided": 0,
        "left": 1,
        "exit_code": 1,
    }


def test_labels_that_move_a_terminal_are_shown_as_text() -> None:
    """Escape sequences and line feeds of a label reach neither the table nor JSON unescaped."""
    row = a_row(Verdict.KEEP, "x", detail="a\nb\x1b]0;x\x07", key="\x1b[2J1")

    assert "\x1b" not in "".join(table([row]))
    assert table([row])[1].startswith("?[2J1  ")
    assert len(json_lines([row], acted=False)[0].splitlines()) == 1
    assert "\x1b" not in json_lines([row], acted=False)[0]


def test_a_label_without_end_is_cut() -> None:
    """A cell has at most 200 characters."""
    assert plain("x" * 201) == "x" * 197 + "..."
    assert plain("x" * 200) == "x" * 200


def test_counts() -> None:
    """Kinds that are there are counted, in their order."""
    assert counted({"volumes": 2, "directories": 1, "networks": 0}) == "2 volumes, 1 directory"
    assert counted({}) == "none"
