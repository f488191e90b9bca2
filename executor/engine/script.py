"""Runs a script in a container of the job and streams what it prints.

The way of every `run` call, so only the cheapest modules are loaded here.
"""

import _thread
import os
from collections.abc import Callable

from executor.engine.api import Api
from executor.engine.keeper import sent_script, signaller
from executor.engine.wire import Reader
from executor.errors import Cancelled, EnvironmentLost

_HEADER = 8
_STDOUT, _STDERR = 1, 2
_GRACE_SECONDS = 10.0
"""How long a script may take to end after SIGTERM, as under the Docker executor."""
_KILL_SECONDS = 5.0
_BEGIN_SECONDS = 30.0
"""How long the keeper may take to begin: it is idle, unless a killed `run` call left a script."""

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
    sink: Sink = write_through,
) -> int:
    """Run `script` in `container` and return its exit status.

    Raises EnvironmentLost where the container is gone or the stream broke, and passes Cancelled
    on once the script and everything it started in the container have ended.
    """
    answer, reader = api.hijack(
        f"/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1"
    )
    if answer.status not in {101, 200}:
        raise EnvironmentLost(_lost(api, container))
    nonce = os.urandom(16).hex()
    output = Output(nonce, sink)
    frames = Frames(reader, output)
    try:
        _thread.start_new_thread(_feed, (reader, sent_script(script, nonce)))
        _begin(api, container, reader, frames, output)
        frames.copy()
    except Cancelled:
        _stop(api, container, reader, frames)
        raise
    except OSError as error:
        raise EnvironmentLost(f"The stream to {container} broke: {error}.") from None
    finally:
        reader.socket.close()
    if output.exit_code is None:
        raise EnvironmentLost(_lost(api, container))
    return output.exit_code


def _feed(reader: Reader, data: bytes) -> None:
    """Send the script; a container that died shows at the reading end."""
    try:
        reader.socket.sendall(data)
    except OSError:
        return


def _begin(api: Api, container: str, reader: Reader, frames: "Frames", output: "Output") -> None:
    """Copy until the keeper says that the script begins.

    It says so at once, unless a `run` call that was killed left its script running: that is
    ended, as nobody waits for it any more.
    """
    for seconds in (_BEGIN_SECONDS, _KILL_SECONDS):
        reader.socket.settimeout(seconds)
        try:
            while not output.begun and frames.copy_some():
                pass
        except TimeoutError:
            signal_script(api, container, "KILL")
            continue
        reader.socket.settimeout(None)
        return
    raise EnvironmentLost(f"The container {container} does not take a script any more.")


def _stop(api: Api, container: str, reader: Reader, frames: "Frames") -> None:
    """End the script: SIGTERM, some time, SIGKILL.  Its last words still reach the log."""
    for signal, seconds in (("TERM", _GRACE_SECONDS), ("KILL", _KILL_SECONDS)):
        signal_script(api, container, signal)
        try:
            reader.socket.settimeout(seconds)
            frames.copy()
        except OSError:
            continue
        return


class Output:
    """What a script writes, up to the keeper's last lines."""

    __slots__ = ("_streams", "begun", "exit_code")

    def __init__(self, nonce: str, sink: Sink) -> None:
        """Pass the script's output to `sink`; `nonce` marks the keeper's lines."""
        marker = b"\0" + nonce.encode()
        self._streams = {each: _Stream(each, marker, sink) for each in (_STDOUT, _STDERR)}
        self.exit_code: int | None = None
        self.begun = False

    def __call__(self, descriptor: int, data: bytes) -> bool:
        """Take output; return whether the script has ended and all of its output has come."""
        stream = self._streams[descriptor]
        stream.take(data)
        self.begun = self.begun or stream.begun
        if stream.ended is not None and descriptor == _STDOUT:
            self.exit_code = int(stream.ended)
        return all(each.ended is not None for each in self._streams.values())


class _Stream:
    """One of a script's two streams: the part between two lines of the keeper."""

    __slots__ = ("_descriptor", "_held", "_marker", "_sink", "begun", "ended")

    def __init__(self, descriptor: int, marker: bytes, sink: Sink) -> None:
        self._descriptor = descriptor
        self._marker = marker
        self._sink = sink
        self._held = b""
        self.begun = False
        self.ended: bytes | None = None

    def take(self, data: bytes) -> None:
        data = self._held + data if self._held else data
        while True:
            at = data.find(self._marker)
            end = data.find(b"\n", at) if at >= 0 else -1
            if end < 0:
                break
            self._pass(data[:at])
            words = data[at + len(self._marker) : end].strip()
            data = data[end + 1 :]
            if self.begun:
                self.ended = words
                return
            self.begun = True
        if at < 0:
            # The marker's first bytes may be the last that came.
            at = data.rfind(b"\0")
            if at >= 0 and not self._marker.startswith(data[at:]):
                at = -1
        self._held = data[at:] if at >= 0 else b""
        self._pass(data[:at] if at >= 0 else data)

    def _pass(self, data: bytes) -> None:
        """Pass on what is the script's; what came before belongs to nobody any more."""
        if data and self.begun:
            self._sink(self._descriptor, data)


class Frames:
    """The multiplexed output of a container; keeps its place when a read is interrupted.

    Source of the format: Docker Engine API, ContainerAttach, "Stream format".
    """

    __slots__ = ("_enough", "_pending", "_reader", "_take")

    def __init__(self, reader: Reader, take: Callable[[int, bytes], bool]) -> None:
        """Copy from `reader` to `take`, which tells when it has had enough."""
        self._enough = False
        self._pending = b""
        self._reader = reader
        self._take = take

    def copy(self) -> None:
        """Copy until the stream ends or `take` has had enough."""
        while self.copy_some():
            pass

    def copy_some(self) -> bool:
        """Copy what is there; return whether more is wanted and may come."""
        if self._enough:
            # A short script's whole output may have come with its first piece.
            return False
        data = self._reader.some()
        self._pending += data
        self._enough = self._flush()
        return bool(data) and not self._enough

    def _flush(self) -> bool:
        pending, at, enough = self._pending, 0, False
        while not enough and len(pending) - at >= _HEADER:
            start = at + _HEADER
            end = start + int.from_bytes(pending[at + 4 : start], "big")
            if len(pending) < end:
                break
            descriptor = _STDERR if pending[at] == _STDERR else _STDOUT
            enough = self._take(descriptor, pending[start:end])
            at = end
        self._pending = pending[at:]
        return enough


def signal_script(api: Api, container: str, signal: str) -> None:
    """Signal all that a script started in `container`; a container that is gone is fine."""
    request = {"AttachStdout": True, "Cmd": list(signaller(signal))}
    created = api.post(f"/containers/{container}/exec", request)
    found = created.json() if created.ok else None
    if not isinstance(found, dict):
        return
    answer, reader = api.hijack(f"/exec/{found['Id']}/start", {"Detach": False, "Tty": False})
    if answer.ok:
        reader.drain(_KILL_SECONDS)


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
            f" {state.get('ExitCode')}): did the script end every process, or was the Docker Engine"
            " restarted?"
        )
    return f"The Docker Engine lost the script that ran in {container}."
