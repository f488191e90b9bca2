"""What jobs have claimed: seen by all who share the engine, and had by one alone."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from executor.budgets.claims import claim, claimed, of_image, of_volume, uses
from executor.names import LABEL
from executor.notation.claims import CLAIM_LABEL, CLAIM_PREFIX
from tests.engine.stub import Connection, Received, StubEngine, http

THING = of_volume("a")
Labels = Mapping[str, object]


class Volumes:
    """The volumes of an engine, which makes a name once."""

    def __init__(self, stub: StubEngine) -> None:
        self.stub = stub
        self.there: dict[str, object] = {}
        self._unread: set[str] = set()
        self._lock = threading.Lock()
        stub.on("POST", "/volumes/create", self._create)
        stub.on("GET", "/volumes/", self._inspect)
        stub.on("DELETE", "/volumes/", self._remove)

    def claim(self, key: str, is_over: Callable[[Labels], bool] = lambda _: False) -> str:
        """Claim the thing for a job."""
        return claim(self.stub.engine().kept, THING, {LABEL: key}, is_over)

    def place(self, number: int) -> str:
        """Return the name of a place."""
        return f"{CLAIM_PREFIX}{THING}-{number}"

    def holders(self) -> list[object]:
        """Return who has which place."""
        labels = [self.there.get(self.place(each)) for each in range(2)]
        return [each[LABEL] if isinstance(each, dict) else None for each in labels]

    def restart(self) -> None:
        """Be an engine that begins anew: it tells no labels of a name that it is asked to make again.

        It does so once it was asked for the volume itself.  Docker 20.10 to 29 are like that.
        """
        self._unread.update(self.there)

    def _create(self, connection: Connection, received: Received) -> None:
        asked = received.json()
        name = str(asked["Name"])
        with self._lock:
            labels = self.there.setdefault(name, asked["Labels"])
        connection.send(http(201, {"Labels": None if name in self._unread else labels}))

    def _inspect(self, connection: Connection, received: Received) -> None:
        self._unread.discard(_name(received))
        labels = self.there.get(_name(received))
        connection.send(http(200, {"Labels": labels}) if labels else http(404, {"message": ""}))

    def gone(self, connection: Connection, received: Received) -> None:
        """Answer that a volume is not there, as another job has removed it."""
        self.there.pop(_name(received), None)
        self._unread.discard(_name(received))
        connection.send(http(404, {"message": ""}))

    def _remove(self, connection: Connection, received: Received) -> None:
        self.there.pop(_name(received), None)
        connection.send(http(204))


def _name(received: Received) -> str:
    return unquote(received.path.rpartition("/")[2])


@pytest.fixture
def volumes(stub: StubEngine) -> Volumes:
    return Volumes(stub)


def dead(*keys: str) -> Callable[[Labels], bool]:
    """Return what knows these jobs to be dead."""
    return lambda labels: labels.get(LABEL) in keys


def test_the_first_one_has_it(volumes: Volumes) -> None:
    """The next one hears who that is, and leaves nothing."""
    assert volumes.claim("1-a") == ""
    assert volumes.claim("2-b") == "1-a"
    assert volumes.holders() == ["1-a", None]


def test_a_second_attempt_has_it_still(volumes: Volumes) -> None:
    """prepare is tried three times."""
    assert [volumes.claim("1-a"), volumes.claim("1-a")] == ["", ""]


def test_a_claim_says_whose_it_is(volumes: Volumes) -> None:
    """It has the labels of the job, and what is claimed."""
    volumes.claim("1-a")

    assert volumes.there == {volumes.place(0): {LABEL: "1-a", CLAIM_LABEL: THING}}


def test_a_claim_counts_after_a_restart_of_the_engine(volumes: Volumes) -> None:
    """Neither another job nor a second attempt is wrong about it."""
    volumes.claim("1-a")
    volumes.restart()
    assert volumes.claim("2-b") == "1-a"

    volumes.restart()
    assert volumes.claim("1-a") == ""
    assert volumes.holders() == ["1-a", None]


def test_a_claim_that_goes_after_a_restart_of_the_engine(volumes: Volumes) -> None:
    """Whoever asks when it has just gone has one that is there."""
    volumes.claim("1-a")
    volumes.restart()
    volumes.stub.on("GET", "/volumes/", volumes.gone)

    assert volumes.claim("2-b") == ""
    assert volumes.holders() == ["2-b", None]


def test_a_dead_claimant_holds_nobody_up(volumes: Volumes) -> None:
    """The next one has the second place, and whoever comes then hears of that one."""
    volumes.claim("1-a")

    assert volumes.claim("2-b", dead("1-a")) == ""
    assert volumes.claim("3-c", dead("1-a")) == "2-b"
    assert volumes.holders() == ["1-a", "2-b"]


def test_the_second_place_counts_when_the_first_is_swept(volumes: Volumes) -> None:
    """Whoever finds the first one free gives it back."""
    volumes.claim("1-a")
    volumes.claim("2-b", dead("1-a"))
    del volumes.there[volumes.place(0)]

    assert volumes.claim("3-c", dead("1-a")) == "2-b"
    assert volumes.holders() == [None, "2-b"]


def test_two_dead_claimants_are_left_to_the_sweep(volumes: Volumes) -> None:
    """This job clones; the next one finds both places clear."""
    volumes.claim("1-a")
    volumes.claim("2-b", dead("1-a"))

    assert volumes.claim("3-c", dead("1-a", "2-b")) == "2-b"

    del volumes.there[volumes.place(0)]
    assert volumes.claim("4-d", dead("1-a", "2-b")) == ""


@pytest.mark.parametrize("has_died", [False, True] * 10)
def test_of_many_at_once_one_has_it(volumes: Volumes, has_died: bool) -> None:  # noqa: FBT001
    """Also where the one before has died."""
    over = dead("0-dead")
    if has_died:
        volumes.claim("0-dead")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: volumes.claim(f"{each}-x", over), range(1, 9)))

    assert found.count("") == 1
    assert {each for each in found if each} == {f"{found.index('') + 1}-x"}


def test_an_engine_that_does_not_tell_the_labels(stub: StubEngine) -> None:
    """The claim counts as made."""
    stub.on("POST", "/volumes/create", http(201, {"Name": "x"}))
    stub.on("GET", "/volumes/", http(404, {"message": ""}))

    assert claim(stub.engine().kept, THING, {LABEL: "1-a"}, lambda _: False) == ""


def test_what_is_claimed_in_either_way() -> None:
    """By the labels of all volumes, whoever's they are."""
    listed: list[dict[str, object]] = [
        {"Labels": {CLAIM_LABEL: "one"}},
        {"Labels": uses(["two", "three", "two"])},
        {"Labels": uses([])},
        {"Labels": None},
        {},
    ]

    assert claimed(listed) == {"one", "two", "three"}


def test_what_stands_for_a_thing() -> None:
    """All spellings of an image are one; a volume of its name is another thing."""
    assert of_image("alpine") == of_image("docker.io/library/alpine:latest")
    assert of_image("alpine") != of_volume("alpine")
    assert len(of_volume("x" * 1000)) == 16
