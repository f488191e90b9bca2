"""Removal at a stub, for faults that a real engine cannot be made to show."""

import threading
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine import removal
from executor.engine.api import VOLUME_SECONDS, Api
from executor.engine.removal import PATIENCE_SECONDS, Objects, Removal, remove_all
from executor.log import AdministratorLog
from executor.names import JobNames
from tests.engine.stub import Answer, Connection, Received, StubEngine, http, refusal
from tests.engine.test_leaving import on
from tests.patience import LONGEST_SECONDS

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
        stub.on("GET", "/containers/ours/json", on("net"))
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
            listed = {"Id": id_, "Names": [f"/the-name-of-{id_}"]}
            connection.send(http(200, [listed] if path in self.there else []))

        return answer

    def _remove(self, connection: Connection, received: Received) -> None:
        self.there.discard(received.path.partition("?")[0])
        connection.send(http(204))


def removed(
    stub: StubEngine, directory: Path, patience_seconds: float = PATIENCE_SECONDS
) -> list[str]:
    """Remove what is the job's; return what is left."""
    log = AdministratorLog("cleanup")
    log.open(f"file:{directory}/operator.log", 1, 2)
    removal = Removal(NAMES, log)
    removal.patience_seconds = patience_seconds
    left = remove_all(stub.api(), removal)
    log.close("success")
    return left


@pytest.fixture(autouse=True)
def no_pauses(mocker: MockerFixture) -> None:
    mocker.patch.object(removal, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def belongings(stub: StubEngine) -> Belongings:
    return Belongings(stub)


def test_whoever_is_on_the_network_is_taken_off(belongings: Belongings, tmp_path: Path) -> None:
    """Containers go off the network by their id; only the job's own are removed."""
    assert removed(belongings.stub, tmp_path) == []
    assert belongings.disconnected() == ["ours", "theirs"]
    deleted = {each.path.partition("?")[0] for each in belongings.stub.asked("DELETE", "/")}
    assert deleted == {"/containers/ours", "/networks/net"}


def test_nothing_waits_that_need_not(belongings: Belongings, tmp_path: Path) -> None:
    """A container goes while another is still taken off the network, and the network goes after both."""
    stub, is_gone, order = belongings.stub, threading.Event(), []

    def disconnect(connection: Connection, received: Received) -> None:
        if received.json()["Container"] == "theirs":
            assert is_gone.wait(LONGEST_SECONDS)
        order.append("off")
        connection.send(http(200))

    def remove(connection: Connection, received: Received) -> None:
        path = received.path.partition("?")[0]
        order.append(path)
        belongings.there.discard(path)
        is_gone.set()
        connection.send(http(204))

    stub.on("POST", "/networks/net/disconnect", disconnect)
    stub.on("DELETE", "/", remove)
    assert removed(stub, tmp_path) == []
    assert order == ["off", "/containers/ours", "off", "/networks/net"]


def test_volumes_go_while_the_network_goes(belongings: Belongings, tmp_path: Path) -> None:
    """Only containers have them, and a network takes the longest."""
    belongings.have_a_volume()
    stub, is_gone = belongings.stub, threading.Event()

    def remove(connection: Connection, received: Received) -> None:
        path = received.path.partition("?")[0]
        if path == "/networks/net":
            assert is_gone.wait(LONGEST_SECONDS)
        belongings.there.discard(path)
        if path == "/volumes/data":
            assert "/containers/ours" not in belongings.there
            is_gone.set()
        connection.send(http(204))

    stub.on("DELETE", "/", remove)
    assert removed(stub, tmp_path) == []
    assert belongings.there == set()


def test_an_end_without_its_container_is_taken_off_by_name(
    belongings: Belongings, tmp_path: Path
) -> None:
    """The engine finds it by nothing else, and would keep the network for ever."""
    ends = {"ep-0f1e": {"Name": "the-dead-one"}, "ours": {"Name": "ours"}}
    belongings.stub.on("GET", "/networks/net$", http(200, {"Containers": ends}))
    assert removed(belongings.stub, tmp_path) == []
    assert belongings.disconnected() == ["ours", "the-dead-one"]


def test_whoever_has_left_is_not_taken_off(belongings: Belongings, tmp_path: Path) -> None:
    """The engine logs an error for each; and while one leaves, it lists its end by its name."""
    ends = {"ep-0f1e": {"Name": "the-name-of-ours"}, "ours": {"Name": "the-name-of-ours"}}
    belongings.stub.on("GET", "/networks/net$", http(200, {"Containers": ends}))
    belongings.stub.on("GET", "/containers/ours/json", on("net", ""))
    assert removed(belongings.stub, tmp_path) == []
    assert belongings.disconnected() == []
    assert belongings.there == set()


def test_whoever_is_leaving_is_waited_for(belongings: Belongings, tmp_path: Path) -> None:
    """The engine tells of a container once it is off; only then it goes, and the network."""
    order: list[str] = []

    def tell(connection: Connection, _received: Received) -> None:
        assert not belongings.stub.asked("DELETE", "/")
        order.append("off")
        connection.send(on("net", ""))

    def remove(connection: Connection, received: Received) -> None:
        order.append("gone")
        belongings.there.discard(received.path.partition("?")[0])
        connection.send(http(204))

    belongings.stub.on("GET", "/containers/ours/json", tell)
    belongings.stub.on("DELETE", "/", remove)
    assert removed(belongings.stub, tmp_path) == []
    assert order == ["off", "gone", "gone"]


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/networks/net$", refusal(500, "inspection fails")),
        ("GET", "/networks/net$", b""),
        ("GET", "/networks/net$", http(200, {"Containers": None})),
        ("GET", "/containers/ours/json", b""),
        ("GET", "/containers/ours/json", http(200, [])),
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
def test_what_cannot_be_removed_is_told(belongings: Belongings, tmp_path: Path, path: str) -> None:
    """The reason is in the engine's words, and everything else is removed."""
    everything = {"/containers/ours", "/networks/net", "/volumes/data"}
    belongings.have_a_volume()
    belongings.stub.on("DELETE", path, refusal(500, "the device is busy"))
    assert removed(belongings.stub, tmp_path, 0) == ["the device is busy"]
    assert belongings.there == {path}
    assert '"error": "the device is busy"' in (tmp_path / "operator.log").read_text()
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


LISTINGS = ["/containers/json", r"/networks\?", "/volumes"]


@pytest.mark.parametrize("answer", [b"", refusal(503, "starting up")])
def test_an_engine_that_comes_back_is_waited_for(
    belongings: Belongings, tmp_path: Path, answer: bytes
) -> None:
    """It broke the jobs by its restart, and cleanup is called but once."""
    belongings.have_a_volume()
    stub = belongings.stub
    for path in LISTINGS:
        there = stub.choose(Received("GET", path.replace("\\", ""), {}, b""))
        stub.on("GET", path, answer, answer, answer, there)
    assert removed(stub, tmp_path) == []
    assert belongings.there == set()


def test_an_engine_that_stays_away_is_told_once(belongings: Belongings, tmp_path: Path) -> None:
    """Each question has the same answer."""
    for path in LISTINGS:
        belongings.stub.on("GET", path, b"")
    belongings.stub.on("DELETE", "/", b"")
    (told,) = removed(belongings.stub, tmp_path, 0)
    assert told.startswith("The Docker Engine at")
    # Where prepare has made nothing, one look is enough; it may take minutes if the engine hangs.
    assert len(belongings.stub.asked("GET", "/")) == len(LISTINGS)
    assert not belongings.stub.asked("DELETE", "/")


@pytest.mark.parametrize(
    ("listing", "kept"),
    [
        ("/containers/json", {"/containers/ours"}),
        (r"/networks\?", {"/networks/net"}),
        ("/volumes", {"/volumes/data"}),
    ],
)
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refusal(500, "a plugin does not answer"), "a plugin does not answer"),
        (http(200, {"message": "no"}), "its list cannot be read"),
    ],
    ids=["refused", "unreadable"],
)
def test_a_list_that_fails_keeps_nothing_else_alive(
    belongings: Belongings, tmp_path: Path, listing: str, kept: set[str], answer: bytes, why: str
) -> None:
    """Each kind of object is looked for by itself."""
    belongings.have_a_volume()
    belongings.stub.on("GET", listing, answer)
    (told,) = removed(belongings.stub, tmp_path, 0)
    assert told == f"The Docker Engine cannot list the job's objects: {why}"
    assert belongings.there == kept


def refused(stub: StubEngine, reason: str) -> "tuple[list[str], list[Objects]]":
    """Remove what is the job's unless there is a reason; return what is left and what was asked."""
    asked: list[Objects] = []

    def refusal_of(objects: Objects) -> str:
        asked.append(objects)
        return reason

    removal_ = Removal(NAMES, AdministratorLog("sweep"))
    removal_.refusal = refusal_of
    return remove_all(stub.api(), removal_), asked


def test_objects_that_may_not_be_removed(belongings: Belongings) -> None:
    """Whoever removes may refuse by what is there at the last moment; then all of it stays."""
    belongings.have_a_volume()

    left, asked = refused(belongings.stub, "somebody else's")

    assert left == ["somebody else's"]
    assert [
        [(kind, each.get("Id", each.get("Name"))) for kind, each in objects] for objects in asked
    ] == [[("container", "ours"), ("network", "net"), ("volume", "data")]]
    assert not belongings.stub.asked("DELETE", "/")


def test_each_look_is_asked_about(belongings: Belongings) -> None:
    """What may be removed is removed, and the look that finds nothing any more is asked about too."""
    left, asked = refused(belongings.stub, "")

    assert left == []
    assert belongings.there == set()
    assert [len(each) for each in asked] == [2, 0]


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize(
    "answer", [refusal(500, "a plugin does not answer"), http(200, [None]), b""]
)
def test_a_list_that_fails_keeps_all_where_somebody_may_refuse(
    belongings: Belongings, listing: str, answer: bytes
) -> None:
    """Nothing is removed by part of what is there, and nobody waits for the rest."""
    belongings.stub.on("GET", listing, answer)

    (told,), asked = refused(belongings.stub, "")

    assert "The Docker Engine" in told
    assert asked == []
    assert not belongings.stub.asked("DELETE", "/")


def test_volumes_that_every_job_has_need_no_list(belongings: Belongings, tmp_path: Path) -> None:
    """Volumes are waited for the longest, as they are the largest."""
    belongings.stub.on("GET", "/volumes", refusal(500, "a plugin does not answer"))
    mine = {f"/volumes/{NAMES.builds_volume}", f"/volumes/{NAMES.docker_volume}"}
    belongings.there |= mine
    removed(belongings.stub, tmp_path, 0)
    assert not belongings.there & mine


def test_containers_do_not_wait_for_the_list_of_volumes(
    belongings: Belongings, tmp_path: Path
) -> None:
    """That comes when the engine has deleted some other job's volume, and not before."""
    in_time: list[bool] = []
    gone = threading.Event()

    def list_late(connection: Connection, _received: Received) -> None:
        in_time.append(gone.wait(LONGEST_SECONDS))
        connection.send(http(200, {"Volumes": None}))

    def remove(connection: Connection, _received: Received) -> None:
        belongings.there.discard("/containers/ours")
        gone.set()
        connection.send(http(204))

    belongings.stub.on("GET", "/volumes", list_late)
    belongings.stub.on("DELETE", "/containers/ours", remove)
    assert removed(belongings.stub, tmp_path) == []
    assert all(in_time)


def test_a_removal_that_somebody_else_has_begun_is_waited_for(
    belongings: Belongings, tmp_path: Path
) -> None:
    """The removal takes the volumes that the container still uses."""
    belongings.have_a_volume()
    attempts: list[str] = []
    stub = belongings.stub

    def going_on(connection: Connection, received: Received) -> None:
        attempts.append(received.path)
        if len(attempts) > 8:
            belongings.there.discard("/containers/ours")
        connection.send(refusal(409, "removal of container ours is already in progress"))

    def in_use(connection: Connection, _received: Received) -> None:
        if "/containers/ours" in belongings.there:
            connection.send(refusal(409, "volume is in use"))
        else:
            belongings.there.discard("/volumes/data")
            connection.send(http(204))

    stub.on("DELETE", "/containers/ours", going_on)
    stub.on("DELETE", "/volumes/data", in_use)
    assert removed(stub, tmp_path) == []
    assert belongings.there == set()


def test_what_is_waited_for_in_vain_is_named(belongings: Belongings, tmp_path: Path) -> None:
    """Whoever removes the container may hang."""
    told = "removal of container ours is already in progress"
    belongings.stub.on("DELETE", "/containers/ours", refusal(409, told))
    assert removed(belongings.stub, tmp_path, 0) == [told]


def test_what_appears_again_and_again(belongings: Belongings, tmp_path: Path) -> None:
    """The rounds come to an end."""
    belongings.stub.on("DELETE", "/", http(204))
    assert removed(belongings.stub, tmp_path) == [
        ("new objects keep appearing while cleanup removes them")
    ]


def test_what_waits_for_volumes_has_more_time(
    belongings: Belongings, tmp_path: Path, mocker: MockerFixture
) -> None:
    """Listing and removing them takes long, and so does removing a container with its own."""
    belongings.have_a_volume()
    send = mocker.spy(Api, "send")
    removed(belongings.stub, tmp_path)
    patient = {
        (each.args[1], each.args[2].partition("?")[0])
        for each in send.call_args_list
        if each.kwargs.get("timeout") == VOLUME_SECONDS
    }
    assert {
        ("GET", "/volumes"),
        ("DELETE", "/volumes/data"),
        ("DELETE", "/containers/ours"),
    } <= patient
