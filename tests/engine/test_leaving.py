"""Taking containers off a network, at a stub."""

import pytest

from executor.engine import leaving
from tests.engine.stub import StubEngine, http, refusal


def on(network: str, end: str = "end") -> bytes:
    """Return what the engine tells of a container with one network."""
    networks = {"its-name": {"NetworkID": network, "EndpointID": end}}
    return http(200, {"NetworkSettings": {"Networks": networks}})


@pytest.mark.parametrize(
    ("told", "times"),
    [
        (on("net"), 1),
        (refusal(500, "the layer is nil"), 1),
        (on("another"), 0),
        (on("net", ""), 0),
        (http(200, {"NetworkSettings": {"Networks": {}}}), 0),
        (http(200, []), 0),
        (refusal(404, "no such container"), 0),
        (b"", 0),
    ],
    ids=["on it", "untold", "on another", "ended", "on none", "unreadable", "gone", "no answer"],
)
def test_whoever_is_on_the_network_is_taken_off(stub: StubEngine, told: bytes, times: int) -> None:
    """And nobody else: the engine would log an error."""
    stub.on("GET", "/containers/ours/json", told)
    stub.on("POST", "/networks/net/disconnect", http(200))

    leaving.departure(stub.api(), "net", "ours")()

    asked = [each.json() for each in stub.asked("POST", "/networks/net/disconnect")]
    assert asked == [{"Container": "ours", "Force": True}] * times


@pytest.mark.parametrize("answer", [refusal(500, "not connected"), b""])
def test_whoever_cannot_be_taken_off_stays(stub: StubEngine, answer: bytes) -> None:
    """The network's own removal tells."""
    stub.on("POST", "/networks/net/disconnect", answer)

    leaving.disconnection(stub.api(), "net", "theirs")()

    assert stub.asked("POST", "/networks/net/disconnect")
