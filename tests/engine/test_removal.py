"""Removal at a stub, for faults that a real engine cannot be made to show."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine import removal
from executor.engine.removal import remove_all
from executor.log import OperatorLog
from executor.names import JobNames
from tests.engine.stub import Answer, Connection, Received, StubEngine, http, refusal

NAMES = JobNames("4711-0123456789")


class Belongings:
    """A network with a container of the job's and one of somebody else's, at a stub."""

    def __init__(self, stub: StubEngine) -> None:
        self.stub = stub
        self.there = {"/containers/ours", "/networks/net"}
        stub.on("GET", "/volumes", http(200, {"Volumes": None}))
        stub.on("GET", "/containers/json", self._list("/containers/ours", "ours"))
        stub.on("GET", r"/networks\?", self._list("/networks/net", "net"))
        stub.on("GET", "/networks/net$", http(200, {"Containers": {"theirs": {}, "ours": {}}}))
        stub.on("POST", "/networks/net/disconnect", http(200))
        stub.on("DELETE", "/", self._remove)

    def have_a_volume(self) -> None:
        """Add a volume of the job's own."""
        self.there.add("/volumes/data")

        def answer(connection: Connection, _received: Received) -> None:
            there = [{"Name": "data"}] if "/volumes/data" in self.there else None
            connection.send(http(200, {"Volumes": there}))

        self.stub.on("GET", "/volumes", answer)

    def disconnected(self) -> list[str]:
        """Return which containers were taken off, in the first round."""
        asked = self.stub.asked("POST", "/networks/net/disconnect")
        return sorted(str(each.json()["Container"]) for each in asked[:2])

    def _list(self, path: str, id_: str) -> Answer:
        def answer(connection: Connection, _received: Received) -> None:
            connection.send(http(200, [{"Id": id_}] if path in self.there else []))

        return answer

    def _remove(self, connection: Connection, received: Received) -> None:
        self.there.discard(received.path.partition("?")[0])
        connection.send(http(204))


def removed(stub: StubEngine, directory: Path) -> list[str]:
    """Remove what is the job's; return what is left."""
    log = OperatorLog("cleanup")
    log.open(f"file:{directory}/operator.log", 1, 2)
    return remove_all(stub.api(), NAMES, log)


@pytest.fixture
def belongings(stub: StubEngine) -> Belongings:
    return Belongings(stub)


def test_whoever_is_on_the_network_is_taken_off(belongings: Belongings, tmp_path: Path) -> None:
    """By id, the job's own and others; only the job's own are removed."""
    assert removed(belongings.stub, tmp_path) == []
    assert belongings.disconnected() == ["ours", "theirs"]
    deleted = {each.path.partition("?")[0] for each in belongings.stub.asked("DELETE", "/")}
    assert deleted == {"/containers/ours", "/networks/net"}


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/networks/net$", refusal(500, "inspection fails")),
        ("GET", "/networks/net$", b""),
        ("GET", "/networks/net$", http(200, {"Containers": None})),
        ("POST", "/networks/net/disconnect", refusal(500, "not connected")),
        ("POST", "/networks/net/disconnect", b""),
    ],
)
def test_what_only_prepares_the_removal_may_fail(
    belongings: Belongings, tmp_path: Path, method: str, path: str, answer: bytes
) -> None:
    """The removal itself decides."""
    belongings.stub.on(method, path, answer)
    assert removed(belongings.stub, tmp_path) == []


def test_a_removal_that_fails_is_tried_again(belongings: Belongings, tmp_path: Path) -> None:
    """What keeps a network now may be gone a moment later."""
    stub = belongings.stub
    attempts: list[str] = []

    def busy_once(connection: Connection, received: Received) -> None:
        attempts.append(received.path)
        if len(attempts) == 1:
            connection.send(refusal(403, "network net has active endpoints"))
        else:
            belongings.there.discard("/networks/net")
            connection.send(http(204))

    stub.on("DELETE", "/networks/net", busy_once)
    assert removed(stub, tmp_path) == []
    assert len(attempts) == 2


@pytest.mark.parametrize("path", ["/containers/ours", "/networks/net", "/volumes/data"])
def test_what_cannot_be_removed_is_told(
    belongings: Belongings, tmp_path: Path, mocker: MockerFixture, path: str
) -> None:
    """In the engine's words; it keeps nothing else from being removed."""
    mocker.patch.object(removal, "_PAUSE_SECONDS", 0.0)
    everything = {"/containers/ours", "/networks/net", "/volumes/data"}
    belongings.have_a_volume()
    belongings.stub.on("DELETE", path, refusal(500, "the device is busy"))
    assert removed(belongings.stub, tmp_path) == ["the device is busy"]
    assert belongings.there == {path}
    deleted = {each.path.partition("?")[0] for each in belongings.stub.asked("DELETE", "/")}
    assert deleted == everything


def test_what_is_gone_meanwhile_is_done(belongings: Belongings, tmp_path: Path) -> None:
    """Somebody else was faster."""
    belongings.have_a_volume()

    def gone(connection: Connection, received: Received) -> None:
        belongings.there.discard(received.path.partition("?")[0])
        connection.send(refusal(404, "no such thing"))

    belongings.stub.on("DELETE", "/", gone)
    assert removed(belongings.stub, tmp_path) == []
    assert len(belongings.stub.asked("DELETE", "/")) == 3
