"""The closing table: job, result, seconds per stage."""

import json
from pathlib import Path

from executor.local.errors import LocalError
from executor.local.runner.outcome import Outcome, Result
from executor.record.jobs import records_of
from executor.record.svg import as_svg
from executor.record.timeline import Timeline, timeline

_STAGES = ("config", "prepare", "run", "cleanup")
_NOT_RUN = ("config", "prepare", "cleanup")
_HEADINGS = ("job", "result", *_STAGES, "total", "of run: build_script")


def table(outcomes: tuple[Outcome, ...]) -> str:
    """Return the table of all jobs."""
    rows = [_HEADINGS, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    texts = 2
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _row(outcome: Outcome) -> tuple[str, ...]:
    if outcome.result is Result.SKIPPED:
        return (outcome.name, _told(outcome), *("" for _ in _HEADINGS[2:]))
    spent = dict.fromkeys(_STAGES, 0.0)
    script = 0.0
    for name, seconds in outcome.seconds:
        spent[name if name in _NOT_RUN else "run"] += seconds
        script += seconds if name == "build_script" else 0.0
    columns = [*spent.values(), sum(spent.values()), script]
    return (outcome.name, _told(outcome), *(f"{seconds:.2f}" for seconds in columns))


def _told(outcome: Outcome) -> str:
    code = f" ({outcome.exit_code})" if outcome.exit_code else ""
    allowed = (
        ", allowed"
        if outcome.is_allowed_to_fail and outcome.result not in (Result.SUCCESS, Result.SKIPPED)
        else ""
    )
    retried = ", retried" if outcome.is_retried else ""
    return f"{outcome.result.value}{code}{retried or allowed}"


def exit_code(outcomes: tuple[Outcome, ...]) -> int:
    """Return 0 if the pipeline passed, 1 if a job failed, 2 after a system failure."""
    bad = [outcome.result for outcome in outcomes if outcome.stops_pipeline]
    if Result.SYSTEM_FAILURE in bad:
        return 2
    return 1 if bad else 0


def write_json(outcomes: tuple[Outcome, ...], path: Path) -> None:
    """Write the same as JSON, every call with its seconds."""
    content = [
        {
            "job": outcome.name,
            "result": outcome.result.value,
            "allow_failure": outcome.is_allowed_to_fail,
            "exit_code": outcome.exit_code,
            "retried": outcome.is_retried,
            "calls": [{"name": name, "seconds": seconds} for name, seconds in outcome.seconds],
        }
        for outcome in outcomes
    ]
    _write(path, json.dumps(content, indent=2) + "\n", "--report")


def write_timeline(outcomes: tuple[Outcome, ...], path: Path) -> None:
    """Draw what each job took, by the records that the hooks have left.

    Raises LocalError where there are none.
    """
    try:
        jobs = [job for outcome in outcomes for job in _drawn(outcome)]
    except OSError as error:
        raise LocalError(f"{error.filename}: {error.strerror}; --timeline reads it") from None
    if not jobs:
        raise LocalError(
            "--timeline: the hooks have left no records. Is `[log] records` on, and may you write to"
            " `[sweep] state_dir`?"
        )
    _write(path, as_svg(jobs), "--timeline")


def _drawn(outcome: Outcome) -> list[Timeline]:
    spool, key = outcome.record
    found = records_of(spool, key) if spool else []
    if not found:
        return []
    job = timeline(found)
    return [job._replace(title=f"{outcome.name}: {_told(outcome)}, {job.seconds:.1f} s")]


def _write(path: Path, text: str, option: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror}); give another {option}"
        raise LocalError(message) from None
