"""The engine's frames, however they are cut into pieces."""

import socket
from collections.abc import Iterator

import pytest

from executor.engine.frames import Frames, Pieces
from executor.engine.wire import Reader
from tests.engine.stub import byte_by_byte, frame

PRINTED = [(1, b"out\n"), (2, b"err\n"), (1, b""), (1, b"x" * 300)]
DATA = b"".join(frame(descriptor, data) for descriptor, data in PRINTED)


class Taken:
    """What was taken, until it is enough."""

    def __init__(self, enough: int = 99) -> None:
        self.found: list[tuple[int, bytes]] = []
        self._enough = enough

    def __call__(self, descriptor: int, data: bytes) -> bool:
        self.found.append((descriptor, data))
        return len(self.found) == self._enough


@pytest.mark.parametrize("pieces", [[DATA], list(byte_by_byte(DATA)), [DATA[:9], DATA[9:]]])
def test_frames_are_found_in_any_pieces(pieces: list[bytes]) -> None:
    """Heads and contents may be cut anywhere; each frame goes to its own stream."""
    taken = Taken()

    Frames(Pieces(iter(pieces)), taken).copy()

    assert taken.found == PRINTED


def test_a_frame_that_is_cut_off_is_not_taken() -> None:
    """What came of it last may be half a line."""
    taken = Taken()

    Frames(Pieces(iter([DATA[:-1]])), taken).copy()

    assert taken.found == PRINTED[:-1]


def test_nothing_is_read_once_it_is_enough() -> None:
    """The rest of the piece is left, and no further piece is asked for."""

    def pieces() -> Iterator[bytes]:
        yield DATA
        pytest.fail("another piece was read")

    taken = Taken(enough=2)

    Frames(Pieces(pieces()), taken).copy()

    assert taken.found == PRINTED[:2]


def test_a_stream_that_nobody_knows_is_stdout() -> None:
    """The engine may send what a terminal or its own input had, and nothing is lost."""
    taken = Taken()

    Frames(Pieces(iter([frame(0, b"a") + frame(3, b"b")])), taken).copy()

    assert taken.found == [(1, b"a"), (1, b"b")]


def test_the_next_piece_may_have_a_limit() -> None:
    """A silence that is too long is a time-out, as is one that may not begin."""
    near, far = socket.socketpair()
    with near, far:
        frames = Frames(Reader(near), Taken())
        frames.limit(0.01)
        with pytest.raises(TimeoutError):
            frames.copy_some()
        with pytest.raises(TimeoutError):
            frames.limit(0)


def test_pieces_end_with_nothing() -> None:
    """A reader of pieces says so after the last one, each time that it is asked."""
    pieces = Pieces(iter([b"a", b"b"]))

    assert [pieces.some() for _ in range(4)] == [b"a", b"b", b"", b""]
