"""What runs on the engine, and what is there of jobs."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from executor.engine.listing import belongings, containers, running_with
from executor.errors import EngineRefused, EngineUnavailable
from executor.names import LABEL
from tests.engine.stub import Connection, Received, StubEngine, http, refusal


@pytest.mark.parametrize("source", ["a-volume", "/srv/a dir/ü"])
def test_the_engine_is_asked_for_one_volume(stub: StubEngine, source: str) -> None:
    """Running containers count alone, and the engine's own list is returned."""
    stub.on("GET", "/containers/json", http(200, [{"Id": "a"}]))

    assert running_with(stub.api(), source) == [{"Id": "a"}]

    (asked,) = stub.asked("GET", "/containers/json")
    (filters,) = parse_qs(urlsplit(asked.path).query)["filters"]
    assert json.loads(filters) == {"volume": [source], "status": ["running"]}


@pytest.mark.parametrize("answer", [refusal(500, "no"), http(200, {"message": "no"})])
def test_an_engine_that_does_not_tell(stub: StubEngine, answer: bytes) -> None:
    """Nothing counts as running where the engine does not say what does."""
    stub.on("GET", "/containers/json", answer)

    assert running_with(stub.api(), "a-volume") == []


def test_the_engine_is_asked_for_all_that_runs(stub: StubEngine) -> None:
    """Without a volume everything that runs is listed."""
    stub.on("GET", "/containers/json", http(200, [{"Id": "a"}]))

    assert running_with(stub.api()) == [{"Id": "a"}]

    (asked,) = stub.asked("GET", "/containers/json")
    (filters,) = parse_qs(urlsplit(asked.path).query)["filters"]
    assert json.loads(filters) == {"status": ["running"]}


def test_what_is_there_of_jobs(stub: StubEngine) -> None:
    """One list a kind, of what has a job's label, containers that have ended among it."""
    stub.on("GET", "/containers/json", http(200, [{"Id": "c"}]))
    stub.on("GET", "/networks", http(200, [{"Id": "n"}]))
    stub.on("GET", "/volumes", http(200, {"Volumes": [{"Name": "v"}], "Warnings": None}))

    assert belongings(stub.api()) == [
        ("container", {"Id": "c"}),
        ("network", {"Id": "n"}),
        ("volume", {"Name": "v"}),
    ]

    queries = [parse_qs(urlsplit(each.path).query) for each in stub.received]
    assert [json.loads(each["filters"][0]) for each in queries] == [{"label": [LABEL]}] * 3
    assert queries[0]["all"] == ["1"]


def test_no_job_is_there(stub: StubEngine) -> None:
    """An engine without volumes says null."""
    stub.on("GET", "/", http(200, []))
    stub.on("GET", "/volumes", http(200, {"Volumes": None}))

    assert belongings(stub.api()) == []


@pytest.mark.parametrize("path", ["/containers/json", "/networks", "/volumes"])
@pytest.mark.parametrize(
    "answer",
    [refusal(500, "no"), http(200, {"message": "no"}), http(200, "a"), http(200, [1]), b""],
    ids=["refused", "no list", "text", "no objects", "cut off"],
)
def test_part_of_a_list_is_none(stub: StubEngine, path: str, answer: bytes) -> None:
    """Where one kind is not listed, nothing is known."""
    stub.on("GET", "/", http(200, []))
    stub.on("GET", "/volumes", http(200, {"Volumes": None}))
    stub.on("GET", path, answer)

    with pytest.raises((EngineRefused, EngineUnavailable)):
        belongings(stub.api())


def listing(stub: StubEngine, there: list[dict[str, object]]) -> None:
    """Have the engine list these containers by pages, the newest first."""

    def answer(connection: Connection, received: Received) -> None:
        query = parse_qs(urlsplit(received.path).query)
        behind = json.loads(query["filters"][0]).get("before", [""])[0]
        ids = [each["Id"] for each in there]
        if behind and behind not in ids:
            connection.send(refusal(500, f"no such container {behind}"))
            return
        begin = ids.index(behind) + 1 if behind else 0
        connection.send(http(200, there[begin : begin + int(query["limit"][0])]))

    stub.on("GET", "/containers/json", answer)


def test_containers_are_listed_by_pages(stub: StubEngine) -> None:
    """A busy host has more than come at once."""
    there: list[dict[str, object]] = [{"Id": str(number)} for number in range(450)]
    listing(stub, there)

    assert containers(stub.api(), {"label": ["x"]}) == there
    assert len(stub.received) == 3


def test_images_do_not_keep_their_containers_from_being_listed(stub: StubEngine) -> None:
    """Labels, ports and commands may be megabytes: fewer containers come at once then."""
    there: list[dict[str, object]] = [
        {
            "Id": str(number),
            "Labels": {"a": "x" * 4_000_000},
            "Command": "x" * 1_000_000,
            "Ports": [],
        }
        for number in range(10)
    ]
    listing(stub, there)

    found = containers(stub.api(), {"label": ["x"]})

    assert [each["Id"] for each in found] == [each["Id"] for each in there]
    assert all(set(each) == {"Id", "Labels"} for each in found)


def test_a_container_that_goes_while_others_are_listed(stub: StubEngine) -> None:
    """The list begins anew, and what is gone is not on it."""
    there: list[dict[str, object]] = [{"Id": str(number)} for number in range(300)]
    listing(stub, there)
    gone: list[object] = []

    def first(connection: Connection, _received: Received) -> None:
        connection.send(http(200, there[:200]))
        gone.append(there.pop(199))
        listing(stub, there)

    stub.on("GET", "/containers/json", first)

    assert containers(stub.api(), {}) == there
    assert gone == [{"Id": "199"}]


def test_a_single_container_that_is_too_long(stub: StubEngine) -> None:
    """It is said, and there is no end of tries."""
    listing(stub, [{"Id": "1", "Labels": {"a": "x" * 17_000_000}}])

    with pytest.raises(EngineRefused, match="what it says of a single one is too long"):
        containers(stub.api(), {})
