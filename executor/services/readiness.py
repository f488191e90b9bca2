"""Waits until a script may begin beside the dind sidecar."""

import time

from executor.engine.docker import Engine
from executor.runner import notes
from executor.services.dind import find_sidecar, start_relied_on, still_runs
from executor.services.dind_answers import answers
from executor.services.dind_causes import ended, never_answered
from executor.services.dind_early import may_begin_beside

_POLL_SECONDS = 0.02


def wait_until_ready(
    engine: Engine, name: str, temp_dir: str, timeout_seconds: float, *, early: bool = False
) -> None:
    """Return once the sidecar's daemon answers, or, if `early`, listens where a script needs no more.

    At once where the job has no sidecar.  A daemon binds its port long before it serves, so one
    request parks until it does: no polling but for the moment before that.  One that a script has
    begun beside is not asked again, only looked at.  Raises ServiceNotReady with its last words.
    """
    began = time.monotonic()
    deadline = began + timeout_seconds
    relied_on = start_relied_on(temp_dir)
    sidecar = find_sidecar(engine, name)
    if still_runs(sidecar, relied_on) or (sidecar is None and not relied_on):
        return
    while sidecar is not None and sidecar.running and not relied_on:
        # Where the kernel's tables do not show what listens, the sidecar is asked.
        if early and may_begin_beside(engine, sidecar, temp_dir, timeout_seconds):
            return
        now = time.monotonic()
        if answers(engine, sidecar, temp_dir, deadline - now, now - began):
            notes.leave(temp_dir, notes.ANSWERED, sidecar.started.encode())
            return
        if time.monotonic() > deadline:
            raise never_answered(engine, name, timeout_seconds)
        time.sleep(_POLL_SECONDS)
        sidecar = find_sidecar(engine, name)
    raise ended(engine, name, sidecar, relied_on=bool(relied_on))
