"""What the job log is told of a dind sidecar that does not serve.

Loaded only where there is something to tell.
"""

import time

from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable, ServiceNotReady
from executor.runner import notes
from executor.services.dind import Sidecar, find_sidecar, start_relied_on, still_runs
from executor.services.dind_answers import SETTLED_SECONDS, answers
from executor.services.dind_early import listens, logs

_LOG_LINES = 20
_POLL_SECONDS = 0.1
_END_SECONDS = 5.0
"""How long the engine may take to notice that a container has ended."""
_SERVES = "API listen on"
"""What the log of a dockerd says that has come up; not at every log level."""
_MANY_LINES = 200

_PROBABLY = "The script probably failed because it lost its Docker daemon. Retry the job."

# Substrings of a failing dockerd's last words, the cause that they stand for, and the remedy.
_CAUSES = (
    (
        ("permission denied", "must be run with --privileged", "operation not permitted"),
        (
            "the sidecar lacks privileges that dockerd needs (set `[dind] privileged = true`,"
            " or `[dind] runtime` such as `sysbox-runc`; `dind-executor doctor --only privileged,runtime`"
            " looks at this)"
        ),
    ),
    (
        ("no space left on device",),
        (
            "the disk of the engine's host is full (free space with `docker system prune`;"
            " `dind-executor doctor --only disk` looks at this)"
        ),
    ),
    (
        ('failed to register "bridge" driver', "iptables failed", "iptables not found"),
        (
            "the host's kernel lacks a netfilter module that dockerd needs (load ip_tables or"
            " nf_tables; `dind-executor doctor --only modules` looks at this)"
        ),
    ),
    (
        ("error initializing graphdriver", "failed to mount overlay"),
        (
            "dockerd's storage driver does not work on the host's file system (set another one in"
            " `[dind] command`, such as `--storage-driver=vfs`; `dind-executor doctor --only storage,modules`"
            " looks at this)"
        ),
    ),
    (
        ("unknown flag", "invalid value", "unable to configure"),
        ("dockerd got a wrong argument (check `[dind] command` and the service's `command`)"),
    ),
    (
        ("address already in use",),
        ("another process listens on dockerd's port (check the `command` of the dind service)"),
    ),
)


def never_answered(engine: Engine, name: str, timeout_seconds: float) -> ServiceNotReady:
    """Return the error of a sidecar that runs, and whose time to answer is over."""
    return ServiceNotReady(
        f"The dind sidecar did not answer within {timeout_seconds:.0f} seconds"
        f" (`[dind] ready_timeout`). {_cause_and_log(engine, name)}"
    )


def ended(
    engine: Engine, name: str, sidecar: Sidecar | None, *, relied_on: bool
) -> ServiceNotReady:
    """Return the error of a sidecar that has ended; None is one that is gone.

    `relied_on` tells whether a script has begun beside it.
    """
    told = f"{_end(sidecar)}."
    if relied_on:
        told += (
            " An earlier script may have used it, and without it the script has no Docker daemon,"
            " so the script does not run. Retry the job: it gets a new sidecar."
        )
    return ServiceNotReady(told + _last_words(engine, name, sidecar))


def loss(
    engine: Engine, name: str, temp_dir: str, timeout_seconds: float
) -> ServiceNotReady | None:
    """Return why the job has no Docker daemon, where that is so: one of its scripts has failed.

    The script may know before the engine does, so a sidecar that seems to run must also answer.  One
    that has never answered gets what is left of its time, `timeout_seconds` from its start: it may be
    as far as a script that fails at once.  Without such a time, only its end counts.
    """
    told = notes.read(temp_dir, notes.WITHOUT_DIND)
    if told is not None:
        return ServiceNotReady(told.decode())
    relied_on = start_relied_on(temp_dir)
    soon = time.monotonic() + _END_SECONDS
    began = float(notes.read(temp_dir, notes.DIND_STARTED) or 0.0)
    if not relied_on or notes.is_left(temp_dir, notes.OVERRUN):
        return None  # of a job that was ended with it, the log says why
    try:
        while True:
            sidecar = find_sidecar(engine, name)
            if sidecar is None or not still_runs(sidecar, relied_on):
                words = _last_words(engine, name, sidecar)
                return ServiceNotReady(f"{_end(sidecar)}. {_PROBABLY}{words}")
            answered = notes.is_left(temp_dir, notes.ANSWERED)
            boots = not answered and listens(sidecar)
            left = (max(soon, began + timeout_seconds) if boots else soon) - time.monotonic()
            if left <= 0:
                known = answered or not timeout_seconds
                return None if known else _silence(engine, sidecar, timeout_seconds)
            if answers(engine, sidecar, temp_dir, left, SETTLED_SECONDS):
                notes.leave(temp_dir, notes.ANSWERED, relied_on.encode())
                return None
            time.sleep(_POLL_SECONDS)
    except (EngineUnavailable, EngineRefused, OSError):
        return None  # what counts is the script's own exit code


def _silence(engine: Engine, sidecar: Sidecar, timeout_seconds: float) -> ServiceNotReady:
    """Return the error of a sidecar that runs and has never answered."""
    if listens(sidecar):
        return never_answered(engine, sidecar.name, timeout_seconds)
    told = f"The Docker daemon in the dind sidecar has ended, and the sidecar runs on. {_PROBABLY}"
    return ServiceNotReady(f"{told} {_cause_and_log(engine, sidecar.name)}")


def _last_words(engine: Engine, name: str, sidecar: Sidecar | None) -> str:
    """Return a space and what a sidecar said at its end; why, where its daemon had not come up."""
    if sidecar is None:
        return ""
    came_up = _SERVES in logs(engine, name, _MANY_LINES)
    return f" {_log(logs(engine, name, _LOG_LINES)) if came_up else _cause_and_log(engine, name)}"


def _end(sidecar: Sidecar | None) -> str:
    if sidecar is None:
        return "Something removed the dind sidecar (a prune on the host?)"
    if sidecar.running:
        return "Something restarted the dind sidecar"
    if sidecar.oom_killed:
        return f"The dind sidecar ran out of memory (exit code {sidecar.exit_code})"
    return f"The dind sidecar exited with code {sidecar.exit_code}"


def _cause_and_log(engine: Engine, name: str) -> str:
    """Return why dockerd does not come up, by what it printed at its end."""
    text = logs(engine, name, _LOG_LINES)
    lower = text.lower()
    causes = [cause for patterns, cause in _CAUSES if any(each in lower for each in patterns)]
    cause = f"Likely cause: {causes[0]}. " if causes else ""
    if not text:
        return f"{cause}It printed nothing. Check that its image starts a Docker daemon."
    return cause + _log(text)


def _log(text: str) -> str:
    return "Its last log lines:\n" + "\n".join(f"  {line}" for line in text.splitlines())
