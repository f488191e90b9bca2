"""The engine's verbs against a stub: pulls, names that are taken, versions of the API."""

from contextlib import suppress
from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.docker import Engine
from executor.errors import (
    EngineRefused,
    EngineUnavailable,
    ResourceExhausted,
    UnsupportedJobOption,
    UnusableImage,
)
from executor.spec import FileSpec, ImageFacts, VolumeSpec
from tests.engine.samples import FRESH, INSPECT, NEW, SIDECAR, SPEC
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
    refusal,
)

# --- versions of the API ----------------------------------------------------------------------


def version(newest: str, oldest: str, engine: str = "27.0.0") -> bytes:
    return http(
        200, {"Version": engine, "ApiVersion": newest, "MinAPIVersion": oldest, "Arch": "amd64"}
    )


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.43", "1.12", "1.43"),
        ("1.47", "1.24", "1.47"),
        ("1.51", "1.24", "1.47"),
        ("1.52", "1.44", "1.47"),
        ("1.55", "1.40", "1.47"),
    ],
)
def test_the_newest_version_that_both_speak(
    stub: StubEngine, newest: str, oldest: str, spoken: str
) -> None:
    """Engines from 20.10 to 29 are asked in words that they know."""
    stub.on("GET", "/version", version(newest, oldest))
    stub.on("GET", INSPECT, http(200, FRESH))
    engine = Engine(stub.api())

    engine.connect()
    engine.image("a")

    assert stub.received[0].path == "/version"
    assert stub.received[1].path.startswith(f"/v{spoken}/")
    assert engine.architecture == "amd64"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (version("1.40", "1.12", "19.03.15"), "19.03.15 at .* speaks API 1.12 to 1.40"),
        (version("1.60", "1.48", "31.0.0"), "31.0.0 at .* speaks API 1.48 to 1.60"),
        (http(200, {}), "unknown"),
        (http(200, b"[]"), "unknown"),
        (refusal(500, "broken"), "unknown"),
        (http(200, b"<html>"), "cut off"),
        (b"", "closed the connection"),
    ],
)
def test_an_engine_that_is_too_old_too_new_or_none(
    stub: StubEngine, answer: bytes, sentence: str
) -> None:
    """The sentence says what it is and what is needed."""
    stub.on("GET", "/version", answer)

    with pytest.raises(EngineUnavailable, match=sentence):
        Engine(stub.api()).connect()


# --- network, volume, containers --------------------------------------------------------------


def test_a_volume_that_cannot_be_made(stub: StubEngine) -> None:
    """A full disk is named as such."""
    stub.on("POST", "/volumes/create", refusal(500, "mkdir: no space left on device"))

    with pytest.raises(ResourceExhausted):
        Engine(stub.api()).ensure_volume(VolumeSpec("job-builds", {}))


@pytest.mark.parametrize(
    ("volume", "options"),
    [
        (VolumeSpec("cache", {"a": "b"}), {"Labels": {"a": "b"}}),
        (
            VolumeSpec("cache", {}, "nfs", {"share": "ci"}),
            {"Labels": {}, "DriverConfig": {"Name": "nfs", "Options": {"share": "ci"}}},
        ),
    ],
)
def test_a_volume_that_is_gone_again_is_made_the_same(
    stub: StubEngine, volume: VolumeSpec, options: dict[str, object]
) -> None:
    """A prune comes between; the engine makes what a container mounts, and by these words."""
    stub.on("POST", "/(volumes|containers)/create", http(201, {"Id": "new"}))
    engine = Engine(stub.api())
    engine.ensure_volume(volume)
    engine.create(replace(SPEC, mounts=(("cache", "/cache"),)), ImageFacts(NEW))

    host = stub.asked("POST", "/containers/create")[0].json()["HostConfig"]
    assert isinstance(host, dict)
    assert host["Mounts"] == [
        {"Type": "volume", "Source": "cache", "Target": "/cache", "VolumeOptions": options}
    ]


def test_what_waits_for_volumes_has_more_time(stub: StubEngine, mocker: MockerFixture) -> None:
    """While the engine deletes a large one, whatever has to do with volumes stands still."""
    send = mocker.spy(Api, "send")
    stub.on("POST", "/", http(201))
    engine = Engine(stub.api())
    engine.ensure_volume(VolumeSpec("cache", {}))
    engine.create(SPEC, ImageFacts(NEW))
    engine.start(replace(SPEC, runs_scripts=False))

    assert [each.kwargs["timeout"] for each in send.call_args_list] == [VOLUME_SECONDS] * 3


def test_a_container_of_the_same_name_is_replaced(stub: StubEngine) -> None:
    """What an earlier attempt left is not what this one wants."""
    stub.on(
        "POST",
        "/containers/create",
        refusal(409, 'Conflict. The container name "/job-build" is already in use'),
        http(201, {"Id": "new"}),
    )
    stub.on("DELETE", "/containers/job-build", http(204))

    Engine(stub.api()).create(SPEC, ImageFacts(NEW))

    assert [each.method for each in stub.received] == ["POST", "DELETE", "POST"]
    assert "force=1" in stub.received[1].path


def test_a_name_that_stays_taken_is_a_refusal(stub: StubEngine) -> None:
    """There is an end to replacing."""
    stub.on("POST", "/containers/create", refusal(409, "already in use"))
    stub.on("DELETE", "/containers/job-build", refusal(500, "device or resource busy"))

    with pytest.raises(EngineRefused, match="already in use"):
        Engine(stub.api()).create(SPEC, ImageFacts(NEW))

    assert len(stub.asked("POST", "/containers/create")) == 2


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "invalid mount path", UnsupportedJobOption),
        (404, "No such image: sha256:abc", EngineRefused),
        (500, "no space left on device", ResourceExhausted),
        (
            400,
            'exec: "sh": executable file not found in $PATH: unknown',
            UnusableImage,
        ),
    ],
)
def test_a_container_that_cannot_be_made(
    stub: StubEngine, status: int, message: str, error: type[Exception]
) -> None:
    """The engine's words decide whose fault it is."""
    stub.on("POST", "/containers/create", refusal(status, message))

    with pytest.raises(error, match="(?s)" + message[:10]):
        Engine(stub.api()).create(SPEC, ImageFacts(NEW))


def test_a_started_container_gets_its_files(stub: StubEngine) -> None:
    """They are sent once it runs, and stdin ends after them."""
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        got.append(connection.file.read())

    stub.on("POST", "/containers/job-dind/attach", attach)
    stub.on("POST", "/containers/job-dind/start", http(204))

    receiver = Engine(stub.api()).start(SIDECAR)
    assert receiver is not None
    receiver.wait(lambda *_: None)
    end = got[0].partition(b"\n")[0]
    assert got == [end + b"\n/certs/server/key.pem\nhunter2\n" + end + b"\n\n"]


@pytest.mark.parametrize("where", ["attach", "start"])
def test_a_container_that_does_not_start(stub: StubEngine, where: str) -> None:
    """Nothing stays open behind it."""
    stub.on("POST", "/containers/job-build/attach", UPGRADED)
    stub.on("POST", "/containers/job-build/start", http(204))
    stub.on(
        "POST",
        f"/containers/job-build/{where}",
        refusal(400, 'runc: exec: "sh": executable file not found in $PATH'),
    )

    with pytest.raises(UnusableImage, match="needs an image with a shell"):
        Engine(stub.api()).start(SPEC)


READY = b"dind-executor: the container is ready\n"


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
        ([frame(1, READY)], []),
        ([frame(1, b"hello\n"), frame(1, READY)], [(1, b"hello\n")]),
        ([frame(1, b"no newline " + READY)], [(1, b"no newline ")]),
        ([frame(1, READY[:9]), frame(1, READY[9:])], []),
        ([frame(2, b"warning\n"), frame(1, READY)], [(2, b"warning\n")]),
        ([frame(1, b"a\nb"), frame(1, b"c\n"), frame(1, READY)], [(1, b"a\n"), (1, b"bc\n")]),
        ([frame(2, b"half a line"), frame(1, READY)], [(2, b"half a line")]),
        (
            [frame(2, b"on stderr"), frame(1, b"on stdout\n"), frame(1, READY)],
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
    """The sentence tells the author how to mend it; what it printed last is in the log."""
    heard: list[tuple[int, bytes]] = []

    with pytest.raises(UnusableImage, match="ended without doing so: end it") as caught:
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
    """Also one that goes on printing is given up."""
    mocker.patch("executor.engine.containers._HANDOVER_SECONDS", 0.3)

    with pytest.raises(UnusableImage, match="did not do so within"):
        started(stub, patience=4.0)
