"""Sends a started container its files, and waits until it has taken them.

In a build or helper container that is when its image's entrypoint has handed over to the keeper.
"""

import _socket
import time
from contextlib import suppress

from executor.engine.container_request import sent_on_stdin
from executor.engine.frames import Frames, Sink
from executor.engine.wire import Reader
from executor.errors import EnvironmentLost, SettingsError, UnusableImage
from executor.shell.serving import READY
from executor.spec import ContainerSpec
from executor.tasks import Task

_LONGEST_LINE = 256 * 1024
_RECEIVE_SECONDS = 30.0


class StartedKeeper:
    """A build or helper container whose entrypoint may not have handed over yet."""

    def __init__(self, spec: ContainerSpec, reader: Reader, patience_seconds: float) -> None:
        """Take the stream that the container is attached to."""
        self._spec = spec
        self._reader = reader
        self._patience_seconds = patience_seconds

    def wait(self, sink: Sink) -> None:
        """Send the container its files, and wait until the keeper runs.

        What the entrypoint prints meanwhile goes to `sink`.  Raises UnusableImage where the
        entrypoint ends first, or never hands over.
        """
        until_ready = _UntilReady(sink)
        how = "exited without starting it"
        try:
            self._exchange(Frames(self._reader, until_ready))
        except OSError:
            how = f"did not start it within {self._patience_seconds:.0f} seconds"
        finally:
            self._reader.socket.close()
        until_ready.flush()
        if not until_ready.found:
            if self._spec.labels.get("dind-executor.type") == "helper":
                raise SettingsError(
                    f'The helper image "{self._spec.image}" cannot run scripts: its entrypoint'
                    f" got a command and {how}. Set `[docker] helper_image` to another image,"
                    " or leave it unset."
                )
            raise UnusableImage(
                f'The entrypoint of the image "{self._spec.image}" must start the job\'s shell,'
                f' but it {how}. End it with `exec "$@"`, or disable it with `entrypoint:'
                ' [""]` in the job. If the entrypoint does the work itself, call it from'
                " `script:`."
            )

    def _exchange(self, frames: Frames) -> None:
        """Send and copy until the keeper runs; one deadline for all.

        An entrypoint may print more than fits anywhere before the keeper reads, so both go on at
        the same time; but not over TLS, where a connection may not be used for both at once.
        """
        deadline = time.monotonic() + self._patience_seconds
        connection = self._reader.socket
        connection.settimeout(self._patience_seconds)
        if hasattr(connection, "context"):
            self._send()
            self._copy(frames, deadline)
            return
        sending = Task(self._send)
        try:
            self._copy(frames, deadline)
        finally:
            with suppress(OSError):
                connection.shutdown(_socket.SHUT_RDWR)
            # It ends with the connection; only then may the descriptor be somebody else's.
            with suppress(OSError):
                sending.result()

    def _send(self) -> None:
        """Send; a container that has ended shows at the reading end.  Raises TimeoutError."""
        try:
            self._reader.socket.sendall(sent_on_stdin(self._spec))
        except TimeoutError:
            raise
        except OSError:
            return

    def _copy(self, frames: Frames, deadline: float) -> None:
        """Copy until the keeper runs; an entrypoint may print for ever."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._reader.socket.settimeout(left)
            if not frames.copy_some():
                return


class StartedReceiver:
    """A service that may not have taken its files yet."""

    def __init__(self, spec: ContainerSpec, reader: Reader, patience_seconds: float) -> None:
        """Take the stream that leads to the container's stdin."""
        self._spec = spec
        self._reader = reader
        self._patience_seconds = patience_seconds

    def wait(self, _sink: Sink) -> None:
        """Send the container its files, and wait until they are taken.

        One that has ended already shows to whoever needs it.  Raises EnvironmentLost where it takes
        nothing.
        """
        self._reader.socket.settimeout(self._patience_seconds)
        try:
            self._reader.socket.sendall(sent_on_stdin(self._spec))
        except TimeoutError:
            self._reader.socket.close()
            raise EnvironmentLost(
                f"The container {self._spec.name} did not read its files within"
                f" {self._patience_seconds:.0f} seconds. The host may be overloaded, or the"
                f' `sh` of its image "{self._spec.image}" may not work. Retry the job.'
            ) from None
        except OSError:
            pass
        self._reader.finish(_RECEIVE_SECONDS)


class _UntilReady:
    """Passes an entrypoint's output on, line by line, until the keeper's own line."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: dict[int, bytes] = {}
        self.found = False

    def __call__(self, descriptor: int, data: bytes) -> bool:
        data = self._held.pop(descriptor, b"") + data
        # On either stream: an entrypoint may have led one into the other.
        data, found, _after = data.partition(f"{READY}\n".encode())
        self.found = bool(found)
        last = data.rfind(b"\n") + 1
        if len(data) - last > _LONGEST_LINE:
            # It may never end; the keeper's own line may begin in what came last.
            last = len(data) - len(READY)
        self._held[descriptor] = data[last:]
        if last:
            self._sink(descriptor, data[:last])
        return self.found

    def flush(self) -> None:
        """Pass on what has no end of line."""
        for descriptor, data in self._held.items():
            if data:
                self._sink(descriptor, data)
