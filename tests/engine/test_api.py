"""HTTP to the engine: what arrives whole, and what every fault of the other end becomes."""

import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from executor.engine.api import Api
from executor.errors import EngineUnavailable
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
    refusal,
)
from tests.patience import LONGEST_SECONDS


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "no such container"}', "no such container"),
        (b'{"other": 1}', ""),
        (b'["a"]', ""),
        (b" page not found\n", "page not found"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"", ""),
    ],
)
def test_a_refusal_has_the_engines_words(stub: StubEngine, body: bytes, message: str) -> None:
    """The engine refuses in JSON, a proxy in plain text: both are read."""
    stub.on("GET", "/x", http(500, body))

    answer = stub.api().get("/x")

    assert (answer.ok, answer.message) == (False, message)


def test_a_request_says_all_that_the_engine_needs(stub: StubEngine) -> None:
    """The version leads the path, the body is JSON with its length, and one request is all."""
    stub.on("POST", "/x", http(201))
    api = stub.api()
    api.use_version("1.41")

    api.post("/x?name=a", {"Image": "\N{GREEK SMALL LETTER ALPHA}"})

    (received,) = stub.received
    assert (received.method, received.path) == ("POST", "/v1.41/x?name=a")
    assert received.json() == {"Image": "\N{GREEK SMALL LETTER ALPHA}"}
    assert received.headers["content-type"] == "application/json"
    assert received.headers["connection"] == "close"


def test_an_engine_that_says_nothing(stub: StubEngine) -> None:
    """A silence longer than the caller's patience is an engine that is not there."""
    done = threading.Event()

    def silent(_connection: Connection, _received: Received) -> None:
        done.wait(LONGEST_SECONDS)

    stub.on("GET", "/x", silent)

    with pytest.raises(EngineUnavailable, match="timed out"):
        stub.api().get("/x", timeout=0.05)
    done.set()


def test_nobody_listens(tmp_path: Path) -> None:
    """The sentence has the address, the cause and what to look at."""
    with pytest.raises(EngineUnavailable) as caught:
        Api(f"unix://{tmp_path}/nowhere.sock").get("/_ping")

    assert str(caught.value) == (
        f"The Docker Engine at unix://{tmp_path}/nowhere.sock cannot be reached: No such file"
        " or directory. Check that it is running and that gitlab-runner's user may use it."
        " `dind-executor doctor --only engine-socket` looks at this."
    )


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    """A daemon that died leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))

    with pytest.raises(EngineUnavailable, match="Connection refused"):
        Api(f"unix://{tmp_path}/dead.sock").get("/_ping")


def test_a_hijacked_stream_keeps_what_came_with_the_head(stub: StubEngine) -> None:
    """A first frame in the packet of the headers is part of the stream."""
    stub.on("POST", "/attach", UPGRADED + frame(1, b"first"))

    answer, reader = stub.api().hijack("/attach")

    with closing(reader.socket):
        assert answer.status == 101
        assert reader.part(13) == frame(1, b"first")
        assert reader.some() == b""


def test_a_hijack_that_is_refused_closes_its_connection(stub: StubEngine) -> None:
    """The caller has the engine's words and nothing to close."""
    stub.on("POST", "/attach", refusal(409, "container is not running"))

    answer, reader = stub.api().hijack("/attach")

    assert (answer.ok, answer.message) == (False, "container is not running")
    assert reader.socket.fileno() == -1


def test_requests_of_many_threads_do_not_meet(stub: StubEngine) -> None:
    """Each request has a connection of its own."""

    def echo(connection: Connection, received: Received) -> None:
        connection.send(http(200, {"path": received.path}))

    stub.on("GET", "/", echo)
    api, found = stub.api(), {}

    def ask(number: int) -> None:
        found[number] = api.get(f"/{number}").json()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: {"path": f"/{number}"} for number in range(30)}
