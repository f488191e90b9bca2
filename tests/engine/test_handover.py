"""What a container is sent as it starts, and what its entrypoint prints meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from executor.engine.docker import Engine
from executor.engine.handover import StartedKeeper, StartedReceiver, _UntilReady
from executor.errors import (
    EnvironmentLost,
    UnusableImage,
)
from executor.shell.serving import READY
from executor.spec import ContainerSpec, FileSpec
from tests.engine.samples import SPEC
from tests.engine.stub import (
    UPGRADED,
    Answer,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
)

LONG = b"x" * (1 << 20)
KEEPER = ContainerSpec(
    name="job-build",
    image="alpine:3",
    labels={},
    network="job",
    files=(FileSpec("/run/certificates", LONG),),
    runs_scripts=True,
)
SERVICE = replace(KEEPER, name="job-dind", runs_scripts=False)


def begun(stub: StubEngine, spec: ContainerSpec, attach: Answer) -> StartedKeeper | StartedReceiver:
    """Return what sends a container its files, once it is started."""
    stub.on("POST", "/containers/.*/attach", attach)
    stub.on("POST", "/containers/.*/start", http(204))
    found = Engine(stub.api()).start(spec)
    assert found is not None
    return found


@pytest.fixture
def deaf(mocker: MockerFixture) -> Iterator[Answer]:
    """Return a container that reads nothing until the test is over, and little patience."""
    mocker.patch("executor.engine.containers._HANDOVER_SECONDS", 0.3)
    over = threading.Event()

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        over.wait(20)

    yield attach
    over.set()


def test_an_entrypoint_that_reads_nothing(stub: StubEngine, deaf: Answer) -> None:
    """More than the buffers hold keeps nobody waiting for ever: the sentence is the usual one."""
    keeper = begun(stub, KEEPER, deaf)
    with pytest.raises(UnusableImage, match="did not start it within"):
        keeper.wait(lambda *_: None)


def test_a_service_that_reads_nothing(stub: StubEngine, deaf: Answer) -> None:
    """The error names the container and its image."""
    receiver = begun(stub, SERVICE, deaf)
    with pytest.raises(EnvironmentLost, match=r"job-dind did not read .*alpine:3"):
        receiver.wait(lambda *_: None)


def test_an_entrypoint_that_prints_much_before_the_keeper_reads(stub: StubEngine) -> None:
    """Both directions go on at the same time; neither waits for the other."""
    received: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED, *[frame(1, b"x" * 65535 + b"\n")] * 64)
        end = connection.file.readline()
        received.append(connection.file.read(len(LONG)))
        assert end
        connection.send(frame(1, f"{READY}\n".encode()))

    heard: list[int] = []
    begun(stub, KEEPER, attach).wait(lambda _, data: heard.append(len(data)))

    assert sum(heard) == 64 * 65536
    assert received[0].startswith(b"/run/certificates\nxxx")


@pytest.mark.parametrize("cut", [1, len(READY) // 2, len(READY)])
def test_a_line_without_an_end_is_not_kept(cut: int) -> None:
    """It passes in parts, and the keeper's own line behind it is found, however that comes."""
    passed: list[bytes] = []
    until_ready = _UntilReady(lambda _, data: passed.append(data))
    ready = f"{READY}\n".encode()

    assert not until_ready(1, LONG + ready[:cut])
    assert sum(map(len, passed)) > len(LONG) // 2
    assert until_ready(1, ready[cut:])
    until_ready.flush()
    assert b"".join(passed) == LONG


def test_the_keepers_line_may_come_on_stderr() -> None:
    """An entrypoint may have led its stdout there."""
    passed: list[tuple[int, bytes]] = []
    until_ready = _UntilReady(lambda *piece: passed.append(piece))

    assert not until_ready(2, b"of the entrypoint\n")
    assert until_ready(2, f"{READY}\n".encode())
    assert passed == [(2, b"of the entrypoint\n")]


READY_LINE = b"dind-executor: the container is ready\n"


def started(
    stub: StubEngine,
    *pieces: bytes,
    patience: float = 5.0,
    heard: list[tuple[int, bytes]] | None = None,
) -> list[tuple[int, bytes]]:
    """Return what an entrypoint prints before the keeper runs."""
    heard = [] if heard is None else heard

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        connection.file.readline()
        connection.send(*pieces)
        if patience < 5:
            for _ in range(200):
                connection.send(frame(1, b"booting\n"))
                connection.socket.settimeout(0.02)
                with suppress(TimeoutError):
                    connection.socket.recv(10)

    stub.on("POST", "/containers/job-build/attach", attach)
    stub.on("POST", "/containers/job-build/start", http(204))
    keeper = Engine(stub.api()).start(SPEC)
    assert keeper is not None
    keeper.wait(lambda number, data: heard.append((number, data)))
    return heard


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([frame(1, READY_LINE)], []),
        ([frame(1, b"hello\n"), frame(1, READY_LINE)], [(1, b"hello\n")]),
        ([frame(1, b"no newline " + READY_LINE)], [(1, b"no newline ")]),
        ([frame(1, READY_LINE[:9]), frame(1, READY_LINE[9:])], []),
        ([frame(2, b"warning\n"), frame(1, READY_LINE)], [(2, b"warning\n")]),
        ([frame(1, b"a\nb"), frame(1, b"c\n"), frame(1, READY_LINE)], [(1, b"a\n"), (1, b"bc\n")]),
        ([frame(2, b"half a line"), frame(1, READY_LINE)], [(2, b"half a line")]),
        (
            [frame(2, b"on stderr"), frame(1, b"on stdout\n"), frame(1, READY_LINE)],
            [(2, b"on stderr"), (1, b"on stdout\n")],
        ),
    ],
)
def test_what_an_entrypoint_prints(
    stub: StubEngine, pieces: list[bytes], expected: list[tuple[int, bytes]]
) -> None:
    """It reaches the job log on its own stream, and the keeper's line does not."""
    heard = started(stub, *pieces)

    assert sorted(heard) == sorted(expected)


def test_an_entrypoint_that_ends(stub: StubEngine) -> None:
    """The sentence tells the job author how to correct it; what it printed last is in the log."""
    heard: list[tuple[int, bytes]] = []

    with pytest.raises(UnusableImage, match=r"exited without starting it\. End it") as caught:
        started(stub, frame(1, b"usage: x"), heard=heard)

    assert 'exec "$@"' in str(caught.value)
    assert heard == [(1, b"usage: x")]


def test_an_entrypoint_that_ends_before_its_files_come(stub: StubEngine) -> None:
    """A connection that is closed while we send is the same mistake of the image."""
    spec = replace(SPEC, files=(FileSpec("/run/x", b"x" * 3_000_000),))
    stub.on("POST", "/containers/job-build/attach", UPGRADED)
    stub.on("POST", "/containers/job-build/start", http(204))

    keeper = Engine(stub.api()).start(spec)

    assert keeper is not None
    with pytest.raises(UnusableImage, match="entrypoint"):
        keeper.wait(lambda *_: None)


def test_an_entrypoint_that_never_hands_over(stub: StubEngine, mocker: MockerFixture) -> None:
    """An entrypoint that goes on printing is given up as well."""
    mocker.patch("executor.engine.containers._HANDOVER_SECONDS", 0.3)

    with pytest.raises(UnusableImage, match="did not start it within"):
        started(stub, patience=4.0)
