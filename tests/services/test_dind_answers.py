"""Whether the sidecar's daemon answers, directly and from within; `tests/stages` has real ones."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.docker import Engine
from executor.runner import notes
from executor.services import dind_early
from executor.services.dind import Sidecar
from executor.services.dind_answers import SETTLED_SECONDS, answers
from tests.engine.stub import StubEngine, chunked, frame, http
from tests.sockets import Listener, held_port

SERVES = b'time="..." level=info msg="API listen on [::]:2376"\n'

Daemon = Callable[[bytes], None]
"""Makes a daemon that answers with these bytes."""


def sidecar_at(address: str) -> Sidecar:
    """Return a running sidecar without TLS at an address."""
    networks = {"Networks": {"n": {"IPAddress": address}}}
    return Sidecar("job-dind", {"State": {"Running": True}, "NetworkSettings": networks})


@pytest.fixture
def daemon(mocker: MockerFixture) -> Iterator[Daemon]:
    """Return what makes a daemon on this machine, at the port that a daemon has."""
    made: list[Listener] = []

    def make(answer: bytes) -> None:
        def serve(connection: socket.socket) -> None:
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        listening = socket.create_server(("127.0.0.1", 0))
        mocker.patch.object(dind_early, "TCP_PORT", listening.getsockname()[1])
        made.append(Listener(listening, serve))

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("answer", "serves"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nOK", True),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH\r\n", False),
        (b"", False),
    ],
)
def test_a_daemon_in_reach_is_asked_directly(
    stub: StubEngine, daemon: Daemon, answer: bytes, *, serves: bool
) -> None:
    """Its answer counts, and the engine is asked for nothing."""
    daemon(answer)

    found = answers(stub.engine(), sidecar_at("127.0.0.1"), "", 5, 0)

    assert found is serves
    assert stub.received == []


def test_a_port_that_refuses_is_in_reach(
    stub: StubEngine, daemon: Daemon, mocker: MockerFixture
) -> None:
    """The daemon does not listen yet, and nobody asks from within."""
    daemon(b"")
    with held_port() as unused:
        mocker.patch.object(dind_early, "TCP_PORT", unused.getsockname()[1])

        assert not answers(stub.engine(), sidecar_at("127.0.0.1"), "", 5, 99)
    assert stub.received == []


def asked_inside(stub: StubEngine, printed: bytes, code: int) -> Engine:
    """Return an engine whose sidecar has printed this, and whose question ends with a code."""
    stub.on("GET", "/containers/job-dind/logs", chunked(frame(2, printed)))
    stub.on("POST", "/containers/job-dind/exec", http(201, {"Id": "1"}))
    stub.on("POST", "/exec/1/start", http(200))
    stub.on("GET", "/exec/1/json", http(200, {"ExitCode": code}))
    return stub.engine()


@pytest.mark.parametrize(("code", "serves"), [(0, True), (1, False)])
def test_a_daemon_out_of_reach_is_asked_from_within(
    stub: StubEngine, code: int, *, serves: bool
) -> None:
    """A command in the sidecar asks, once its log says that it serves."""
    engine = asked_inside(stub, SERVES, code)

    assert answers(engine, sidecar_at("255.255.255.255"), "", 5, 0) is serves


def test_a_runner_in_a_container_asks_from_within(
    stub: StubEngine, daemon: Daemon, tmp_path: Path
) -> None:
    """The address may be another container's there, whatever answers at it."""
    daemon(b"HTTP/1.1 200 OK\r\n\r\nOK")
    notes.leave(str(tmp_path), notes.OUT_OF_REACH)
    engine = asked_inside(stub, SERVES, 1)

    assert not answers(engine, sidecar_at("127.0.0.1"), str(tmp_path), 5, 0)
    assert stub.asked("POST", "/exec")


@pytest.mark.parametrize(
    ("waited_seconds", "asks"), [(0, False), (SETTLED_SECONDS - 1, False), (SETTLED_SECONDS, True)]
)
def test_a_daemon_that_sets_itself_up_is_left_alone(
    stub: StubEngine, waited_seconds: float, *, asks: bool
) -> None:
    """A command in it could break it; after a while one that logs nothing is asked all the same."""
    engine = asked_inside(stub, b"level=info msg=starting\n", 0)

    assert answers(engine, sidecar_at("255.255.255.255"), "", 5, waited_seconds) is asks
    assert bool(stub.asked("POST", "/exec")) is asks
