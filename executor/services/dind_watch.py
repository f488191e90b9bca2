"""The end of a sidecar that listens and never answers, beside a script that may wait for it.

Loaded only while a script runs for some seconds beside one that has not answered yet.
"""

import time

from executor.engine.docker import Engine
from executor.errors import EngineRefused, EngineUnavailable
from executor.runner import notes
from executor.services.dind import find_sidecar, start_relied_on, still_runs
from executor.services.dind_answers import SETTLED_SECONDS, answers
from executor.services.dind_causes import never_answered

_POLL_SECONDS = 0.5
_LEAST_SECONDS = 5.0
"""How long it has to answer in any case: its time may have been over before anybody asked."""


def end_silent(engine: Engine, name: str, temp_dir: str, timeout_seconds: float) -> None:
    """Return once the sidecar has answered or ended; end it where its time to answer is over.

    Then whoever waits for it fails, and a script that does not goes on.  Raises nothing of the
    engine's.
    """
    began = float(notes.read(temp_dir, notes.DIND_STARTED) or time.monotonic())
    deadline = max(began + timeout_seconds, time.monotonic() + _LEAST_SECONDS)
    relied_on = start_relied_on(temp_dir)
    try:
        while True:
            sidecar = find_sidecar(engine, name)
            if sidecar is None or not still_runs(sidecar, relied_on):
                return
            left = deadline - time.monotonic()
            if answers(engine, sidecar, temp_dir, left, SETTLED_SECONDS):
                notes.leave(temp_dir, notes.ANSWERED, relied_on.encode())
                return
            if left <= 0:
                break
            time.sleep(_POLL_SECONDS)
        error = never_answered(engine, name, timeout_seconds)
        notes.leave(temp_dir, notes.WITHOUT_DIND, str(error).encode(errors="replace"))
        notes.forget(temp_dir, notes.LISTENED)  # nobody can have used it
        engine.kill(name)
    except (EngineUnavailable, EngineRefused, OSError):
        return
