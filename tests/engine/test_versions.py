"""Which version of the API is agreed on, and which engines are none for dind-executor."""

import pytest

from executor.engine.docker import Engine
from executor.errors import (
    EngineUnavailable,
)
from tests.engine.samples import FRESH, INSPECT
from tests.engine.stub import (
    StubEngine,
    http,
    refusal,
)


def version(newest: str, oldest: str, engine: str = "27.0.0") -> bytes:
    return http(
        200, {"Version": engine, "ApiVersion": newest, "MinAPIVersion": oldest, "Arch": "amd64"}
    )


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.43", "1.12", "1.43"),
        ("1.47", "1.24", "1.47"),
        ("1.51", "1.24", "1.47"),
        ("1.52", "1.44", "1.47"),
        ("1.55", "1.40", "1.47"),
    ],
)
def test_the_newest_version_that_both_speak(
    stub: StubEngine, newest: str, oldest: str, spoken: str
) -> None:
    """Engines from 20.10 to 29 are asked in words that they know."""
    stub.on("GET", "/version", version(newest, oldest))
    stub.on("GET", INSPECT, http(200, FRESH))
    engine = Engine(stub.api())

    engine.connect()
    engine.image("a")

    assert stub.received[0].path == "/version"
    assert stub.received[1].path.startswith(f"/v{spoken}/")
    assert engine.architecture == "amd64"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (version("1.40", "1.12", "19.03.15"), "19.03.15 at .* speaks API 1.12 to 1.40"),
        (version("1.60", "1.48", "31.0.0"), "31.0.0 at .* speaks API 1.48 to 1.60"),
        (http(200, {}), "unknown"),
        (http(200, b"[]"), "unknown"),
        (refusal(500, "broken"), "unknown"),
        (http(200, b"<html>"), "cut off"),
        (b"", "closed the connection"),
    ],
)
def test_an_engine_that_is_too_old_too_new_or_none(
    stub: StubEngine, answer: bytes, sentence: str
) -> None:
    """The sentence says what it is and what is needed."""
    stub.on("GET", "/version", answer)

    with pytest.raises(EngineUnavailable, match=sentence):
        Engine(stub.api()).connect()
