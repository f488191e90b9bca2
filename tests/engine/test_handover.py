"""What a container is sent as it starts, and what its entrypoint prints meanwhile."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from executor.engine.docker import Engine
from executor.engine.handover import StartedKeeper, StartedReceiver
from executor.errors import (
    EngineUnavailable,
    EnvironmentLost,
    ExecutorError,
    UnusableImage,
)
from executor.shell import greetings
from executor.shell.serving import READY
from executor.spec import ContainerSpec, FileSpec
from tests.engine.greeting import ask, take
from tests.engine.samples import SPEC
from tests.engine.stub import (
    UPGRADED,
    Answer,
    Connection,
    Received,
    StubEngine,
    events,
    frame,
    http,
    refusal,
)

ENDED = {
    "ExitCode": 3,
    "StartedAt": "2026-01-01T12:00:00.123Z",
    "FinishedAt": "2026-01-01T12:00:01.123Z",
}
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


@pytest.fixture(autouse=True)
def no_question(mocker: MockerFixture) -> None:
    """Ask no shell anything, however slow this machine is; a test that wants it says so."""
    mocker.patch("executor.engine.talk._LEAD_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def ended(stub: StubEngine) -> None:
    """Have the engine say, whenever it is asked, that the container has ended by itself."""
    stub.on("POST", "/containers/job-build/wait", http(200, {"StatusCode": 3}))
    stub.on("GET", "/containers/job-build/json", http(200, {"State": ENDED}))
    stub.on("GET", "/events", events({"Action": "die"}))


def begun(stub: StubEngine, spec: ContainerSpec, attach: Answer) -> StartedKeeper | StartedReceiver:
    """Return what sends a container its files, once it is started."""
    stub.on("POST", "/containers/.*/attach", attach)
    stub.on("POST", "/containers/.*/start", http(204))
    found = Engine(stub.api()).start(spec)
    assert found is not None
    return found


@pytest.fixture
def deaf(mocker: MockerFixture) -> Iterator[Answer]:
    """Return a container that reads no files until the test is over, and little patience."""
    mocker.patch("executor.engine.containers._HANDOVER_SECONDS", 0.3)
    over = threading.Event()

    def attach(connection: Connection, received: Received) -> None:
        connection.send(UPGRADED)
        with suppress(ConnectionResetError):
            ask(connection, name=received.path.split("/")[-2])
        over.wait(60)

    yield attach
    over.set()


def test_an_entrypoint_that_reads_nothing(stub: StubEngine, deaf: Answer) -> None:
    """More than the buffers hold keeps nobody waiting for ever: the sentence is the usual one."""
    stub.on("GET", "/containers/job-build/json", http(200, {"State": {"Running": True}}))
    keeper = begun(stub, KEEPER, deaf)
    with pytest.raises(UnusableImage, match="did not start it within"):
        keeper.wait(lambda *_: None)


def test_a_service_that_reads_nothing(stub: StubEngine, deaf: Answer) -> None:
    """The error names the container and its image."""
    receiver = begun(stub, SERVICE, deaf)
    with pytest.raises(EnvironmentLost, match=r"job-dind did not read .*alpine:3"):
        receiver.wait(lambda *_: None)


def test_an_entrypoint_that_prints_much_before_the_keeper_reads(stub: StubEngine) -> None:
    """All of it passes before anything is sent."""
    received: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED, *[frame(1, b"x" * 65535 + b"\n")] * 64)
        received.append(take(connection))
        connection.send(frame(1, f"{READY}\n".encode()))

    heard: list[int] = []
    begun(stub, KEEPER, attach).wait(lambda _, data: heard.append(len(data)))

    assert sum(heard) == 64 * 65536
    assert received[0].startswith(b"/run/certificates\nxxx")


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
        take(connection)
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

    with pytest.raises(
        UnusableImage, match=r"exited without starting it \(exit code 3\)\. End it"
    ) as caught:
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
    stub.on("GET", "/containers/job-build/json", http(200, {"State": {"Running": True}}))

    with pytest.raises(UnusableImage, match=r"within 0 seconds\. End it"):
        started(stub, patience=4.0)


def test_an_engine_that_falls_silent(stub: StubEngine, deaf: Answer) -> None:
    """An entrypoint of which nobody knows anything is not the one to blame."""
    stub.on("GET", "/containers/job-build/json", b"")
    keeper = begun(stub, KEEPER, deaf)
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        keeper.wait(lambda *_: None)


@pytest.mark.parametrize(
    ("told", "event", "error", "words"),
    [
        (b"", "die", EngineUnavailable, "cannot be reached"),
        (refusal(404, "no such container"), "die", EnvironmentLost, "Something removed"),
        (http(200, {"State": ENDED}), "kill", EnvironmentLost, "Docker Engine restarted"),
        (http(200, {"State": ENDED}), "die", UnusableImage, "exit code 3"),
    ],
    ids=["no engine", "removed", "killed", "ended"],
)
def test_whose_fault_the_end_of_a_container_is(
    stub: StubEngine, told: bytes, event: str, error: type[ExecutorError], words: str
) -> None:
    """The image is to blame where its entrypoint has ended by itself, and nowhere else."""
    stub.on("GET", "/containers/job-build/json", told)
    stub.on("GET", "/events", events({"Action": event}))

    with pytest.raises(error, match=words):
        started(stub, frame(1, b"usage: x"))


# --- what is sent, and when -----------------------------------------------------------------------

SECRET = replace(SPEC, files=(FileSpec("/run/key", b"hunter2"),), secret_environment={"A": "b"})
QUESTION = greetings.question("job-build")


def told(stub: StubEngine, spec: ContainerSpec, attach: Answer, *, asks: bool = True) -> bytes:
    """Return what a build container's entrypoint printed until the keeper was ready."""
    stub.on("POST", "/containers/.*/attach", attach)
    stub.on("POST", "/containers/.*/start", http(204))
    heard: list[bytes] = []
    keeper = Engine(stub.api()).start(spec, asks=asks)
    assert keeper is not None
    try:
        keeper.wait(lambda _, data: heard.append(data))
    except UnusableImage:
        heard.append(b"(failed)")
    return b"".join(heard)


def test_each_program_gets_what_it_asks_for(stub: StubEngine) -> None:
    """Variables go to what stands in front of the entrypoint, files to the keeper behind it."""
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        got.append(take(connection, greetings.VARIABLES))
        connection.send(frame(1, b"of the entrypoint\n"))
        got.append(take(connection))
        connection.send(frame(1, READY_LINE))

    assert told(stub, SECRET, attach) == b"of the entrypoint\n"
    assert b"export A='b'\n" in got[0]
    assert got[1] == b"/run/key\nhunter2\n"


def test_whoever_does_not_hear_the_challenge_gets_nothing(stub: StubEngine) -> None:
    """A program whose stdin goes elsewhere is no program of ours."""
    spec = replace(SPEC, files=(FileSpec("/run/key", b"hunter2"),))
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED, frame(1, greetings.asks("job-build", greetings.FILES)))
        line = connection.file.readline()
        connection.send(frame(1, line))
        connection.socket.shutdown(socket.SHUT_WR)
        got.append(line + connection.file.read())

    assert told(stub, spec, attach) == b"(failed)"
    stub.settle()
    assert got[0].startswith(b"files-")
    assert got[0].count(b"\n") == 1


def test_an_entrypoint_that_repeats_its_stdin(stub: StubEngine, mocker: MockerFixture) -> None:
    """It gets one question, which does not come back into the job log, and nothing else."""
    mocker.patch("executor.engine.talk._LEAD_SECONDS", 0.1)
    spec = replace(SPEC, files=(FileSpec("/run/key", b"hunter2"),))
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        got.append(connection.file.readline())
        connection.send(frame(1, got[0]))
        connection.socket.shutdown(socket.SHUT_WR)
        got.append(connection.file.read())

    assert told(stub, spec, attach) == b"(failed)"
    stub.settle()
    assert got == [QUESTION, b""]


def test_a_shell_that_reads_its_stdin_becomes_the_keeper(
    stub: StubEngine, mocker: MockerFixture
) -> None:
    """It answers the question, and gets the program in one line."""
    mocker.patch("executor.engine.talk._LEAD_SECONDS", 0.1)
    spec = replace(SPEC, command=("sh", "-c", "echo 'a'\nprintf '\\n'", "sh"))
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        got.append(connection.file.readline())
        connection.send(frame(1, greetings.reads_commands("job-build")))
        got.append(connection.file.readline())
        take(connection)
        connection.send(frame(1, READY_LINE))

    assert told(stub, spec, attach) == b""
    assert got == [QUESTION, greetings.leading(spec.command)]


def test_a_keeper_of_an_older_version_asks_for_nothing(stub: StubEngine) -> None:
    """A container that an older version made is sent everything at once, as then."""
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        end = connection.file.readline()
        got.extend(connection.file.readline() for _ in range(4))
        connection.send(frame(1, READY_LINE))
        assert got[2] == end

    spec = replace(SPEC, files=(FileSpec("/run/key", b"hunter2"),))

    assert told(stub, spec, attach, asks=False) == b""
    assert got[:2] == [b"/run/key\n", b"hunter2\n"]
    assert got[3] == b"\n"


HOLDS = f"tini\0--\0sh\0-c\0{READY}\0".encode()
DROPPED = b"sleep\x003600\x00"


@pytest.mark.parametrize(
    ("looks", "given_up"),
    [
        ([DROPPED, DROPPED], True),
        ([DROPPED, HOLDS, DROPPED, DROPPED], True),
        ([HOLDS, DROPPED, HOLDS], False),
        ([b"", b""], False),
    ],
)
def test_an_entrypoint_without_the_command_is_given_up(
    stub: StubEngine, mocker: MockerFixture, looks: list[bytes], *, given_up: bool
) -> None:
    """Two looks in a row must find no process that has it; one that has it may be slow."""
    mocker.patch("executor.engine.talk._LEAD_SECONDS", 0.05)
    mocker.patch("executor.engine.talk._PAUSES_SECONDS", (0.05,) * len(looks))
    done = threading.Event()
    left = list(looks)

    def look(connection: Connection, _received: Received) -> None:
        arguments = left.pop(0)
        mark, end = b"\ndind-executor: process\n", b"\ndind-executor: that is all\n"
        connection.send(UPGRADED, frame(1, mark + arguments + end * bool(arguments)))
        if not left:
            done.set()

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        assert done.wait(60)
        if not given_up:
            take(connection)
            connection.send(frame(1, READY_LINE))
        connection.file.read()

    stub.on("POST", "/containers/job-build/exec", http(201, {"Id": "look"}))
    stub.on("POST", "/exec/look/start", look)

    keeper = begun(stub, SPEC, attach)
    if given_up:
        with pytest.raises(UnusableImage, match="dropped the command that it got"):
            keeper.wait(lambda *_: None)
    else:
        keeper.wait(lambda *_: None)

    assert left == []


def test_an_entrypoint_that_goes_on_repeating_is_given_up(
    stub: StubEngine, mocker: MockerFixture
) -> None:
    """Whoever reads our question, prints it and does not answer reads the rest as well."""
    mocker.patch("executor.engine.talk._LEAD_SECONDS", 0.05)
    # enough of them for an entrypoint that is slow to print it
    mocker.patch("executor.engine.talk._PAUSES_SECONDS", (0.05,) * 1000)

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        connection.send(frame(1, b"got " + connection.file.readline()))
        connection.file.read()

    keeper = begun(stub, SPEC, attach)
    with pytest.raises(UnusableImage, match="dropped the command that it got"):
        keeper.wait(lambda *_: None)


@pytest.mark.parametrize(
    ("repeated", "passed"),
    [
        (b"hunter22-hunter22\n", b""),
        (b"sh: 1: hunter22-hunter22: not found\n", b"sh: 1: [MASKED]: not found\n"),
        (b"hunter22-hu", b""),
        (b"another line\n", b"another line\n"),
        (b"hunter\n", b"hunter\n"),
    ],
)
def test_what_was_sent_does_not_come_back(stub: StubEngine, repeated: bytes, passed: bytes) -> None:
    """An entrypoint that copies its stdin to the log and hands it on shows no file there."""
    spec = replace(SPEC, files=(FileSpec("/run/key", b"hunter22-hunter22"),))

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        connection.send(frame(2, take(connection).splitlines()[0] + b"\n"))
        connection.send(frame(2, repeated), frame(1, READY_LINE))

    assert told(stub, spec, attach) == b"/run/key\n" + passed
