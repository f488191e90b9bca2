"""What the job log is told of a dind sidecar that does not serve.

Loaded only where there is something to tell.
"""

import time

from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable, ServiceNotReady
from executor.log import complain
from executor.runner import notes
from executor.services.dind import Sidecar, find_sidecar, logs, start_that_answered, still_runs
from executor.services.dind_answers import SETTLED_SECONDS, answers

_LOG_LINES = 20
_POLL_SECONDS = 0.1
_END_SECONDS = 5.0
"""How long the engine may take to notice that a container has ended."""

# Substrings of a failing dockerd's last words, the cause that they stand for, and the remedy.
_CAUSES = (
    (
        ("permission denied", "must be run with --privileged", "operation not permitted"),
        (
            "the sidecar lacks privileges that dockerd needs (set `[dind] privileged = true`,"
            " or `[dind] runtime` such as `sysbox-runc`)"
        ),
    ),
    (
        ("no space left on device",),
        ("the disk of the engine's host is full (free space with `docker system prune`)"),
    ),
    (
        ('failed to register "bridge" driver', "iptables failed", "iptables not found"),
        (
            "the host's kernel lacks a netfilter module that dockerd needs (load ip_tables or"
            " nf_tables)"
        ),
    ),
    (
        ("error initializing graphdriver", "failed to mount overlay"),
        (
            "dockerd's storage driver does not work on the host's file system (set another one in"
            " `[dind] command`, such as `--storage-driver=vfs`)"
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
    engine: Engine, name: str, sidecar: Sidecar | None, *, had_answered: bool
) -> ServiceNotReady:
    """Return the error of a sidecar that has ended; None is one that is gone."""
    told = f"{_end(sidecar)}."
    if had_answered:
        told += (
            " It answered before, and without it the script has no Docker daemon, so the"
            " script does not run. Retry the job: it gets a new sidecar."
        )
    if sidecar is None:
        return ServiceNotReady(told)
    log = _log(logs(engine, name, _LOG_LINES)) if had_answered else _cause_and_log(engine, name)
    return ServiceNotReady(f"{told} {log}")


def warn_of_end(engine: Engine, name: str, temp_dir: str) -> None:
    """Say so where the sidecar has ended that had answered: a script has failed, maybe for that.

    The script may know before the engine does, so a sidecar that seems to run must also answer.
    """
    answered = start_that_answered(temp_dir)
    deadline = time.monotonic() + _END_SECONDS
    if notes.is_left(temp_dir, notes.OVERRUN):
        return  # the job was ended with it, and its log says why
    try:
        while answered and (left := deadline - time.monotonic()) > 0:
            sidecar = find_sidecar(engine, name)
            if sidecar is None or not still_runs(sidecar, answered):
                complain(
                    f"WARNING: {_end(sidecar)}: the script probably failed because it lost its"
                    " Docker daemon. Retry the job."
                )
                return
            if answers(engine, sidecar, temp_dir, left, SETTLED_SECONDS):
                return
            time.sleep(_POLL_SECONDS)
    except (EngineUnavailable, EngineRefused):
        return  # what counts is the script's own exit code


def _end(sidecar: Sidecar | None) -> str:
    if sidecar is None:
        return "Something removed the dind sidecar (a prune on the host?)"
    if sidecar.running:
        return "Something restarted the dind sidecar"
    if sidecar.out_of_memory:
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
