"""The engine's verbs against a stub: pulls, names that are taken, versions of the API."""

import json
from contextlib import suppress
from dataclasses import replace
from urllib.parse import unquote

import pytest
from pytest_mock import MockerFixture

from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.docker import Engine
from executor.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    PullInterrupted,
    ResourceExhausted,
    UnsupportedJobOption,
    UnusableImage,
)
from executor.spec import ContainerSpec, FileSpec, ImageFacts, Pull, VolumeSpec
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    chunked,
    events,
    frame,
    http,
    refusal,
)

PULL = "/images/create"
INSPECT = "/images/.*/json"
NEW = "sha256:" + "a" * 64
OLD = "sha256:" + "0" * 64
DIGEST = "sha256:" + "d" * 64
STALE = {"Id": OLD, "RepoDigests": [f"docker@sha256:{'0' * 64}"], "Config": {}}
FRESH = {
    "Id": NEW,
    "RepoDigests": [f"other@{DIGEST}", f"docker@{DIGEST}"],
    "Config": {
        "Entrypoint": ["dockerd-entrypoint.sh"],
        "Cmd": None,
        "ExposedPorts": {"2376/tcp": {}},
        "Volumes": {"/var/lib/docker": {}},
    },
}
PULLED = events(
    {"status": "Pulling from library/docker", "id": "dind"},
    {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "x"},
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Image is up to date for docker:dind"},
)


@pytest.fixture
def pauses(mocker: MockerFixture) -> list[float]:
    """Return the pauses that were asked for, none of which is made."""
    asked: list[float] = []
    mocker.patch("executor.engine.images.time.sleep", side_effect=asked.append)
    return asked


def failing(message: str) -> bytes:
    """Return a pull that begins well and ends with an error in the stream."""
    return events(
        {"status": "Pulling from library/docker"},
        {"errorDetail": {"message": message}, "error": message},
    )


class Pulling:
    """An engine with an image, and a pull on it."""

    def __init__(self, stub: StubEngine, *answers: bytes) -> None:
        self.stub = stub
        self.said: list[str] = []
        stub.on("GET", INSPECT, http(200, STALE))
        stub.on("GET", DIGEST, http(200, FRESH))
        stub.on("POST", PULL, *answers)

    def pull(self, image: str = "docker:dind", platform: str = "", auth: str = "") -> ImageFacts:
        return Engine(self.stub.api()).pull(Pull(image, platform), auth, self.said.append)

    @property
    def attempts(self) -> int:
        return len(self.stub.asked("POST", PULL))


def test_what_was_pulled_is_what_runs(stub: StubEngine) -> None:
    """The digest that the registry answered with is inspected, not the tag, which may move."""
    facts = Pulling(stub, PULLED).pull()

    assert facts == ImageFacts(
        id=NEW,
        entrypoint=("dockerd-entrypoint.sh",),
        ports=("2376/tcp",),
        volumes=("/var/lib/docker",),
        digest=f"docker@{DIGEST}",
    )
    (asked,) = stub.asked("GET", INSPECT)
    assert unquote(asked.path) == f"/images/docker@{DIGEST}/json"


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("docker:dind", "docker@"),
        ("registry.example.com:5000/a/b:1", "registry.example.com:5000/a/b@"),
        ("registry.example.com:5000/a/b", "registry.example.com:5000/a/b@"),
        ("a/b:1@sha256:" + "1" * 64, "a/b@"),
    ],
)
def test_the_digest_belongs_to_the_name(stub: StubEngine, image: str, wanted: str) -> None:
    """A tag, a port and an older digest are told apart."""
    Pulling(stub, PULLED).pull(image)

    (asked,) = stub.asked("GET", INSPECT)
    assert unquote(asked.path) == f"/images/{wanted}{DIGEST}/json"


def test_a_pull_names_image_platform_and_login(stub: StubEngine) -> None:
    """And nothing of the login stands in the path."""
    pulling = Pulling(stub, PULLED)

    pulling.pull("registry:5000/a/b:1", platform="linux/arm64", auth="c2VjcmV0")

    (asked,) = stub.asked("POST", PULL)
    assert unquote(asked.path) == (
        "/images/create?fromImage=registry:5000/a/b:1&platform=linux/arm64"
    )
    assert asked.headers["x-registry-auth"] == "c2VjcmV0"


def test_without_a_login_no_login_is_sent(stub: StubEngine) -> None:
    """The engine is not given an empty one to try."""
    Pulling(stub, PULLED).pull()

    assert "x-registry-auth" not in stub.asked("POST", PULL)[0].headers


@pytest.mark.parametrize(
    "answer",
    [
        failing("pull access denied for docker, repository does not exist"),
        # engines from API 1.48 on may leave the old field out
        events({"errorDetail": {"message": "manifest for docker:dind not found"}}),
        events({"error": "unauthorized: authentication required"}),
        refusal(404, "pull access denied for docker"),
        refusal(500, "unauthorized: incorrect username or password"),
        chunked(b'{"errorDetail": {"mess', b'age": "manifest unknown"}}'),
    ],
)
def test_an_error_in_the_stream_is_an_error(
    stub: StubEngine, pauses: list[float], answer: bytes
) -> None:
    """Also where an image of that name is there: a stale one is not what the job asked for."""
    pulling = Pulling(stub, answer)

    with pytest.raises(ImageUnavailable):
        pulling.pull()

    assert (pulling.attempts, pauses, stub.asked("GET", INSPECT)) == (1, [], [])


TRANSIENT = [
    failing("Get https://registry/v2/: dial tcp 10.0.0.1:443: connect: connection refused"),
    failing("net/http: TLS handshake timeout"),
    failing("received unexpected HTTP status: 503 Service Unavailable"),
    failing("toomanyrequests: You have reached your pull rate limit."),
    chunked(b'{"status": "Pulling"}\r\n', end=b""),
    chunked(b'{"status": "Pull'),
]


@pytest.mark.parametrize("answer", TRANSIENT)
def test_a_transient_failure_is_tried_three_times(
    stub: StubEngine, pauses: list[float], answer: bytes
) -> None:
    """With a growing pause and a sentence each time, and then it is the registry's fault."""
    pulling = Pulling(stub, answer)

    with pytest.raises(PullInterrupted):
        pulling.pull()

    assert pulling.attempts == 3
    assert len(pauses) == 2
    assert all(2 <= each <= 8 for each in pauses)
    assert [each.partition(", retrying: ")[0] for each in pulling.said] == [
        'WARNING: Failed to pull image "docker:dind" (attempt #1)',
        'WARNING: Failed to pull image "docker:dind" (attempt #2)',
    ]


@pytest.mark.parametrize("failures", [1, 2])
def test_a_later_attempt_may_succeed(stub: StubEngine, pauses: list[float], failures: int) -> None:
    """What comes then is what runs."""
    pulling = Pulling(stub, *[TRANSIENT[0]] * failures, PULLED)

    assert pulling.pull().id == NEW
    assert (pulling.attempts, len(pauses)) == (failures + 1, failures)


def test_a_transient_failure_may_turn_into_another(stub: StubEngine, pauses: list[float]) -> None:
    """A registry that is back and says no is believed at once."""
    pulling = Pulling(stub, TRANSIENT[0], failing("manifest unknown"))

    with pytest.raises(ImageUnavailable):
        pulling.pull()

    assert (pulling.attempts, len(pauses)) == (2, 1)


def test_a_failure_that_nobody_knows_is_not_tried_again(
    stub: StubEngine, pauses: list[float]
) -> None:
    """It is a system failure: gitlab-runner tries prepare again."""
    pulling = Pulling(stub, failing("something odd"))

    with pytest.raises(PullInterrupted, match="something odd"):
        pulling.pull()

    assert (pulling.attempts, pauses) == (1, [])


def test_a_full_disk_is_the_hosts(stub: StubEngine, pauses: list[float]) -> None:
    """Not the image's, and not the registry's."""
    answer = failing("failed to register layer: write /x: no space left on device")

    with pytest.raises(ResourceExhausted, match="disk of the Docker Engine's host is full"):
        Pulling(stub, answer).pull()

    assert pauses == []


def test_a_registry_that_falls_silent(
    stub: StubEngine, pauses: list[float], mocker: MockerFixture
) -> None:
    """A pull that stalls is broken off and tried again."""
    mocker.patch("executor.engine.images._IDLE_SECONDS", 0.05)
    stalled: list[int] = []

    def stall(connection: Connection, _received: Received) -> None:
        connection.send(chunked(b'{"status": "Pulling"}\r\n', end=b""))
        stalled.append(len(connection.file.read()))

    stub.on("POST", PULL, stall)

    with pytest.raises(PullInterrupted, match="the registry was silent"):
        Engine(stub.api()).pull(Pull("docker:dind"), "", lambda _: None)

    assert len(pauses) == 2
    assert len(stub.asked("POST", PULL)) == 3


def test_an_engine_that_dies_during_a_pull(stub: StubEngine, pauses: list[float]) -> None:
    """A closed connection is the engine's fault, not the registry's."""
    stub.on("POST", PULL, b"")

    with pytest.raises(EngineUnavailable):
        Engine(stub.api()).pull(Pull("docker:dind"), "", lambda _: None)

    assert pauses == []


def test_an_image_that_is_gone_after_its_pull(stub: StubEngine) -> None:
    """A prune on the host may be that fast."""
    stub.on("POST", PULL, PULLED)
    stub.on("GET", INSPECT, refusal(404, "no such image"))

    with pytest.raises(ImageUnavailable, match="was pulled and is gone"):
        Engine(stub.api()).pull(Pull("docker:dind"), "", lambda _: None)


def test_an_image_that_is_not_there(stub: StubEngine) -> None:
    """None, so that it is pulled."""
    stub.on("GET", INSPECT, refusal(404, "no such image"))

    assert Engine(stub.api()).image("helper:1") is None


def test_an_image_that_cannot_be_shown(stub: StubEngine) -> None:
    """An error of the engine is no absence."""
    stub.on("GET", INSPECT, refusal(500, "content store broken"))

    with pytest.raises(EngineRefused, match="content store broken"):
        Engine(stub.api()).image("helper:1")


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

SPEC = ContainerSpec(
    name="job-build",
    image="alpine:3",
    labels={"dind-executor.job": "1"},
    network="job",
    command=("sh",),
    runs_scripts=True,
)
SIDECAR = ContainerSpec(
    name="job-dind",
    image="docker:dind",
    labels={},
    network="job",
    files=(FileSpec("/certs/server/key.pem", b"hunter2"),),
    host={"Privileged": True},
)
DIND = ImageFacts(NEW, ("dockerd-entrypoint.sh",), ("--default",))


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


def created(stub: StubEngine, spec: ContainerSpec, image: ImageFacts) -> dict[str, object]:
    """Return what the engine is asked to create."""
    stub.on("POST", "/containers/create", http(201, {"Id": "new"}))
    Engine(stub.api()).create(spec, image)
    return stub.asked("POST", "/containers/create")[-1].json()


def test_a_container_is_made_from_what_was_pulled(stub: StubEngine) -> None:
    """By id, and it is not privileged unless its spec says so."""
    request = created(stub, SPEC, ImageFacts(NEW))

    assert request["Image"] == NEW
    assert "Entrypoint" not in request
    host = request["HostConfig"]
    assert isinstance(host, dict)
    assert host["Privileged"] is False
    assert host["LogConfig"] == {"Type": "none"}


def test_files_never_stand_in_a_request(stub: StubEngine) -> None:
    """`docker inspect` shows what was asked for; the files come later, through stdin."""
    request = created(stub, SIDECAR, DIND)

    assert "hunter2" not in json.dumps(request)
    assert "key.pem" not in json.dumps(request)
    assert request["OpenStdin"] is True


@pytest.mark.parametrize(
    ("entrypoint", "command", "program"),
    [
        # as the engine puts entrypoint and command of image and request together
        (None, (), ["dockerd-entrypoint.sh", "--default"]),
        (None, ("--mtu=1400",), ["dockerd-entrypoint.sh", "--mtu=1400"]),
        (("dockerd",), (), ["dockerd"]),
        (("dockerd",), ("--debug",), ["dockerd", "--debug"]),
        # an empty entrypoint clears the image's own
        (("",), ("dockerd", "--debug"), ["dockerd", "--debug"]),
    ],
)
def test_a_container_with_files_becomes_its_program(
    stub: StubEngine,
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
    program: list[str],
) -> None:
    """The receiver stands in front of what the engine would have run."""
    spec = ContainerSpec(
        name="job-dind",
        image="docker:dind",
        labels={},
        network="job",
        entrypoint=entrypoint,
        command=command,
        files=SIDECAR.files,
    )

    request = created(stub, spec, DIND)

    started = request["Entrypoint"]
    assert isinstance(started, list)
    assert started[:2] == ["sh", "-c"]
    assert started[3:] == ["sh", *program]
    assert request["Cmd"] is None


def test_a_container_without_a_program_is_the_engines_to_refuse(stub: StubEngine) -> None:
    """An empty entrypoint and no command leave nothing to run: the engine says so, as ever."""
    spec = ContainerSpec("job-dind", "d", {}, "job", entrypoint=("",), files=SIDECAR.files)

    request = created(stub, spec, DIND)

    assert (request["Entrypoint"], request["Cmd"]) == ([""], None)


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
    mocker.patch("executor.engine.docker._HANDOVER_SECONDS", 0.3)

    with pytest.raises(UnusableImage, match="did not do so within"):
        started(stub, patience=4.0)
