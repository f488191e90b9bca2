"""What `dind-executor doctor` says, as `register` reads it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from executor.commands.register.checking import read_report
from tests.patience import LONGEST_SECONDS


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


DOCTOR = """\
#!/bin/sh
trap 'sleep 0.5; : >"$PLACE/ended"; exit 1' INT
: >"$PLACE/ready"
while :; do sleep 0.05; done
"""
REGISTER = """\
import sys
from pathlib import Path
from executor.commands.register.checking import check
sys.executable = sys.argv[1]
check(Path("config.toml"), "runner", "settings.toml", ignored=(), as_job=True, seconds=3600)
"""


def wait_until_ready(place: Path) -> float:
    """Wait for a doctor that has begun; return when a test has waited for too long."""
    end = time.monotonic() + LONGEST_SECONDS
    while not (place / "ready").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return end


def test_ctrl_c_lets_doctor_end_by_itself(tmp_path: Path) -> None:
    """It removes what it made, and register does not go before it has."""
    doctor = tmp_path / "doctor"
    doctor.write_text(DOCTOR, encoding="utf-8")
    doctor.chmod(0o700)
    with subprocess.Popen(
        [sys.executable, "-c", REGISTER, doctor],
        env={**os.environ, "PLACE": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    ) as register:
        wait_until_ready(tmp_path)
        register.send_signal(signal.SIGINT)
        register.wait(LONGEST_SECONDS)

    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("again", [True, False])
def test_a_doctor_that_does_not_end(tmp_path: Path, *, again: bool) -> None:
    """It is waited for once more, and not for ever; a second Ctrl-C ends it at once."""
    doctor, program = tmp_path / "doctor", REGISTER
    doctor.write_text(
        "#!/bin/sh\ntrap '' INT\n: >\"$PLACE/ready\"\nexec sleep 600\n", encoding="utf-8"
    )
    doctor.chmod(0o700)
    if not again:
        late = "from executor.commands.register import checking\nchecking._ENDING_SECONDS = 0.1\n"
        program = f"{late}{REGISTER.replace('3600', '1')}"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}print('over')", doctor],
        env={**os.environ, "PLACE": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as register:
        end = wait_until_ready(tmp_path)
        while again and register.poll() is None:
            assert time.monotonic() < end
            register.send_signal(signal.SIGINT)
            time.sleep(0.2)
        told, _ = register.communicate(timeout=LONGEST_SECONDS)

    assert told == (b"" if again else b"over\n")
