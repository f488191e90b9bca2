"""Requests that come and go piece by piece."""

import queue
import threading
from collections.abc import Iterator

import pytest

from executor.engine.streams import stream, upload
from executor.errors import EngineUnavailable
from tests.engine.stub import (
    Connection,
    Received,
    StubEngine,
    chunked,
    http,
)
from tests.patience import LONGEST_SECONDS


def test_a_stream_ends_with_its_last_piece(stub: StubEngine) -> None:
    """Pieces come one by one."""
    stub.on("POST", "/pull", chunked(b"one", b"two"))

    status, pieces = stream(stub.api(), "/pull", {}, idle_seconds=LONGEST_SECONDS)

    assert (status, list(pieces)) == (200, [b"one", b"two"])


def test_a_stream_that_breaks_says_so(stub: StubEngine) -> None:
    """What came before is there, and then an error instead of an end."""
    stub.on("POST", "/pull", chunked(b"one", end=b""))

    _, pieces = stream(stub.api(), "/pull", {}, idle_seconds=LONGEST_SECONDS)

    assert next(pieces) == b"one"
    with pytest.raises(ValueError, match="cut off"):
        next(pieces)


def test_a_stream_that_falls_silent_says_so(stub: StubEngine) -> None:
    """`idle_seconds` is the longest silence."""
    done = threading.Event()

    def silent(connection: Connection, _received: Received) -> None:
        connection.send(chunked(b"one", end=b""))
        done.wait(LONGEST_SECONDS)

    stub.on("POST", "/pull", silent)
    _, pieces = stream(stub.api(), "/pull", {}, idle_seconds=0.05)

    assert next(pieces) == b"one"
    with pytest.raises(TimeoutError):
        next(pieces)
    done.set()


def test_a_body_that_comes_in_pieces(stub: StubEngine) -> None:
    """Nobody knows its length; the engine gets all of it."""
    stub.on("POST", "/x", http(200, {"a": 1}))
    pieces = [bytes([each]) * 300_000 for each in range(3)]

    assert upload(stub.api(), "/x", pieces, idle_seconds=60).json() == {"a": 1}
    (received,) = stub.received
    assert received.body == b"".join(pieces)
    assert "content-length" not in received.headers


def test_pieces_that_end_in_an_error_are_no_whole_body(stub: StubEngine) -> None:
    """The error is the caller's own, and the engine sees that something is missing."""
    came: queue.Queue[bytes] = queue.Queue()

    def listen(connection: Connection, _received: Received) -> None:
        came.put(connection.file.read())

    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError("unreadable")

    stub.on("POST", "/x", listen)
    stub.reads_bodies = False
    with pytest.raises(RuntimeError, match="unreadable"):
        upload(stub.api(), "/x", pieces(), idle_seconds=60)

    assert came.get(timeout=60) == b"5\r\nfirst\r\n"


def test_an_engine_that_takes_a_body_and_says_nothing(stub: StubEngine) -> None:
    """It is not waited for without end."""
    over = threading.Event()

    def wait(_connection: Connection, _received: Received) -> None:
        over.wait(60)

    stub.on("POST", "/x", wait)

    with pytest.raises(EngineUnavailable, match="timed out"):
        upload(stub.api(), "/x", [b"all"], idle_seconds=0.2)

    over.set()
