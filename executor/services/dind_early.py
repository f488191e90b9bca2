"""Scripts that begin before the sidecar answers: Docker's clients wait by themselves, once it listens.

Loaded once in a job, for the first of the author's scripts.
"""

import _thread
import time

from executor.engine.docker import Engine
from executor.errors import EngineRefused
from executor.names import TCP_PORT, TLS_PORT
from executor.runner import notes
from executor.services.dind import Sidecar, start_relied_on, still_runs

YOUNG_SECONDS = 5.0
"""How long after its start a script leaves the wait for an answer to its own clients.

A sidecar that takes longer is on a loaded host, where the most impatient of them would give up.
"""

_QUIET_SECONDS = 5.0
"""How long a script runs before somebody asks beside it whether the sidecar answers."""
_LISTENS, _ACCEPTS = b"0A", b"00010000"
"""What a listening socket has as its state in /proc/PID/net/tcp, and as its flags in `unix`."""
_SOCKET = b"/docker.sock"
_LOOKS = 10
_PAUSE_SECONDS = 0.01


def may_begin_beside(
    engine: Engine, sidecar: Sidecar, temp_dir: str, timeout_seconds: float
) -> bool:
    """Tell whether a script may begin beside a sidecar that has not answered yet; if so, watch it.

    It listens, or did so as an earlier script began; that is noted.  On plain TCP dockerd pauses for
    a second and more between one address and the next, so there the script waits for an answer.
    """
    relied_on = start_relied_on(temp_dir)
    if relied_on and not still_runs(sidecar, relied_on):
        return False
    if not relied_on:
        if not (sidecar.running and _is_young(temp_dir) and is_here(engine, temp_dir)):
            return False
        if not (sidecar.tls and listens(sidecar)):
            return False
        _wait_for_socket(sidecar)
        notes.leave(temp_dir, notes.LISTENED, sidecar.started.encode())
    _thread.start_new_thread(_watch, (engine, sidecar.name, temp_dir, timeout_seconds))
    return True


def is_here(engine: Engine, temp_dir: str) -> bool:
    """Tell whether the sidecar's address and processes are this host's; prepare has found out."""
    return engine.local and not notes.is_left(temp_dir, notes.OUT_OF_REACH)


def port_of(sidecar: Sidecar) -> int:
    """Return the port of a sidecar's daemon."""
    return TLS_PORT if sidecar.tls else TCP_PORT


def _is_young(temp_dir: str) -> bool:
    """Tell whether the sidecar has just started, and a script may begin before it answers."""
    started = notes.read(temp_dir, notes.DIND_STARTED)
    return started is not None and time.monotonic() - float(started) < YOUNG_SECONDS


def listens(sidecar: Sidecar) -> bool:
    """Tell whether somebody in the sidecar listens on its daemon's port.

    It is read from the kernel's tables: dockerd logs each connection that ends before TLS begins.
    """
    end = b":%04X" % port_of(sidecar)
    rows = (*_sockets(sidecar, "tcp"), *_sockets(sidecar, "tcp6"))
    return any(len(row) > 3 and row[1].endswith(end) and row[3] == _LISTENS for row in rows)  # noqa: PLR2004


def _wait_for_socket(sidecar: Sidecar) -> None:
    """Return once a daemon that listens on its port has its sockets, which come right before or after.

    Of two sockets, the one that the job shares comes first (`dockerd.sh`).  Not every daemon has one.
    """
    for _ in range(_LOOKS):
        rows = _sockets(sidecar, "unix")
        if any(row[3:4] == [_ACCEPTS] and row[-1].endswith(_SOCKET) for row in rows):
            return
        time.sleep(_PAUSE_SECONDS)


def _sockets(sidecar: Sidecar, kind: str) -> list[list[bytes]]:
    """Return the rows of a table of the sidecar's; none where this process does not see it."""
    try:
        with open(f"/proc/{sidecar.pid}/net/{kind}", "rb") as file:  # noqa: PTH123
            return [row.split() for row in file]
    except OSError:
        return []


def _watch(engine: Engine, name: str, temp_dir: str, timeout_seconds: float) -> None:
    """Watch beside a script whether the sidecar answers at last.

    Without one that does, clients would wait for as long as the job may take.
    """
    time.sleep(_QUIET_SECONDS)
    from executor.services.dind_watch import end_silent  # noqa: PLC0415 (beside the script)

    end_silent(engine, name, temp_dir, timeout_seconds)


def logs(engine: Engine, name: str, lines: int) -> str:
    """Return the last lines that a container printed; "" where the engine has no log of it."""
    try:
        return engine.last_output(name, lines)
    except EngineRefused:
        return ""
