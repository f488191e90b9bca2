"""The engine's answers, byte by byte."""

import socket
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from executor.engine import wire
from executor.errors import EngineUnavailable
from tests.engine.stub import (
    HEAD,
    Connection,
    Received,
    StubEngine,
    byte_by_byte,
    chunked,
    endless,
    http,
    trickling,
)

LONG = {
    "length": HEAD + b"Content-Length: 99999999999\r\n\r\n",
    "no length": HEAD + b"\r\n",
    "chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
}


@pytest.mark.parametrize("first", LONG.values(), ids=LONG)
def test_an_answer_is_kept_up_to_a_limit(
    stub: StubEngine, mocker: MockerFixture, first: bytes
) -> None:
    """The answer is given up at the limit, however long it says that it is."""
    mocker.patch.object(wire, "MOST_BYTES", 1000)
    stub.on("GET", "/x", endless(first, b" " * 600))

    with pytest.raises(EngineUnavailable, match="its answer is longer than 1000 bytes"):
        stub.api().get("/x")


HEADS = {
    "line": (b"", b"x" * 60000),
    "headers": (HEAD, b"a: b\r\n" * 200),
    "size of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 60000),
}


@pytest.mark.parametrize(("first", "piece"), HEADS.values(), ids=HEADS)
def test_a_head_without_an_end(stub: StubEngine, first: bytes, piece: bytes) -> None:
    """A head that never ends is no HTTP, and nobody reads on."""
    stub.on("GET", "/x", endless(first, piece))

    with pytest.raises(EngineUnavailable, match="does not speak HTTP"):
        stub.api().get("/x")


def test_an_answer_that_trickles(stub: StubEngine) -> None:
    """A byte before each silence gets too long is no answer in time."""
    stub.on("GET", "/x", trickling(HEAD + b"\r\n", b" "))

    with pytest.raises(EngineUnavailable, match="timed out"):
        stub.api().get("/x", timeout=0.3)


def test_an_answer_with_a_length(stub: StubEngine) -> None:
    """Status, headers and body are the engine's."""
    stub.on("GET", "/x", http(200, {"a": 1}, **{"Api-Version": "1.41"}))

    answer = stub.api().get("/x")

    assert (answer.status, answer.ok, answer.json()) == (200, True, {"a": 1})
    assert answer.headers["api-version"] == "1.41"


def test_an_answer_in_chunks(stub: StubEngine) -> None:
    """Chunks of any size, an empty line in one of them included, make the body."""
    stub.on("GET", "/x", chunked(b'{"a', b'":\r\n', b'"' + b"b" * 70000 + b'"', b"}"))

    assert stub.api().get("/x").json() == {"a": "b" * 70000}


def test_a_chunk_may_carry_an_extension(stub: StubEngine) -> None:
    """What follows the size after a semicolon means nothing to us."""
    stub.on(
        "GET",
        "/x",
        b"HTTP/1.1 200 OK\r\ntransfer-ENCODING: Chunked\r\n\r\n3;a=b\r\n[1]\r\n0\r\n\r\n",
    )

    assert stub.api().get("/x").json() == [1]


def test_an_answer_without_a_length_reaches_to_the_end(stub: StubEngine) -> None:
    """A proxy may close the connection instead of counting."""
    stub.on("GET", "/x", b"HTTP/1.1 200 OK\r\n\r\n[1, 2]")

    assert stub.api().get("/x").json() == [1, 2]


@pytest.mark.parametrize("answer", [http(200, {"a": "b"}), chunked(b'{"a":', b' "b"}')])
def test_an_answer_may_come_byte_by_byte(stub: StubEngine, answer: bytes) -> None:
    """No boundary of packets means anything."""

    def slowly(connection: Connection, _received: Received) -> None:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        connection.send(*byte_by_byte(answer))

    stub.on("GET", "/x", slowly)

    assert stub.api().get("/x").json() == {"a": "b"}


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(stub: StubEngine, status: int) -> None:
    """Nothing to do is as good as done."""
    stub.on("POST", "/x", f"HTTP/1.1 {status} Whatever\r\n\r\n".encode())

    answer = stub.api().post("/x")

    assert (answer.status, answer.ok, answer.json()) == (status, True, None)


WHOLE = http(200, {"key": "value"})


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        WHOLE[:-1],
        WHOLE[: WHOLE.index(b"\r\n\r\n") + 4],
        chunked(b'{"a"', end=b""),
        chunked(b'{"a"', end=b"ff\r\n: 1"),
        chunked(b"{}", end=b""),
        b"garbage\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_none(stub: StubEngine, answer: bytes) -> None:
    """An engine that dies in the middle of an answer is not there; nobody sees Python's words."""
    stub.on("GET", "/x", answer)

    with pytest.raises(EngineUnavailable) as caught:
        stub.api().get("/x")

    assert stub.host in str(caught.value)
    assert "Check that it is running" in str(caught.value)
    assert "literal" not in str(caught.value)


def test_a_head_that_is_cut_off_is_no_answer(stub: StubEngine) -> None:
    """Headers that just end are not the end of the headers."""
    stub.on("GET", "/x", b"HTTP/1.1 200 OK\r\nContent-Le")

    with pytest.raises(EngineUnavailable):
        stub.api().get("/x")


def test_a_body_that_is_no_json(stub: StubEngine) -> None:
    """The sentence says that something is missing, not what."""
    stub.on("GET", "/x", http(200, b'{"secret": "hunt'))

    with pytest.raises(EngineUnavailable, match="cut off") as caught:
        stub.api().get("/x").json()

    assert "hunt" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8")), st.sampled_from(["/", "", "/:@"]))
def test_addresses_are_quoted_as_the_standard_library_does(text: str, safe: str) -> None:
    """Names of images and filters are part of a request's path."""
    assert wire.quote(text, safe) == urllib.parse.quote(text, safe=safe)
