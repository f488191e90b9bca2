"""What `dind-executor doctor` says, as `register` reads it."""

import json
from collections.abc import Mapping

import pytest

from executor.commands.register.checking import read_report


def report(*checks: Mapping[str, object], ok: bool, job: object = None) -> bytes:
    return json.dumps({"ok": ok, "checks": checks, "job": job}).encode()


GOOD = {"id": "storage", "level": "ok", "found": "overlay2", "remedy": ""}
BAD = {"id": "runtime", "level": "fail", "found": "no sysbox", "remedy": "install it"}
WARNS = {"id": "disk", "level": "warn", "found": "9 % free", "remedy": "prune"}
BROKEN = {"id": "dns", "level": "error", "found": "crashed", "remedy": ""}


def test_a_fit_host() -> None:
    """It has findings, and no problems."""
    checked = read_report(report(GOOD, WARNS, ok=True), b"", 0)

    assert (checked.ok, checked.problems, checked.reason) == (True, (), "")
    assert [each.line for each in checked.warnings] == ["warn disk: 9 % free -> prune"]


def test_an_unfit_host() -> None:
    """Failures and crashes of checks are problems, what is ignored is none."""
    ignored = {**BAD, "id": "lsm", "ignored": True}
    checked = read_report(report(GOOD, BAD, BROKEN, ignored, ok=False), b"", 1)

    assert not checked.ok
    assert [each.line for each in checked.problems] == [
        "fail runtime: no sysbox -> install it",
        "error dns: crashed",
    ]


def test_how_long_a_job_took() -> None:
    """Its parts are words."""
    job = {"ok": True, "seconds": 7.5, "phases": [{"name": "prepare", "seconds": 6.249}]}

    assert read_report(report(GOOD, ok=True, job=job), b"", 0).job == "7.5 s (prepare 6.2 s)"


@pytest.mark.parametrize(
    ("output", "code", "reason"),
    [
        (b"", 2, "no such option glrt"),
        (b"[]", 1, "no such option glrt"),
        (b'{"ok": true}', 0, "no such option glrt"),
        (b"[" * 100_000, 1, "no such option glrt"),
    ],
)
def test_what_is_no_report(output: bytes, code: int, reason: str) -> None:
    """It is a failure, and the reason is what doctor complained about."""
    checked = read_report(output, b"no such\noption glrt.", code)

    assert (checked.ok, checked.reason) == (False, reason)
    assert read_report(output, b"", code).reason == f"exit code {code}"


def test_an_exit_code_counts_as_much_as_the_word() -> None:
    """A report that says yes with an exit code that says no is no."""
    assert not read_report(report(GOOD, ok=True), b"", 1).ok
