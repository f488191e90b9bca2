"""How a container ended."""

import pytest

from executor.engine.exits import exited_by_itself, wait_for_exit
from tests.engine.stub import Connection, Received, StubEngine, chunked, events, http, refusal

INSPECT = "/containers/job-build/json"
STATE = {"StartedAt": "2026-01-01T12:00:00.123Z", "FinishedAt": "2026-01-01T12:01:00.123Z"}


def test_the_end_is_waited_for(stub: StubEngine) -> None:
    """The engine is asked to wait before it is asked for the state."""
    stub.on("POST", "/containers/job-build/wait", http(200, {"StatusCode": 3}))
    stub.on("GET", INSPECT, http(200, {"State": {"Running": False, "ExitCode": 3}}))

    state = wait_for_exit(stub.api(), "job-build", 5)

    assert state == {"Running": False, "ExitCode": 3}
    assert [each.method for each in stub.received] == ["POST", "GET"]


def test_a_container_that_runs_on(stub: StubEngine) -> None:
    """The state is returned as it is when the time is over."""

    def silent(connection: Connection, _received: Received) -> None:
        connection.socket.recv(1)

    stub.on("POST", "/wait", silent)
    stub.on("GET", INSPECT, http(200, {"State": {"Running": True}}))

    assert wait_for_exit(stub.api(), "job-build", 0.2) == {"Running": True}


def test_a_container_that_is_gone_has_no_state(stub: StubEngine) -> None:
    """The state is empty, as nobody knows it any more."""
    stub.on("GET", INSPECT, refusal(404, "no such container"))

    assert wait_for_exit(stub.api(), "job-build", 5) == {}


@pytest.mark.parametrize(
    ("found", "by_itself"),
    [(["die"], True), (["kill", "die"], False), (["oom", "die"], False), ([], False)],
)
def test_the_first_event_says_who_ended_it(
    stub: StubEngine, found: list[str], *, by_itself: bool
) -> None:
    """The engine notes a signal or a lack of memory before the end, and forgets in a restart."""
    stub.on("GET", "/events", events(*({"Action": each} for each in found)))

    assert exited_by_itself(stub.api(), "job-build", dict(STATE)) is by_itself

    (asked,) = stub.asked("GET", "/events")
    assert "since=1767268800&until=1767268865&" in asked.path


@pytest.mark.parametrize(
    "answer", [refusal(500, "no"), b"", chunked(b"{\n"), chunked(b'{"Action"', b': "die"}\n')[:-9]]
)
def test_an_engine_that_does_not_tell(stub: StubEngine, answer: bytes) -> None:
    """Without an event that says so, no container has ended by itself."""
    stub.on("GET", "/events", answer)

    assert exited_by_itself(stub.api(), "job-build", dict(STATE)) is False


@pytest.mark.parametrize("state", [{}, {**STATE, "FinishedAt": "soon"}])
def test_a_state_without_times(stub: StubEngine, state: dict[str, object]) -> None:
    """The engine is not asked where its own times make no question."""
    assert exited_by_itself(stub.api(), "job-build", state) is False
    assert stub.received == []
