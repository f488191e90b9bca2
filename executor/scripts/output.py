"""What a script prints, in all that its container prints, and how it ended."""

import time
from _collections_abc import Callable

from executor.engine.frames import Sink
from executor.shell.serving import BEGINS, LEFT, UNTAKEN

_BOTH = 1, 2
_LONGEST_WORDS = 64
"""More than the keeper says in a line of its own, in bytes."""
_NUMBERS = b"1", b"2"
_WORDS = BEGINS, UNTAKEN
_MOST_DIGITS = 3
"""Of an exit status."""
_LATE_SECONDS = 10.0
"""How long a stream whose end is missing may be silent, once the other has ended."""
_SILENT_SECONDS = 2.0
"""How long to wait for the beginning of a stream then: it is probably led nowhere."""


class Output:
    """What a script writes, from the keeper's first lines to its last.

    An entrypoint may have led one stream into the other, or nowhere: so a line of the keeper's
    counts wherever it comes, and names the stream that it was written to.
    """

    __slots__ = (
        "_begun",
        "_deadline",
        "_ended",
        "_result",
        "_streams",
        "begun",
        "exit_code",
        "left",
        "untaken",
    )

    def __init__(self, nonce: str, sink: Sink) -> None:
        """Pass the script's output to `sink`; `nonce` marks the keeper's lines."""
        marker = b"\0" + nonce.encode()
        self._streams = {each: _Stream(each, marker, sink, self._hear) for each in _BOTH}
        self._begun: set[bytes] = set()
        self._deadline = 0.0
        self._ended: set[bytes] = set()
        self._result: list[bytes] = []
        self.begun = False
        self.exit_code: int | None = None
        """Once all has come."""
        self.left = False
        """Whether processes are left that the container's user may not end."""
        self.untaken = False
        """Whether the keeper had no place for the script."""

    def __call__(self, descriptor: int, data: bytes) -> bool:
        """Take output; return whether the script has ended and all of its output has come."""
        self._streams[descriptor].take(data)
        if len(self._ended) < len(_BOTH):
            return False
        self.settle()
        return True

    def seconds_left(self) -> float | None:
        """Return how long the next piece may take; None while no stream has ended."""
        if not self._ended:
            return None
        if self._begun > self._ended:
            return _LATE_SECONDS
        now = time.monotonic()
        self._deadline = self._deadline or now + _SILENT_SECONDS
        return self._deadline - now

    def settle(self) -> bool:
        """Be content with what has come; return False where that is no end of the script."""
        if not self._result:
            return False
        self.untaken = self._result[0] == UNTAKEN
        self.left = LEFT in self._result
        if not self.untaken:
            self.exit_code = int(self._result[0])
        return True

    def _hear(self, number: bytes, words: list[bytes]) -> None:
        if words[:1] == [BEGINS]:
            self.begun = True
            self._begun.add(number)
        else:
            self._ended.add(number)
            self._result = words


class _Stream:
    """One of the streams: what comes on it while a script writes to it is the script's."""

    __slots__ = ("_descriptor", "_hear", "_held", "_marker", "_open", "_sink")

    def __init__(
        self, descriptor: int, marker: bytes, sink: Sink, hear: Callable[[bytes, list[bytes]], None]
    ) -> None:
        self._descriptor = descriptor
        self._marker = marker
        self._sink = sink
        self._hear = hear
        self._held = b""
        self._open: set[bytes] = set()

    def take(self, data: bytes) -> None:
        data = self._held + data if self._held else data
        while True:
            at = data.find(self._marker)
            most = at + len(self._marker) + _LONGEST_WORDS
            end = data.find(b"\n", at, most) if at >= 0 else -1
            if at < 0 or (end < 0 and len(data) <= most):
                break
            said = data[at + len(self._marker) : end].split() if end >= 0 else []
            if not _is_keepers(said):  # not the keeper's, although it knows the nonce
                self._pass(data[: at + 1])
                data = data[at + 1 :]
                continue
            self._pass(data[:at])
            number, *words = said
            (self._open.add if words[:1] == [BEGINS] else self._open.discard)(number)
            self._hear(number, words)
            data = data[end + 1 :]
        if at < 0:
            # The marker's first bytes may be the last that came.
            at = data.rfind(b"\0")
            if at >= 0 and not self._marker.startswith(data[at:]):
                at = -1
        self._held = data[at:] if at >= 0 else b""
        self._pass(data[:at] if at >= 0 else data)

    def _pass(self, data: bytes) -> None:
        """Pass on what is the script's; what came before belongs to nobody any more."""
        if data and self._open:
            self._sink(self._descriptor, data)


def _is_keepers(said: list[bytes]) -> bool:
    """Tell whether these are words of a keeper's, and not of a script that has found the nonce."""
    return (
        len(said) > 1
        and said[0] in _NUMBERS
        and (said[1] in _WORDS or (said[1].isdigit() and len(said[1]) <= _MOST_DIGITS))
    )
