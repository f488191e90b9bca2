"""The engine's frames: what a container prints on stdout and stderr, on one connection."""

from _collections_abc import Callable, Iterator

from executor.engine.wire import Reader

_HEADER = 8
_STDOUT, _STDERR = 1, 2

Sink = Callable[[int, bytes], None]
"""Takes a file descriptor (1 or 2) and the bytes that were written to it."""


class Frames:
    """The multiplexed output of a container.

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

    def limit(self, seconds: float) -> None:
        """Let the next piece take no longer; raises TimeoutError, as `copy_some` does where it does."""
        if seconds <= 0:
            raise TimeoutError
        self._reader.socket.settimeout(seconds)

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


class Pieces(Reader):
    """The pieces of an answer, read as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Read these."""
        self._pieces = pieces

    def some(self) -> bytes:
        """Return the next piece; empty after the last."""
        return next(self._pieces, b"")
