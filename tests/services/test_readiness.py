"""What is waited for, and what ends the waiting; `tests/stages` has real sidecars."""

from pathlib import Path

import pytest

from executor.errors import ServiceNotReady
from executor.runner import notes
from executor.services.readiness import wait_until_ready
from tests.engine.stub import StubEngine, http, refusal
from tests.services.sidecars import STARTED, ended

SIDECAR = "/containers/job-dind/json"


RUNNING = {"State": {"Running": True, "StartedAt": STARTED}}


def test_a_sidecar_that_ran_out_of_memory(stub: StubEngine, answered: str) -> None:
    """The error says so; what it last printed is no reason why it would not come up."""
    stub.on("GET", "/containers/job-dind/json", ended(ExitCode=137, OOMKilled=True))

    with pytest.raises(ServiceNotReady) as caught:
        wait_until_ready(stub.engine(), "job-dind", answered, 5)

    assert str(caught.value) == (
        "The dind sidecar ran out of memory (exit code 137). An earlier script may have used it,"
        " and without it the script has no Docker daemon, so the script does not run. Retry the"
        " job: it gets a new sidecar. Its last log lines:\n  API listen on [::]:2376"
    )


def test_a_job_without_a_sidecar_waits_for_nothing(stub: StubEngine, tmp_path: Path) -> None:
    """A sidecar that nobody has seen was not lost."""
    stub.on("GET", SIDECAR, refusal(404, "no such container"))

    wait_until_ready(stub.engine(), "job-dind", str(tmp_path), 5)

    assert [each.path for each in stub.received] == [SIDECAR]


def test_a_sidecar_that_is_gone(stub: StubEngine, answered: str) -> None:
    """A sidecar that has answered before is missed."""
    stub.on("GET", SIDECAR, refusal(404, "no such container"))

    with pytest.raises(ServiceNotReady, match="Something removed the dind sidecar"):
        wait_until_ready(stub.engine(), "job-dind", answered, 5)


def test_a_sidecar_that_has_answered_is_only_looked_at(stub: StubEngine, answered: str) -> None:
    """Each script but the first costs one request."""
    stub.on("GET", SIDECAR, http(200, RUNNING))

    wait_until_ready(stub.engine(), "job-dind", answered, 5)

    assert [each.path for each in stub.received] == [SIDECAR]


def test_an_answer_is_noted(stub: StubEngine, tmp_path: Path) -> None:
    """The next script knows which start of the sidecar has answered."""
    address = {"Networks": {"n": {"IPAddress": "255.255.255.255"}}}
    log = http(200, b"\2\0\0\0\0\0\0\x11API listen on ...")
    stub.on("GET", SIDECAR, http(200, {**RUNNING, "NetworkSettings": address}))
    stub.on("GET", "/containers/job-dind/logs", log)
    stub.on("POST", "/containers/job-dind/exec", http(201, {"Id": "1"}))
    stub.on("POST", "/exec/1/start", http(200))
    stub.on("GET", "/exec/1/json", http(200, {"ExitCode": 0}))

    wait_until_ready(stub.engine(), "job-dind", str(tmp_path), 5)

    assert notes.read(str(tmp_path), notes.ANSWERED) == STARTED.encode()
