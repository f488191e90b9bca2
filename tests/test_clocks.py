"""No decision hangs on a clock that may be set: what waits reads the monotonic one."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "executor"
_READS = {"time", "time_ns", "now", "utcnow", "today", "localtime"}
MAY_READ = {
    "budgets/look.py": "for how long nobody has used something: days; what lies ahead is now",
    "budgets/reclaim.py": "the same",
    "budgets/records.py": "which records are older than a day",
    "log/__init__.py": "times of lines for people",
    "reading.py": "the job's deadline, which only a person's own command heeds",
    "record/stage.py": "when a stage began, for people and for the order of jobs",
    "services/logs.py": "how far a service's log is printed, which has the engine's times",
    "host/captures.py": "which captured payloads are older than two weeks",
    "stages/summary.py": "when a section of a job log begins, for people",
    "stages/prepare/certificates.py": "certificates hold dates, with a day to spare on either side",
    "stages/prepare/disk.py": "since when files of a cache count as the job's, and how old a measurement is, for people",
    "sweep/look.py": "whether a job's deadline is over",
    "sweep/state.py": "when the last sweep was, for people",
}
"""Modules that read the clock of the day, and what for."""


def reads_the_clock(path: Path) -> bool:
    """Tell whether a module asks for the time of day."""
    calls = (each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call))
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in _READS
        and ast.unparse(call.func.value) in {"time", "datetime", "dt.datetime", "datetime.datetime"}
        for call in calls
    )


def test_who_reads_the_clock_of_the_day() -> None:
    """Only who is named above, with a reason."""
    # A command that a person calls may show times.
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if reads_the_clock(path) and "commands" not in path.parts
    }

    assert found == set(MAY_READ)
