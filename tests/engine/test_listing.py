"""What runs on the engine, and what is there of jobs."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from executor.engine.listing import belongings, running_with
from executor.errors import EngineRefused, EngineUnavailable
from executor.names import LABEL
from tests.engine.stub import StubEngine, http, refusal


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
