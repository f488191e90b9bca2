"""What an engine says of itself, whichever it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engine.description import describe, manifest_refusal
from executor.errors import EngineUnavailable
from tests.engine.stub import StubEngine, http, refusal, stub_engine
from tests.patience import LONGEST_SECONDS


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[StubEngine]:
    """Return an engine that has told nothing yet."""
    with stub_engine(tmp_path) as stub:
        yield stub


def test_an_engine_of_any_version_is_described(engine: StubEngine) -> None:
    """No version of the API is agreed on: one that is too old describes itself as well."""
    engine.on("GET", "^/version$", http(200, {"ApiVersion": "1.24"}))
    engine.on("GET", "^/info$", http(200, {"Driver": "vfs"}))
    engine.on("GET", "^/networks$", http(200, [{"Name": "bridge"}]))
    engine.on("GET", "^/containers/json$", http(200, [{"Id": "a"}]))

    told = describe(engine.host, "", tls_verify=False, seconds=LONGEST_SECONDS)

    assert told.version == {"ApiVersion": "1.24"}
    assert told.info == {"Driver": "vfs"}
    assert told.networks == [{"Name": "bridge"}]
    assert told.containers == [{"Id": "a"}]
    assert not told.problem


def test_what_an_engine_refuses_is_empty(engine: StubEngine) -> None:
    """A refused question leaves the other answers."""
    engine.on("GET", "^/version$", http(200, {}))
    engine.on("GET", "^/info$", refusal(500, "broken"))

    told = describe(engine.host, "", tls_verify=False, seconds=LONGEST_SECONDS)

    assert told == ({}, {}, [], [], "")


def test_what_is_no_engine_is_said(engine: StubEngine, tmp_path: Path) -> None:
    """Neither a server of another kind nor a missing socket raises anything."""
    told = describe(engine.host, "", tls_verify=False, seconds=LONGEST_SECONDS)
    assert "does not answer as a Docker Engine" in told.problem

    told = describe(f"unix://{tmp_path}/none", "", tls_verify=False, seconds=LONGEST_SECONDS)
    assert "cannot be reached" in told.problem


def test_a_manifest_is_asked_for_with_a_login(engine: StubEngine) -> None:
    """The login goes in a header, and the registry's refusal comes back in its words."""
    engine.on("GET", "/distribution/", http(200, {}), refusal(404, "manifest unknown\nmore"))
    where = (engine.host, "", False)

    assert manifest_refusal(where, "a.example:5000/b@sha256:1", "bG9naW4=", 5) == ""
    assert manifest_refusal(where, "b:1", "", 5) == "manifest unknown"
    first, second = engine.received
    assert first.path == "/distribution/a.example:5000/b@sha256:1/json"
    assert first.headers["x-registry-auth"] == "bG9naW4="
    assert "x-registry-auth" not in second.headers


def test_an_engine_that_is_away_cannot_ask(tmp_path: Path) -> None:
    """Nothing is known of a registry then."""
    with pytest.raises(EngineUnavailable):
        manifest_refusal((f"unix://{tmp_path}/none", "", False), "b:1", "", 5)
