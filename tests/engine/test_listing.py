"""What runs on the engine."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from executor.engine.listing import running_with
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
