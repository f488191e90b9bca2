"""Pulls: what comes is what runs, and whose fault it is where nothing comes."""

from urllib.parse import unquote

import pytest
from pytest_mock import MockerFixture

from executor.engine import images as pulling
from executor.engine.docker import Engine
from executor.engine.wire import Reader, read_head
from executor.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    PullInterrupted,
    ResourceExhausted,
)
from executor.spec import ImageFacts, Pull
from tests.engine.samples import DIGEST, FRESH, INSPECT, NEW
from tests.engine.stub import (
    HEAD,
    Connection,
    Received,
    StubEngine,
    chunked,
    endless,
    events,
    http,
    refusal,
)

PULL = "/images/create"


OLD = "sha256:" + "0" * 64


STALE = {"Id": OLD, "RepoDigests": [f"docker@sha256:{'0' * 64}"], "Config": {}}


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


def by_digest(stub: StubEngine) -> list[str]:
    """Return which images the engine was asked for by the digest that came."""
    paths = [unquote(each.path) for each in stub.asked("GET", INSPECT)]
    return [each for each in paths if DIGEST in each]


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
    assert by_digest(stub) == [f"/images/docker@{DIGEST}/json"]


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

    assert by_digest(stub) == [f"/images/{wanted}{DIGEST}/json"]


def test_a_pull_names_image_platform_and_login(stub: StubEngine) -> None:
    """The login goes into a header, and nothing of it stands in the path."""
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
    """A stale image of that name is no substitute: it is not what the job asked for."""
    pulling = Pulling(stub, answer)

    with pytest.raises(ImageUnavailable):
        pulling.pull()

    assert (pulling.attempts, pauses, by_digest(stub)) == (1, [], [])


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
    """Each try comes after a longer pause and has a sentence; then it is the registry's fault."""
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
    """The fault is neither the image's nor the registry's."""
    answer = failing("failed to register layer: write /x: no space left on device")

    with pytest.raises(ResourceExhausted, match="disk of the Docker Engine's host is full"):
        Pulling(stub, answer).pull()

    assert pauses == []


def patiently(reader: Reader) -> tuple[int, dict[str, str]]:
    """Read a head however long it takes: what is short in a test is the time of what follows."""
    reader.deadline = None
    reader.socket.settimeout(60)
    return read_head(reader)


def test_a_registry_that_falls_silent(
    stub: StubEngine, pauses: list[float], mocker: MockerFixture
) -> None:
    """A pull that stalls is broken off and tried again."""
    mocker.patch("executor.engine.images._IDLE_SECONDS", 0.05)
    mocker.patch("executor.engine.streams.read_head", patiently)
    stalled: list[int] = []

    def stall(connection: Connection, _received: Received) -> None:
        connection.send(chunked(b'{"status": "Pulling"}\r\n', end=b""))
        stalled.append(len(connection.file.read()))

    stub.on("POST", PULL, stall)

    with pytest.raises(PullInterrupted, match="the registry did not answer"):
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
    """A prune on the host may be that fast, and the job author has done nothing wrong."""
    stub.on("POST", PULL, PULLED)
    stub.on("GET", INSPECT, refusal(404, "no such image"))

    with pytest.raises(PullInterrupted, match="was pulled, but something removed it"):
        Engine(stub.api()).pull(Pull("docker:dind"), "", lambda _: None)


def test_an_image_that_is_not_there(stub: StubEngine) -> None:
    """The engine has none, so the image is pulled."""
    stub.on("GET", INSPECT, refusal(404, "no such image"))

    assert Engine(stub.api()).image("helper:1") is None


def test_an_image_that_cannot_be_shown(stub: StubEngine) -> None:
    """An error of the engine is no absence."""
    stub.on("GET", INSPECT, refusal(500, "content store broken"))

    with pytest.raises(EngineRefused, match="content store broken"):
        Engine(stub.api()).image("helper:1")


def test_an_event_of_a_pull_without_an_end(stub: StubEngine, mocker: MockerFixture) -> None:
    """An engine may quote a registry, and that may be the author's."""
    mocker.patch.object(pulling, "_ATTEMPTS", 1)
    answer = endless(HEAD + b"\r\n", b'{"error": "' + b"x" * 60000)
    stub.on("POST", "/images/create", answer)

    with pytest.raises(PullInterrupted, match="ended the pull early"):
        pulling.pull_image(stub.api(), Pull("alpine"), "", print)


# --- what came, in place of what -----------------------------------------------------------------

NEWER = events(
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for docker:dind"},
)


@pytest.mark.parametrize(
    ("before", "instead_of"),
    [
        (http(404, {"message": "No such image"}), ""),
        (http(200, {"Id": "sha256:before"}), "sha256:before"),
        (refusal(500, "the store is broken"), None),
        (b"", None),
    ],
)
def test_what_had_the_name_before_a_pull(
    stub: StubEngine, before: bytes, instead_of: str | None
) -> None:
    """Whose the image is depends on it; what nobody knows is not guessed."""
    pulling = Pulling(stub, NEWER)
    stub.on("GET", "/images/docker(:|%3A)dind/json", before)

    assert pulling.pull().instead_of == instead_of


def test_an_image_that_is_up_to_date_did_not_come(stub: StubEngine) -> None:
    """Then nothing is said of what was there before."""
    assert Pulling(stub, PULLED).pull().instead_of is None
