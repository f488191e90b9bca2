"""Waits until an image's entrypoint has handed over to the keeper."""

import time

from executor.engine.keeper import READY
from executor.engine.output import Frames, Sink
from executor.engine.wire import Reader
from executor.errors import SettingsError, UnusableImage
from executor.spec import ContainerSpec

_STDOUT = 1
_LONGEST_LINE = 256 * 1024


class StartedKeeper:
    """A build or helper container whose entrypoint may not have handed over yet."""

    def __init__(self, spec: ContainerSpec, reader: Reader, patience_seconds: float) -> None:
        """Take the stream that the container is attached to."""
        self._spec = spec
        self._reader = reader
        self._patience_seconds = patience_seconds

    def wait(self, sink: Sink) -> None:
        """Wait until the keeper runs; what the entrypoint prints meanwhile goes to `sink`.

        Raises UnusableImage where the entrypoint ends first, or never hands over.
        """
        until_ready = _UntilReady(sink)
        how = "ended without doing so"
        try:
            self._copy(Frames(self._reader, until_ready))
        except OSError:
            how = f"did not do so within {self._patience_seconds:.0f} seconds"
        finally:
            self._reader.socket.close()
        until_ready.flush()
        if not until_ready.found:
            if self._spec.labels.get("dind-executor.type") == "helper":
                raise SettingsError(
                    f'The helper image "{self._spec.image}" (`[docker] helper_image`) does not run'
                    f" what it is given: its entrypoint {how}."
                )
            raise UnusableImage(
                f'The entrypoint of the image "{self._spec.image}" must run the command that it is'
                f' given, and {how}: end it with `exec "$@"`, or set `entrypoint: [""]` in the job.'
                " An entrypoint that is the whole job needs a script that calls it."
            )

    def _copy(self, frames: Frames) -> None:
        """Copy until the keeper runs; one deadline for all, as an entrypoint may print for ever."""
        deadline = time.monotonic() + self._patience_seconds
        self._reader.socket.settimeout(self._patience_seconds)
        while frames.copy_some():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._reader.socket.settimeout(left)


class _UntilReady:
    """Passes an entrypoint's output on, line by line, until the keeper's own line."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: dict[int, bytes] = {}
        self.found = False

    def __call__(self, descriptor: int, data: bytes) -> bool:
        data = self._held.pop(descriptor, b"") + data
        if descriptor == _STDOUT:
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
