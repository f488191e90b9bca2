"""Who a job belongs to, noted for those who look when its gitlab-runner is gone."""

from pathlib import Path

import pytest

from executor.notation.owner import parse_note
from executor.runner import notes
from executor.stages.owner import in_container, leave_owner
from tests.builders import BELONGING
from tests.engine.stub import StubEngine, http, refusal

OWN, OTHER = "c" * 64, "0a" * 32
STARTED = "2026-01-01T12:00:00.123456789Z"
LIST, INSPECT = "/containers/json", f"/containers/{OWN}/json"


def a_list(*containers: tuple[str, str]) -> bytes:
    """Return the engine's list of running containers with these ids and network modes."""
    return http(
        200, [{"Id": name, "HostConfig": {"NetworkMode": mode}} for name, mode in containers]
    )


def test_the_note_says_what_the_labels_say(tmp_path: Path) -> None:
    """prepare brings up to date what config has left."""
    belonging = BELONGING._replace(temp_dir=str(tmp_path))
    for each in (belonging, belonging._replace(container="c@t")):
        leave_owner(each)

        assert parse_note((tmp_path / notes.OWNER).read_bytes()) == each


@pytest.mark.parametrize("directory", ["", "/nowhere/at/all"])
def test_without_a_place_there_is_no_note(directory: str) -> None:
    """Nothing fails for that."""
    leave_owner(BELONGING._replace(temp_dir=directory))

    assert not Path("/", notes.OWNER).exists()


def test_a_runner_in_a_container_of_the_engine(stub: StubEngine) -> None:
    """The engine says that it runs, and since when."""
    stub.on("GET", LIST, a_list((OTHER, "host"), (OWN, "default")))
    stub.on("GET", INSPECT, http(200, {"State": {"StartedAt": STARTED}}))

    found = in_container(stub.engine(), BELONGING, OWN)

    assert found == BELONGING._replace(container=f"{OWN}@{STARTED}")


@pytest.mark.parametrize(
    "listed",
    [
        # another engine's
        a_list((OTHER, "default")),
        # a container that shares its network has its files, and may be the one that this is
        a_list((OWN, "default"), (OTHER, f"container:{OWN}")),
        a_list(),
        refusal(403, "forbidden by the socket's proxy"),
        http(200, [{}, {"Id": OTHER, "HostConfig": None}]),
    ],
)
def test_a_container_that_is_not_certainly_ours(stub: StubEngine, listed: bytes) -> None:
    """None is named: its end would be taken for gitlab-runner's."""
    stub.on("GET", LIST, listed)

    assert in_container(stub.engine(), BELONGING, OWN) is BELONGING
    assert stub.asked("GET", INSPECT) == []


@pytest.mark.parametrize("answer", [refusal(404, "none"), http(200, {}), http(200, {"State": 1})])
def test_a_container_of_unknown_age(stub: StubEngine, answer: bytes) -> None:
    """Without the time of its start, a later start could not be told from it."""
    stub.on("GET", LIST, a_list((OWN, "default")))
    stub.on("GET", INSPECT, answer)

    assert in_container(stub.engine(), BELONGING, OWN) is BELONGING


def test_elsewhere_the_engine_is_not_asked(stub: StubEngine) -> None:
    """Most runners are in no container, and pay nothing for those that are."""
    assert in_container(stub.engine(), BELONGING, "") is BELONGING
    assert stub.received == []
