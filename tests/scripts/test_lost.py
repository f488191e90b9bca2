"""What became of a container that a script can no longer run in."""

import pytest

from executor.errors import ContainerLost, EnvironmentLost
from executor.scripts.lost import lost
from tests.engine.stub import (
    StubEngine,
    events,
    http,
    refusal,
)

CONTAINER = "/containers/job-build/json"


def inspected(**state: object) -> bytes:
    """Return an inspected container that runs, but for what is said of it."""
    return http(200, {"State": {"Running": True, "ExitCode": 0, "OOMKilled": False, **state}})


@pytest.mark.parametrize(
    ("answer", "sentence", "kind"),
    [
        (refusal(404, "no such container"), "Something removed the container", ContainerLost),
        (inspected(Running=False, ExitCode=137, OOMKilled=True), "out of memory", ContainerLost),
        (
            inspected(Running=False, ExitCode=1),
            "stopped while the job ran (exit code 1)",
            ContainerLost,
        ),
        (inspected(), "is still running", EnvironmentLost),
        (http(200, b"[]"), "Something removed", ContainerLost),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_what_became_of_it(
    stub: StubEngine, answer: bytes, sentence: str, kind: type[EnvironmentLost], *, begun: bool
) -> None:
    """The container's state says it; only one that is lost may be replaced by another."""
    stub.on("GET", CONTAINER, answer)

    error = lost(stub.engine(), "job-build", begun=begun)

    assert type(error) is kind
    assert sentence in str(error)
    assert getattr(error, "begun", begun) is begun


def test_the_end_may_come_after_that_of_the_streams(stub: StubEngine) -> None:
    """The engine is asked to wait for the container before it is asked for the state."""
    stub.on("GET", CONTAINER, inspected(Running=False))

    lost(stub.engine(), "job-build", begun=True)

    assert [each.path for each in stub.received[:2]] == ["/containers/job-build/wait", CONTAINER]


def test_a_container_that_is_being_removed_is_gone(stub: StubEngine) -> None:
    """The engine shows one for a moment, as one that ended."""
    stub.on("GET", CONTAINER, inspected(Running=False, Status="removing"))

    error = lost(stub.engine(), "job-build", begun=True)

    assert isinstance(error, ContainerLost)
    assert error.removed


@pytest.mark.parametrize(
    ("found", "code"),
    [(["die"], 137), (["kill", "die"], None), (["oom", "die"], None), ([], None)],
)
def test_who_ended_a_container(stub: StubEngine, found: list[str], code: int | None) -> None:
    """Its script did, unless the engine or the kernel did, or the engine has forgotten: a restart."""
    state = inspected(
        Running=False,
        ExitCode=137,
        StartedAt="2026-01-01T12:00:00.123Z",
        FinishedAt="2026-01-01T12:01:00.123Z",
    )
    stub.on("GET", CONTAINER, state)
    stub.on("GET", "/events", events(*({"Action": each} for each in found)))

    error = lost(stub.engine(), "job-build", begun=True)

    assert isinstance(error, ContainerLost)
    assert (error.exit_code, error.removed) == (code, False)
    (asked,) = stub.asked("GET", "/events")
    assert "since=1767268800&until=1767268865&" in asked.path
