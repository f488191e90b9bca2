"""The systemd units that `install` writes: timers, a service, and a graceful stop for gitlab-runner.

A file says in its first line what `install` wrote.  One that somebody has changed since is the
administrator's: it stays as it is.  Only the standard library is needed.
"""

import subprocess
from contextlib import suppress
from pathlib import Path

from executor.commands.units.sealed import remove_sealed, sealed, write_sealed
from executor.engine.docker import Engine
from executor.errors import ExecutorError
from executor.notation.durations import go_seconds, go_text
from executor.plan.labels import PREFIX

SERVICE = "dind-executor-reap.service"
TIMER = "dind-executor-reap.timer"
PRUNE_SERVICE = "dind-executor-prune.service"
PRUNE_TIMER = "dind-executor-prune.timer"
DOCTOR_SERVICE = "dind-executor-doctor.service"
DOCTOR_TIMER = "dind-executor-doctor.timer"
TIMERS = (TIMER, PRUNE_TIMER, DOCTOR_TIMER)
METRICS_SERVICE = "dind-executor-metrics.service"
"""Written, and not enabled: whether something listens on a host is the administrator's decision."""
DROP_IN = "gitlab-runner.service.d/10-dind-executor.conf"

LONGEST_JOB_SECONDS = 7200
"""How long a job may take where nobody knows better: twice GitLab's default."""
LONGEST = go_text(LONGEST_JOB_SECONDS)

_MOST_SECONDS = 30 * 24 * 3600  # GitLab gives no job more
_SYSTEM = Path("etc/systemd/system")
_WANTED = _SYSTEM / "timers.target.wants"
_RUNS = Path("run/systemd/system")
_AFTERWARDS_SECONDS = 1200  # after_script has 300, and cleanup 900
_HERE = Path(__file__).parent
_TEMPLATES = {
    SERVICE: "reap.service",
    TIMER: "reap.timer",
    PRUNE_SERVICE: "prune.service",
    PRUNE_TIMER: "prune.timer",
    DOCTOR_SERVICE: "doctor.service",
    DOCTOR_TIMER: "doctor.timer",
    METRICS_SERVICE: "metrics.service",
    DROP_IN: "gitlab-runner.conf",
}


def is_systemd_running(root: Path = Path("/")) -> bool:
    """Tell whether systemd is this host's init, as `sd_booted` does."""
    return (root / _RUNS).is_dir()


def cron_lines(command: Path) -> tuple[str, ...]:
    """Return the lines of /etc/cron.d that do what the timers do."""
    return (
        f"*/5 * * * * root {command} reap --yes >/dev/null",
        f"23 4 * * * root {command} prune --yes >/dev/null",
        f"17 * * * * root {command} doctor --record >/dev/null",
    )


def longest_job(engine: Engine) -> int | None:
    """Return the longest timeout, in seconds, of the jobs that run on an engine; None without any.

    dind-executor and newer Docker executors say it in a label.  An engine that does not answer has none.
    """
    try:
        running = engine.running_with()
    except ExecutorError:
        return None
    labels = (each.get("Labels") for each in running)
    texts = (
        str(each.get(f"{PREFIX}.job.timeout", "")) for each in labels if isinstance(each, dict)
    )
    seconds = [int(min(go_seconds(each) or 0.0, _MOST_SECONDS)) for each in texts]
    return max(seconds, default=0) or None


def unit_files(command: Path, job_seconds: int | None) -> dict[str, str]:
    """Return what to write, by path below the directory of units.

    `job_seconds` is the longest that a job was found to have, None where none was.
    """
    longest = max(job_seconds or 0, LONGEST_JOB_SECONDS)
    found = f"the longest that was found is {go_text(job_seconds)}" if job_seconds else ""
    reason = (
        f"A job may take {go_text(longest)} ({found or f'no job was found, and {LONGEST} is usual'}),"
        f" its after_script and cleanup {go_text(_AFTERWARDS_SECONDS)}."
    )
    values = {"command": command, "reason": reason, "seconds": longest + _AFTERWARDS_SECONDS}
    return {
        path: sealed((_HERE / name).read_text(encoding="utf-8").format(**values))
        for path, name in _TEMPLATES.items()
    }


def write_units(root: Path, command: Path, job_seconds: int | None) -> list[str]:
    """Write the units below a root; return a sentence on each file that is not as it would be.

    Raises OSError.
    """
    files = unit_files(command, job_seconds).items()
    said = (write_sealed(root / _SYSTEM / name, text) for name, text in files)
    return [each for each in said if each]


def remove_units(root: Path) -> list[str]:
    """Have systemd forget the units below a root; return a sentence on each that stays.

    Raises OSError.
    """
    if is_systemd_running(root):
        call = ["systemctl", "disable", "--quiet", "--now", *TIMERS, METRICS_SERVICE]
        subprocess.run(call, capture_output=True, check=False)
    for each in TIMERS:
        (root / _WANTED / each).unlink(missing_ok=True)
    said = [remove_sealed(root / _SYSTEM / each) for each in _TEMPLATES]
    with suppress(OSError):  # it has drop-ins of others
        (root / _SYSTEM / DROP_IN).parent.rmdir()
    if is_systemd_running(root):
        subprocess.run(["systemctl", "daemon-reload"], capture_output=True, check=False)
    return [each for each in said if each]


def switch_on(root: Path | None) -> str:
    """Have systemd know the units and start the timers; return what went wrong, or "".

    With a root, the timers are only enabled there: no systemd that runs is asked.
    """
    calls = (
        [["enable", "--quiet", f"--root={root}", *TIMERS]]
        if root
        else [["daemon-reload"], ["enable", "--quiet", "--now", *TIMERS]]
    )
    by_hand = f"Enable {' and '.join(TIMERS)} by hand."
    for call in calls:
        command = ["systemctl", *call]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"`{' '.join(command)}` does not start ({error.strerror}). {by_hand}"
        if done.returncode:
            words = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
            return f"`{' '.join(command)}` failed: {words.rstrip('.')}. {by_hand}"
    return ""
