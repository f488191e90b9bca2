"""`dind-executor doctor`, called: what it finds on this host, and in a job's environment."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from executor.excerpts import excerpt
from executor.redaction import redact

LATER = ("runner-service", "reaper")
"""Checks of what `register` itself sets up in its next steps."""

_BAD = ("fail", "error")
_ENDING_SECONDS = 900.0
"""As long as gitlab-runner gives the cleanup of a job."""


class Finding(NamedTuple):
    """What one check has found."""

    id: str
    level: str
    found: str
    remedy: str
    ignored: bool

    @property
    def line(self) -> str:
        """Return it as a line for people."""
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.level} {self.id}: {self.found}{remedy}"


class Checked(NamedTuple):
    """What doctor says."""

    ok: bool
    findings: tuple[Finding, ...] = ()
    job: str = ""
    """How long the parts of a job took, as words; "" without a job."""
    reason: str = ""
    """Why doctor says nothing, "" where it does."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Return what is wrong, with what is not ignored."""
        return tuple(each for each in self.findings if each.level in _BAD and not each.ignored)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return what may become wrong."""
        return tuple(each for each in self.findings if each.level == "warn" and not each.ignored)


def check(
    config: Path, runner: str, settings: str, *, ignored: Sequence[str], as_job: bool, seconds: int
) -> Checked:
    """Return what doctor finds, with a runner of this config.toml and these settings."""
    given = ["--json", "--config", str(config), "--runner", runner, "--settings", settings]
    given += ["--ignore", ",".join((*LATER, *ignored))]
    if as_job:
        # Everything else has been looked at by then.
        given += ["--as-job", "--only", "as-job"]
    command = [sys.executable, "-I", "-m", "executor", "doctor", *given]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C reaches it once, from here.
            process_group=0,
        ) as process:
            output, complaints = _said(process, seconds)
    except subprocess.TimeoutExpired:
        return Checked(ok=False, reason=f"it takes longer than {seconds} seconds")
    except OSError as error:
        return Checked(ok=False, reason=f"it does not start: {error.strerror}")
    return read_report(output, complaints, process.returncode)


def _said(process: "subprocess.Popen[bytes]", seconds: int) -> tuple[bytes, bytes]:
    """Return what doctor prints; raises TimeoutExpired, and what interrupts this."""
    try:
        return process.communicate(timeout=seconds)
    except BaseException:
        # It ends its job, and removes what it made, before it goes.
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=_ENDING_SECONDS)
        except BaseException as error:
            process.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        raise


def read_report(output: bytes, complaints: bytes, code: int) -> Checked:
    """Return what doctor's JSON says; whatever is none is a failure of doctor."""
    try:
        said = json.loads(output)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("checks"), list):
        words = redact(" ".join(complaints.decode(errors="replace").split()), ())
        return Checked(ok=False, reason=excerpt(words).rstrip(".") or f"exit code {code}")
    checks = [each for each in said["checks"] if isinstance(each, dict)]
    findings = tuple(_finding(each) for each in checks)
    return Checked(said.get("ok") is True and code == 0, findings, _job(said.get("job")))


def _finding(said: Mapping[str, object]) -> Finding:
    words = {key: str(said.get(key, "")) for key in ("id", "level", "found", "remedy")}
    return Finding(**words, ignored=said.get("ignored") is True)


def _job(said: object) -> str:
    if not isinstance(said, dict) or not isinstance(said.get("phases"), list):
        return ""
    phases = [each for each in said["phases"] if isinstance(each, dict)]
    parts = ", ".join(f"{each.get('name')} {_seconds(each)}" for each in phases)
    return f"{_seconds(said)} ({parts})"


def _seconds(said: Mapping[str, object]) -> str:
    spent = said.get("seconds")
    return f"{spent:.1f} s" if isinstance(spent, int | float) else "an unknown time"
