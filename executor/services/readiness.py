"""Waits until the dind sidecar answers."""

import time

from executor.engine.docker import Engine
from executor.runner import notes
from executor.services.dind import find_sidecar, start_that_answered, still_runs
from executor.services.dind_answers import answers
from executor.services.dind_causes import ended, never_answered

_POLL_SECONDS = 0.05


def wait_until_ready(engine: Engine, name: str, temp_dir: str, timeout_seconds: float) -> None:
    """Return once the sidecar's daemon answers; at once where the job has no sidecar.

    A daemon binds its port long before it serves, so one request parks until it does: no polling
    but for the moment before that.  One that has answered is not asked again, only looked at.
    Raises ServiceNotReady with the daemon's last words.
    """
    began = time.monotonic()
    deadline = began + timeout_seconds
    answered = start_that_answered(temp_dir)
    sidecar = find_sidecar(engine, name)
    if still_runs(sidecar, answered) or (sidecar is None and not answered):
        return
    while sidecar is not None and sidecar.running and not answered:
        now = time.monotonic()
        if answers(engine, sidecar, temp_dir, deadline - now, now - began):
            notes.leave(temp_dir, notes.ANSWERED, sidecar.started.encode())
            return
        if time.monotonic() > deadline:
            raise never_answered(engine, name, timeout_seconds)
        time.sleep(_POLL_SECONDS)
        sidecar = find_sidecar(engine, name)
    raise ended(engine, name, sidecar, had_answered=bool(answered))
