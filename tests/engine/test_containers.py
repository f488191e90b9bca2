"""How containers are created and started."""

import pytest

from executor.engine.docker import Engine
from executor.errors import (
    EngineRefused,
    ResourceExhausted,
    UnsupportedJobOption,
    UnusableImage,
)
from executor.shell.greetings import has_all
from executor.spec import ImageFacts
from tests.engine.greeting import take
from tests.engine.samples import NEW, SIDECAR, SPEC
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    frame,
    http,
    refusal,
)


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
    """A container is replaced once, and then the refusal counts."""
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
    """They are sent once its program has asked for them and heard the challenge."""
    got: list[bytes] = []

    def attach(connection: Connection, _received: Received) -> None:
        connection.send(UPGRADED)
        got.append(take(connection, name="job-dind"))
        connection.send(frame(1, has_all("job-dind")))
        got.append(connection.file.read())

    stub.on("POST", "/containers/job-dind/attach", attach)
    stub.on("POST", "/containers/job-dind/start", http(204))

    receiver = Engine(stub.api()).start(SIDECAR)
    assert receiver is not None
    receiver.wait(lambda *_: None)
    stub.settle()
    assert got == [b"/certs/server/key.pem\nhunter2\n", b""]


@pytest.mark.parametrize("where", ["attach", "start"])
def test_a_container_that_does_not_start(stub: StubEngine, where: str) -> None:
    """The refused connection is closed."""
    stub.on("POST", "/containers/job-build/attach", UPGRADED)
    stub.on("POST", "/containers/job-build/start", http(204))
    stub.on(
        "POST",
        f"/containers/job-build/{where}",
        refusal(400, 'runc: exec: "sh": executable file not found in $PATH'),
    )

    with pytest.raises(UnusableImage, match="Use an image with a shell"):
        Engine(stub.api()).start(SPEC)
