"""What a container prints: the engine's frames, and in them a script's output up to its end."""

from collections.abc import Callable, Iterator

from executor.engine.wire import Reader

_HEADER = 8
_STDOUT, _STDERR = 1, 2
_LONGEST_WORDS = 64
"""More than the keeper says in a line of its own, in bytes."""

Sink = Callable[[int, bytes], None]
"""Takes a file descriptor (1 or 2) and the bytes that were written to it."""


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
                if len(data) - at > len(self._marker) + _LONGEST_WORDS:
                    at = -1  # not the keeper's, although it knows the nonce
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
