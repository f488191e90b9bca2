"""What a person and a monitor read of a reap: a table, or a JSON object a line, and an exit code.

Labels come from the engine: no character of theirs moves a terminal's cursor.  Pure.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from executor.notation.durations import age_text
from executor.sweep.verdict import Verdict, Word

if TYPE_CHECKING:
    from executor.sweep.act import Done
    from executor.sweep.look import JobLook

KINDS = ("containers", "networks", "volumes", "directories")
"""What a job may leave, in the order in which it is counted."""

DONE, LEFT = 0, 1

REASONS = {
    "owner-gone": "its gitlab-runner has ended",
    "rebooted": "the host has started again since",
    "container-gone": "the container of its gitlab-runner is gone",
    "cleanup-failed": "its cleanup has failed",
    "gitlab-over": "GitLab says that it is over",
    "past-deadline": "its deadline has passed, and nothing tells whether it runs",
    "owner-alive": "its gitlab-runner works on it",
    "stage-alive": "a stage of it runs",
    "gitlab-running": "GitLab says that it runs",
    "seen-once": "one more look must say the same",
    "gitlab-unanswered": "nothing here tells whether it runs, and GitLab does not say",
    "owner-unknown": "nothing here tells whether it runs",
    "other-object": "an object has its label and another name",
}
"""What the sweep's words for its reasons mean."""

_HEAD = ("JOB", "OBJECTS", "VERDICT", "AGE", "WHY")
_LONGEST_CELL = 200


class Row(NamedTuple):
    """One job, and what has become of it or would."""

    key: str
    job_id: str
    project_id: str
    counts: Mapping[str, int]
    """How many there are of each of `KINDS`."""
    verdict: Verdict
    reason: str
    """One word of the table in docs/operating.md."""
    detail: str
    """What a person wants to know besides, or ""."""
    waits: bool
    """Whether nothing is decided though it must be: the deadline has passed, or one more look is due."""
    age_seconds: float | None
    """Since the first of its objects was made; None where the engine does not tell."""
    removed: bool = False
    left: tuple[str, ...] = ()
    """What could not be removed, and why."""
    ghost: str = ""
    """What has become of the job in GitLab, "" where there was nothing to end."""


def row_of(seen: "JobLook", now: float, *, detail: str = "", done: "Done | None" = None) -> Row:
    """Return the row of a job at a time of the wall clock, and of what was done about it."""
    found, evidence, judgement = seen.found, seen.evidence, seen.judgement
    counts = {"directories": len(found.directories)}
    for thing in found.things:
        counts[f"{thing.kind}s"] = counts.get(f"{thing.kind}s", 0) + 1
    return Row(
        found.key,
        found.job_id,
        found.project_id,
        counts,
        judgement.verdict,
        judgement.reason,
        detail,
        waits=evidence.past_deadline or evidence.word is Word.OVER,
        age_seconds=None if found.created is None else now - found.created,
        removed=done is not None and not done.left,
        left=done.left if done is not None else (),
        ghost=done.ghost if done is not None else "",
    )


def exit_code(rows: Sequence[Row]) -> int:
    """Return 1 where something is left that must go, or that nobody could decide in its time."""
    return LEFT if any(_is_left(row) for row in rows) else DONE


def _is_left(row: Row) -> bool:
    if row.verdict is Verdict.REMOVE:
        return not row.removed
    return row.verdict is Verdict.UNDECIDED and row.waits


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table for people, nothing where there are no rows."""
    cells = [_HEAD, *(_cells(row) for row in rows)] if rows else []
    widths = (
        [max(len(line[place]) for line in cells) for place in range(len(_HEAD))] if cells else []
    )
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "removed" if row.removed else str(row.verdict)
    ghost = f"in GitLab: {row.ghost}" if row.ghost else ""
    reason = REASONS.get(row.reason, row.reason)
    why = "; ".join(each for each in (reason, row.detail, ghost, *row.left) if each)
    cells = (row.key, counted(row.counts), verdict, age_text(row.age_seconds), why)
    return tuple(plain(each) for each in cells)


def summary(rows: Sequence[Row], *, acted: bool) -> str:
    """Return the sentence below the table."""
    if not rows:
        return "No objects of jobs are there."
    removed = [row for row in rows if row.removed]
    to_go = [row for row in _with(rows, Verdict.REMOVE) if row not in removed]
    words = [
        _number(removed, "was removed", "were removed"),
        _number(to_go, "could not be removed", "could not be removed")
        if acted
        else _number(to_go, "can be removed with --yes", "can be removed with --yes"),
        _number(_with(rows, Verdict.KEEP), "is in use", "are in use"),
        _number(_with(rows, Verdict.UNDECIDED), "is undecided", "are undecided"),
    ]
    return f"{', '.join(each for each in words if each)}."


def _with(rows: Sequence[Row], verdict: Verdict) -> list[Row]:
    return [row for row in rows if row.verdict is verdict]


def _number(rows: Sequence[Row], one: str, many: str) -> str:
    if not rows:
        return ""
    return f"{len(rows)} {'job' if len(rows) == 1 else 'jobs'} {one if len(rows) == 1 else many}"


def json_lines(rows: Sequence[Row], *, acted: bool) -> list[str]:
    """Return one JSON object for each job, and one for all."""
    lines = [json.dumps(_as_json(row)) for row in rows]
    total = {
        "summary": True,
        "acted": acted,
        "jobs": len(rows),
        "removed": sum(row.removed for row in rows),
        "kept": len(_with(rows, Verdict.KEEP)),
        "undecided": len(_with(rows, Verdict.UNDECIDED)),
        "left": sum(_is_left(row) for row in rows),
        "exit_code": exit_code(rows),
    }
    return [*lines, json.dumps(total)]


def _as_json(row: Row) -> dict[str, object]:
    return {
        "job": row.key,
        "job_id": row.job_id,
        "project_id": row.project_id,
        **{kind: row.counts.get(kind, 0) for kind in KINDS},
        "verdict": row.verdict,
        "reason": row.reason,
        "detail": row.detail,
        "age_seconds": None if row.age_seconds is None else round(row.age_seconds),
        "removed": row.removed,
        "left": list(row.left),
        "ghost": row.ghost,
    }


def counted(counts: Mapping[str, int]) -> str:
    """Return how many there are of each kind, such as `3 containers, 1 network`."""
    words = [
        f"{number} {_singular(kind) if number == 1 else kind}"
        for kind in KINDS
        if (number := counts.get(kind, 0))
    ]
    return ", ".join(words) or "none"


def _singular(kind: str) -> str:
    return "directory" if kind == "directories" else kind.removesuffix("s")


def plain(text: str) -> str:
    """Return a text on one line, without what a terminal would obey, and not endlessly long."""
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown if len(shown) <= _LONGEST_CELL else f"{shown[: _LONGEST_CELL - 3]}..."
