"""Runs a script in a container of the job and streams what it prints.

The way of every `run` call, so only the cheapest modules are loaded here.
"""

import _thread
import os
from _collections_abc import Callable

from executor.engine.docker import Engine
from executor.engine.frames import Frames, Sink
from executor.engine.wire import Reader
from executor.errors import Cancelled, EngineUnavailable, EnvironmentLost
from executor.log import write_through
from executor.scripts.output import Output
from executor.shell import DIRECTORY
from executor.shell.serving import sent_script

_GRACE_SECONDS = 10.0
"""How long a script may take to end after SIGTERM, as under the Docker executor."""
_KILL_SECONDS = 5.0
_BEGIN_SECONDS = 30.0
"""How long the keeper may take to begin: it is idle, unless a killed `run` call left a script."""
_LOOK_SECONDS = 1.0
"""How often to look meanwhile whether the container is there: the engine attaches to a dead one."""


def run_script(
    engine: Engine,
    container: str,
    script: bytes,
    *,
    sink: Sink = write_through,
    leftovers: Callable[[], None] = lambda: None,
) -> int:
    """Run `script` in `container` and return its exit status.

    `leftovers` is called where it left processes that the container's user may not end.

    Raises ContainerLost where the container is gone, has ended or takes no script, EnvironmentLost
    where the stream broke.  Passes Cancelled on once the script has ended, with all that the
    container's user may end; after a time of grace also if it has not.
    """
    reader = engine.attach(container)
    if reader is None:
        raise _lost(engine, container, begun=False)
    nonce = os.urandom(16).hex()
    output = Output(nonce, sink)
    copying = Copying(Frames(reader, output), output)
    try:
        _feed(reader, sent_script(script, nonce), copying)
        if not _begins(engine, container, copying):
            from executor.scripts.blocked import unblock  # noqa: PLC0415 (rarely needed)

            unblock(engine, container, sent_script(script, nonce), copying)
        import executor.record.meanwhile  # noqa: F401, PLC0415 (while the script runs)

        copying.ended.acquire()
        copying.ended.release()
    except Cancelled:
        _stop(engine, container, copying)
        raise
    finally:
        copying.close(reader)
    if copying.error is not None:
        raise EnvironmentLost(
            f"The connection to the script in {container} broke: {copying.error}. Retry the job."
        )
    if output.untaken:
        raise EnvironmentLost(
            f"The job's script cannot be written to {DIRECTORY} in the container {container}:"
            " it is full or read-only (changed by an earlier script or by the entrypoint)."
            " Free space there, or raise `[docker] memory`."
        )
    if output.left:
        leftovers()
    if output.exit_code is None:
        raise _lost(engine, container, begun=output.begun)
    return output.exit_code


def _feed(reader: Reader, data: bytes, copying: "Copying") -> None:
    """Send the script and start to copy.

    Both at the same time, as the keeper may be busy and the pipe full; but over TLS one after the
    other: such a connection may not be used for both directions at once.
    """
    if hasattr(reader.socket, "context"):
        reader.socket.settimeout(_BEGIN_SECONDS)
        send(reader, data)
        reader.socket.settimeout(None)
        copying.start()
    else:
        copying.start()
        _thread.start_new_thread(send, (reader, data))


def send(reader: Reader, data: bytes) -> None:
    """Send; a container that died shows at the reading end."""
    try:
        reader.socket.sendall(data)
    except OSError:
        return


class Copying:
    """The copying of output in a thread of its own.

    A signal interrupts whoever waits for it, and never a read or a write halfway: what had been
    read would be lost, or be written twice.
    """

    __slots__ = ("_frames", "_output", "begun", "ended", "error")

    def __init__(self, frames: Frames, output: Output) -> None:
        """Prepare to copy; the locks are free once the script has begun or ended."""
        self._frames = frames
        self._output = output
        self.begun = _thread.allocate_lock()
        self.ended = _thread.allocate_lock()
        self.error: Exception | None = None
        self.begun.acquire()
        self.ended.acquire()

    def start(self) -> None:
        """Start to copy."""
        _thread.start_new_thread(self._copy, ())

    def close(self, reader: Reader) -> None:
        """Close the stream, at which the thread ends."""
        try:  # noqa: SIM105 (contextlib is slow to import)
            reader.socket.shutdown(2)
        except OSError:
            pass  # the other end was faster
        if self.ended.acquire(timeout=1.0):
            self.ended.release()
        reader.socket.close()

    @property
    def has_begun(self) -> bool:
        """Tell whether the script has begun."""
        return self._output.begun

    def _copy(self) -> None:
        has_begun = False
        try:
            while self._frames.copy_some():
                if self._output.begun and not has_begun:
                    has_begun = True
                    self.begun.release()
                if (seconds := self._output.seconds_left()) is not None:
                    self._frames.limit(seconds)
        except (OSError, ValueError) as error:
            if not (isinstance(error, TimeoutError) and self._output.settle()):
                self.error = error
        finally:
            if not has_begun:
                self.begun.release()
            self.ended.release()


def _begins(engine: Engine, container: str, copying: Copying) -> bool:
    """Wait until the keeper begins; tell whether it did.

    Raises ContainerLost as soon as there is nobody to begin.
    """
    left = _BEGIN_SECONDS
    while not copying.begun.acquire(timeout=min(left, _LOOK_SECONDS)):
        left -= _LOOK_SECONDS
        if left <= 0:
            return False
        if not _state(engine, container).get("Running"):
            raise _lost(engine, container, begun=False)
    return True


def _stop(engine: Engine, container: str, copying: Copying) -> None:
    """End the script: SIGTERM, some time, SIGKILL.  Its last words still reach the log.

    What the container's own user may not signal goes with the build container.
    """
    from executor.scripts.cancel import signal_script  # noqa: PLC0415 (rarely needed)

    for signal, seconds in (("TERM", _GRACE_SECONDS), ("KILL", _KILL_SECONDS)):
        try:
            signal_script(engine, container, signal)
        except EngineUnavailable:
            return
        if copying.ended.acquire(timeout=seconds):
            copying.ended.release()
            return


def _state(engine: Engine, container: str) -> dict[str, object]:
    state = engine.inspect(container).get("State")
    return state if isinstance(state, dict) else {}


def _lost(engine: Engine, container: str, *, begun: bool) -> EnvironmentLost:
    from executor.scripts.lost import lost  # noqa: PLC0415 (rarely needed)

    return lost(engine, container, begun=begun)
