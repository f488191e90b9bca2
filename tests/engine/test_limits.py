"""Answers that a job may make as long as it likes, in bytes or in time: each has an end."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from pytest_mock import MockerFixture

from executor.engine import exec as inside
from executor.engine import images as pulling
from executor.engine import logs as last_output
from executor.engine import wire
from executor.engine.frames import Output
from executor.errors import EngineUnavailable, PullInterrupted
from executor.scripts import cancel, signals
from executor.services.health import service_log
from executor.spec import Pull
from tests.engine.stub import UPGRADED, Connection, Received, StubEngine, chunked, frame, http

HEAD = b"HTTP/1.1 200 OK\r\n"
CREATED = http(201, {"Id": "the-exec"})


def endless(first: bytes, piece: bytes) -> Callable[[Connection, Received], None]:
    """Return an answer that goes on until nobody reads it."""

    def answer(connection: Connection, _received: Received) -> None:
        connection.send(first)
        with suppress(OSError):
            while True:
                connection.send(piece)

    return answer


@pytest.fixture(params=["fast", "slow"])
def program(request: pytest.FixtureRequest, stub: StubEngine, mocker: MockerFixture) -> None:
    """Have an exec print for ever: as fast as it can, or a byte now and then."""
    mocker.patch.object(cancel, "_PATIENCE_SECONDS", 0.3)
    mocker.patch.object(signals, "_SECONDS", 0.3)
    fast = endless(UPGRADED, frame(1, b"y\n" * 16000))

    def slow(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        connection.socket.settimeout(0.02)
        with suppress(BrokenPipeError):
            while True:
                connection.send(b"y")
                with suppress(TimeoutError):
                    connection.socket.recv(1)

    stub.on("GET", "/containers/job-build/json", http(200, {}))
    stub.on("POST", "/containers/job-.*/exec", CREATED)
    stub.on("POST", "/exec/the-exec/start", fast if request.param == "fast" else slow)
    stub.on("GET", "/exec/the-exec/json", http(200, {"Running": True, "ExitCode": None}))


@pytest.mark.usefixtures("program")
def test_a_question_has_an_end(stub: StubEngine) -> None:
    """What does not end has not succeeded."""
    assert inside.succeeds(stub.api(), "job-build", ("sh",), 0.3) is False


@pytest.mark.usefixtures("program")
def test_a_signal_has_an_end(stub: StubEngine) -> None:
    """The shell that signals a script may be the script's own program."""
    signals.signal_script(stub.api(), "job-build", "TERM")


@pytest.mark.usefixtures("program")
def test_the_stopping_of_inner_containers_has_an_end(stub: StubEngine) -> None:
    """The sidecar's files are the job's to change, through its daemon."""
    assert cancel.stop_inner_containers(stub.api(), "job-dind") >= 0


def test_what_a_command_prints_is_not_kept(stub: StubEngine) -> None:
    """Of a program that prints for ever, a mebibyte is read."""
    stub.on("POST", "/containers/job-build/exec", CREATED)
    stub.on("POST", "/exec/the-exec/start", endless(UPGRADED, b"y" * 60000))

    read = sum(len(each) for each in inside.output(stub.api(), "job-build", ("sh",), 30))

    assert read == 1024 * 1024


LONG = {
    "length": HEAD + b"Content-Length: 99999999999\r\n\r\n",
    "no length": HEAD + b"\r\n",
    "chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
}


@pytest.mark.parametrize("first", LONG.values(), ids=LONG)
def test_an_answer_is_kept_up_to_a_limit(
    stub: StubEngine, mocker: MockerFixture, first: bytes
) -> None:
    """However long it says that it is."""
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
    """It is no HTTP."""
    stub.on("GET", "/x", endless(first, piece))

    with pytest.raises(EngineUnavailable, match="does not speak HTTP"):
        stub.api().get("/x")


def test_an_answer_that_trickles(stub: StubEngine) -> None:
    """A byte before each silence gets too long is no answer in time."""

    def slowly(connection: Connection, _received: Received) -> None:
        connection.send(HEAD + b"\r\n")
        connection.socket.settimeout(0.02)
        with suppress(BrokenPipeError):
            while True:
                connection.send(b" ")
                with suppress(TimeoutError):
                    connection.socket.recv(1)

    stub.on("GET", "/x", slowly)

    with pytest.raises(EngineUnavailable, match="timed out"):
        stub.api().get("/x", timeout=0.3)


def pieces(*found: bytes) -> Iterator[bytes]:
    """Return frames of an endless log's end."""
    return (frame(1, each) for each in found)


def test_the_end_of_a_log_is_kept(stub: StubEngine) -> None:
    """Whole lines, and 64 KiB at most, of as many bytes as lines may have."""
    numbered = (b"%d %s\n" % (number, b"x" * 16000) for number in range(100))
    stub.on("GET", "/containers/job-svc-0/logs", chunked(*pieces(*numbered)))

    log = service_log(stub.api(), "job-svc-0")

    assert len(log) <= last_output.MOST_BYTES
    assert log.split()[::2] == ["96", "97", "98", "99"]


def test_a_line_of_a_log_that_is_too_long_by_itself(stub: StubEngine) -> None:
    """Its end has to do."""
    long = (b"x" * 16000 for _ in range(10))
    stub.on("GET", "/containers/job-svc-0/logs", chunked(*pieces(*long, b"the end")))

    log = service_log(stub.api(), "job-svc-0")

    assert len(log) == last_output.MOST_BYTES
    assert log.endswith("xthe end")


def test_an_event_of_a_pull_without_an_end(stub: StubEngine, mocker: MockerFixture) -> None:
    """An engine may quote a registry, and that may be the author's."""
    mocker.patch.object(pulling, "_ATTEMPTS", 1)
    answer = endless(HEAD + b"\r\n", b'{"error": "' + b"x" * 60000)
    stub.on("POST", "/images/create", answer)

    with pytest.raises(PullInterrupted, match="broke off"):
        pulling.pull_image(stub.api(), Pull("alpine"), "", print)


def test_a_line_that_only_begins_as_the_keepers() -> None:
    """A script may find out the nonce; what never becomes the keeper's line is passed on."""
    heard: list[bytes] = []
    output = Output("nonce", lambda _descriptor, data: heard.append(data))
    output(1, b"\0nonce 1 begins\n")

    for each in itertools.chain([b"\0nonce"], itertools.repeat(b"x" * 50, 1000)):
        output(1, each)

    assert b"".join(heard) == b"\0nonce" + b"x" * 50000
