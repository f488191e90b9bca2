"""Runs a script in a container of the job and streams what it prints.

The way of every `run` call, so only the cheapest modules are loaded here.
"""

import _thread
import os
from collections.abc import Callable

from executor.engine.api import Api, Reader
from executor.engine.keeper import signaller, wrapper
from executor.errors import Cancelled, EnvironmentLost

_HEADER = 8
_STDERR = 2
_GRACE_SECONDS = 10.0
"""How long a script may take to end after SIGTERM, as under the Docker executor."""

_KILL_SECONDS = 5.0
_KILLED = 137

Sink = Callable[[int, bytes], None]
"""Takes a file descriptor (1 or 2) and the bytes that the script wrote to it."""


def write_through(descriptor: int, data: bytes) -> None:
    """Write all of `data` to our own stdout or stderr."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def run_script(
    api: Api,
    container: str,
    script: bytes,
    *,
    prelude: str = "",
    sink: Sink = write_through,
    started: Callable[[], None] | None = None,
) -> int:
    """Run `script` in `container` and return its exit status; call `started` once it runs.

    Raises EnvironmentLost where the container is gone or the stream broke, and passes Cancelled
    on once the script and everything it started in the container have ended.
    """
    exec_id = _create(api, container, wrapper(prelude=prelude))
    answer, reader = api.hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})
    if not answer.ok:
        raise EnvironmentLost(f"{_lost(api, container)} {answer.message}".strip())
    frames = Frames(reader, sink)
    try:
        _thread.start_new_thread(_feed, (reader, script))
        if started:
            started()
        frames.copy()
    except Cancelled:
        _stop(api, container, reader, frames)
        raise
    except OSError as error:
        raise EnvironmentLost(f"The stream to {container} broke: {error}.") from None
    finally:
        reader.socket.close()
    return _exit_code(api, container, exec_id)


def _create(api: Api, container: str, command: tuple[str, ...]) -> str:
    request = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Cmd": list(command),
    }
    answer = api.post(f"/containers/{container}/exec", request)
    created = answer.json()
    if not answer.ok or not isinstance(created, dict):
        raise EnvironmentLost(_lost(api, container))
    return str(created["Id"])


def _feed(reader: Reader, script: bytes) -> None:
    """Send the script and end its stdin; a container that died shows at the reading end."""
    try:
        reader.socket.sendall(script)
        # A TLS connection cannot be half closed; there the script's own `exit` ends the shell.
        if not hasattr(reader.socket, "context"):
            reader.socket.shutdown(1)
    except OSError:
        pass


class Frames:
    """The multiplexed output of a container; keeps its place when a read is interrupted.

    Source of the format: Docker Engine API, ContainerAttach, "Stream format".
    """

    __slots__ = ("_pending", "_reader", "_sink")

    def __init__(self, reader: Reader, sink: Sink) -> None:
        """Copy from `reader` to `sink`."""
        self._pending = b""
        self._reader = reader
        self._sink = sink

    def copy(self) -> None:
        """Copy until the stream ends."""
        while data := self._reader.some():
            self._pending += data
            self._flush()

    def _flush(self) -> None:
        pending, at = self._pending, 0
        while len(pending) - at >= _HEADER:
            start = at + _HEADER
            end = start + int.from_bytes(pending[at + 4 : start], "big")
            if len(pending) < end:
                break
            self._sink(2 if pending[at] == _STDERR else 1, pending[start:end])
            at = end
        self._pending = pending[at:]


def _stop(api: Api, container: str, reader: Reader, frames: Frames) -> None:
    """End the script: SIGTERM, some time, SIGKILL.  Its last words still reach the log."""
    for signal, seconds in (("TERM", _GRACE_SECONDS), ("KILL", _KILL_SECONDS)):
        signal_script(api, container, signal)
        try:
            reader.socket.settimeout(seconds)
            frames.copy()
        except OSError:
            continue
        return


def signal_script(api: Api, container: str, signal: str) -> None:
    """Signal every process that a script started in `container`; a container that is gone is fine."""
    try:
        exec_id = _create(api, container, signaller(signal))
    except EnvironmentLost:
        return
    answer, reader = api.hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})
    if answer.ok:
        try:
            reader.socket.settimeout(5.0)
            while reader.some():
                pass
        except OSError:
            pass
        reader.socket.close()


def _exit_code(api: Api, container: str, exec_id: str) -> int:
    """Ask the engine how the script ended: the end of the stream alone says nothing."""
    answer = api.get(f"/exec/{exec_id}/json")
    state = answer.json() if answer.ok else None
    code = state.get("ExitCode") if isinstance(state, dict) else None
    if not isinstance(state, dict) or state.get("Running") or not isinstance(code, int):
        raise EnvironmentLost(_lost(api, container))
    if code == _KILLED and not _running(api, container):
        raise EnvironmentLost(_lost(api, container))
    return code


def _running(api: Api, container: str) -> bool:
    return bool(_state(api, container).get("Running"))


def _state(api: Api, container: str) -> dict[str, object]:
    answer = api.get(f"/containers/{container}/json")
    found = answer.json() if answer.ok else None
    state = found.get("State") if isinstance(found, dict) else None
    return state if isinstance(state, dict) else {}


def _lost(api: Api, container: str) -> str:
    state = _state(api, container)
    if not state:
        return (
            f"The container {container} is gone: something removed it while the job ran"
            " (a prune on the host?)."
        )
    if state.get("OOMKilled"):
        return f"The container {container} was ended because it ran out of memory."
    if not state.get("Running"):
        return (
            f"The container {container} stopped while the job ran (exit code"
            f" {state.get('ExitCode')}): was the Docker Engine restarted?"
        )
    return f"The Docker Engine lost the script that ran in {container}."
